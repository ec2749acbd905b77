"""What the witnesses say about an incident that is theirs: what keeps it open; known good resolves it, silence never.

Apart from ``evidence``, which asks predictors.
"""

from collections.abc import Mapping, Sequence

from hubctl.model.health import FindingKind
from hubctl.model.incident import Incident
from hubctl.model.witness import ALIVE, Lease, Reach, Sight, SpokeWitness

SERVICE = frozenset({FindingKind.VERSION_DRIFT, FindingKind.SERVICE_ABSENT, FindingKind.SERVICE_NOT_READY})
APPLICATION = frozenset({FindingKind.SYNC_FAILED, FindingKind.NOT_DELIVERED, FindingKind.APPLICATION_DEGRADED})
KLUSTERLET = frozenset({FindingKind.SPOKE_DOWN, FindingKind.SPOKE_API, FindingKind.AGENT_SILENT})

KINDS = SERVICE | APPLICATION | KLUSTERLET
"""Incidents that witnesses resolve."""


def not_yet_good(incident: Incident, witnesses: Sequence[SpokeWitness]) -> tuple[str, ...]:
    """What still keeps such an incident from being resolved, for people; empty when all is known good, or gone."""
    if not witnesses:
        return ("its witnesses are not heard any more",)
    known = {one.cluster: one for one in witnesses}
    return tuple(why for name in incident.clusters if name in known and (why := _bad(incident, known[name])))


def silent(witnesses: Sequence[SpokeWitness]) -> tuple[str, ...]:
    """Spokes whose klusterlet the hub does not hear, unless it hears most of them."""
    leases: Mapping[str, Lease] = {one.cluster: one.lease for one in witnesses if one.lease is not Lease.ABSENT}
    heard = sum(lease in ALIVE for lease in leases.values())
    if 2 * heard > len(leases) or not leases:
        return ()
    return tuple(f"the klusterlet of {name} is {lease}" for name, lease in sorted(leases.items()) if lease not in ALIVE)


def _bad(incident: Incident, seen: SpokeWitness) -> str:
    """Why one spoke is not known to be good; empty when it is."""
    if incident.kind in KLUSTERLET:
        return _klusterlet(incident.kind, seen)
    if incident.kind in APPLICATION:
        return _application(incident.kind, seen)
    service = seen.service(incident.model)
    if service is None:
        return ""
    good = {
        FindingKind.VERSION_DRIFT: service.same is True,
        FindingKind.SERVICE_NOT_READY: service.ready is True and not service.stopped,
        FindingKind.SERVICE_ABSENT: service.sight is Sight.PRESENT,
    }
    if good[incident.kind]:
        return ""
    return f"{incident.model} on {seen.cluster} is {service.sight}" + (f": {service.detail}" if service.detail else "")


def _klusterlet(kind: FindingKind, seen: SpokeWitness) -> str:
    if seen.klusterlet is None:
        return f"nobody looks at the ManagedCluster of {seen.cluster} any more"
    if seen.lease is Lease.ABSENT:
        return ""  # It is detached: nothing of it is silent.
    alive = seen.lease is Lease.FRESH if kind is FindingKind.SPOKE_API else seen.lease in ALIVE
    if alive or (kind is FindingKind.SPOKE_DOWN and seen.route is Reach.ANSWERS):
        return ""
    return f"the klusterlet of {seen.cluster} is {seen.lease}"


def _application(kind: FindingKind, seen: SpokeWitness) -> str:
    found = seen.application
    if found is None:
        return ""
    if found.sight is Sight.UNKNOWN:
        return f"{found.name} is not known: {found.detail}"
    if any(trouble.kind is kind for trouble in seen.troubles):
        return f"{found.name} is {found.sync or found.sight}, {found.health or 'of unknown health'}"
    if kind is FindingKind.APPLICATION_DEGRADED:
        return "" if found.health not in ("", "Unknown") else f"the health of {found.name} is not known"
    return "" if found.sync not in ("", "Unknown") or found.sight is Sight.ABSENT else f"{found.name} is {found.sync}"
