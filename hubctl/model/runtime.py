"""ServingRuntime: a model server of the user's own that many models share, also one that reads models from the claim.

Apart from how one model is served: a runtime belongs to the fleet, and each spoke whose models name it gets one in each
of their namespaces. Fields are those of KServe's ``serving.kserve.io/v1alpha1``.
"""

from typing import Annotated

from pydantic import Field

from hubctl.model.base import Strict
from hubctl.model.serving import Protocol, Serving

MOUNT = "/mnt/models"
"""Where a model server finds its model; KServe's storage initializer puts it there too."""


class ServingRuntime(Strict):
    """One of ``hubctl.runtimes``."""

    image: Annotated[str, Field(pattern=r"^[^\s]+$")]
    formats: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1, description="that it serves")
    protocols: tuple[Protocol, ...] = Field(("v1",), min_length=1, description="that it speaks")
    args: tuple[str, ...] = Field(
        ("--model_name={{.Name}}", "--http_port=8080"),
        description="KServe replaces {{.Name}}; the model's folder is added, as --model_dir",
    )
    port: int = Field(8080, ge=1, le=65535)
    reads_claim: bool = Field(
        default=False,
        description="mount the spoke's claim and read models there; otherwise KServe's storage initializer copies them",
    )


def runtime_misfit(profile: Serving, runtime: ServingRuntime, storage: str) -> str:
    """What of a model its runtime cannot serve; empty when nothing.

    Args:
        profile: names this runtime.
        runtime: its definition.
        storage: type of the spoke's storage.
    """
    if profile.model_format not in runtime.formats:
        return f"runtime {profile.runtime} serves {', '.join(runtime.formats)}, found format {profile.model_format!r}"
    if profile.spoken not in runtime.protocols:
        return f"runtime {profile.runtime} speaks {' and '.join(runtime.protocols)}, found protocol {profile.spoken}"
    found = profile.storage.type if profile.storage else storage
    if runtime.reads_claim and found != "pvc":
        return f"runtime {profile.runtime} reads the spoke's claim, found storage of type {found}"
    return ""
