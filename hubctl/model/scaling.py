"""Where polls are made, as the values say: in this process, or on the workers of a Dask cluster."""

from typing import Annotated

from pydantic import Field, field_validator

from hubctl.model.base import Strict

PROCESS = "process"
"""As an engine: this process, whatever the values say."""


class EngineTls(Strict):
    """Files with what this process shows to the scheduler, and whom it trusts; read when it connects."""

    ca_file: str = Field(description="CA that signed every certificate of the Dask cluster, and no others")
    cert_file: str = Field(description="certificate of this process")
    key_file: str = Field(description="its private key")


class EngineSection(Strict):
    """Where ``hubctl run`` polls."""

    url: Annotated[str, Field(pattern=r"^(dask|tls)://[^/@\s]+:\d+$")] | None = Field(
        None, description="a Dask scheduler, as dask://HOST:PORT or tls://HOST:PORT; default: this process"
    )
    shards: int = Field(256, ge=1, le=65536, description="parts that move between workers as a whole; a power of two")
    tls: EngineTls | None = Field(None, description="needed for tls://")

    @field_validator("shards")
    @classmethod
    def _power_of_two(cls, shards: int) -> int:
        if shards & (shards - 1):
            raise ValueError(f"expected a power of two, found {shards}")
        return shards
