"""Recording golden rows: which answers of a version go into its model's file, and when none may.

Apart from ``models``, whose commands register models and set versions; here their golden rows are read, asked and
written.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from hubctl import hub
from hubctl.cli import output
from hubctl.errors import GuardRefused, InputError, RemoteFailed
from hubctl.inputs import explain, golden, goldenrows, hubfile, load
from hubctl.inputs.document import parse
from hubctl.model.fleet import HubInputs
from hubctl.model.golden import Answers, first_difference
from hubctl.model.predictor import InferenceService, Outcome
from hubctl.model.route import UrlRoute
from hubctl.model.values import ModelProfile, Observe
from hubctl.observe.interview import Asker, Recorded
from hubctl.settings import Settings

FEW, MANY = 16, 64
"""Fewer rows tell less than they could, more cost each poll more than they tell."""


_FROM = "--golden-from"
_NO_SPOKE = "no-spoke"
"""In place of a spoke's name where a URL is asked; no route of the values names it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to record.

    Attributes:
        rows: file with rows; empty to keep those that are recorded.
        source: spoke or URL of a predictor that serves the version; empty when nobody is asked.
        expected: file with the answers; empty when there is none.
    """

    model: str
    version: str
    rows: str = ""
    source: str = ""
    expected: str = ""

    @property
    def anything(self) -> bool:
        """Whether anything is to be recorded."""
        return bool(self.rows or self.source or self.expected)

    @property
    def asks_spoke(self) -> bool:
        """Whether it is a spoke that is asked, not a URL."""
        return bool(self.source) and "://" not in self.source


def recorded(
    settings: Settings, sources: load.Sources, inputs: HubInputs | None, wanted: Wanted
) -> dict[str, tuple[str, str]]:
    """The golden file's name with its text before and after; nothing is written.

    Args:
        settings: where the inputs are.
        sources: the inputs as read.
        inputs: in force, to find a spoke by its name; None when only a URL can be asked.
        wanted: what to record.

    Raises:
        InputError: a file is wrong, there are no rows, or nobody says the answers.
        RemoteFailed: the predictor gave no usable answer.
        GuardRefused: it serves something else, or does not answer alike twice.
    """
    profile = sources.values.profile(wanted.model)
    name = golden.file_of(settings, profile, wanted.model)
    path = settings.directory / name
    before = hubfile.read_file(path, name).decode() if path.is_file() else ""
    text, answers = before, None
    if wanted.rows:
        rows, answers = goldenrows.rows_of(_bytes_of(wanted.rows), wanted.rows)
        if not before or golden.checked(parse(before, name), profile).rows != rows:
            text = golden.new_text(name, wanted.model, rows)
    if not text:
        hint = f"give them with `hubctl models register {wanted.model} --golden ROWS.csv`"
        raise InputError(f"there are no golden rows of {wanted.model}", where=name, hint=hint)
    rows = golden.checked(parse(text, name), profile).rows
    if wanted.expected:
        answers = goldenrows.answers_of(_bytes_of(wanted.expected), wanted.expected)
    if wanted.source:
        asked = asyncio.run(_asked(settings, sources, _service(sources, inputs, wanted), rows))
        answers = _agreed(wanted, profile, asked)
    if answers is None:
        return {name: (before, text)}
    if not wanted.version:
        raise InputError("the rows come with answers, and nothing says whose", hint="say it with --version VERSION")
    text = golden.set_expected(text, wanted.version, answers, name=name)
    golden.checked(parse(text, name), profile)
    _tell(wanted, len(rows))
    return {name: (before, text)}


def _tell(wanted: Wanted, count: int) -> None:
    output.say(f"{wanted.model} {wanted.version}: answers to {output.count(count, 'golden row')}")
    if not FEW <= count <= MANY:
        output.say(f"{FEW} to {MANY} rows, clear cases of each kind, tell most for what they cost", colour="yellow")


def _bytes_of(name: str) -> bytes:
    return hubfile.read_file(Path(name), name)


def _service(sources: load.Sources, inputs: HubInputs | None, wanted: Wanted) -> InferenceService:
    """The predictor to ask.

    Raises:
        InputError: there is no such spoke, or it does not serve the model.
        GuardRefused: Git says that it serves another version.
    """
    model = wanted.model
    if not wanted.asks_spoke:
        try:
            route = UrlRoute(url=wanted.source)
        except ValidationError:
            hint = "give one such as http://localhost:8080, without user and password"
            raise InputError(f"found {explain.shown(wanted.source)}, expected a URL", where=_FROM, hint=hint) from None
        return InferenceService(
            cluster=_NO_SPOKE,
            name=model,
            version=wanted.version,
            namespace=sources.values.kserve.namespace,
            service=f"{model}-predictor",
            profile=sources.values.profile(model),
            route=route,
        )
    cluster = inputs.cluster(wanted.source) if inputs else None
    if cluster is None:
        hint = "give the name of a spoke, or a URL such as http://localhost:8080"
        raise InputError(f"there is no spoke {wanted.source!r} to ask", where=_FROM, hint=hint)
    service = cluster.model(model)
    if service is None:
        hint = f"ask a spoke that does, or add it to spec.models of {cluster.source}"
        raise InputError(f"{wanted.source} does not serve {model!r}", where=_FROM, hint=hint)
    if service.version != wanted.version:
        hint = f"deliver {wanted.version} there first, with --cluster {wanted.source} alone and `hubctl publish`"
        message = f"{wanted.source} serves {model} {service.version}, expected {wanted.version}"
        raise GuardRefused(message, hint=hint, where=_FROM)
    return service


async def _asked(
    settings: Settings, sources: load.Sources, service: InferenceService, rows: tuple[tuple[float, ...], ...]
) -> tuple[Recorded, Recorded]:
    """What the predictor answers, asked twice."""
    observe = sources.values.hubctl.observe
    api, snapshot = None, None
    if service.cluster != _NO_SPOKE:
        api = hub.open_api(settings, sources)
        snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    else:
        # A URL from the command line gets no token of the fleet.
        observe = Observe(deadline=observe.deadline, max_body_bytes=observe.max_body_bytes)
    async with Asker(observe, settings.directory, os.environ, api=api) as asker:
        await asker.begin([service], snapshot)
        first = await asker.record(service, rows)
        return first, await asker.record(service, rows)


def _agreed(wanted: Wanted, profile: ModelProfile, asked: tuple[Recorded, Recorded]) -> Answers:
    """What may be recorded of two answers.

    Raises:
        RemoteFailed: one of them keeps no protocol.
        GuardRefused: they are another version's, or differ.
    """
    for one in asked:
        if one.found.outcome is not Outcome.OK:
            why = ": ".join(filter(None, (str(one.found.reason), one.found.detail)))
            hint = "see `hubctl models describe` and the outcomes in docs/concepts.md"
            raise RemoteFailed(f"it is {one.found.outcome}, {why}", where=wanted.source, hint=hint)
        if one.version not in ("", wanted.version):
            hint = f"ask a predictor that serves {wanted.version}"
            message = f"it says that it serves version {one.version}, expected {wanted.version}"
            raise GuardRefused(message, where=wanted.source, hint=hint)
    first, second = (one.answers for one in asked)
    if (place := first_difference(first, second, profile.golden.tolerance)) is not None:
        hint = "golden rows need a model that answers alike each time; give its random parts a seed"
        raise GuardRefused(f"it answered row {place + 1} otherwise when asked again", where=wanted.source, hint=hint)
    return first
