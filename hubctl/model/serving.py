"""How KServe serves a model: formats, protocols, custom containers, GPUs, artefacts outside of the spoke's own storage.

Apart from the values, because spokes and groups patch the same keys, and because what must fit together can only be
said after patches are merged: :func:`misfit` says it of a merged profile, :func:`mode_misfit` of a profile on a spoke.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hubctl.model.base import Quantity, Strict, only_placeholders, placeholders

INT32 = 2**31 - 1
"""Kubernetes counts replicas in 32 bits."""

Protocol = Literal["v1", "v2"]
Spoken = Literal["v1", "v2", "auto"]
DeploymentMode = Literal["RawDeployment", "Standard", "Knative", "Serverless"]

BOTH: tuple[Protocol, ...] = ("v1", "v2")
FORMATS: dict[str, tuple[Protocol, ...]] = {
    "sklearn": BOTH,
    "xgboost": BOTH,
    "lightgbm": BOTH,
    "tensorflow": BOTH,
    "pytorch": BOTH,
    "onnx": ("v2",),
    "huggingface": BOTH,
}
"""Model formats, and the protocols of the runtimes that KServe chooses for them (kserve ``config/runtimes``)."""

RUNTIMES: dict[str, tuple[Protocol, ...]] = {
    "kserve-mlserver": ("v2",),
    "kserve-tensorflow-serving": ("v1",),
    "kserve-tritonserver": ("v2",),
}
"""KServe's own runtimes that speak one protocol only."""

DEFAULT_FORMAT = "sklearn"
DEFAULT_MODE: DeploymentMode = "RawDeployment"
DEFAULT_PORT = 8080
"""Where KServe's model servers listen."""

_RAW = ("RawDeployment", "Standard")
_RENAMED = (0, 16)
"""Since this version KServe stores Standard and Knative, and only reads the older words."""


def _versioned(template: str) -> str:
    if "version" not in placeholders(template):
        raise ValueError("expected {version} in it, so that another version is another artefact")
    return template


def is_raw(mode: DeploymentMode) -> bool:
    """Whether KServe makes Deployments of its own, not Knative's services."""
    return mode in _RAW


def spelled(mode: DeploymentMode, kserve: str | None) -> str:
    """The annotation's value for a KServe version; without one the word that every version reads."""
    old, new = ("RawDeployment", "Standard") if is_raw(mode) else ("Serverless", "Knative")
    if kserve is None:
        return old
    return new if tuple(int(part) for part in kserve.split(".")[:2]) >= _RENAMED else old


class Resources(Strict):
    """Kubernetes resource requests and limits."""

    requests: dict[str, Quantity] = Field(default_factory=dict)
    limits: dict[str, Quantity] = Field(default_factory=dict)


class Gpu(Strict):
    """GPUs of one predictor; an extended resource, so request and limit are the same."""

    resource: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")] = "nvidia.com/gpu"
    count: int = Field(1, ge=1, le=INT32)


class Container(Strict):
    """A model server of the user's own; it brings its model with it, KServe's storage initializer is not involved."""

    image: Annotated[str, Field(pattern=r"^[^\s]+$"), only_placeholders("model", "version")]
    args: tuple[Annotated[str, only_placeholders("model", "version")], ...] = ()
    port: int = Field(DEFAULT_PORT, ge=1, le=65535)

    @model_validator(mode="after")
    def _has_version(self) -> "Container":
        if not any("version" in placeholders(text) for text in (self.image, *self.args)):
            raise ValueError("expected {version} in image or args, so that another version is another container")
        return self


class OciStorage(Strict):
    """A model is an OCI image (KServe's modelcar), one tag a version."""

    type: Literal["oci"] = "oci"
    image: Annotated[
        str,
        Field(pattern=r"^[^\s/:@][^\s@]*$"),
        only_placeholders("model", "version"),
        AfterValidator(_versioned),
    ]


class HfStorage(Strict):
    """A model is a repository of Hugging Face's hub, one revision a version."""

    type: Literal["hf"] = "hf"
    repo: Annotated[
        str,
        Field(pattern=r"^[^\s/:]+/[^\s/:]+:[^\s/:]+$"),
        only_placeholders("model", "version"),
        AfterValidator(_versioned),
    ]


Artefact = Annotated[OciStorage | HfStorage, Field(discriminator="type")]
"""Where one model lies that does not lie in its spoke's storage."""

Path = Annotated[str, Field(pattern=r"^[^/].*$"), only_placeholders("model", "version")]


class Serving(Strict):
    """How a model is served, for the whole fleet."""

    format: str | None = Field(None, description="default: sklearn, or none with a container")
    container: Container | None = Field(None, description="instead of a format: a model server of your own")
    protocol: Spoken = Field(
        "v1", description="KServe's inference protocol; the readiness probe follows it; auto: polls ask the server"
    )
    runtime: str | None = None
    path: Path = "{model}/{version}"
    storage: Artefact | None = Field(None, description="default: the spoke's storage")
    min_replicas: int = Field(1, ge=0, le=INT32)
    max_replicas: int = Field(1, ge=1, le=INT32)
    canary_traffic_percent: int | None = Field(None, ge=0, le=100, description="only with deployment mode Knative")
    gpu: Gpu | None = None
    resources: Resources = Resources()

    @property
    def model_format(self) -> str | None:
        """The format with its default; None with a container."""
        return None if self.container else self.format or DEFAULT_FORMAT

    @property
    def spoken(self) -> Protocol:
        """The protocol that is rendered; of ``auto``, the one for which KServe chooses a runtime by itself."""
        return self.protocol if self.protocol != "auto" else _spoken(self)[0]

    @property
    def readiness_path(self) -> str:
        """The path that answers 200 once the model is loaded; holds ``{model}``."""
        return "/v1/models/{model}" if self.spoken == "v1" else "/v2/models/{model}/ready"

    @model_validator(mode="after")
    def _fits(self) -> "Serving":
        if found := misfit(self):
            raise ValueError(found)
        return self


class ServingPatch(Strict):
    """What a spoke or group changes of how a model is served; an absent key keeps what was."""

    format: str | None = None
    container: Container | None = None
    protocol: Spoken | None = None
    runtime: str | None = None
    path: Path | None = None
    storage: Artefact | None = None
    min_replicas: int | None = Field(None, ge=0, le=INT32)
    max_replicas: int | None = Field(None, ge=1, le=INT32)
    canary_traffic_percent: int | None = Field(None, ge=0, le=100)
    gpu: Gpu | None = None
    resources: Resources | None = None

    @model_validator(mode="after")
    def _one_server(self) -> "ServingPatch":
        if self.container and (self.format or self.runtime or self.storage):
            raise ValueError("expected exactly one of format and container; runtime and storage are for a format")
        return self

    def changes(self, profile: Serving) -> dict[str, Any]:
        """What it sets, by field; resources are merged key by key, and a format replaces a container or is replaced."""
        found = {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}
        if self.resources is not None:
            found["resources"] = Resources(
                requests=profile.resources.requests | self.resources.requests,
                limits=profile.resources.limits | self.resources.limits,
            )
        if self.container is not None:
            found |= {"format": None, "runtime": None, "storage": None}
        elif self.format is not None:
            found["container"] = None
        return found


def misfit(profile: Serving) -> str:
    """What does not fit together in a profile, and what would; empty when all does."""
    if profile.container is not None:
        extra = [name for name in ("format", "runtime", "storage") if getattr(profile, name) is not None]
        if extra:
            return f"expected exactly one of format and container; {extra[0]} is for a format"
        if profile.protocol == "auto":
            return "a container's readiness probe needs its protocol, found auto, expected protocol: v1 or v2"
        return _gpu_misfit(profile)
    named = profile.model_format or DEFAULT_FORMAT
    if profile.runtime is None and named not in FORMATS:
        return f"format {named!r} needs a runtime of its own; without one expected {', '.join(FORMATS)}"
    spoken = _spoken(profile)
    if profile.protocol == "auto" and profile.runtime and profile.runtime not in RUNTIMES:
        return f"nothing says what runtime {profile.runtime} speaks, found auto, expected protocol: v1 or v2"
    if profile.protocol not in ("auto", *spoken):
        server = f"runtime {profile.runtime}" if profile.runtime else f"format {named}"
        return f"{server} speaks protocol {' and '.join(spoken)} only, expected protocol: {spoken[0]}"
    return _gpu_misfit(profile)


def _spoken(profile: Serving) -> tuple[Protocol, ...]:
    """What the model server speaks, as far as that is known."""
    if profile.runtime:
        return RUNTIMES.get(profile.runtime, BOTH)
    return FORMATS.get(profile.model_format or "", BOTH)


def _gpu_misfit(profile: Serving) -> str:
    if profile.gpu and profile.gpu.resource in profile.resources.requests | profile.resources.limits:
        return f"expected {profile.gpu.resource} either in gpu or in resources"
    return ""


def mode_misfit(profile: Serving, mode: DeploymentMode) -> str:
    """What of a profile the spoke's deployment mode cannot do; empty when nothing."""
    if profile.canary_traffic_percent is not None and is_raw(mode):
        return f"canaryTrafficPercent needs deployment mode Knative, the spoke has {mode}"
    return ""
