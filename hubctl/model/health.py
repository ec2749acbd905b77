"""Condition, PredictorHealth and Finding: what is concluded from observations.

``PredictorHealth`` is the memory that aggregation folds new observations into; ``Finding`` is what it concludes
about a predictor, a spoke, a model version or the hub's own sight.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubctl.model.predictor import Outcome


class Condition(StrEnum):
    """A predictor's or spoke's health; unknown is a state of its own and never counts as healthy."""

    HEALTHY = "healthy"
    ANOMALOUS = "anomalous"
    UNKNOWN = "unknown"


class HealthReason(StrEnum):
    """Why a predictor has its condition, when its latest poll was answered; else the reason is the poll's outcome."""

    VOTES_GOOD = "votes-good"
    VOTES_BAD = "votes-bad"
    CLEARING = "clearing"
    ANSWERS = "answers"
    NEW_VERSION = "new-version"
    SETTLING = "settling"
    NOT_SERVED = "not-served"
    TOO_FEW_VOTES = "too-few-votes"
    NO_FEATURES = "no-features"
    STALE = "stale"


FAULTS = frozenset(
    {
        Outcome.NOT_FOUND, Outcome.MALFORMED, Outcome.GOLDEN_MISMATCH,
        Outcome.UNAUTHORIZED, Outcome.FORBIDDEN, Outcome.TLS,
    }
)  # fmt: skip
"""Outcomes that are hard facts: polling again gives the same until somebody changes something."""

NO_ANSWER = frozenset({Outcome.UNREACHABLE, Outcome.TIMEOUT, Outcome.TLS})
"""Outcomes without any answer from the other side."""

UNSEEN = NO_ANSWER | {Outcome.UNAUTHORIZED, Outcome.FORBIDDEN}
"""Outcomes that the hub's own network, certificates or credentials explain when many spokes have them at once."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One input window, answered once.

    Attributes:
        window: digest of the input window.
        bad: whether enough of its rows were anomalous.
    """

    window: str
    at: datetime
    version: str
    instances: int
    anomalies: int
    bad: bool


@dataclass(frozen=True, slots=True)
class PredictorHealth:
    """What is remembered of one model on one spoke.

    Attributes:
        votes: the latest distinct windows of the current version, oldest first, bounded.
        good_streak: good votes in a row, for clearing.
        fault: the deterministic fault seen last (not found, malformed, denied …), or None.
        fault_streak: polls in a row with that fault.
        unreachable_streak: polls in a row without a usable answer: unreachable, timeout, tls or not ready.
        version_since: when the version was first seen; votes settle after it.
        last_outcome: of the latest poll.
        raised: the votes raised an anomaly and have not cleared it; it outlasts times of unknown.
        served: whether golden rows or feedback say that the spoke serves this version; None when nothing says so.
        reason: a ``HealthReason``, or the latest poll's outcome when that was not ok.
    """

    cluster: str
    model: str
    version: str
    condition: Condition
    reason: str
    since: datetime
    version_since: datetime
    last_at: datetime
    last_outcome: Outcome
    votes: tuple[Vote, ...] = ()
    good_streak: int = 0
    fault: Outcome | None = None
    fault_streak: int = 0
    unreachable_streak: int = 0
    raised: bool = False
    served: bool | None = None


def is_good(health: PredictorHealth) -> bool:
    """Whether votes say that the predictor's version is good."""
    return health.condition is Condition.HEALTHY and bool(health.votes)


class FindingKind(StrEnum):
    """What a finding is about; policies name these."""

    HUB_UNREACHABLE = "hub-unreachable"
    FLEET_UNREAD = "fleet-unread"
    FLEET_SHRUNK = "fleet-shrunk"
    MODEL_FAULT = "model-fault"
    MODEL_ANOMALY = "model-anomaly"
    SPOKE_DOWN = "spoke-down"
    SPOKE_API = "spoke-api"
    SPOKE_ROUTE = "spoke-route"
    SPOKE_UNREACHABLE = "spoke-unreachable"
    AGENT_SILENT = "agent-silent"
    SPOKE_ANOMALY = "spoke-anomaly"
    SYNC_FAILED = "sync-failed"
    NOT_DELIVERED = "not-delivered"
    APPLICATION_DEGRADED = "application-degraded"
    VERSION_DRIFT = "version-drift"
    SERVICE_ABSENT = "service-absent"
    SERVICE_NOT_READY = "service-not-ready"
    PREDICTOR_FAULT = "predictor-fault"
    PREDICTOR_ANOMALY = "predictor-anomaly"


@dataclass(frozen=True, slots=True)
class Finding:
    """A conclusion about the fleet, identified by ``key`` for as long as it lasts.

    Attributes:
        key: stable identity, such as ``model-anomaly:anomaly-detector@v2``.
        clusters: the spokes it is about, sorted.
        deterministic: a hard fact, not statistics.
        confidence: 0 to 1; 1 when deterministic.
        summary: one sentence for people.
        inhibited_by: key of a wider finding that explains this one; it then leads to no action.
    """

    kind: FindingKind
    key: str
    clusters: tuple[str, ...]
    summary: str
    model: str = ""
    version: str = ""
    deterministic: bool = False
    confidence: float = 1.0
    inhibited_by: str = ""
