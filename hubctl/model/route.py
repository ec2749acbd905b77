"""How the hub reaches a spoke's predictors: by a URL of their own, or through ACM's cluster-proxy.

Apart from the values, because spokes, groups and models say it too, and rights on the spoke follow from it.
"""

from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.base import Strict, only_placeholders


class UrlRoute(Strict):
    """A predictor is reached at a URL made from a template."""

    type: Literal["url"] = "url"
    url: Annotated[
        str,
        Field(pattern=r"^https?://[^/@\s]+(/[^\s]*)?$"),
        only_placeholders("cluster", "model", "namespace", "service"),
    ]


class AcmRoute(Strict):
    """A predictor is reached through ACM's cluster-proxy user-server on the hub."""

    type: Literal["acm"] = "acm"
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d+)?$")]
    scheme: Literal["http", "https"] = Field("https", description="http needs MCE 2.11 or later")
    port: int | None = Field(None, ge=1, le=65535, description="default 8443 for https, 80 for http")

    @property
    def target_port(self) -> int:
        """``port`` with its default: that of KServe's predictor Service behind kube-rbac-proxy, and without it."""
        return self.port or {"https": 8443, "http": 80}[self.scheme]


Route = Annotated[UrlRoute | AcmRoute, Field(discriminator="type")]
