"""Which protocol a predictor speaks is asked once, and only the question whether it is ready decides."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from hubctl.model.predictor import InferenceService, Outcome, Window
from hubctl.model.values import ModelProfile
from hubctl.observe.answers import Found
from hubctl.observe.exchange import Question
from hubctl.observe.reason import Reason
from hubctl.observe.search import Sought
from hubctl.observe.spoken import Spoken

ROWS = Window(instances=((1.0,),), digest="a" * 32)
NO_PATH = Found(Outcome.NOT_FOUND, Reason.PATH_NOT_FOUND)
ABSENT = Found(Outcome.NOT_FOUND, Reason.MODEL_ABSENT)
FINE = Found(Outcome.OK, instances=1)
AWAY = Found(Outcome.UNREACHABLE, Reason.REFUSED)


@dataclass
class Server:
    """Answers each protocol in its own way, and remembers what it was asked."""

    v1: Found
    v2: Found
    asked: list[str] = field(default_factory=list)

    async def find(self, question: Question, _: float | None = None) -> Sought:
        spoken = question.service.profile.spoken
        self.asked.append(spoken + (" rows" if isinstance(question.rows, Window) else " ready"))
        return Sought(self.v1 if spoken == "v1" else self.v2, sent=True)


@pytest.fixture
def model(service: Callable[..., InferenceService]) -> InferenceService:
    return service("http://127.0.0.1:1", profile=ModelProfile(protocol="auto"))


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        (Server(FINE, FINE), ["v1 ready", "v1 rows", "v1 rows"]),
        (Server(NO_PATH, FINE), ["v1 ready", "v2 ready", "v2 rows", "v2 rows"]),
        (Server(ABSENT, FINE), ["v1 ready", "v1 ready"]),
        (Server(AWAY, FINE), ["v1 ready", "v1 ready"]),
        (Server(NO_PATH, NO_PATH), ["v1 ready", "v2 ready"] * 2),
    ],
)
async def test_readiness_decides_and_is_remembered(model: InferenceService, server: Server, asked: list[str]) -> None:
    spoken = Spoken(server.find)
    for _ in range(2):
        await spoken.find(Question(model, ROWS))
    assert server.asked == asked


async def test_rows_that_were_never_sent_are_not_said_to_be(model: InferenceService) -> None:
    assert not (await Spoken(Server(AWAY, AWAY).find).find(Question(model, ROWS))).sent


async def test_another_version_or_a_path_that_is_gone_is_asked_again(model: InferenceService) -> None:
    server = Server(FINE, FINE)
    spoken = Spoken(server.find)
    await spoken.find(Question(model, ROWS))
    await spoken.find(Question(replace(model, version="v9"), ROWS))
    assert server.asked == ["v1 ready", "v1 rows"] * 2
    server.v1 = NO_PATH
    assert (await spoken.find(Question(replace(model, version="v9"), ROWS))).found is NO_PATH
    assert (await spoken.find(Question(replace(model, version="v9"), ROWS))).found is FINE
    assert server.asked[4:] == ["v1 rows", "v1 ready", "v2 ready", "v2 rows"]


async def test_failed_prediction_says_nothing_of_the_protocol(model: InferenceService) -> None:
    server = Server(FINE, FINE)
    spoken = Spoken(server.find)
    await spoken.find(Question(model, ROWS))
    server.v1 = Found(Outcome.MALFORMED, Reason.REJECTED_INPUT)
    for _ in range(2):
        await spoken.find(Question(model, ROWS))
    assert server.asked == ["v1 ready", "v1 rows", "v1 rows", "v1 rows"]


async def test_protocol_that_the_values_name_is_never_asked_for(model: InferenceService) -> None:
    server = Server(FINE, FINE)
    named = replace(model, profile=ModelProfile(protocol="v2"))
    await Spoken(server.find).find(Question(named, ROWS))
    assert server.asked == ["v2 rows"]
