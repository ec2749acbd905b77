"""What only the hub knows of a way to a spoke: where the cluster-proxy listens, its CA, that of the hub's Services.

Looked up once a round and kept while the hub's API says nothing else, so that a round costs it a handful of requests
however many spokes there are. Names and places are ACM's: stolostron/cluster-proxy, backplane-operator's user Route.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.model.apiserver import HubReader
from hubctl.model.predictor import InferenceService
from hubctl.model.route import ProxyRoute, Route, ServiceRoute
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed
from hubctl.observe.trust import Anchor

NAME = "cluster-proxy-addon-user"
"""Of the user-server's Service, and of ACM's Route to it."""

NAMESPACES = ("multicluster-engine", "open-cluster-management-addon")
"""Where ACM and upstream's chart put it."""

PORT = 9092


class NoAddress(Malformed):
    """Nothing on the hub says where a route leads."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A cluster-proxy user-server.

    Attributes:
        host: with its port, if that is not 443.
    """

    host: str
    anchor: Anchor


class HubSide:
    """What was found on the hub."""

    def __init__(self, api: HubReader | None, *, inside: bool) -> None:
        """Take the hub's API, or None without access to it.

        Args:
            api: reads single objects.
            inside: whether hubctl runs in the hub's cluster, where a Service's name leads to it.
        """
        self._api = api
        self._inside = inside
        self._proxies: dict[str, Proxy] = {}
        self._authorities: dict[str, str] = {}
        self._why: dict[str, str] = {}

    async def look(self, services: Iterable[InferenceService]) -> None:
        """Look up what the routes of these predictors need; what cannot be read keeps what was known."""
        routes = [(service, route) for service in services for route in service.routes]
        proxies = {namespace for _, route in routes for namespace in _places(route)}
        for namespace in [name for name in NAMESPACES if name in proxies] + sorted(proxies.difference(NAMESPACES)):
            await self._look_for_proxy(namespace)
        for namespace in sorted({service.namespace for service, route in routes if _is_local(route)}):
            await self._look_for_authority(namespace)

    def proxy(self, route: ProxyRoute) -> Proxy:
        """The user-server that a route leads through.

        Raises:
            NoAddress: there is none, or it cannot be looked up.
        """
        places = _places(route)
        if not places and route.host:
            return Proxy(route.host, Anchor())
        for namespace in places:
            if found := self._proxies.get(namespace):
                return found
        why = "; ".join(dict.fromkeys(self._why.get(namespace, "not looked for") for namespace in places))
        raise NoAddress(Reason.NO_ADDRESS, strict.excerpt(f"no cluster-proxy user-server was found: {why}"))

    def authority(self, namespace: str) -> Anchor:
        """Whom to trust for a Service of the hub: OpenShift's service CA, else the system's CAs."""
        found = self._authorities.get(namespace)
        return Anchor(pem=found, system=False) if found else Anchor()

    async def _look_for_proxy(self, namespace: str) -> None:
        try:
            found = await self._service(namespace) if self._inside else None
            found = found or await self._route(namespace)
        except RemoteFailed as error:
            self._why[namespace] = str(error)
            return
        if found is None:
            self._proxies.pop(namespace, None)
            kind = "Service or Route" if self._inside else "Route"
            self._why[namespace] = f"namespace {namespace} has no {kind} {NAME}"
            return
        self._proxies[namespace] = found

    async def _service(self, namespace: str) -> Proxy | None:
        if await self._read(f"/api/v1/namespaces/{namespace}/services/{NAME}") is None:
            return None
        pem = await self._bundle(namespace, "openshift-service-ca.crt", "service-ca.crt")
        return Proxy(f"{NAME}.{namespace}.svc:{PORT}", Anchor(pem=pem, system=not pem))

    async def _route(self, namespace: str) -> Proxy | None:
        route = await self._read(f"/apis/route.openshift.io/v1/namespaces/{namespace}/routes/{NAME}")
        host = _host(route or {})
        if not host:
            return None
        # The router's certificate may be from a public CA too.
        return Proxy(host, Anchor(pem=await self._bundle(namespace, "kube-root-ca.crt", "ca.crt")))

    async def _look_for_authority(self, namespace: str) -> None:
        try:
            pem = await self._bundle(namespace, "openshift-service-ca.crt", "service-ca.crt")
        except RemoteFailed:
            return  # the system's CAs are tried, and verification says what is missing
        self._authorities[namespace] = pem

    async def _bundle(self, namespace: str, name: str, key: str) -> str:
        found = await self._read(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        return str(((found or {}).get("data") or {}).get(key) or "")

    async def _read(self, path: str) -> Mapping[str, Any] | None:
        if self._api is None:
            raise RemoteFailed("hubctl was started without access to the hub's API server")
        return await self._api.read(path)


def _places(route: Route | ProxyRoute) -> tuple[str, ...]:
    """The namespaces to look in for a route's user-server; none for a route that needs none, or says its host."""
    if not isinstance(route, ProxyRoute) or route.host:
        return ()
    return (route.namespace,) if route.namespace else NAMESPACES


def _is_local(route: Route) -> bool:
    return isinstance(route, ServiceRoute) and route.spoken == "https" and not route.ca_file


def _host(route: Mapping[str, Any]) -> str:
    """The host that the router admitted, else the one that was asked for."""
    ingress = (route.get("status") or {}).get("ingress") or ()
    hosts = [str(one.get("host")) for one in ingress if one.get("host")]
    return hosts[0] if hosts else str((route.get("spec") or {}).get("host") or "")
