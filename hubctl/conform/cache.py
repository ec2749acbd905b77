"""The folder of cached schemas: one file a kind, and an index that says where each came from.

Files are named after what is in them and the index is replaced last, in one step: whoever reads sees a whole pull or
none of it. Files that no index names any more are removed afterwards.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock

from hubctl.conform.check import ALL, SIDES, Validators, compiled
from hubctl.conform.kinds import Kind
from hubctl.errors import InputError
from hubctl.model.values import HubValues
from hubctl.settings import Settings

INDEX = "index.json"
FORMAT = 1
"""Counted up when schemas are closed differently, so that those of an older hubctl are pulled again."""

_LOCK_SECONDS = 60
_ANEW = "run `hubctl schemas pull --replace`"
_AGAIN = "run `hubctl schemas pull` again"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where schemas came from.

    Attributes:
        source: a cluster's address or a file's path.
        version: of the cluster, such as ``v1.33.4``; empty for files.
        pulled_at: aware, UTC.
    """

    source: str
    version: str
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One cached kind.

    Attributes:
        side: ``all``, ``hub`` or ``spokes``: whose objects it holds for.
        digest: SHA-256 of its file, in hex.
    """

    side: str
    api_version: str
    kind: str
    digest: str
    origin: Origin

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one entry of."""
        return (self.side, self.api_version, self.kind)

    @property
    def file(self) -> str:
        """Its name in the folder."""
        group, _, version = self.api_version.rpartition("/")
        return ".".join(filter(None, (self.kind, version, group, self.digest[:16], "json")))


@dataclass(frozen=True, slots=True)
class Pull:
    """What a pull would make of the cache.

    Attributes:
        entries: the cache after it, sorted.
        texts: digest to file content, of what is pulled.
        unusable: kinds whose schema no validator takes, with the reason.
    """

    entries: tuple[Entry, ...]
    texts: Mapping[str, str]
    unusable: tuple[str, ...] = ()
    added: tuple[Entry, ...] = ()
    changed: tuple[Entry, ...] = ()
    same: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()


class Cache:
    """The cached schemas as the index names them now."""

    def __init__(self, folder: Path, *, renewing: bool = False) -> None:
        """Read the index; a folder that does not exist is an empty cache.

        Args:
            folder: of the cache.
            renewing: what cannot be read is about to be replaced, and counts as empty.

        Raises:
            InputError: the index cannot be read, or an older or newer hubctl wrote it.
        """
        self.folder = folder
        text = _index(folder)
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        try:
            self.entries = _parse(text, folder) if text else ()
        except InputError:
            if not renewing:
                raise
            self.entries = ()
        self._by_key = {entry.key: entry for entry in self.entries}

    def find(self, side: str, api_version: str, kind: str) -> str | None:
        """The schema for objects of a side: that side's own before one for all.

        Raises:
            InputError: its file is gone or damaged.
        """
        found = self._by_key.get((side, api_version, kind)) or self._by_key.get((ALL, api_version, kind))
        if found is None:
            return None
        try:
            data = (self.folder / found.file).read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {self.folder / found.file}: {error.strerror}", hint=_AGAIN) from error
        if hashlib.sha256(data).hexdigest() != found.digest:
            raise InputError(f"{self.folder / found.file} is not what was pulled", hint=_AGAIN)
        return data.decode()

    def plan(self, kinds: Iterable[tuple[Kind, Origin]], side: str, *, replace_all: bool = False) -> Pull:
        """What a pull of these kinds would change; writes nothing.

        Args:
            kinds: with their origin; the last one of a kind counts.
            side: whose objects they are to hold for.
            replace_all: drop this side's other entries.
        """
        pulled: dict[tuple[str, str, str], Entry] = {}
        texts: dict[str, str] = {}
        unusable: list[str] = []
        for kind, origin in kinds:
            text = json.dumps(kind.schema, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            try:
                compiled(text)
            except ValueError as error:
                unusable.append(f"{kind.api_version} {kind.name}: {error}")
                continue
            entry = Entry(side, kind.api_version, kind.name, digest, origin)
            pulled[entry.key], texts[digest] = entry, text
        before = self._by_key
        kept = {} if replace_all else {key: entry for key, entry in before.items() if key[0] == side}
        others = {key: entry for key, entry in before.items() if key[0] != side}
        after = {**others, **kept, **pulled}
        return Pull(
            entries=tuple(after[key] for key in sorted(after)),
            texts=texts,
            unusable=tuple(unusable),
            added=_sorted(entry for key, entry in pulled.items() if key not in before),
            changed=_sorted(e for key, e in pulled.items() if key in before and before[key].digest != e.digest),
            same=_sorted(e for key, e in pulled.items() if key in before and before[key].digest == e.digest),
            removed=_sorted(entry for key, entry in before.items() if key not in after),
        )

    def write(self, pull: Pull) -> None:
        """Make the cache what a pull planned.

        Raises:
            InputError: the folder cannot be written, or another pull was faster.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS):
                if hashlib.sha256(_index(self.folder).encode()).hexdigest() != self.digest:
                    raise InputError(f"another pull changed {self.folder} meanwhile", hint=_AGAIN)
                for entry in pull.entries:
                    if entry.digest in pull.texts:
                        _write(self.folder / entry.file, pull.texts[entry.digest])
                _write(self.folder / INDEX, _told(pull.entries))
                named = {entry.file for entry in pull.entries} | {INDEX}
                for path in self.folder.glob("*.json"):
                    if path.name not in named:
                        path.unlink()
        except (OSError, filelock.Timeout) as error:
            raise InputError(
                f"cannot write {self.folder}: {error}", hint="choose another with HUBCTL_SCHEMAS"
            ) from error


def _index(folder: Path) -> str:
    """The index's text, empty when there is none."""
    try:
        return (folder / INDEX).read_text()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder / INDEX}: {error}", hint="see who owns it") from error


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.key))


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)


def _told(entries: Sequence[Entry]) -> str:
    kinds: list[dict[str, Any]] = []
    for entry in entries:
        origin = replace(entry.origin)
        kinds.append(
            {
                "for": entry.side,
                "apiVersion": entry.api_version,
                "kind": entry.kind,
                "file": entry.file,
                "digest": entry.digest,
                "source": origin.source,
                "clusterVersion": origin.version,
                "pulledAt": origin.pulled_at.isoformat(),
            }
        )
    return json.dumps({"format": FORMAT, "kinds": kinds}, indent=1) + "\n"


def _parse(text: str, folder: Path) -> tuple[Entry, ...]:
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise InputError(
                f"{folder / INDEX} has format {data['format']}, this hubctl reads {FORMAT}",
                hint=_ANEW,
            )
        entries = tuple(_entry(item) for item in data["kinds"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / INDEX} is damaged: {error}", hint=_ANEW) from error
    if odd := {entry.side for entry in entries} - set(SIDES):
        raise InputError(f"{folder / INDEX} names {odd}, expected {', '.join(SIDES)}", hint=_ANEW)
    return entries


def _entry(item: Mapping[str, Any]) -> Entry:
    origin = Origin(item["source"], item["clusterVersion"], datetime.fromisoformat(item["pulledAt"]))
    return Entry(item["for"], item["apiVersion"], item["kind"], item["digest"], origin)


def data_of(entry: Entry) -> dict[str, Any]:
    """An entry as ``-o json`` shows it."""
    shown = asdict(entry.origin)
    return {
        "for": entry.side,
        "apiVersion": entry.api_version,
        "kind": entry.kind,
        "source": shown["source"],
        "clusterVersion": shown["version"],
        "pulledAt": shown["pulled_at"],
        "digest": f"sha256:{entry.digest}",
    }


def schemas_folder(settings: Settings, values: HubValues) -> Path:
    """Where the schemas are cached: as this run says, as the values say, or in the state folder."""
    said = values.hubctl.schemas.folder
    return settings.schemas or (settings.directory / said if said else settings.state / "schemas")


def validators_of(settings: Settings, values: HubValues) -> Validators:
    """Validators of the cached schemas; none is compiled yet.

    Raises:
        InputError: the cache cannot be read.
    """
    cache = Cache(schemas_folder(settings, values))
    return Validators(cache, cache.digest)
