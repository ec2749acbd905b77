"""Ways: a route of one predictor with all that it takes to go there, its URL and whom to trust; found in each round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubctl.model import base, values
from hubctl.model.apiserver import HubReader
from hubctl.model.predictor import InferenceService
from hubctl.model.route import ExposedRoute, ProxyRoute, Route, UrlRoute
from hubctl.model.snapshot import FEEDBACK_WORKS, Snapshot
from hubctl.observe import feedback, routes, strict
from hubctl.observe.hubside import HubSide, NoAddress
from hubctl.observe.reason import Reason
from hubctl.observe.tokens import Tokens
from hubctl.observe.trust import Anchor

_POD = "KUBERNETES_SERVICE_HOST"
"""A variable that every pod has."""

_SYSTEM = Anchor()

_MOST_KNOWN = 65_536
"""Ways that are kept: one for each model on each spoke, and more when hosts or CAs change."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a route leads.

    Attributes:
        url: below which the predictor serves; no slash at its end.
    """

    url: str
    anchor: Anchor


class Ways:
    """Finds ways; keeps what the hub said over rounds."""

    def __init__(
        self, observe: values.Observe, environ: Mapping[str, str], folder: Path, api: HubReader | None
    ) -> None:
        """Take the settings; nothing is asked yet.

        Args:
            observe: ``hubctl.observe`` of the values.
            environ: says whether this is a pod, and holds the token's variable.
            folder: which relative paths start from.
            api: the hub's API, or None without access to it.
        """
        self._ca_file = observe.ca_file
        self._hub = HubSide(api, inside=_POD in environ)
        self.tokens = Tokens(observe, environ, folder, api)
        self._works: dict[str, list[Mapping[str, Any]]] | None = None
        self._unread = ""
        self._known: dict[tuple[str, str, str, str, Route, str, Anchor], Way] = {}

    async def begin(self, services: Sequence[InferenceService], snapshot: Snapshot | None) -> None:
        """Begin a round over these predictors, with the hub's objects as they are now."""
        self.tokens.begin(snapshot)
        works = snapshot.of(FEEDBACK_WORKS) if snapshot else None
        if works is not None:  # a host changes less often than a look-up fails
            self._works = _by_cluster(works)
        self._unread = snapshot.unread.get(FEEDBACK_WORKS, "") if snapshot else ""
        await self._hub.look(services)

    async def of(self, service: InferenceService, route: Route) -> Way:
        """The way that a route is now.

        Raises:
            NoUrl: it makes no URL.
            NoAddress: its host is not known.
            NoToken: the spoke's CA comes with a token that cannot be read.
        """
        found, anchor = await self._found(service, route)
        key = service.cluster, service.namespace, service.service, service.name, route, found, anchor
        way = self._known.get(key)
        if way is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            file = base.fill(route.ca_file or self._ca_file or "", cluster=service.cluster)
            url = routes.base_url(service, route, found=found)
            way = self._known[key] = Way(url, Anchor(file=file) if file else anchor)
        return way

    async def _found(self, service: InferenceService, route: Route) -> tuple[str, Anchor]:
        if isinstance(route, UrlRoute):
            return "", _SYSTEM
        if isinstance(route, ProxyRoute):
            proxy = self._hub.proxy(route)
            return proxy.host, proxy.anchor
        if isinstance(route, ExposedRoute):
            url = self._exposed(service)
            # What the spoke trusts itself; on OpenShift the router's CA is in it.
            said = route.ca_file or self._ca_file
            return url, _SYSTEM if said else Anchor(pem=await self.tokens.authority(service))
        return "", self._hub.authority(service.namespace)

    def _exposed(self, service: InferenceService) -> str:
        if self._works is None:
            why = strict.excerpt(self._unread or "the hub's ManifestWorks were not asked for")
            raise NoAddress(Reason.NO_ADDRESS, f"cannot tell the host of {service.name}: {why}")
        works = self._works.get(service.cluster, ())
        url, why = feedback.exposed(works, service.cluster, service.namespace, service.name)
        if not url:
            raise NoAddress(Reason.NO_ADDRESS, strict.excerpt(why))
        return url


def _by_cluster(works: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for work in works:
        found.setdefault((work.get("metadata") or {}).get("namespace") or "", []).append(work)
    return found
