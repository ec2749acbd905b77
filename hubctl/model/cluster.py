"""ManagedCluster: a spoke as the hub knows it, and Spoke, the file that describes one.

``Spoke`` is what a person writes under ``clusters/``; ``ManagedCluster`` is the same spoke with fleet defaults
filled in and overrides merged, which is what templates and the poller see.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.access import Access
from hubctl.model.base import ClusterName, DnsLabel, ModelName, Strict, Version
from hubctl.model.platform import Expose, Monitoring, NetworkPolicy
from hubctl.model.predictor import InferenceService
from hubctl.model.route import Routes
from hubctl.model.storage import AnyStorage
from hubctl.model.values import ModelPatch, SpokeSettings


class Metadata(Strict):
    """Name, labels and annotations, as on any Kubernetes object."""

    name: ClusterName
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Destination(Strict):
    """The spoke as Argo CD knows it: by name, never by URL, because ACM changes the URL."""

    name: ClusterName


class SpokeModel(Strict):
    """A model that the spoke serves, at a version."""

    name: ModelName
    version: Version
    namespace: DnsLabel | None = None
    service: DnsLabel | None = None
    route: Routes | None = Field(None, description="or a list to try in order")


class Overrides(Strict):
    """What this spoke changes of the fleet's model profiles."""

    models: dict[ModelName, ModelPatch] = Field(default_factory=dict)


class SpokeSpec(SpokeSettings):
    """What a person says of a spoke."""

    platform: Literal["openshift", "kubernetes"]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")] = Field(description="of the platform, quoted: '4.18'")
    topology: Literal["ha", "sno"] = "ha"
    destination: Destination | None = Field(None, description="default: the spoke's own name")
    models: tuple[SpokeModel, ...] = ()
    overrides: Overrides = Overrides()


class Spoke(Strict):
    """One file under ``clusters/``."""

    api_version: Literal["hubctl.io/v1alpha1"]
    kind: Literal["Spoke"]
    metadata: Metadata
    spec: SpokeSpec


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """A spoke with defaults filled in and overrides merged.

    Attributes:
        destination: the Argo CD cluster name.
        namespace: where models live that name no namespace of their own.
        models: sorted by name.
        groups: names of the groups that count for it, in their order.
        step: name of the step of a rolling sync that takes it; empty when all spokes are synced at once.
        deployment_mode: as KServe's annotation spells it on this spoke.
        quarantined: no ApplicationSet delivers to it.
        source: the file it comes from, relative to the folder of the inputs.
        overridden_by: names of the overrides in force, sorted.
    """

    name: str
    platform: Literal["openshift", "kubernetes"]
    version: str
    topology: Literal["ha", "sno"]
    destination: str
    namespace: str
    storage: AnyStorage
    models: tuple[InferenceService, ...]
    source: str
    labels: dict[str, str] = field(default_factory=dict)
    quarantined: bool = False
    overridden_by: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    step: str = ""
    deployment_mode: str = "RawDeployment"
    expose: Expose | None = None
    network_policy: NetworkPolicy | None = None
    monitoring: Monitoring = field(default_factory=Monitoring)
    access: Access | None = None

    def model(self, name: str) -> InferenceService | None:
        """The model of that name, or None."""
        return next((model for model in self.models if model.name == name), None)
