"""Which protocol a predictor speaks, where the values leave it open: asked once of each, and remembered.

Only the question whether the model is ready decides, first in v1, then in v2. A failed prediction says nothing about
the protocol; at most it makes us ask again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hubctl.model.predictor import InferenceService, Outcome
from hubctl.model.serving import BOTH, Protocol
from hubctl.observe.exchange import Question
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.search import Sought

_NOT_SPOKEN = frozenset({Reason.PATH_NOT_FOUND, Reason.REJECTED_REQUEST, Reason.STATUS})
"""Answers of servers that do not know the path; any other comes from who does, or from nobody."""

_READY = NoWindow(Reason.NO_FEATURES, "only the protocol is asked for")


class Spoken:
    """Asks as ``find`` does, in the protocol of each predictor; keep it over rounds."""

    def __init__(self, find: Callable[[Question, float | None], Awaitable[Sought]]) -> None:
        """Take what asks one question."""
        self._find = find
        self._known: dict[tuple[str, str], tuple[str, Protocol]] = {}

    async def find(self, question: Question, seconds: float | None = None) -> Sought:
        """Ask; a predictor that has not said what it speaks is asked that first.

        Args:
            question: what is asked.
            seconds: the deadline of each question, where less is left than the values say.
        """
        service = question.service
        if service.profile.protocol != "auto":
            return await self._find(question, seconds)
        key = service.cluster, service.name
        version, spoken = self._known.get(key, ("", None))
        if spoken is None or version != service.version:
            spoken, sought = await self._ask(service, seconds)
            if spoken is None:
                return sought._replace(sent=False)
            self._known[key] = service.version, spoken
        made = await self._find(replace(question, service=speaking(service, spoken)), seconds)
        if made.found.reason in _NOT_SPOKEN:
            self._known.pop(key, None)
        return made

    async def _ask(self, service: InferenceService, seconds: float | None) -> tuple[Protocol | None, Sought]:
        """The protocol in which the model says that it is ready, or None; and the last answer."""
        first, second = BOTH
        sought = await self._ready(service, first, seconds)
        if sought.found.outcome is Outcome.OK:
            return first, sought
        if sought.found.reason not in _NOT_SPOKEN:
            return None, sought
        sought = await self._ready(service, second, seconds)
        return second if sought.found.outcome is Outcome.OK else None, sought

    async def _ready(self, service: InferenceService, spoken: Protocol, seconds: float | None) -> Sought:
        return await self._find(Question(replace(speaking(service, spoken), golden=None), _READY), seconds)


def speaking(service: InferenceService, spoken: Protocol) -> InferenceService:
    """The predictor with its protocol settled."""
    return replace(service, profile=service.profile.model_copy(update={"protocol": spoken}))
