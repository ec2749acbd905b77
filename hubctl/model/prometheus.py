"""Prometheus: where features may be asked for, by name; anything that speaks its HTTP API.

Apart from ``features``, which says what is asked: one source serves the recipes of many models.
"""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from hubctl.model.base import DnsLabel, Duration, Period, Strict, only_placeholders, placeholders

_OURS = frozenset({"authorization", "host", "content-type", "content-length", "accept", "accept-encoding", "cookie"})


def _not_ours(name: str) -> str:
    if name.lower() in _OURS:
        raise ValueError("hubctl sets this header itself; a token comes from tokenFile or tokenEnv")
    return name


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$"), AfterValidator(_not_ours)]
HeaderValue = Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]


class Source(Strict):
    """One endpoint of the Prometheus HTTP API."""

    url: Annotated[str, Field(pattern=r"^https?://[^/@\s?#]+(/[^\s?#]*)?$"), only_placeholders("cluster")] = Field(
        description="what stands before /api/v1; with scope spoke it holds {cluster}"
    )
    scope: Literal["hub", "spoke"] = Field("hub", description="hub: one for all spokes; spoke: each has its own")
    cluster_label: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        "cluster", description="label that holds a spoke's name; only with scope hub"
    )
    token_file: Annotated[str, only_placeholders("cluster")] | None = None
    token_env: str | None = Field(None, description="name of the variable that holds the bearer token")
    spoke_token: bool = Field(default=False, description="the token that the spoke's predictors get; scope spoke only")
    ca_file: Annotated[str, only_placeholders("cluster")] | None = Field(None, description="default: the system's CAs")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="such as X-Scope-OrgID; no secrets"
    )
    timeout: Period = Field(20.0, description="for all that a round asks of it, with scope spoke for one spoke's part")
    max_body_bytes: int = Field(67_108_864, ge=1024, description="of one answer")
    concurrency: int = Field(8, ge=1, le=256, description="queries under way at once")
    chunk: int = Field(1000, ge=0, le=100_000, description="spokes a query, where it holds $selector; 0: all")
    lookback: Duration | None = Field(None, description="how old a sample may be; default: the server's own, 5m")
    delay: Duration = Field(60.0, description="how late samples come in; windows end so long ago")

    @field_validator("url")
    @classmethod
    def _has_a_port_that_can_be(cls, url: str) -> str:
        try:
            urlsplit(url).port  # noqa: B018 - it is the look that raises
        except ValueError:
            raise ValueError("expected a port from 1 to 65535") from None
        return url

    @model_validator(mode="after")
    def _fits(self) -> "Source":
        if sum(bool(one) for one in (self.token_file, self.token_env, self.spoke_token)) > 1:
            raise ValueError("expected at most one of tokenFile, tokenEnv and spokeToken")
        if (self.scope == "spoke") != ("cluster" in placeholders(self.url)):
            expected = "{cluster} in url" if self.scope == "spoke" else "no {cluster} in url, or scope: spoke"
            raise ValueError(f"scope {self.scope}: expected {expected}")
        named = [
            key
            for key, text in (("tokenFile", self.token_file), ("caFile", self.ca_file))
            if "cluster" in placeholders(text or "")
        ]
        if self.scope == "hub" and (named or self.spoke_token):
            raise ValueError(f"{'spokeToken' if self.spoke_token else f'{{cluster}} in {named[0]}'} needs scope: spoke")
        return self

    @property
    def has_token(self) -> bool:
        """Whether a bearer token is sent."""
        return bool(self.token_file or self.token_env or self.spoke_token)


class Prometheus(Strict):
    """Where metrics are."""

    sources: dict[DnsLabel, Source] = Field(default_factory=dict)
    default: DnsLabel | None = Field(None, description="source of recipes that name none; default: the only one")
    upstream_recipes: bool = Field(
        default=True, description="anomaly-detector and predictive-analytics without features get hubctl's own recipes"
    )

    @model_validator(mode="after")
    def _has_default(self) -> "Prometheus":
        if self.default is not None and self.default not in self.sources:
            known = ", ".join(self.sources) or "none"
            raise ValueError(f"default {self.default!r} is no source, expected one of {known}")
        return self

    def named(self, name: str | None) -> "Endpoint | None":
        """The source of that name, or the default one without a name; None when there is none."""
        chosen = name or self.default or (next(iter(self.sources)) if len(self.sources) == 1 else None)
        return Endpoint(chosen, self.sources[chosen]) if chosen in self.sources and chosen else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A source and what the values call it."""

    name: str
    source: Source
