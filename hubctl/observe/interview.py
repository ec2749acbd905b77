"""Asking predictors something beside polls: the answers to golden rows in full, and what a served model says of itself.

The same ways, tokens and strictness as polls have; nothing of it becomes an observation.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from hubctl.model import values
from hubctl.model.apiserver import HubReader
from hubctl.model.golden import Answers, digest_of
from hubctl.model.predictor import InferenceService, Outcome, Prediction, Window
from hubctl.model.serving import BOTH, Protocol
from hubctl.model.snapshot import Snapshot
from hubctl.observe import answers, golden, limits, routes, strict
from hubctl.observe.answers import Answer, Found
from hubctl.observe.exchange import Question
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.search import Search, Sought
from hubctl.observe.spoken import Spoken, speaking
from hubctl.observe.ways import Ways

_READY = NoWindow(Reason.NO_FEATURES, "only asked whether it is ready")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Recording(Question):
    """The golden rows, as live ones; ``kept`` gets the whole prediction."""

    kept: list[Prediction] = field(default_factory=list)

    def judge(self, answer: Answer) -> Found:
        """As a poll does, and keep what was predicted."""
        found = answers.judge(answer, self.service, self.rows)
        if found.outcome is Outcome.OK:
            count = len(golden.asked(self.service, self.rows))
            self.kept.append(answers.read_prediction(answer.body, self.service, count))
        return found


@dataclass(frozen=True, slots=True)
class Describing(Question):
    """What the model says of itself in v2; ``kept`` gets the object."""

    kept: list[Mapping[str, Any]] = field(default_factory=list)

    def url(self, base: str) -> str:
        """Where a v2 server describes a model."""
        return routes.metadata_url(base, self.service.name)

    def judge(self, answer: Answer) -> Found:
        """Whether it is an object about this model, and keep it."""
        found = answers.judge_presence(answer, self.service, _READY)
        if found.outcome is Outcome.OK:
            self.kept.append(strict.parse(answer.body) if answer.body.strip() else {})
        return found


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a predictor answered to golden rows.

    Attributes:
        found: why there are no answers, where its outcome is not ok.
        version: only if the server said it.
    """

    found: Found
    answers: Answers = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What a served model says of itself.

    Attributes:
        ready: by protocol, what came of the question whether the model is ready.
        metadata: the object of the v2 protocol, empty where there is none.
    """

    service: InferenceService
    ready: Mapping[Protocol, Found]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def speaks(self) -> tuple[Protocol, ...]:
        """The protocols in which the model says that it is ready."""
        return tuple(spoken for spoken, found in self.ready.items() if found.outcome is Outcome.OK)

    @property
    def versions(self) -> tuple[str, ...]:
        """That the server names."""
        said = self.metadata.get("versions")
        return tuple(_text(one) for one in said) if isinstance(said, list) else ()

    def text(self, key: str) -> str:
        """One of its texts, such as ``platform``; empty where it says none."""
        said = self.metadata.get(key)
        return _text(said) if said is not None else ""

    def tensors(self, key: str) -> tuple[str, ...]:
        """Its ``inputs`` or ``outputs`` as ``name datatype[shape]``."""
        said = self.metadata.get(key)
        found = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
        shown = (f"{one.get('name', '')} {one.get('datatype', '')}{json.dumps(one.get('shape', []))}" for one in found)
        return tuple(map(_text, shown))


class Asker:
    """Asks questions outside of rounds; use it as an async context manager, once."""

    def __init__(
        self, observe: values.Observe, folder: Path, environ: Mapping[str, str], *, api: HubReader | None = None
    ) -> None:
        """Take the settings, as polls get them; nothing is opened yet."""
        self._ways = Ways(observe, environ, folder, api)
        self._search = Search(observe, folder, self._ways, _utc_now)
        self._spoken = Spoken(self._search.find)
        self._slots = asyncio.Semaphore(observe.concurrency)

    async def __aenter__(self) -> Self:
        limits.raise_open_files()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._search.close()

    async def begin(self, services: Sequence[InferenceService], snapshot: Snapshot | None) -> None:
        """Find the ways to these predictors, with the hub's objects as they are now."""
        await self._ways.begin(services, snapshot)

    async def record(self, service: InferenceService, rows: tuple[tuple[float, ...], ...]) -> Recorded:
        """What a predictor answers to golden rows."""
        question = Recording(_plain(service), Window(rows, digest_of(rows)))
        found = (await self._ask(question, self._spoken.find)).found
        if not question.kept:
            return Recorded(found)
        (prediction,) = question.kept
        return Recorded(found, golden.answers_of(prediction, 0), prediction.model_version)

    async def describe(self, service: InferenceService) -> Described:
        """What a served model says of itself, in every protocol."""
        ready: dict[Protocol, Found] = {}
        for spoken in BOTH:
            asked = Question(speaking(_plain(service), spoken), _READY)
            ready[spoken] = (await self._ask(asked, self._search.find)).found
        question = Describing(speaking(_plain(service), "v2"), _READY)
        if ready["v2"].outcome in (Outcome.OK, Outcome.NOT_READY):
            await self._ask(question, self._search.find)
        return Described(service, ready, question.kept[0] if question.kept else {})

    async def _ask(self, question: Question, find: Callable[[Question], Awaitable[Sought]]) -> Sought:
        async with self._slots:
            return await find(question)


def _plain(service: InferenceService) -> InferenceService:
    """The predictor without golden rows, which are beside what is asked here."""
    return replace(service, golden=None)


def _text(value: Any) -> str:
    return strict.excerpt(value if isinstance(value, str) else json.dumps(value), _SHOWN)


def _utc_now() -> datetime:
    return datetime.now(UTC)
