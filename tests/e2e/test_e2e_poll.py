"""What poll and status say of predictors that fail, each in its own way; their JSON is stable."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.predictors import Fault
from tests.e2e.world import MODEL, OTHER, SECRET, World, git

FAULTS: dict[tuple[str, str], Fault] = {
    ("east", MODEL): "missing",
    ("east", OTHER): "malformed",
    ("north", MODEL): "slow",
    ("north", OTHER): "denied",
    ("south", MODEL): "not-ready",
    ("south", OTHER): "broken",
}
KEYS = ["cluster", "model", "version", "outcome", "instances", "anomalies", "latency_ms", "reason", "route", "tried",
        "served_version"]  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, began_healthy: World) -> Iterator[World]:
    """A fleet on which almost everything is broken, each predictor differently, and a spoke that is down."""
    world = began_healthy.copied(tmp_path_factory.mktemp("broken"))
    world.edit_values(lambda hubctl: hubctl["observe"].update(deadline="1s"))
    world.predictors.faults = dict(FAULTS)
    world.predictors.down("west")
    yield world
    world.predictors.close()


@pytest.fixture(scope="module")
def seen(broken: World) -> dict[tuple[str, str], dict[str, Any]]:
    """One poll of it."""
    observations = broken.hubctl("poll", "-o", "json").json["observations"]
    return {(one["cluster"], one["model"]): one for one in observations}


def test_each_observation_has_exactly_the_stable_keys(seen: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert len(seen) == 8
    assert {tuple(one) for one in seen.values()} == {tuple(KEYS)}


@pytest.mark.parametrize(
    ("spoke", "model", "outcome"),
    [
        ("east", MODEL, "not_found"),
        ("east", OTHER, "malformed"),
        ("north", MODEL, "timeout"),
        ("north", OTHER, "unauthorized"),
        ("south", MODEL, "not_ready"),
        ("south", OTHER, "unreachable"),
        ("west", MODEL, "unreachable"),
        ("west", OTHER, "unreachable"),
    ],
)
def test_fault_has_its_own_outcome_and_a_reason(
    seen: dict[tuple[str, str], dict[str, Any]], spoke: str, model: str, outcome: str
) -> None:
    one = seen[spoke, model]
    assert (one["outcome"], one["anomalies"]) == (outcome, 0)
    assert one["reason"]


def test_answering_predictor_is_counted_row_by_row(healthy: World) -> None:
    healthy.predictors.ill = {"north"}
    (one,) = healthy.inside("poll", "--cluster", "north", "--model", MODEL, "-o", "json").json["observations"]
    assert (one["outcome"], one["instances"], one["anomalies"], one["reason"]) == ("ok", 10, 8, "")
    assert 0 < one["latency_ms"] < 5000


def test_poll_stores_nothing_and_sends_rows_with_the_token(healthy: World) -> None:
    before = healthy.inside("status", "-o", "json").json
    healthy.predictors.ill = {"north"}
    healthy.new_window()
    healthy.hubctl("poll")
    assert healthy.inside("status", "-o", "json").json == before
    asked = healthy.predictors.listeners["north"].asked[-1]
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.json["instances"][1] == [float(healthy.window), 1.0]


def test_pass_over_broken_predictors_knows_health_and_never_leaks_the_token(broken: World) -> None:
    broken.reconcile()
    broken.new_window()
    broken.hubctl("reconcile")
    status = broken.hubctl("status", "-o", "json", expect=1).json
    assert {"clusters", "incidents"} <= status.keys()
    for cluster in status["clusters"]:
        assert {"name", "health", "models"} <= cluster.keys()
        assert cluster["health"] in {"healthy", "anomalous", "unknown"}
    assert {model["health"] for cluster in status["clusters"] for model in cluster["models"]} == {"unknown"}
    for incident in status["incidents"]:
        broken.inside("explain", incident["id"])
    assert SECRET.encode() not in broken.store.read_bytes()
    assert SECRET not in git(broken.remote, "log", "-p", "main")


def test_predictor_without_rows_is_asked_whether_it_is_there_and_does_not_vote(healthy: World) -> None:
    (healthy.fleet / "features" / "north" / f"{MODEL}.json").unlink()
    (one,) = healthy.inside("poll", "--cluster", "north", "--model", MODEL, "-o", "json").json["observations"]
    assert (one["outcome"], one["instances"]) == ("ok", 0)
    assert one["reason"]
    assert healthy.predictors.listeners["north"].asked[-1].path == f"/v1/models/{MODEL}"


def test_words_for_labels_are_malformed_and_no_vote(healthy: World) -> None:
    healthy.predictors.faults = {("north", MODEL): "words"}
    healthy.new_window()
    made = healthy.reconcile()
    (one,) = [one for one in made["observations"] if (one["cluster"], one["model"]) == ("north", MODEL)]
    assert (one["outcome"], one["instances"]) == ("malformed", 0)
