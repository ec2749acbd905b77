"""A fleet whose rows come from a real Prometheus: what poll, features, doctor and a pass make of it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.world import MODEL, OTHER, World
from tests.observe import promserver

LOST = "west"
"""A spoke that Prometheus knows nothing of."""

RECIPE = {
    "rows": 2,
    "metrics": [
        {"name": "load", "query": "avg by ($cluster) (load{$selector})", "derive": ["value", "mean 3m", "lag 1m"]},
        {"name": "heat", "query": "max by ($cluster) (load{$selector}) * 10"},
    ],
}


def exposition(spokes: tuple[str, ...]) -> str:
    """A sample a minute, from a while ago until a while ahead, since the tests look at the clock on the wall."""
    now = int(time.time()) // 60 * 60
    lines = [
        f'load{{cluster="{spoke}"}} {number + 1} {now + 60 * minute}'
        for number, spoke in enumerate(spokes)
        for minute in range(-20, 20)
    ]
    return "\n".join(["# TYPE load gauge", *lines, "# EOF", ""])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, began_healthy: World) -> Iterator[World]:
    """The fleet with a source and a recipe for both of its models."""
    world = began_healthy.copied(tmp_path_factory.mktemp("measured"))
    with promserver.serving(exposition(tuple(spoke for spoke in world.spokes if spoke != LOST))) as url:

        def change(hubctl: dict[str, Any]) -> None:
            hubctl["prometheus"] = {"sources": {"fleet": {"url": url}}}
            for model in (MODEL, OTHER):
                hubctl["models"][model]["features"] = {"prometheus": RECIPE}

        world.edit_values(change)
        yield world
    world.predictors.close()


def test_poll_sends_rows_of_prometheus_and_says_whose_are_missing(measured: World) -> None:
    seen = measured.hubctl("poll", "--model", MODEL, "-o", "json").json["observations"]
    rows = {one["cluster"]: (one["outcome"], one["instances"]) for one in seen}
    assert rows == {spoke: ("ok", 0 if spoke == LOST else 2) for spoke in measured.spokes}
    [reason] = [one["reason"] for one in seen if one["cluster"] == LOST]
    assert reason == "metrics_missing: load: there is no series of this spoke"
    number = [spoke for spoke in measured.spokes if spoke != LOST].index("east") + 1
    sent = measured.predictors.listeners["east"].asked[-1].json
    assert sent == {"instances": [[number, number, number, number * 10]] * 2}


def test_features_shows_the_row_with_its_names(measured: World) -> None:
    shown = measured.hubctl("features", "show", "east", MODEL, "-o", "json").json
    assert shown["features"] == ["load_value", "load_mean_3m", "load_lag_1m", "heat_value"]
    assert [len(row) for row in shown["rows"]] == [4, 4]
    assert len(shown["window"]) == 32


def test_features_without_rows_say_why_and_exit_with_1(measured: World) -> None:
    ran = measured.hubctl("features", "show", LOST, MODEL, expect=1)
    assert "no rows: metrics_missing: load: there is no series of this spoke" in ran.err
    found = measured.hubctl("features", "check", "-o", "json", expect=1).json["windows"]
    assert {one["cluster"] for one in found if one["reason"]} == {LOST}
    assert len(found) == 2 * len(measured.spokes)


def test_doctor_says_for_how_many_predictors_a_source_gives_rows(measured: World) -> None:
    checks = measured.hubctl("doctor", "--no-poll", "-o", "json", expect=None).json["checks"]
    [check] = [one for one in checks if one["name"] == "metrics fleet"]
    assert check["state"] == "warning"
    assert check["detail"].startswith("rows for 6 of 8 predictors; 2 times metrics_missing")
    assert "clusterLabel" in check["hint"]


def test_pass_counts_one_window_once_and_leaves_the_lost_spoke_unknown(measured: World) -> None:
    measured.reconcile()
    first = {spoke["name"]: len(spoke["models"][0]["votes"]) for spoke in measured.status()["clusters"]}
    measured.reconcile()
    clusters = {spoke["name"]: spoke for spoke in measured.status()["clusters"]}
    grown = {name: len(spoke["models"][0]["votes"]) - first[name] for name, spoke in clusters.items()}
    # The minute may end between the two passes, which makes another window of it for all of them alike.
    assert {grown[name] for name in clusters if name != LOST} in ({0}, {1})
    assert grown[LOST] == 0
    assert clusters[LOST]["models"][0]["lastOutcome"] == "ok"
