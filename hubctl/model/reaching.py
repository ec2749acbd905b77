"""What of the hub's API polling takes: accounts for tokens, works for hosts, single objects for the cluster-proxy.

Apart from ``watching``, which asks every part of hubctl; only routes and tokens are known here.
"""

from collections.abc import Iterator, Sequence

from hubctl.model.cluster import Spoke
from hubctl.model.route import ExposedRoute, ProxyRoute, Route, ServiceRoute, listed
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Resource
from hubctl.model.values import HubValues


def resources_of(values: HubValues, spokes: Sequence[Spoke]) -> tuple[Resource, ...]:
    """The kinds that are listed in every pass."""
    found: list[Resource] = []
    if _by_account(values, spokes):
        found.append(SERVICE_ACCOUNTS)
    if any(isinstance(route, ExposedRoute) for route in _routes(values, spokes)):
        found.append(FEEDBACK_WORKS)
    return tuple(found)


def finds_hosts(values: HubValues, spokes: Sequence[Spoke]) -> bool:
    """Whether some route is found on the hub: the cluster-proxy without a host, or a Service and its CA."""
    return any(
        not route.host if isinstance(route, ProxyRoute) else isinstance(route, ServiceRoute) and not route.ca_file
        for route in _routes(values, spokes)
    )


def _by_account(values: HubValues, spokes: Sequence[Spoke]) -> bool:
    observe = values.hubctl.observe
    said = [*(group.access for group in values.hubctl.groups), *(spoke.spec.access for spoke in spokes), None]
    return any(observe.account(access) for access in said)


def _routes(values: HubValues, spokes: Sequence[Spoke]) -> Iterator[Route]:
    """Every route that some file says, whether or not a nearer one takes its place."""
    said = [values.hubctl.observe.route, *(group.route for group in values.hubctl.groups)]
    for spoke in spokes:
        said += [spoke.spec.route, *(model.route for model in spoke.spec.models)]
    for routes in said:
        yield from listed(routes)
