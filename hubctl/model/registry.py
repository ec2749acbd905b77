"""The model registry: ``coordinationEngine.kserve`` of the values, in each spelling that upstream platforms use.

Apart from ``values``, because it is the platform's section and not ours: its coordination engine reads it too.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from hubctl.model.base import DnsLabel, ModelName, Period, Strict

RESERVED_PREFIXES = ("namespace", "timeout", "predictor-port")
"""The coordination engine reads KSERVE_NAMESPACE, KSERVE_TIMEOUT and KSERVE_PREDICTOR_PORT itself."""

SWITCH_KEY = "coordinationEngine.kserve.enabled"
"""The key that switches rendering, publishing and polling off."""


def _not_reserved(name: str) -> str:
    if name.replace("_", "-").startswith(RESERVED_PREFIXES):
        raise ValueError(f"expected a name that does not start with {', '.join(RESERVED_PREFIXES)}")
    return name


RegistryKey = Annotated[
    str, Field(pattern=r"^[a-z]([a-z0-9_-]*[a-z0-9])?$", max_length=53), AfterValidator(_not_reserved)
]
"""A model's name as a key of ``services``: underscores stand for hyphens."""


class RegisteredModel(Strict):
    """One entry of the model registry: a model by the name that the coordination engine calls it."""

    name: Annotated[ModelName, AfterValidator(_not_reserved)]
    service: DnsLabel | None = Field(None, description="Kubernetes Service; default <name>-predictor")
    namespace: DnsLabel | None = Field(None, description="default: the spoke's namespace")
    type: str | None = Field(None, description="free text, for people")
    description: str | None = None


class KServe(Strict):
    """``coordinationEngine.kserve``, in each spelling that upstream platforms use."""

    enabled: bool = True
    namespace: DnsLabel = "self-healing-platform"
    services: dict[RegistryKey, DnsLabel] = Field(
        default_factory=dict, description="model name with underscores: Kubernetes Service"
    )
    models: tuple[RegisteredModel, ...] = ()
    predictor_port: int = Field(8080, ge=1, le=65535)
    timeout: Period = 10.0
    anomaly_detector_service: DnsLabel | None = None
    anomaly_detector_model: ModelName | None = None
    predictive_analytics_service: DnsLabel | None = None
    predictive_analytics_model: ModelName | None = None

    @model_validator(mode="after")
    def _unique(self) -> "KServe":
        names = [model.name for model in self.registry]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each model once, found {', '.join(twice)} more than once")
        return self

    @property
    def registry(self) -> tuple[RegisteredModel, ...]:
        """Every registered model, whichever spelling names it, with its Service filled in; sorted by name."""
        found = [*self.models]
        found += [
            RegisteredModel(name=key.replace("_", "-"), service=service) for key, service in self.services.items()
        ]
        chart = {
            self.anomaly_detector_model or "anomaly-detector": self.anomaly_detector_service,
            self.predictive_analytics_model or "predictive-analytics": self.predictive_analytics_service,
        }
        found += [RegisteredModel(name=name, service=service) for name, service in chart.items() if service]
        whole = (
            model if model.service else model.model_copy(update={"service": f"{model.name}-predictor"})
            for model in found
        )
        return tuple(sorted(whole, key=lambda model: model.name))
