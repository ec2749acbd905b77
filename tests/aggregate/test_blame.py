"""Attribution counts what changes only; this holds it to the same greedy search over sets, looked through each time."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.aggregate.blame import attribute
from hubctl.aggregate.chance import tail
from hubctl.model.health import Condition, PredictorHealth, Vote
from hubctl.model.predictor import Outcome
from hubctl.model.values import Aggregate
from tests.aggregate.polls import POLICY, minute

Cell = tuple[str, str]
Theories = dict[str, tuple[set[Cell], int, float]]


def predictor(cell: Cell, version: str, condition: Condition) -> PredictorHealth:
    """One with four votes, bad if it is anomalous."""
    bad = condition is Condition.ANOMALOUS
    votes = tuple(Vote(f"w{n}", minute(n), version, 4, 4 * bad, bad) for n in range(4))
    at = minute(4)
    return PredictorHealth(*cell, version, condition, "votes", at, at, at, Outcome.OK, votes, raised=bad)


def theories(health: Sequence[PredictorHealth], policy: Aggregate) -> Theories:
    """By key: the predictors covered, how many must be anomalous, their correlation."""
    found: Theories = {}
    for one in health:
        found.setdefault(f"model-anomaly:{one.model}@{one.version}", (set(), policy.min_spokes, 0.2))
        found.setdefault(f"spoke-anomaly:{one.cluster}", (set(), 2, 0.5))
        found[f"model-anomaly:{one.model}@{one.version}"][0].add((one.cluster, one.model))
        found[f"spoke-anomaly:{one.cluster}"][0].add((one.cluster, one.model))
    return found


def share(cells: set[Cell], live: dict[Cell, bool]) -> float:
    """Of the cells, how many are anomalous."""
    return sum(live[cell] for cell in cells) / len(cells) if cells else 0.0


def slowly(health: Sequence[PredictorHealth], policy: Aggregate) -> dict[str, tuple[float, set[Cell]]]:
    """By key of what is blamed: confidence and what it explains."""
    every = {(one.cluster, one.model): one.condition for one in health}
    live = {cell: is_ is Condition.ANOMALOUS for cell, is_ in every.items() if is_ is not Condition.UNKNOWN}
    blamed: dict[str, tuple[float, set[Cell]]] = {}
    while True:
        explained = every.keys() - live.keys() - {cell for cell, is_ in every.items() if is_ is Condition.UNKNOWN}
        best = None
        for key, (cells, fewest, rho) in theories(health, policy).items():
            mine = cells & live.keys()
            bad = {cell for cell in mine if live[cell]}
            if len(bad) < fewest or share(mine, live) < policy.fleet_fraction:
                continue
            models = {model for _, model in cells}
            control = {cell for cell in live if cell[1] in models} - mine
            if not control and key.startswith("model"):
                control = {cell for cell in live.keys() - mine if cell[0] in {cluster for cluster, _ in bad}}
            chance = tail(len(bad), len(mine), base=0.05, rho=rho)
            confidence = min(1 - chance, len(mine) / len(cells - explained))
            rank = chance, -len(cells), key
            if share(control, live) <= 0.5 * share(mine, live) and (best is None or rank < best[0]):
                best = rank, confidence, bad
        if best is None:
            return blamed
        (_, _, key), confidence, bad = best
        blamed[key] = round(confidence, 4), bad
        live = {cell: is_bad for cell, is_bad in live.items() if cell not in bad}


CONDITIONS = st.sampled_from([Condition.HEALTHY, Condition.ANOMALOUS, Condition.ANOMALOUS, Condition.UNKNOWN])
FLEETS = st.dictionaries(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("mkl")),
    st.tuples(st.sampled_from(["v1", "v1", "v2"]), CONDITIONS),
    max_size=24,
)


@settings(deadline=None, max_examples=200)
@given(FLEETS, st.sampled_from([POLICY, POLICY.model_copy(update={"fleet_fraction": 0.2, "min_spokes": 3})]))
def test_attribution_blames_what_the_plain_search_blames(
    fleet: dict[Cell, tuple[str, Condition]], policy: Aggregate
) -> None:
    health = [predictor(cell, *what) for cell, what in fleet.items()]
    found = attribute(health, policy)
    expected = slowly(health, policy)
    wide = {one.key: one.confidence for one in found if not one.key.startswith("predictor")}
    assert wide == {key: confidence for key, (confidence, _) in expected.items()}
    assert {(one.clusters[0], one.model): one.inhibited_by for one in found if one.inhibited_by} == {
        cell: key for key, (_, cells) in expected.items() for cell in cells
    }
