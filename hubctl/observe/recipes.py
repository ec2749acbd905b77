"""Recipes: which range queries give a model's features, and what their answers make of each spoke's rows.

Pure, so that what a spoke's rows are follows from the answers and the window's end alone. No value is made up: what is
missing or not finite where a row needs it voids the row, and says so.

- The windows of ``mean``, ``std``, ``min`` and ``max`` hold the steps of the last so many seconds, the newest included
  and the one at their beginning not: ``mean 5m`` at a step of a minute is of five values.
- ``std`` is the population's, as PromQL's ``stddev_over_time``, which upstream's engine asks for; ``sample_std``
  divides by one less, as pandas' ``rolling().std()``, which upstream's notebook trains with.
- ``diff`` is value - lag; ``pct_change`` is diff / lag, and 0 where the lag is 0, as upstream's engine defines it.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple, cast

from hubctl.model.features import Kind, Metric, Recipe, derivation
from hubctl.model.predictor import Window
from hubctl.model.prometheus import Source
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

Points = tuple[float | None, ...]
"""Of one series, a value for each step, oldest first; None where there is none."""

Column = Callable[[Sequence[float], int], float]
"""A feature of a series without gaps, given the place of the newest value in it."""

NOBODY = "hubctl_none"
"""A label that no series has: grouping by it, or matching it with nothing, changes nothing."""

_DIGEST = 32


class Asked(NamedTuple):
    """A query text at a step, whoever needs its answer; ``span`` is left to the round."""

    query: str
    step: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments of a range query, in seconds since 1970.

    Multiples of the step, so that two polls within one step ask for the same.
    """

    end: int
    step: int
    span: int

    @property
    def start(self) -> int:
        """The first moment."""
        return self.end - self.span

    @property
    def steps(self) -> int:
        """How many moments."""
        return self.span // self.step + 1

    @classmethod
    def at(cls, now: datetime, source: Source, step: float, span: int) -> "Grid":
        """The newest grid whose samples have come in."""
        seconds = int(step)
        return cls(math.floor((now.timestamp() - source.delay) / seconds) * seconds, seconds, span)


@dataclass(frozen=True, slots=True)
class Missed:
    """Why there is no series."""

    reason: Reason
    detail: str


@dataclass(slots=True)
class Table:
    """What is known of one query at one window's end.

    Attributes:
        rest: what is so of every spoke without an entry.
    """

    grid: Grid
    found: dict[str, Points | Missed] = field(default_factory=dict)
    rest: Missed = Missed(Reason.METRICS_MISSING, "there is no series of this spoke")

    def of(self, cluster: str) -> Points | Missed:
        """The series of a spoke, or why there is none."""
        return self.found.get(cluster, self.rest)


def filled(query: str, source: Source, clusters: Sequence[str] | None) -> str:
    """The text to send.

    Args:
        query: with ``$cluster`` and ``$selector`` in it.
        source: where it is asked.
        clusters: spokes that it is about; None for all.
    """
    if source.scope == "spoke":
        label, matcher = NOBODY, f'{NOBODY}=""'
    elif clusters is None:
        label, matcher = source.cluster_label, f'{source.cluster_label}!=""'
    else:
        label = source.cluster_label
        # Names hold a dot at most of what regular expressions know; twice, for PromQL's own quoting.
        matcher = f'{label}=~"{"|".join(name.replace(".", chr(92) * 2 + ".") for name in clusters)}"'
    return query.replace("$cluster", label).replace("$selector", matcher)


def chunks(clusters: Iterable[str], size: int, *, selects: bool) -> tuple[tuple[str, ...] | None, ...]:
    """The spokes of each query, in order; one None where one query is for all, whoever they are."""
    if not size or not selects:
        return (None,)
    names = sorted(set(clusters))
    return tuple(tuple(names[at : at + size]) for at in range(0, len(names), size))


class Plan:
    """A recipe made ready: which steps each metric needs, and how its columns are computed."""

    def __init__(self, recipe: Recipe) -> None:
        """Take a checked recipe."""
        self.recipe = recipe
        self.step = int(recipe.step)
        self._rows = recipe.rows
        self._drops = recipe.gap == "drop-row"
        self._columns = tuple(tuple(self._column(text) for text in metric.derive) for metric in recipe.metrics)
        self._reach = tuple(recipe.reach(metric) // self.step for metric in recipe.metrics)
        self._needs = tuple(self._needed(metric) for metric in recipe.metrics)
        said = recipe.model_dump(mode="json", exclude={"source"})
        self._name = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def asked(self) -> tuple[tuple[Asked, int, bool], ...]:
        """Each query with the seconds that it spans, and whether it can be asked of some spokes only."""
        more = (self._rows - 1) * self.step
        return tuple(
            (Asked(metric.query, self.step), back * self.step + more, metric.selects)
            for metric, back in zip(self.recipe.metrics, self._reach, strict=True)
        )

    def window(self, cluster: str, tables: Mapping[Asked, Table]) -> Window:
        """The rows of a spoke.

        Raises:
            NoWindow: there are none, with the first metric's reason.
        """
        series = [self._series(cluster, metric, tables) for metric in self.recipe.metrics]
        end = tables[Asked(self.recipe.metrics[0].query, self.step)].grid.end
        rows, first = [], None
        for back in range(self._rows - 1, -1, -1):
            wrong = self._wrong(series, back, end) if any(map(_doubtful, series)) else None
            row = () if wrong else self._row(series, back)
            if not row and not wrong:
                wrong = Missed(Reason.METRICS_NOT_FINITE, f"a feature at {_told(end - back * self.step)} is too large")
            if wrong is None:
                rows.append(row)
            elif not self._drops:
                raise NoWindow(wrong.reason, wrong.detail)
            first = first or wrong
        if not rows and first is not None:
            raise NoWindow(first.reason, first.detail)
        return Window(tuple(rows), self._digest(rows, end))

    def _series(self, cluster: str, metric: Metric, tables: Mapping[Asked, Table]) -> Points:
        table = tables.get(Asked(metric.query, self.step))
        found = table.of(cluster) if table else Missed(Reason.METRICS_MISSING, "it was not asked for")
        if isinstance(found, Missed):
            raise NoWindow(found.reason, f"{metric.name}: {found.detail}")
        return found

    def _row(self, series: Sequence[Points], back: int) -> tuple[float, ...]:
        """The row that ends so many steps ago, every value that it needs being there; empty when it overflows."""
        made: list[float] = []
        try:
            for points, columns in zip(series, self._columns, strict=True):
                whole, at = cast("Sequence[float]", points), len(points) - 1 - back
                made += [column(whole, at) for column in columns]
        except (OverflowError, ValueError):  # what math.fsum makes of numbers near the largest one
            return ()
        # Adding zero turns -0.0 into 0.0, which is the same measurement.
        return tuple([value + 0.0 for value in made]) if all(map(math.isfinite, made)) else ()

    def _wrong(self, series: Sequence[Points], back: int, end: int) -> Missed | None:
        """Why a row cannot be made; None when it can."""
        for metric, points, needs in zip(self.recipe.metrics, series, self._needs, strict=True):
            for need in needs:
                value = points[len(points) - 1 - back - need]
                if value is not None and math.isfinite(value):
                    continue
                when = _told(end - (back + need) * self.step)
                if value is not None:
                    return Missed(Reason.METRICS_NOT_FINITE, f"{metric.name} is {value} at {when}")
                stale = points[-1] is None
                reason = Reason.METRICS_STALE if stale else Reason.METRICS_GAP
                return Missed(reason, f"{metric.name} has no value at {_told(end) if stale else when}")
        return None

    def _needed(self, metric: Metric) -> tuple[int, ...]:
        """How many steps back each value lies that one row needs of a metric, the newest first."""
        needed: set[int] = set()
        for text in metric.derive:
            one = derivation(text)
            steps = int(one.seconds / self.step) or 1
            if one.kind in ("value", "diff", "pct_change"):
                needed.add(0)
            if one.kind in ("lag", "diff", "pct_change"):
                needed.add(steps)
            if one.kind in ("mean", "std", "sample_std", "min", "max"):
                needed.update(range(steps))
        return tuple(sorted(needed))

    def _column(self, text: str) -> Column:
        one = derivation(text)
        return _column(one.kind, int(one.seconds / self.step) or 1)

    def _digest(self, rows: Sequence[tuple[float, ...]], end: int) -> str:
        # Twelve digits: engines that add up in another order differ in the last ones, and it is still one window.
        text = ";".join(("%.12g," * len(row)) % row for row in rows)
        return hashlib.sha256(f"{self._name} {end} {text}".encode()).hexdigest()[:_DIGEST]


def _column(kind: Kind, steps: int) -> Column:
    """What computes a derivation from a series and the place of the newest value in it."""
    if kind == "value":
        return lambda points, at: points[at]
    if kind == "lag":
        return lambda points, at: points[at - steps]
    if kind == "diff":
        return lambda points, at: points[at] - points[at - steps]
    if kind == "pct_change":
        return lambda points, at: _relative(points[at], points[at - steps])
    over = _OVER[kind]
    return lambda points, at: over(points[at + 1 - steps : at + 1])


def _relative(value: float, lag: float) -> float:
    return (value - lag) / lag if lag else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _squares(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.fsum([(value - mean) * (value - mean) for value in values])


def _deviation(values: Sequence[float]) -> float:
    return math.sqrt(_squares(values) / len(values))


def _sample_deviation(values: Sequence[float]) -> float:
    return math.sqrt(_squares(values) / (len(values) - 1))


_OVER: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"mean": _mean, "std": _deviation, "sample_std": _sample_deviation, "min": min, "max": max}
)
"""Derivations of a window of values."""


def _doubtful(points: Points) -> bool:
    """Whether some value is missing or not finite; a sum that overflows is only looked at more closely."""
    return None in points or not math.isfinite(sum(cast("Sequence[float]", points)))


def _told(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
