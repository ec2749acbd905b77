"""How the hub reaches a spoke's predictors: one route, or several in the order in which they are tried.

Apart from the values, because spokes, groups and models say it too, and rights on the spoke follow from it.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import Discriminator, Field, Tag

from hubctl.model.base import DnsLabel, Strict, only_placeholders

TLS_PORT = 8443
"""Where OpenShift AI's proxy before a predictor listens when callers have to show a token."""

CLEAR_PORT = 80
"""Of a predictor's Service; one without an address of its own leads to the container's port."""

Kind = TypeVar("Kind", bound="Target")
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d+)?$")]
CaFile = Annotated[str, only_placeholders("cluster")]


class UrlRoute(Strict):
    """A predictor is reached at a URL made from a template."""

    type: Literal["url"] = "url"
    url: Annotated[
        str,
        Field(pattern=r"^https?://[^/@\s]+(/[^\s]*)?$"),
        only_placeholders("cluster", "model", "namespace", "service"),
    ]
    ca_file: CaFile | None = Field(None, description="CA bundle of this route; {cluster} is replaced")


class ExposedRoute(Strict):
    """A predictor is reached at the host that its spoke gave it, read back by ``access.feedback``."""

    type: Literal["route"] = "route"
    ca_file: CaFile | None = Field(None, description="CA bundle of this route; {cluster} is replaced")


class Target(Strict):
    """The Service of a predictor, as whoever reaches it has to know it."""

    scheme: Literal["http", "https"] | None = Field(None, description="default: https where predictors ask for tokens")
    port: int | None = Field(None, ge=1, le=65535, description="default: that of KServe's Service")
    headless: bool = Field(default=False, description="KServe's Services there have no address of their own")
    ca_file: CaFile | None = Field(None, description="CA bundle of this route; {cluster} is replaced")

    @property
    def spoken(self) -> Literal["http", "https"]:
        """``scheme`` with its default."""
        return self.scheme or "https"

    @property
    def target_port(self) -> int:
        """``port`` with its default: that of KServe's predictor Service behind kube-rbac-proxy, and without it."""
        return self.port or {"https": TLS_PORT, "http": CLEAR_PORT}[self.spoken]


class ServiceRoute(Target):
    """A predictor is reached by its Service, in the cluster that hubctl runs in."""

    type: Literal["service"] = "service"


class ProxyRoute(Target):
    """A predictor is reached through the cluster-proxy user-server on the hub."""

    host: Host | None = Field(None, description="default: found on the hub")
    namespace: DnsLabel | None = Field(None, description="of the user-server; default: ACM's, else upstream's")


class AcmRoute(ProxyRoute):
    """The cluster-proxy leads to the predictor's Service itself."""

    type: Literal["acm"] = "acm"


class ApiserverRoute(ProxyRoute):
    """The cluster-proxy leads to the spoke's kube-apiserver, which takes the token and proxies to the Service."""

    type: Literal["apiserver"] = "apiserver"


Route = Annotated[
    UrlRoute | AcmRoute | ApiserverRoute | ExposedRoute | ServiceRoute,
    Field(discriminator="type"),
]
"""One way to a predictor."""


def _form(value: object) -> str:
    """How the key is written, so that a mistake is told about the form that was meant."""
    return "[list]" if isinstance(value, (list, tuple)) else "[one]"


Routes = Annotated[
    Annotated[Route, Tag("[one]")] | Annotated[tuple[Route, ...], Field(min_length=1, max_length=5), Tag("[list]")],
    Discriminator(_form),
]
"""One way, or an ordered list of ways to try."""


def listed(routes: Routes | None) -> tuple[Route, ...]:
    """The ways in their order; none when nothing is said."""
    if routes is None:
        return ()
    return routes if isinstance(routes, tuple) else (routes,)


def settled(routes: Routes | None, *, auth: bool, raw: bool, port: int) -> Routes | None:
    """The same with the scheme and port of Services filled in where nothing says them.

    Args:
        routes: as files say them.
        auth: whether the spoke's predictors ask for a token.
        raw: whether KServe makes Deployments of its own there, not Knative's services.
        port: of the model server's container.
    """
    made = tuple(
        _settled(route, auth=auth, raw=raw, port=port) if isinstance(route, Target) else route
        for route in listed(routes)
    )
    return made if isinstance(routes, tuple) else next(iter(made), None)


def _settled(route: Kind, *, auth: bool, raw: bool, port: int) -> Kind:
    scheme = route.scheme or ("https" if auth and raw else "http")
    clear = port if route.headless and raw else CLEAR_PORT
    return route.model_copy(update={"scheme": scheme, "port": route.port or (TLS_PORT if scheme == "https" else clear)})
