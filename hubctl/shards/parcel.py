"""Parcel: what travels between leader and worker, as bytes. Pure.

A parcel is a head, which is JSON, and blobs that are named by a hash of what they hold. The leader leaves out the blobs
that a worker has from the round before; a worker that misses one says which. So a shard's predictors and a window are
sent when they have changed, and whatever the leader believes about a worker, the worker polls what the head names.
"""

import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from hubctl.model.golden import Golden
from hubctl.model.predictor import InferenceService, Window
from hubctl.model.route import ExposedRoute
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Resource, Snapshot
from hubctl.model.turn import Tally
from hubctl.model.values import Observe
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

_Services = tuple[tuple[InferenceService, ...], tuple[Golden, ...], tuple[int, ...]]
_SERVICES: TypeAdapter[_Services] = TypeAdapter(_Services)
_WITHOUT = -1
_CARRIED: Mapping[str, Resource] = {"accounts": SERVICE_ACCOUNTS, "works": FEEDBACK_WORKS}
"""Of a snapshot, what polls read; none of it is secret: Secrets are read by whoever polls."""

_REASONS = {str(reason): reason for reason in Reason}
_WINDOW, _NONE = b"W", b"N"
_SHAPE = struct.Struct("<32sII")
_LENGTH = struct.Struct("<I")


class Damaged(Exception):  # noqa: N818 - named after what arrived
    """Bytes that are no parcel of this release."""


@dataclass(frozen=True, slots=True)
class Job:
    """One worker's part of a round, by the names of blobs.

    Attributes:
        leader: whose it is; another leader's rounds end with its first one.
        setup: of ``hubctl.observe``.
        now: the leader's time as it sent this, which the worker goes by.
        limit: seconds after which the leader waits no longer.
        services: each shard's predictors, in order.
        rows: of each predictor, in the same order: a place in ``windows``.
        objects: the hub's objects that concern them; none without a snapshot.
    """

    leader: str
    setup: str
    now: datetime
    begins: datetime
    seconds: float
    seed: int
    limit: float
    services: tuple[str, ...]
    windows: tuple[str, ...]
    rows: tuple[int, ...]
    objects: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of every blob that it takes."""
        return (self.setup, *self.services, *self.windows, *([self.objects] if self.objects else ()))


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker answers: blobs that it misses, or what it found.

    Attributes:
        failed: why it found nothing, in words for people; empty when it did.
        observations: packed, in the job's order.
    """

    missing: tuple[str, ...] = ()
    tally: Tally = field(default_factory=Tally)
    observations: bytes = b""
    failed: str = ""


_JOB: TypeAdapter[Job] = TypeAdapter(Job)
_TALLY: TypeAdapter[Tally] = TypeAdapter(Tally)


def name_of(blob: bytes) -> str:
    """A blob's name: the same for the same bytes."""
    return blake2b(blob, digest_size=16).hexdigest()


def job_bytes(job: Job, blobs: Mapping[str, bytes]) -> bytes:
    """A job with the blobs that go along."""
    lengths = [[name, len(blob)] for name, blob in blobs.items()]
    return _joined({"job": _JOB.dump_python(job, mode="json"), "blobs": lengths}, blobs.values())


def job_of(data: bytes) -> tuple[Job, dict[str, bytes]]:
    """The job and the blobs that came along.

    Raises:
        Damaged: the bytes are not whole, or a blob is not what its name says.
    """
    head, rest = _parted(data)
    try:
        job = _JOB.validate_python(head["job"])
        blobs, start = {}, 0
        for name, length in head["blobs"]:
            blobs[name] = rest[start : start + length]
            start += length
    except (KeyError, TypeError, ValueError) as error:  # pydantic's is one
        raise Damaged(f"the head of a job is not as expected: {error!r}") from error
    if wrong := [name for name, blob in blobs.items() if name_of(blob) != name]:
        raise Damaged(f"blob {wrong[0]} does not hold what it is named after")
    return job, blobs


def report_bytes(report: Report) -> bytes:
    """A report."""
    tally = _TALLY.dump_python(replace(report.tally, lags=()), mode="json")
    lags = len(report.tally.lags)
    head = {"missing": report.missing, "tally": tally, "lags": lags, "failed": report.failed}
    return _joined(head, (array("d", report.tally.lags).tobytes(), report.observations))


def report_of(data: bytes) -> Report:
    """The report.

    Raises:
        Damaged: the bytes are none.
    """
    head, rest = _parted(data)
    try:
        lags = array("d")
        end = lags.itemsize * head["lags"]
        lags.frombytes(rest[:end])
        tally = replace(_TALLY.validate_python(head["tally"]), lags=tuple(lags))
        return Report(tuple(head["missing"]), tally, rest[end:], str(head["failed"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"the head of a report is not as expected: {error!r}") from error


def setup_blob(observe: Observe) -> bytes:
    """How to poll."""
    # Whoever gave another interval on the command line did not ask whether it goes with the rest.
    fits = observe.model_copy(update={"interval": max(observe.interval, observe.deadline)})
    return orjson.dumps([observe.interval, _marked(fits).model_dump(mode="json", by_alias=True, exclude_unset=True)])


def setup_of(blob: bytes) -> Observe:
    """How to poll.

    Raises:
        Damaged: no values are like that.
    """
    try:
        interval, fits = orjson.loads(blob)
        return Observe.model_validate(fits).model_copy(update={"interval": float(interval)})
    except (TypeError, ValueError) as error:  # pydantic's is one
        raise Damaged(f"the settings are not as expected: {_first(error)}") from error


def services_blob(services: Sequence[InferenceService]) -> bytes:
    """Predictors of a shard; golden rows once, which all predictors of a version share."""
    shared = {id(one.golden): one.golden for one in services if one.golden}
    places = {key: place for place, key in enumerate(shared)}
    profiles = {id(one.profile): one.profile for one in services}
    told = {key: _marked(profile) for key, profile in profiles.items()}
    plain = tuple(
        replace(one, golden=None, profile=told[id(one.profile)], route=_marked(one.route)) for one in services
    )
    where = tuple(places.get(id(one.golden), _WITHOUT) for one in services)
    return _SERVICES.dump_json((plain, tuple(shared.values()), where), by_alias=True, exclude_unset=True)


def services_of(blob: bytes) -> tuple[InferenceService, ...]:
    """Predictors of a shard.

    Raises:
        Damaged: a predictor is not as the models say.
    """
    try:
        plain, shared, where = _SERVICES.validate_json(blob)
        pairs = [(one, shared[place] if place != _WITHOUT else None) for one, place in zip(plain, where, strict=True)]
    except ValidationError as error:
        raise Damaged(f"the predictors are not as expected: {_first(error)}") from error
    except (IndexError, ValueError) as error:
        raise Damaged(f"the predictors are not as expected: {error}") from error
    return tuple(replace(one, golden=golden) if golden else one for one, golden in pairs)


def rows_blob(rows: Window | NoWindow) -> bytes:
    """A window, or why there is none."""
    if isinstance(rows, NoWindow):
        return _NONE + orjson.dumps([str(rows.reason), rows.detail])
    count = len(rows.instances)
    width = len(rows.instances[0]) if count else 0
    return (
        _WINDOW
        + _SHAPE.pack(rows.digest.encode(), count, width)
        + array("d", chain.from_iterable(rows.instances)).tobytes()
    )


def rows_of(blob: bytes) -> Window | NoWindow:
    """A window, or why there is none.

    Raises:
        Damaged: it is neither.
    """
    try:
        if blob[:1] == _NONE:
            reason, detail = orjson.loads(blob[1:])
            return NoWindow(_REASONS[reason], detail)
        digest, count, width = _SHAPE.unpack_from(blob, 1)
        numbers = array("d")
        numbers.frombytes(blob[1 + _SHAPE.size :])
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise Damaged(f"rows are not as expected: {error!r}") from error
    if blob[:1] != _WINDOW or not width or len(numbers) != count * width:
        raise Damaged(f"rows are not as expected: {len(numbers)} numbers for {count} rows of {width}")
    plain = numbers.tolist()
    rows = tuple(tuple(plain[at : at + width]) for at in range(0, count * width, width))
    return Window(rows, digest.decode())


def objects_blob(snapshot: Snapshot, services: Iterable[InferenceService]) -> bytes:
    """Of a snapshot, what concerns these predictors: their accounts, and the works that say where they are exposed."""
    asked = tuple(services)
    spokes = {
        "accounts": {one.cluster for one in asked if one.account},
        "works": {one.cluster for one in asked if any(isinstance(route, ExposedRoute) for route in one.routes)},
    }
    kinds: dict[str, Any] = {}
    for word, kind in _CARRIED.items():
        found = snapshot.of(kind)
        if found is not None:
            kinds[word] = [_said(one) for one in found if (one.get("metadata") or {}).get("namespace") in spokes[word]]
    unread = {word: snapshot.unread[kind] for word, kind in _CARRIED.items() if kind in snapshot.unread}
    return orjson.dumps({"objects": kinds, "unread": unread}, option=orjson.OPT_SORT_KEYS)


def snapshot_of(blob: bytes, at: datetime) -> Snapshot:
    """A snapshot of these objects.

    Raises:
        Damaged: they are none.
    """
    try:
        found = orjson.loads(blob)
        objects = {kind: tuple(found["objects"][word]) for word, kind in _CARRIED.items() if word in found["objects"]}
        unread = {kind: str(found["unread"][word]) for word, kind in _CARRIED.items() if word in found["unread"]}
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"objects are not as expected: {error!r}") from error
    return Snapshot(at, objects, unread)


def _marked(value: Any) -> Any:
    """The same, for sending only what was said: keys that stand beside each other as defaults may not be said so."""
    if isinstance(value, BaseModel):
        told = value.model_fields_set | ({"type"} & type(value).model_fields.keys())  # which tells routes apart
        return value.model_copy(update={name: _marked(getattr(value, name)) for name in told})
    return tuple(map(_marked, value)) if isinstance(value, tuple) else value


def _first(error: Exception) -> str:
    """What is wrong, without the values, which may be long."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _said(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object without what it asks for, which nobody who polls reads and which is most of a ManifestWork."""
    return {key: one[key] for key in ("metadata", "status") if key in one}


def _joined(head: Mapping[str, Any], parts: Iterable[bytes]) -> bytes:
    text = orjson.dumps(head)
    return b"".join((_LENGTH.pack(len(text)), text, *parts))


def _parted(data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        head = orjson.loads(data[_LENGTH.size : start])
    except (struct.error, ValueError) as error:
        raise Damaged(f"{len(data)} bytes are no parcel: {error}") from error
    if not isinstance(head, dict):
        raise Damaged(f"{len(data)} bytes are no parcel: the head is no object")
    return head, data[start:]
