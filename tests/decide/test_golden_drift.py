"""A drift that golden rows found ends when they match, without any witness on the hub."""

from dataclasses import replace

import pytest

from hubctl.decide.evidence import not_yet_good
from hubctl.model.health import PredictorHealth
from hubctl.model.predictor import Outcome
from tests.decide.scenes import HEALTHY, UNKNOWN, cell, finding, opened


def drifting(cluster: str) -> PredictorHealth:
    made = cell(cluster, UNKNOWN, outcome="golden_mismatch")
    return replace(made, reason="not-served", fault=Outcome.GOLDEN_MISMATCH, served=False)


def matching(cluster: str) -> PredictorHealth:
    return replace(cell(cluster, HEALTHY), served=True)


def left(*health: PredictorHealth) -> tuple[str, ...]:
    incident = opened(replace(finding("version-drift", "ab"), model="m", version="v2"))
    return not_yet_good(incident, health)


def test_each_spoke_has_to_answer_as_the_version() -> None:
    assert left(drifting("a"), drifting("b")) == ("a/m is unknown: not-served", "b/m is unknown: not-served")
    assert left(drifting("a"), matching("b")) == ("a/m is unknown: not-served",)
    assert left(matching("a"), matching("b")) == ()


@pytest.mark.parametrize("outcome", ["timeout", "unreachable", "not_found"])
def test_silence_ends_no_drift(outcome: str) -> None:
    assert left(matching("a"), replace(cell("b", UNKNOWN, outcome=outcome), served=None))


def test_answer_without_golden_rows_leaves_it_to_witnesses() -> None:
    assert left(matching("a"), cell("b")) == ("its witnesses are not heard any more",)
