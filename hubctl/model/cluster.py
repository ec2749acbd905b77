"""ManagedCluster: a spoke as the hub knows it, and Spoke, the file that describes one.

``Spoke`` is what a person writes under ``clusters/``; ``ManagedCluster`` is the same spoke with fleet defaults
filled in and overrides merged, which is what templates and the poller see.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.base import ClusterName, DnsLabel, ModelName, Strict, Version
from hubctl.model.platform import Expose, ExternalSecret, Monitoring, NetworkPolicy
from hubctl.model.predictor import InferenceService
from hubctl.model.serving import DeploymentMode, HfStorage, OciStorage
from hubctl.model.values import ModelPatch, Route


class Metadata(Strict):
    """Name, labels and annotations, as on any Kubernetes object."""

    name: ClusterName
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Destination(Strict):
    """The spoke as Argo CD knows it: by name, never by URL, because ACM changes the URL."""

    name: ClusterName


class PvcStorage(Strict):
    """Models lie on a PersistentVolumeClaim of the spoke."""

    type: Literal["pvc"] = "pvc"
    claim: DnsLabel = "model-storage-pvc"
    size: Annotated[str, Field(pattern=r"^[1-9]\d*(\.\d+)?(Ki|Mi|Gi|Ti)$")] = "10Gi"
    storage_class: DnsLabel | None = None
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] | None = Field(
        None, description="default: ReadWriteMany on ha, ReadWriteOnce on sno"
    )


class S3Storage(Strict):
    """Models lie in an S3 bucket; the credentials are in a Secret of the spoke that hubctl never sees."""

    type: Literal["s3"] = "s3"
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, Field(pattern=r"^[^/].*[^/]$")] | None = None
    secret_name: DnsLabel = "model-storage-s3"  # noqa: S105 - the name of a Secret, not a secret
    service_account: DnsLabel = "model-storage"
    external_secret: ExternalSecret | None = Field(None, description="makes the Secret; default: its owner does")


AnyStorage = PvcStorage | S3Storage | OciStorage | HfStorage
Storage = Annotated[AnyStorage, Field(discriminator="type")]


class SpokeModel(Strict):
    """A model that the spoke serves, at a version."""

    name: ModelName
    version: Version
    namespace: DnsLabel | None = None
    service: DnsLabel | None = None
    route: Route | None = None


class Overrides(Strict):
    """What this spoke changes of the fleet's model profiles."""

    models: dict[ModelName, ModelPatch] = Field(default_factory=dict)


class SpokeSpec(Strict):
    """What a person says of a spoke."""

    platform: Literal["openshift", "kubernetes"]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")] = Field(description="of the platform, quoted: '4.18'")
    topology: Literal["ha", "sno"] = "ha"
    destination: Destination | None = Field(None, description="default: the spoke's own name")
    namespace: DnsLabel | None = Field(None, description="default: coordinationEngine.kserve.namespace")
    route: Route | None = Field(None, description="default: hubctl.observe.route")
    storage: Storage = PvcStorage()
    kserve_version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")] | None = Field(
        None, description="of the spoke's KServe, quoted: '0.16'; decides how deploymentMode is spelled"
    )
    deployment_mode: DeploymentMode = Field(
        "RawDeployment", description="Standard is RawDeployment and Serverless is Knative, before and after KServe 0.16"
    )
    expose: Expose | None = Field(None, description="default: only reached inside of the spoke")
    network_policy: NetworkPolicy | None = Field(None, description="default: none, everybody may reach predictors")
    monitoring: Monitoring = Monitoring()
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
    deployment_mode: str = "RawDeployment"
    expose: Expose | None = None
    network_policy: NetworkPolicy | None = None
    monitoring: Monitoring = field(default_factory=Monitoring)

    def model(self, name: str) -> InferenceService | None:
        """The model of that name, or None."""
        return next((model for model in self.models if model.name == name), None)
