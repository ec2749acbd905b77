"""Control probes: what the hub itself needs to see its fleet is tried in each round, apart from any predictor.

When the way that all polls take is gone, every spoke looks dead and none is. A host that many predictors are reached
through is connected to, over TLS where they are, and so is each of ``observe.controls``; nothing is asked there.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from hubctl.model import base
from hubctl.model.apiserver import HubReader
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService
from hubctl.model.route import ProxyRoute, Route, UrlRoute
from hubctl.model.snapshot import Snapshot
from hubctl.observe import faults, strict
from hubctl.observe.strict import Malformed
from hubctl.observe.trust import Anchor, Bundles
from hubctl.observe.ways import Ways

_TURNS = 2
"""Rounds in a row that a probe fails before it counts."""

_SHARE = 0.5
"""Share of the spokes that a host has to lead to."""

_FEWEST = 2
"""Spokes that a host has to lead to at least."""

_PORTS = {"https": 443, "http": 80}


class Streaks:
    """How often in a row each of some checks failed."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._why: dict[str, str] = {}

    def note(self, failed: Mapping[str, str]) -> None:
        """What failed this time, and why; all else went well."""
        self._counts = Counter({name: self._counts[name] + 1 for name in failed})
        self._why = dict(failed)

    def lasting(self) -> tuple[str, ...]:
        """What failed often enough to count, each with why."""
        return tuple(f"{name} ({self._why[name]})" for name in sorted(self._counts) if self._counts[name] >= _TURNS)


class Controls:
    """Makes the probes; keep it over rounds, in one event loop."""

    def __init__(self, observe: Observe, folder: Path, environ: Mapping[str, str], api: HubReader | None) -> None:
        """Take the settings; nobody is asked yet."""
        self._observe = observe
        self._ways = Ways(observe, environ, folder, api)
        self._bundles = Bundles(folder)

    async def failing(self, services: Sequence[InferenceService], snapshot: Snapshot | None) -> dict[str, str]:
        """Each host that cannot be reached now, and why."""
        common = shared(services)
        await self._ways.begin(list(common.values()), snapshot)
        wanted: dict[str, Anchor] = {}
        for route, service in common.items():
            try:
                way = await self._ways.of(service, route)
            except Malformed:  # told with each poll; says nothing about the network
                continue
            wanted.setdefault(_origin(way.url), way.anchor)
        file = self._observe.ca_file or ""
        own = Anchor(file=file if not base.placeholders(file) else "")
        wanted |= {_origin(url): own for url in self._observe.controls}
        names = list(wanted)
        found = await asyncio.gather(*(self._try(name, wanted[name]) for name in names))
        return {name: why for name, why in zip(names, found, strict=True) if why}

    async def _try(self, origin: str, anchor: Anchor) -> str:
        """Why a host cannot be reached; empty when it can."""
        parts = urlsplit(origin)
        try:
            host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
            context = self._bundles.trust(anchor).context if parts.scheme == "https" else None
            async with asyncio.timeout(self._observe.deadline):
                _, writer = await asyncio.open_connection(host, port, ssl=context)
        except TimeoutError:
            return "timeout"
        except Malformed as error:
            return str(error.reason)
        except OSError as error:
            return str(faults.explain(error).reason)
        except ValueError as error:  # of a name or a port that cannot be
            return strict.excerpt(str(error))
        writer.transport.abort()
        return ""


def shared(services: Iterable[InferenceService]) -> dict[Route, InferenceService]:
    """Routes that lead over a host without which most spokes cannot be reached at all, each with a predictor there.

    One that only some share, a region's gateway say, is none: when that is gone, those spokes are.
    """
    first: dict[str, InferenceService] = {}
    for service in services:
        first.setdefault(service.cluster, service)
    over: Counter[str] = Counter()
    found: dict[str, InferenceService] = {}
    for service in first.values():
        hosts = {_host(route) for route in service.routes}
        if len(hosts) == 1 and (host := hosts.pop()):
            over[host] += 1
            found.setdefault(host, service)
    needed = max(_FEWEST, _SHARE * len(first))
    return {found[host].routes[0]: found[host] for host, count in over.items() if count >= needed}


def _host(route: Route) -> str:
    """What tells the host of a route from others; empty when it is a spoke's own."""
    if isinstance(route, UrlRoute):
        origin = _origin(route.url)
        return "" if base.placeholders(origin) else origin
    return f"{route.host} {route.namespace}" if isinstance(route, ProxyRoute) else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
