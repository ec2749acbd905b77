"""InferenceService, Prediction and Observation: a model on a spoke, its answer, and what one poll found.

An Observation is a fact whatever happened: a predictor that is down is an outcome, not an exception.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubctl.model.golden import Golden
from hubctl.model.prometheus import Endpoint
from hubctl.model.route import Route, Routes, listed
from hubctl.model.values import ModelProfile


class Outcome(StrEnum):
    """What one poll found; exactly one, stable in ``poll -o json``."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NOT_READY = "not_ready"
    OVERLOADED = "overloaded"
    MALFORMED = "malformed"
    GOLDEN_MISMATCH = "golden_mismatch"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class InferenceService:
    """One model on one spoke.

    Attributes:
        service: the Kubernetes Service of its predictor.
        route: how the hub reaches it, or several ways in order; None when nothing says.
        version: what Git delivers, overrides included.
        pinned_by: name of the override that says the version; empty when the cluster file does.
        account: ManagedServiceAccount whose token it gets; empty when that comes from elsewhere.
        metrics: where the recipe of its features is asked; None without a recipe.
        golden: rows whose answers are recorded of the version; None when there are none.
    """

    cluster: str
    name: str
    version: str
    namespace: str
    service: str
    profile: ModelProfile
    route: Routes | None = None
    pinned_by: str = ""
    account: str = ""
    metrics: Endpoint | None = None
    golden: Golden | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        """The ways to it in the order in which they are tried."""
        return listed(self.route)


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that one poll sends.

    Attributes:
        instances: equal-length rows of finite numbers.
        digest: identifies the input window, 32 hexadecimal digits; two polls with one digest are one vote.
    """

    instances: tuple[tuple[float, ...], ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a predictor answered, checked against what was asked.

    Attributes:
        labels: one of -1 (anomaly) and 1 (normal) per instance; empty for a forecast.
        rows: one row of finite numbers per instance; of scores, of one; empty for labels and classes.
        said: the label or class per instance as the model names it; empty for scores and forecasts.
        model_name: only if the server said it.
        model_version: only if the server said it.
    """

    labels: tuple[int, ...] = ()
    rows: tuple[tuple[float, ...], ...] = ()
    said: tuple[bool | int | float | str, ...] = ()
    model_name: str = ""
    model_version: str = ""

    @property
    def anomalies(self) -> int:
        """How many instances were called anomalous."""
        return self.labels.count(-1)


@dataclass(frozen=True, slots=True)
class Tried:
    """A route that led to no model server.

    Attributes:
        route: its type, with its place in the list where that has several of the type.
    """

    route: str
    outcome: Outcome
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one poll of one predictor found.

    Attributes:
        version: what Git delivers to the spoke.
        at: when the answer was complete, UTC.
        reason: a stable word for why, empty when the outcome is ok and there is nothing to add.
        detail: for people; holds no token and no address with credentials.
        window: digest of the input window; empty when nothing was sent.
        instances: rows sent and answered.
        anomalies: rows answered -1.
        votes: whether the answer counts as a vote: an ok answer of a label model to at least one row.
        served_version: what answered, as its golden rows tell, else as the server says; empty when neither does.
        route: of several routes, or of one, the one that the outcome is about.
        tried: the others that were tried before or after it, each with what came of it.
    """

    cluster: str
    model: str
    version: str
    at: datetime
    outcome: Outcome
    reason: str = ""
    detail: str = ""
    window: str = ""
    instances: int = 0
    anomalies: int = 0
    latency_ms: float = 0.0
    votes: bool = False
    served_version: str = ""
    route: str = ""
    tried: tuple[Tried, ...] = ()
