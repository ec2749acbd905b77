"""HubValues: our two sections of ``values-hub.yaml``, ``coordinationEngine.kserve`` and ``hubctl``.

A hub file of Validated Patterns holds much more; other people's keys are kept in the file and ignored here.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hubctl.model.access import Access, ClusterProxy
from hubctl.model.base import (
    DnsLabel,
    Duration,
    ModelName,
    Period,
    Strict,
)
from hubctl.model.controlling import Controller
from hubctl.model.credential import NotCredential
from hubctl.model.delivery import Delivery
from hubctl.model.features import Features as Features  # noqa: PLC0414 - values are where people look for it
from hubctl.model.fleetsource import FleetSource
from hubctl.model.gitops import GitOps
from hubctl.model.install import Install
from hubctl.model.keeping import Keep
from hubctl.model.observing import Observe as Observe  # noqa: PLC0414 - rooms know it as part of the values
from hubctl.model.outputs import Reading
from hubctl.model.pausing import PlannedPause
from hubctl.model.platform import Expose, Monitoring, NetworkPolicy
from hubctl.model.prometheus import Prometheus
from hubctl.model.registry import SWITCH_KEY, KServe
from hubctl.model.reporting import Metrics
from hubctl.model.route import Routes
from hubctl.model.runtime import ServingRuntime
from hubctl.model.scaling import EngineSection
from hubctl.model.served import SpokeModel
from hubctl.model.serving import DeploymentMode, Serving, ServingPatch
from hubctl.model.storage import Storage
from hubctl.model.witnessing import Witness


class ModelProfile(Reading, Serving):
    """How a model is served and read, for the whole fleet."""

    features: Features | None = None


class ModelPatch(ServingPatch):
    """What one spoke changes of a model's profile; an absent key keeps the fleet's value."""

    features: Features | None = None


class SpokeSettings(Strict):
    """What a spoke's file says of itself and a group says of many spokes."""

    namespace: DnsLabel | None = Field(None, description="default: coordinationEngine.kserve.namespace")
    route: Routes | None = Field(None, description="or a list to try in order; default: hubctl.observe.route")
    storage: Storage | None = Field(None, description="default: a claim with its own defaults")
    kserve_version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")] | None = Field(
        None, description="of the spoke's KServe, quoted: '0.16'; decides how deploymentMode is spelled"
    )
    deployment_mode: DeploymentMode | None = Field(
        None,
        description="default: RawDeployment; KServe 0.16 named it Standard, and Serverless Knative",
    )
    expose: Expose | None = Field(None, description="default: only reached inside of the spoke")
    network_policy: NetworkPolicy | None = Field(None, description="default: none, everybody may reach predictors")
    monitoring: Monitoring | None = Field(None, description="default: none")
    access: Access | None = Field(None, description="default: the hub asks Open Cluster Management for nothing")


class Group(SpokeSettings):
    """Settings of all spokes that carry some labels."""

    name: str = Field(min_length=1)
    match: dict[str, str] = Field(description="labels that a spoke must have, all of them; none: every spoke")
    serve: tuple[SpokeModel, ...] = Field((), description="models of every such spoke, but for what its file says")
    models: dict[ModelName, ModelPatch] = Field(default_factory=dict, description="patches of the fleet's profiles")


class Aggregate(Strict):
    """When observations become a finding."""

    anomalous_fraction: float = Field(0.5, gt=0, le=1, description="share of a window's rows that makes it a bad vote")
    raise_after: int = Field(3, ge=1, description="bad votes among the last raiseAfter + 1 that raise")
    clear_after: int = Field(3, ge=1, description="good votes in a row that clear")
    min_votes: int = Field(3, ge=1, description="fewer votes than this say nothing")
    window: Duration = Field(3600.0, description="older votes do not count")
    stale_after: Duration = Field(300.0, description="without a vote for so long, a predictor is unknown")
    settle: Duration = Field(
        300.0, description="votes on a version count once it is so old; Argo CD needs a while to deliver it"
    )
    min_spokes: int = Field(2, ge=2, description="spokes that a fleet-wide model finding needs")
    fleet_fraction: float = Field(0.5, gt=0, le=1, description="share of the known cells that a wider finding needs")
    blind_fraction: float = Field(0.5, gt=0, le=1, description="share of unreachable spokes that blames the hub")


class Policy(Strict):
    """Which action a kind of finding leads to."""

    name: str
    on: Literal[
        "hub-unreachable", "fleet-unread", "fleet-shrunk", "model-fault", "model-anomaly", "spoke-down", "spoke-api",
        "spoke-route", "spoke-unreachable", "agent-silent", "spoke-anomaly", "sync-failed", "not-delivered",
        "application-degraded", "version-drift", "service-absent", "service-not-ready", "predictor-fault",
        "predictor-anomaly",
    ]  # fmt: skip
    action: Literal["notify", "rollback-model", "quarantine"]
    models: tuple[ModelName, ...] = Field((), description="only for these; empty: all")
    mode: Literal["observe", "approve", "auto"] | None = Field(None, description="default: remediation.mode")

    @model_validator(mode="after")
    def _fits(self) -> "Policy":
        if self.action == "rollback-model" and not self.on.startswith(("model", "predictor", "service-not-ready")):
            raise ValueError(f"rollback-model needs a finding about a model, not {self.on}")
        if self.action == "quarantine" and not self.on.startswith(("spoke", "predictor")):
            raise ValueError(f"quarantine needs a finding about a spoke, not {self.on}")
        if self.action == "quarantine" and self.on in ("spoke-down", "spoke-api"):
            raise ValueError(f"nothing is changed on a spoke that is out of reach, expected notify on {self.on}")
        return self


class Remediation(Strict):
    """What hubctl may do about findings, and how much of it."""

    mode: Literal["observe", "approve", "auto"] = "approve"
    min_confidence: float = Field(0.8, ge=0.8, le=1, description="for an action on a statistical finding")
    cooldown: Duration = Field(1800.0, description="between two actions on the same target")
    max_actions_per_hour: int = Field(3, ge=0)
    max_spokes_at_once: int = Field(1, ge=1, description="spokes that actions may have in flight together")
    max_attempts: int = Field(2, ge=1, description="actions of one kind for one incident")
    verify_within: Duration = Field(1800.0, description="then an action that did not help is ineffective")
    policies: tuple[Policy, ...] = ()
    pauses: tuple[PlannedPause, ...] = Field((), description="what is held back for a while, beside `hubctl pause`")


class Webhook(Strict):
    """One receiver of notifications."""

    name: str
    url: Annotated[str, Field(pattern=r"^https?://[^/@\s]+(/[^\s]*)?$")] | None = None
    url_env: str | None = Field(None, description="name of the variable that holds the URL, if it is a secret")
    token_file: str | None = None
    timeout: Period = 10.0

    @model_validator(mode="after")
    def _one_url(self) -> "Webhook":
        if (self.url is None) == (self.url_env is None):
            raise ValueError("expected exactly one of url and urlEnv")
        return self


class Notify(Strict):
    """Who hears about incidents."""

    webhooks: tuple[Webhook, ...] = ()


class Store(Strict):
    """Where hubctl keeps health, incidents and the audit trail."""

    url: str | None = Field(None, description="SQLAlchemy URL; default: SQLite in the state folder")
    url_env: str | None = Field(None, description="name of the variable that holds the URL, if it has a password")
    keep: Keep = Keep()


class Schemas(Strict):
    """The cached schemas that every rendered object is checked against."""

    folder: str | None = Field(
        None, description="where they are, relative to the values file; default: in the state folder"
    )
    required: bool = Field(default=False, description="refuse objects of kinds without a cached schema")


class HubctlSection(Strict):
    """The ``hubctl`` section."""

    stopped: Literal["actions", "everything"] | None = Field(
        None, description="kill switch: no action on a spoke, or nothing that leaves hubctl at all"
    )
    gitops: GitOps = GitOps()
    fleet: FleetSource = FleetSource()
    delivery: Delivery = Delivery()
    observe: Observe = Observe()
    engine: EngineSection = EngineSection()
    prometheus: Prometheus = Prometheus()
    cluster_proxy: ClusterProxy | None = Field(None, description="default: its list of Services is not rendered")
    install: Install | None = Field(None, description="default: hubctl is not installed by Argo CD")
    models: dict[ModelName, ModelProfile] = Field(default_factory=dict)
    runtimes: dict[DnsLabel, ServingRuntime] = Field(
        default_factory=dict, description="model servers that models name as their runtime; KServe's own need no entry"
    )
    groups: tuple[Group, ...] = Field((), description="between the fleet's defaults and a spoke's own file, in order")
    aggregate: Aggregate = Aggregate()
    remediation: Remediation = Remediation()
    notify: Notify = Notify()
    store: Store = Store()
    not_credentials: tuple[NotCredential, ...] = Field((), description="fields that look like credentials and are none")
    schemas: Schemas = Schemas()
    controller: Controller = Controller()
    witness: Witness = Witness()
    metrics: Metrics = Metrics()

    @model_validator(mode="after")
    def _reachable(self) -> "HubctlSection":
        names = [policy.name for policy in self.remediation.policies if policy.action == "quarantine"]
        if names and self.delivery.model == "pull":
            raise ValueError(f"quarantine needs delivery model push, found pull and policy {names[0]!r}")
        if names and self.delivery.chosen_sync != "sync":
            found = self.delivery.chosen_sync
            raise ValueError(f"quarantine needs applicationsSync sync, found {found} and policy {names[0]!r}")
        return self

    @model_validator(mode="after")
    def _hydrated(self) -> "HubctlSection":
        if not self.gitops.publishing.hydrates:
            return self
        if wrong := self.fleet.misfit(hydrates=True):
            raise ValueError(wrong)
        acting = [policy for policy in self.remediation.policies if policy.action != "notify"]
        if acting:
            first = acting[0]
            raise ValueError(f"{first.action} needs publishing mode commit, found hydrated and policy {first.name!r}")
        return self

    @field_validator("groups")
    @classmethod
    def _named_once(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        names = [group.name for group in groups]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each group once, found {', '.join(twice)} more than once")
        return groups


_PLAIN, _FORECASTING = ModelProfile(), ModelProfile(output="forecast")


class HubValues(Strict):
    """Both of our sections, checked, and what else is said about the coordination engine.

    Attributes:
        engine: ``coordinationEngine.enabled``: whether the engine runs on the hub too.
        environment: of ``coordinationEngine.kserve``, each key that a variable says, and the variable.
    """

    kserve: KServe = KServe()
    hubctl: HubctlSection = HubctlSection()
    engine: bool = False
    environment: dict[str, str] = Field(default_factory=dict)

    @property
    def switch(self) -> str:
        """What switches the integration on and off: the key, or the variable that has the last word."""
        return self.environment.get(SWITCH_KEY, SWITCH_KEY)

    def profile(self, model: str) -> ModelProfile:
        """The model's profile; upstream's predictive-analytics answers rows of numbers unless told otherwise."""
        return self.hubctl.models.get(model) or (_FORECASTING if model == "predictive-analytics" else _PLAIN)
