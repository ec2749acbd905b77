"""What recipes make of series, beside a computation of its own; a missing value never makes a number."""

import math
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.model.features import Metric, Recipe, derivation
from hubctl.model.predictor import Window
from hubctl.model.prometheus import Source
from hubctl.model.upstream import RECIPES
from hubctl.observe import recipes
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.recipes import Asked, Grid, Missed, Plan, Points, Table

END = 1_772_366_340
WORDS = ("value", "mean 3m", "std 3m", "sample_std 3m", "min 3m", "max 3m", "lag 1m", "lag 4m", "diff", "pct_change 2m")
SOURCE = Source(url="https://metrics.example.com")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False).map(lambda value: round(value, 6))


def recipe(*derive: str, rows: int = 1, gap: str = "refuse", names: tuple[str, ...] = ("load",)) -> Recipe:
    metrics = [{"name": name, "query": f"sum by ($cluster) ({name})", "derive": derive} for name in names]
    return Recipe.model_validate({"metrics": metrics, "rows": rows, "gap": gap})


def tables(made: Recipe, series: dict[str, Points], end: int = END) -> dict[Asked, Table]:
    """A table a metric, which holds one spoke's series."""
    grids = {name: Grid(end, 60, 60 * (len(points) - 1)) for name, points in series.items()}
    return {
        Asked(metric.query, 60): Table(grids[metric.name], {"edge": series[metric.name]}) for metric in made.metrics
    }


def window(made: Recipe, *points: float | None, end: int = END) -> Window:
    return Plan(made).window("edge", tables(made, {"load": points}, end))


def expected(word: str, points: list[float]) -> float:
    """A derivation at the last of some points, by the standard library."""
    one = derivation(word)
    steps = int(one.seconds // 60) or 1
    last, lag = points[-steps:], points[-1 - steps] if len(points) > steps else 0.0
    return {
        "value": lambda: points[-1],
        "mean": lambda: statistics.fmean(last),
        "std": lambda: statistics.pstdev(last),
        "sample_std": lambda: statistics.stdev(last),
        "min": lambda: min(last),
        "max": lambda: max(last),
        "lag": lambda: lag,
        "diff": lambda: points[-1] - lag,
        "pct_change": lambda: (points[-1] - lag) / lag if lag else 0.0,
    }[one.kind]()


@given(st.lists(NUMBERS, min_size=9, max_size=12), st.integers(1, 4))
def test_every_derivation_is_what_the_standard_library_says(points: list[float], rows: int) -> None:
    found = window(recipe(*WORDS, rows=rows), *points)
    assert len(found.instances) == rows
    for back, row in enumerate(reversed(found.instances)):
        upto = points[: len(points) - back]
        assert row == pytest.approx([expected(word, upto) for word in WORDS], rel=1e-9, abs=1e-6)


@given(st.integers(0, 8), st.sampled_from([None, math.nan, math.inf, -math.inf]), st.integers(1, 4))
def test_a_hole_voids_exactly_the_rows_that_need_it(place: int, hole: float | None, rows: int) -> None:
    points: list[float | None] = [float(number) for number in range(9)]
    points[place] = hole
    # No word of them needs the value three minutes ago.
    wholes = [row for row in range(9 - rows, 9) if row - place not in (0, 1, 2, 4)]
    made = recipe(*WORDS, rows=rows, gap="drop-row")
    if wholes:
        assert [row[0] for row in window(made, *points).instances] == wholes
    else:
        with pytest.raises(NoWindow):
            window(made, *points)
    if len(wholes) == rows:
        assert window(recipe(*WORDS, rows=rows), *points).instances == window(made, *points).instances
    else:
        with pytest.raises(NoWindow):
            window(recipe(*WORDS, rows=rows), *points)


@pytest.mark.parametrize(
    ("points", "reason", "told"),
    [
        ((1.0, None, 1.0), Reason.METRICS_GAP, "load has no value at 2026-03-01T11:58:00Z"),
        ((1.0, 1.0, None), Reason.METRICS_STALE, "load has no value at 2026-03-01T11:59:00Z"),
        ((1.0, None, None), Reason.METRICS_STALE, "load has no value at 2026-03-01T11:59:00Z"),
        ((1.0, math.nan, 1.0), Reason.METRICS_NOT_FINITE, "load is nan at 2026-03-01T11:58:00Z"),
        ((1e308, -1e308, 1e308), Reason.METRICS_NOT_FINITE, "a feature at 2026-03-01T11:59:00Z is too large"),
    ],
)
def test_the_reason_says_which_value_was_missing(points: Points, reason: Reason, told: str) -> None:
    with pytest.raises(NoWindow) as caught:
        window(recipe("mean 3m", "std 3m"), *points)
    assert (caught.value.reason, caught.value.detail) == (reason, told)


def test_change_against_nothing_is_nothing_as_upstream_defines_it() -> None:
    assert window(recipe("pct_change"), 0.0, 5.0).instances == ((0.0,),)


def test_columns_are_metric_by_metric() -> None:
    made = recipe("value", "lag 1m", names=("a", "b"))
    found = Plan(made).window("edge", tables(made, {"a": (1.0, 2.0), "b": (3.0, 4.0)}))
    assert found.instances == ((2.0, 1.0, 4.0, 3.0),)
    assert made.features == ("a_value", "a_lag_1m", "b_value", "b_lag_1m")


def test_a_series_that_another_recipe_made_longer_counts_from_its_end() -> None:
    made = recipe("value", names=("a", "b"))
    found = Plan(made).window("edge", tables(made, {"a": (9.0, 9.0, 1.0), "b": (2.0,)}))
    assert found.instances == ((1.0, 2.0),)


def test_digest_is_of_recipe_end_and_values() -> None:
    first = window(recipe("value", "lag 1m"), 1.0, 2.0)
    others = (
        window(recipe("value", "lag 1m"), 1.0, 2.5),
        window(recipe("value", "lag 1m"), 1.0, 2.0, end=END + 60),
        window(recipe("value", "diff"), 1.0, 2.0),
    )
    assert first == window(recipe("value", "lag 1m"), 1.0, 2.0)
    assert len({first.digest, *(one.digest for one in others)}) == 4
    assert len(first.digest) == 32


def test_digest_forgives_another_order_of_adding_up() -> None:
    assert window(recipe("value"), 0.1 + 0.2).digest == window(recipe("value"), 0.3).digest


@given(
    st.integers(0, 10**9), st.integers(1, 3600), st.integers(0, 1200).map(lambda halves: halves / 2), st.integers(0, 50)
)
def test_looks_within_one_step_are_on_one_grid(second: int, step: int, delay: float, steps: int) -> None:
    source = SOURCE.model_copy(update={"delay": delay})
    now = datetime.fromtimestamp(second, UTC)
    grid = Grid.at(now, source, step, step * steps)
    assert grid.end % step == 0
    assert 0 <= now.timestamp() - delay - grid.end < step
    assert grid.steps == steps + 1
    later = Grid.at(now + timedelta(seconds=step), source, step, step * steps)
    assert later.end - grid.end == step


@settings(max_examples=25)
@given(st.sets(st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3})?", fullmatch=True), max_size=30), st.integers(1, 7))
def test_chunks_hold_each_spoke_once(clusters: set[str], size: int) -> None:
    parts = recipes.chunks(clusters, size, selects=True)
    assert sorted(name for part in parts for name in part or ()) == sorted(clusters)
    assert all(part and len(part) <= size for part in parts)
    assert recipes.chunks(clusters, size, selects=False) == recipes.chunks(clusters, 0, selects=True) == (None,)


def test_query_is_filled_for_some_spokes_for_all_and_for_one_of_its_own() -> None:
    query = "avg by ($cluster) (up{$selector})"
    own = Source(url="https://{cluster}.example.com", scope="spoke")
    label = SOURCE.model_copy(update={"cluster_label": "site"})
    assert recipes.filled(query, SOURCE, None) == 'avg by (cluster) (up{cluster!=""})'
    assert recipes.filled(query, label, ("a", "b.c")) == 'avg by (site) (up{site=~"a|b\\\\.c"})'
    assert recipes.filled(query, own, None) == 'avg by (hubctl_none) (up{hubctl_none=""})'


def test_a_spoke_without_a_series_has_the_tables_reason() -> None:
    made = recipe("value")
    table = Table(Grid(END, 60, 0), rest=Missed(Reason.METRICS_EMPTY, "nothing at all"))
    with pytest.raises(NoWindow, match="load: nothing at all") as caught:
        Plan(made).window("edge", {Asked(made.metrics[0].query, 60): table})
    assert caught.value.reason is Reason.METRICS_EMPTY


def test_upstreams_models_have_their_45_and_five_features() -> None:
    anomaly, predictive = (RECIPES[name].prometheus for name in ("anomaly-detector", "predictive-analytics"))
    assert anomaly is not None
    assert predictive is not None
    assert len(anomaly.features) == 45
    assert anomaly.features[8:10] == ("node_cpu_utilization_pct_change_1m", "node_memory_utilization_value")
    assert len(predictive.features) == 5
    assert all(metric.by_cluster and metric.selects for made in (anomaly, predictive) for metric in made.metrics)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"derive": ["lag 90s"]}, "no multiple of the step 60s"),
        ({"derive": ["sample_std 1m"]}, "expected two steps or more"),
        ({"derive": ["median 5m"]}, "expected value, or one of"),
        ({"derive": ["mean"]}, "expected a duration, such as mean 5m"),
        ({"derive": ["value 5m"]}, "takes no duration"),
        ({"derive": ["lag 0s"]}, "expected more than nothing"),
        ({"derive": ["value", "value"]}, "each derivation once"),
        ({"derive": []}, "at least one"),
        ({"derive": ["lag 200h"]}, "at most 11000 steps"),
        ({"query": "sum by ($clutser) (up)"}, "unknown \\$clutser"),
    ],
)
def test_recipes_that_make_no_rows_are_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Recipe.model_validate({"metrics": [{"name": "load", "query": "sum by ($cluster) (load)", **changes}]})


def test_dollar_of_a_regular_expression_is_no_variable() -> None:
    assert Metric(name="a", query='sum by ($cluster) (up{job=~"node$"})').by_cluster
