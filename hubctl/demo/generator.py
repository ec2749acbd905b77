"""The generator of the demo's node metrics: seeded, documented, and the only source of its data.

Each metric is a minute-by-minute series: first-order autoregressive noise around a level,
``x[t] = level + 0.7 * (x[t-1] - level) + noise``, cut at its limits. Ratios (CPU, memory) lie between 0 and 1, counts
are whole numbers. A broken node has other levels: CPU and memory near their limits, containers that restart, links
that drop packets. Nothing here is measured on a cluster.

Feature vectors:

- ``anomaly-detector``: 45 values, for each of five metrics the nine that KubeHeal's coordination engine asks
  Prometheus for (``value`` to ``pct_change``), metric by metric;
- ``network-anomaly``: eight values of a node's network, made for this demo;
- ``predictive-analytics``: five values, shares of capacity.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
"""One row per instance, one column per feature."""

_MEMORY = 0.7
_MINUTES = 11
"""Minutes of a series behind one row: the last five make the window, the one before them is the longest lag."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How one metric behaves.

    Attributes:
        normal: level of a node in order, in the metric's unit.
        broken: level of a broken node.
        noise: standard deviation of one minute's noise.
        limit: largest possible value; the smallest is 0.
        whole: a count, rounded.
    """

    name: str
    normal: float
    broken: float
    noise: float
    limit: float = 1.0
    whole: bool = False


NODE = (
    Metric("node_cpu_utilization", 0.42, 0.97, 0.04),
    Metric("node_memory_utilization", 0.55, 0.96, 0.02),
    Metric("pod_cpu_usage", 0.30, 0.88, 0.04),
    Metric("pod_memory_usage", 0.40, 0.93, 0.03),
    Metric("container_restart_count", 2.0, 40.0, 0.4, 1e6, whole=True),
)
"""The metrics of ``anomaly-detector``; ratios of 1, the last one a count."""

WINDOW = ("value", "mean_5m", "std_5m", "min_5m", "max_5m", "lag_1", "lag_5", "diff", "pct_change")
"""What is taken of each of them; lags in minutes, ``diff`` is value - lag_1, ``pct_change`` is diff / lag_1 or 0."""

NETWORK = (
    Metric("receive_mbps", 180.0, 900.0, 15.0, 1e4),
    Metric("transmit_mbps", 140.0, 30.0, 12.0, 1e4),
    Metric("receive_drops_per_s", 0.5, 60.0, 0.2, 1e6),
    Metric("transmit_drops_per_s", 0.4, 45.0, 0.2, 1e6),
    Metric("retransmit_ratio", 0.01, 0.20, 0.003),
    Metric("dns_latency_ms", 4.0, 250.0, 0.6, 5e3),
    Metric("established_connections", 900.0, 4000.0, 60.0, 1e6, whole=True),
    Metric("syn_backlog", 3.0, 120.0, 1.0, 1e4, whole=True),
)
"""The metrics of ``network-anomaly``: one value each."""

CAPACITY = (
    Metric("cpu_usage", 0.42, 0.97, 0.04),
    Metric("memory_usage", 0.55, 0.96, 0.02),
    Metric("disk_usage", 0.61, 0.92, 0.01),
    Metric("network_in", 0.30, 0.85, 0.04),
    Metric("network_out", 0.22, 0.70, 0.04),
)
"""The metrics of ``predictive-analytics``: shares of capacity."""

METRICS = {"anomaly-detector": NODE, "network-anomaly": NETWORK, "predictive-analytics": CAPACITY}


_CALM = 0.6
"""Share of a metric's noise in the series that Prometheus scrapes: their rows follow on each other, and a whole window
of three would else be odd together more often than a vote of many nodes is."""


class State:
    """One metric of one spoke that goes on for ever, step by step."""

    def __init__(self, metric: Metric, *, seed: str) -> None:
        """Begin at the level of a node in order; the same seed gives the same series."""
        self._metric = metric
        self._rng = np.random.default_rng(zlib.crc32(seed.encode()))
        self._above = 0.0

    def step(self, *, broken: bool) -> float:
        """The next value."""
        metric = self._metric
        self._above = _MEMORY * self._above + float(self._rng.normal(0.0, _CALM * metric.noise))
        value = min(max((metric.broken if broken else metric.normal) + self._above, 0.0), metric.limit)
        return float(round(value)) if metric.whole else value


def feature_names(kind: str) -> tuple[str, ...]:
    """The names of the columns, in order.

    Args:
        kind: a key of ``METRICS``.
    """
    names = tuple(metric.name for metric in METRICS[kind])
    if kind == "anomaly-detector":
        return tuple(f"{name}_{part}" for name in names for part in WINDOW)
    return names


def metric_rows(kind: str, *, seed: int, rows: int, broken: bool = False) -> Rows:
    """Rows of the feature vector of ``kind``, each of a node at a moment of its own.

    Args:
        kind: a key of ``METRICS``.
        seed: the same seed gives the same rows.
        rows: how many.
        broken: the rows are of broken nodes.
    """
    series = _all_series(kind, seed=seed, rows=rows, broken=broken)
    if kind == "anomaly-detector":
        return np.hstack([_nine(minutes) for minutes in series])
    return np.column_stack([minutes[:, -1] for minutes in series])


def minute_pairs(kind: str, *, seed: int, rows: int) -> tuple[Rows, Rows]:
    """Plain values of normal nodes at one minute, and of the same nodes a minute later.

    Args:
        kind: a key of ``METRICS``.
        seed: the same seed gives the same rows.
        rows: how many.
    """
    series = _all_series(kind, seed=seed, rows=rows, broken=False)
    return np.column_stack([minutes[:, -2] for minutes in series]), np.column_stack([m[:, -1] for m in series])


def window(kind: str, *, seed: int, rows: int = 24, broken: bool) -> list[list[float]]:
    """One input window for a predictor: rows of plain numbers, ready for JSON.

    Args:
        kind: a key of ``METRICS``.
        seed: the same seed gives the same rows.
        rows: how many.
        broken: the rows are of a broken node.
    """
    return [[round(float(value), 6) for value in row] for row in metric_rows(kind, seed=seed, rows=rows, broken=broken)]


def _all_series(kind: str, *, seed: int, rows: int, broken: bool) -> list[Rows]:
    """The series of every metric of ``kind``; each kind draws numbers of its own from one seed."""
    rng = np.random.default_rng([zlib.crc32(kind.encode()), seed])
    return [_series(metric, rng, rows=rows, broken=broken) for metric in METRICS[kind]]


def _series(metric: Metric, rng: np.random.Generator, *, rows: int, broken: bool) -> Rows:
    """``rows`` series of one metric, ``_MINUTES`` long, oldest minute first."""
    level = metric.broken if broken else metric.normal
    noise = rng.normal(0.0, metric.noise, (rows, _MINUTES))
    for minute in range(1, _MINUTES):
        noise[:, minute] += _MEMORY * noise[:, minute - 1]
    values = np.clip(level + noise, 0.0, metric.limit)
    return np.round(values) if metric.whole else values


def _nine(minutes: Rows) -> Rows:
    """The nine values of ``WINDOW`` for every series."""
    last, value, lag = minutes[:, -5:], minutes[:, -1], minutes[:, -2]
    diff = value - lag
    change = np.divide(diff, lag, out=np.zeros_like(diff), where=lag != 0)
    parts = (value, last.mean(1), last.std(1), last.min(1), last.max(1), lag, minutes[:, -6], diff, change)
    return np.column_stack(parts)
