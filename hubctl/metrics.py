"""Every metric: name, kind, labels, help, in one list; and the registry that holds their values.

The registry is the process's own and not the library's global one, so that two of them can live in one process. The
only door to prometheus_client.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_LAGS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)


class Kind(StrEnum):
    """How values of a metric behave."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is scraped, with the ``_total`` of a counter.
        labels: each of few values, whatever the fleet's size, unless the values file asks for more.
        help: one sentence for people.
        buckets: upper bounds of a histogram, in seconds.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _SECONDS


@dataclass(frozen=True, slots=True)
class Sample:
    """A value: added to a counter, put into a histogram, set on a gauge.

    Attributes:
        labels: values in the order of the metric's labels.
    """

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, text, labels)


BUILD = _gauge("hubctl_build_info", "Always 1; says the version.", "version")
PASSES = _counter("hubctl_passes_total", "Passes by what came of them: done, partial, failed.", "result")
PASS_SECONDS = Metric("hubctl_pass_duration_seconds", Kind.HISTOGRAM, "How long passes took.")
LAST_PASS = _gauge("hubctl_last_pass_timestamp_seconds", "When the last pass ended that was done or partial.")
PROBLEMS = _counter("hubctl_problems_total", "Parts of passes that failed, by class of error.", "class")
GIT_FAILURES = _counter("hubctl_git_failures_total", "Times that the Git remote or the forge refused or was away.")
PUBLISHES = _counter("hubctl_publishes_total", "Changes of the fleet that were published.", "how")
OBSERVATIONS = _counter("hubctl_observations_total", "Polls of predictors by outcome.", "outcome")
SKIPPED = _counter("hubctl_polls_skipped_total", "Polls that were due and not made, by reason.", "reason")
RETRIED = _counter("hubctl_polls_retried_total", "Polls that were made twice.")
UNDER_WAY = _gauge("hubctl_polls_under_way_max", "The most polls that were under way at once in the last round.")
OPENED = _counter("hubctl_connections_opened_total", "Connections to predictors that were opened.")
ROUNDS = _counter("hubctl_rounds_total", "Rounds of polls that ended, beside the passes.")
ROUND_SECONDS = Metric(
    "hubctl_round_duration_seconds", Kind.HISTOGRAM, "How long rounds took, their last poll included."
)
LAG = Metric(
    "hubctl_schedule_lag_seconds",
    Kind.HISTOGRAM,
    "Time between when a poll was due and when it began.",
    buckets=_LAGS,
)
BREAKERS = _gauge("hubctl_breakers_open", "Predictors and routes that are left alone after failures, at a round's end.")
CONTROLS = _gauge("hubctl_controls_failing", "Things that the hub itself needs and does not reach.")
PREDICTORS = _gauge("hubctl_predictors", "Predictors by condition, as the last pass left them.", "condition")
SPOKES = _gauge("hubctl_spokes", "Spokes of the fleet.")
SPOKE_PREDICTORS = _gauge(
    "hubctl_spoke_predictors",
    "As hubctl_predictors, by spoke; only with hubctl.metrics.perSpoke.",
    "cluster",
    "condition",
)
BACKING_OFF = _gauge("hubctl_predictors_backing_off", "Predictors that are asked less often, for they do not answer.")
FINDINGS = _gauge(
    "hubctl_findings", "Findings of the last pass by kind, without those that a wider one explains.", "kind"
)
INCIDENTS = _gauge("hubctl_incidents_open", "Unresolved incidents by kind.", "kind")
REMEDIATIONS = _gauge("hubctl_remediations", "The latest 1,000 remediations by state.", "state")
STOPPED = _gauge("hubctl_stopped", "1 while a kill switch of this reach is on.", "reach")
PAUSES = _gauge("hubctl_pauses", "Pauses in force.")
LEADING = _gauge("hubctl_leading", "1 while this process may act, 0 while it stands by.")
CONFIGURATION_VALID = _gauge("hubctl_configuration_valid", "0 while the files are wrong and the last good ones count.")
STORE_BYTES = _gauge("hubctl_store_bytes", "Size of the store.")
UNREAD_KINDS = _gauge("hubctl_hub_unread_kinds", "Kinds of the hub's objects that the last pass could not read.")

METRICS: tuple[Metric, ...] = (
    BUILD,
    PASSES,
    PASS_SECONDS,
    LAST_PASS,
    PROBLEMS,
    GIT_FAILURES,
    PUBLISHES,
    OBSERVATIONS,
    SKIPPED,
    RETRIED,
    UNDER_WAY,
    OPENED,
    ROUNDS,
    ROUND_SECONDS,
    LAG,
    BREAKERS,
    CONTROLS,
    PREDICTORS,
    SPOKES,
    SPOKE_PREDICTORS,
    BACKING_OFF,
    FINDINGS,
    INCIDENTS,
    REMEDIATIONS,
    STOPPED,
    PAUSES,
    LEADING,
    CONFIGURATION_VALID,
    STORE_BYTES,
    UNREAD_KINDS,
)
"""All of them, in the order of the documentation."""


class Registry:
    """The values of this process's metrics; may be read by another thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made = {one.name: self._new(one) for one in METRICS}
        self._shown: dict[str, set[tuple[str, ...]]] = {}

    def _new(self, metric: Metric) -> Counter | Gauge | Histogram:
        if metric.kind is Kind.HISTOGRAM:
            return Histogram(metric.name, metric.help, metric.labels, registry=self._registry, buckets=metric.buckets)
        make = Counter if metric.kind is Kind.COUNTER else Gauge
        return make(metric.name, metric.help, metric.labels, registry=self._registry)

    def take(self, samples: Iterable[Sample], *, whole: Iterable[Metric] = ()) -> None:
        """Take values in.

        Args:
            samples: the values.
            whole: gauges of which the samples are all there is; what else was shown of them goes.
        """
        now: dict[str, set[tuple[str, ...]]] = {one.name: set() for one in whole}
        for sample in samples:
            made = self._made[sample.metric.name]
            now.setdefault(sample.metric.name, set()).add(sample.labels)
            child = made.labels(*sample.labels) if sample.labels else made
            if isinstance(child, Gauge):
                child.set(sample.value)
            elif isinstance(child, Counter):
                child.inc(sample.value)
            else:
                child.observe(sample.value)
        for one in whole:
            # Afterwards, so that nobody who asks in between misses a value that stays.
            for labels in self._shown.get(one.name, set()) - now[one.name]:
                self._made[one.name].remove(*labels)
            self._shown[one.name] = now[one.name]

    def text(self) -> bytes:
        """All values as Prometheus scrapes them."""
        return generate_latest(self._registry)


def counted(metric: Metric, counts: Mapping[str, int], every: Iterable[str] = ()) -> tuple[Sample, ...]:
    """A sample for each count, and 0 for what is in ``every`` and was not counted."""
    return tuple(Sample(metric, counts.get(name, 0), (name,)) for name in dict.fromkeys((*every, *counts)))
