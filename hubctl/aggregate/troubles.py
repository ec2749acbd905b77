"""What witnesses say is wrong with a spoke, beside the polls of the same pass, and for how long they have said so.

Two ways lead to a spoke, the hub's route to its predictors and its klusterlet's lease on the hub. What both say
together is a conclusion that neither allows alone; the table is in docs/concepts.md. A look that shows nothing ends no
trouble, and makes no finding of it either.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from hubctl.model.health import FindingKind, HealthReason, PredictorHealth
from hubctl.model.predictor import Outcome
from hubctl.model.witness import ALIVE, Application, Lease, Reach, Service, Sight, SpokeWitness, Trouble

OF_ROUTE = frozenset({FindingKind.SPOKE_DOWN, FindingKind.SPOKE_API, FindingKind.SPOKE_ROUTE, FindingKind.AGENT_SILENT})
OF_APPLICATION = frozenset({FindingKind.SYNC_FAILED, FindingKind.NOT_DELIVERED, FindingKind.APPLICATION_DEGRADED})

_FROM_SPOKE = frozenset({Outcome.OK, Outcome.NOT_FOUND})
"""Answers that only the spoke can have given; others may come from a proxy before it."""

_FAILED = frozenset({"Failed", "Error"})


def remembered(
    witness: SpokeWitness,
    last: SpokeWitness | None,
    health: Collection[PredictorHealth],
    *,
    raise_after: int,
    tip: str,
) -> SpokeWitness:
    """The witness with what is wrong, each trouble since it was seen first.

    Args:
        witness: of this look.
        last: as the pass before left it.
        health: of the spoke's predictors after this pass's polls.
        raise_after: polls without an answer that make a route dead.
        tip: the commit that Argo CD should compare with; empty when that is not known.
    """
    route = reach(health, raise_after)
    seen = witness if witness.route is route else replace(witness, route=route)
    before = {(one.kind, one.model): one for one in last.troubles} if last else {}
    now = [_aged(one, before.get((one.kind, one.model)), seen.at) for one in _troubles(seen, health, tip)]
    known = {(one.kind, one.model) for one in now}
    held = (replace(one, sure=False) for key, one in before.items() if key not in known and _is_open(seen, one))
    all_of = tuple(sorted((*now, *held), key=lambda one: (one.kind, one.model)))
    return replace(seen, troubles=all_of) if all_of or seen.troubles else seen


def reach(health: Collection[PredictorHealth], raise_after: int) -> Reach:
    """What the polls say of the way to a spoke; a spoke without predictors is not known."""
    if any(one.last_outcome in _FROM_SPOKE and one.reason != HealthReason.STALE for one in health):
        return Reach.ANSWERS
    dead = all(one.unreachable_streak >= raise_after and one.reason != HealthReason.STALE for one in health)
    return Reach.DEAD if health and dead else Reach.UNKNOWN


def _aged(trouble: Trouble, before: Trouble | None, now: datetime) -> Trouble:
    """The trouble, as old as it is; a clock that stepped back makes nothing younger than now."""
    if before is None or (before.about, before.version) != (trouble.about, trouble.version):
        return trouble
    return replace(trouble, since=min(before.since, now))


def _troubles(seen: SpokeWitness, health: Collection[PredictorHealth], tip: str) -> Iterator[Trouble]:
    yield from _of_route(seen, polled=bool(health))
    for service in seen.services:
        yield from _of_service(seen, service)
    if seen.application is not None:
        yield from _of_application(seen, seen.application, tip)


def _of_route(seen: SpokeWitness, *, polled: bool) -> Iterator[Trouble]:
    """The table: the route against the lease."""
    name, lease, dead = seen.cluster, seen.lease, seen.route is Reach.DEAD
    if lease is Lease.API_DOWN:
        text = f"the klusterlet of {name} says that the spoke's own API server does not answer"
        yield Trouble(FindingKind.SPOKE_API, seen.at, text)
    if lease is Lease.STALE and dead:
        text = f"{name} or its network is down: no predictor answers and its klusterlet is silent"
        yield Trouble(FindingKind.SPOKE_DOWN, seen.at, text)
    elif lease is Lease.STALE and (seen.route is Reach.ANSWERS or not polled):
        rest = "though its predictors answer" if polled else "and it has no predictor to ask"
        yield Trouble(FindingKind.AGENT_SILENT, seen.at, f"the klusterlet of {name} is silent, {rest}")
    elif lease in ALIVE and dead:
        text = f"no predictor on {name} answers though its klusterlet does: look at route, ingress and certificate"
        yield Trouble(FindingKind.SPOKE_ROUTE, seen.at, text)


def _of_service(seen: SpokeWitness, service: Service) -> Iterator[Trouble]:
    """Git against what feedback tells of one InferenceService."""
    model, version, where = service.model, service.wanted.version, seen.cluster
    if service.sight is Sight.ABSENT:
        text = f"{where} has no InferenceService {model}"
        yield Trouble(FindingKind.SERVICE_ABSENT, seen.at, text, model, version)
    if service.same is False:
        other = service.version if service.version not in ("", version) else service.served
        text = f"Git says {model} {version}, {where} serves {other}"
        about = f"{service.wanted.artifact} {service.served}"
        yield Trouble(FindingKind.VERSION_DRIFT, seen.at, text, model, version, about)
    if service.sight is Sight.PRESENT and (service.ready is False or service.stopped):
        why = "it is stopped" if service.stopped else service.detail
        text = f"{model} on {where} is not ready" + (f": {why}" if why else "")
        yield Trouble(FindingKind.SERVICE_NOT_READY, seen.at, text, model, version)


def _of_application(seen: SpokeWitness, found: Application, tip: str) -> Iterator[Trouble]:
    """What Argo CD says of the spoke's Application, and which commit it follows."""
    if found.sight is Sight.ABSENT:
        yield Trouble(FindingKind.NOT_DELIVERED, seen.at, found.detail, about="absent")
    if found.sight is not Sight.PRESENT:
        return
    failed = found.phase in _FAILED and found.sync != "Synced"
    if found.errors or failed:
        why = found.errors[0] if found.errors else found.detail or found.phase
        yield Trouble(FindingKind.SYNC_FAILED, seen.at, f"Argo CD cannot deliver {found.name}: {why}")
    if found.sync == "OutOfSync" and not found.waits:
        text = f"what runs on {seen.cluster} is not what Git says: {found.name} is OutOfSync"
        yield Trouble(FindingKind.NOT_DELIVERED, seen.at, text, about=found.sync)
    elif tip and found.sync == "Synced" and found.revision and found.revision != tip:
        text = f"{found.name} stands at {found.revision[:12]}, the branch at {tip[:12]}"
        yield Trouble(FindingKind.NOT_DELIVERED, seen.at, text, about=f"{found.revision}..{tip}")
    if found.health == "Degraded":
        text = f"Argo CD finds {found.name} Degraded"
        yield Trouble(FindingKind.APPLICATION_DEGRADED, seen.at, text)


def _is_open(seen: SpokeWitness, trouble: Trouble) -> bool:
    """Whether this look leaves open if the trouble is over."""
    if trouble.kind in OF_ROUTE:
        return _route_is_open(seen, trouble.kind)
    if trouble.kind in OF_APPLICATION:
        application = seen.application
        unsure = application is not None and application.sight is Sight.UNKNOWN
        return unsure or (application is not None and application.sync == "Unknown")
    service = seen.service(trouble.model)
    if service is None:
        return False
    if trouble.kind is FindingKind.VERSION_DRIFT:
        return service.same is None
    if trouble.kind is FindingKind.SERVICE_NOT_READY:
        return service.ready is None
    return service.sight is Sight.UNKNOWN


def _route_is_open(seen: SpokeWitness, kind: FindingKind) -> bool:
    unheard = seen.lease in (Lease.UNREAD, Lease.UNREPORTED)
    if kind in (FindingKind.SPOKE_API, FindingKind.AGENT_SILENT):
        return unheard
    return seen.route is Reach.UNKNOWN or (unheard and seen.route is Reach.DEAD)
