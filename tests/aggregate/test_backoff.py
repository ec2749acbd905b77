"""A spoke that is left out of a round changes nothing of what is concluded about it or about the hub."""

from hypothesis import given
from hypothesis import strategies as st

from hubctl.aggregate import Aggregation, aggregate
from hubctl.model.health import FindingKind
from hubctl.model.pace import Backoff
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.values import Aggregate, ModelProfile
from hubctl.observe.pace import Pace, waiting
from tests.aggregate.polls import minute, seen

POLICY = Aggregate(settle=0)
PACE = Pace(Backoff(after=1, most=900.0), 60.0, POLICY.raise_after, lambda _: 0.0)
KINDS = st.sampled_from(["good", "bad", "timeout", "unreachable", "tls", "not_found", "not_ready", "forbidden"])
FLEETS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(KINDS, KINDS), min_size=1)


def polled(fleet: dict[str, tuple[str, str]], at: int) -> list[Observation]:
    return [seen(kind, at, cluster=c, model=m) for c, both in fleet.items() for m, kind in zip("mk", both, strict=True)]


def services(fleet: dict[str, tuple[str, str]]) -> list[InferenceService]:
    return [InferenceService(c, m, "v1", "ns", m, ModelProfile()) for c in fleet for m in "mk"]


@given(FLEETS, st.integers(1, 25))
def test_fleet_that_is_asked_less_often_is_concluded_the_same(fleet: dict[str, tuple[str, str]], count: int) -> None:
    always = rarely = Aggregation((), ())
    for at in range(count):
        now, polls = minute(at), polled(fleet, at)
        always = aggregate(polls, always.health, POLICY, now=now)
        left_out = waiting(services(fleet), rarely.health, PACE, now=now)
        asked = [one for one in polls if one.cluster not in left_out]
        rarely = aggregate(asked, rarely.health, POLICY, now=now, waiting=left_out)
        assert rarely.findings == always.findings
        conditions = [[(one.condition, one.reason) for one in made.health] for made in (rarely, always)]
        assert conditions[0] == conditions[1]


def test_poll_that_is_left_out_is_no_vote_and_no_streak_and_no_staleness() -> None:
    before = aggregate([seen("timeout", at) for at in range(3)], (), POLICY, now=minute(2))
    after = aggregate([], before.health, POLICY, now=minute(60), waiting={"a"})
    assert after == before
    assert aggregate([], before.health, POLICY, now=minute(60)).health[0].reason == "stale"


def test_spokes_that_are_left_out_still_count_when_the_hub_is_blamed() -> None:
    fleet = dict.fromkeys("abc", ("timeout", "timeout")) | {"d": ("good", "good")}
    health = aggregate(polled(fleet, 0), (), POLICY, now=minute(0)).health
    rest = [one for one in polled(fleet, 1) if one.cluster in "cd"]
    kinds = {one.kind for one in aggregate(rest, health, POLICY, now=minute(1), waiting={"a", "b"}).findings}
    assert FindingKind.HUB_UNREACHABLE in kinds
