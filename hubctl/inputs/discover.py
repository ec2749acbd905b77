"""Which spokes are in force after a look at the hub: from the inventory before, what the look found, and the clock.

Pure. A look is believed unless it could not be read, found nothing at all, or misses more spokes than the brake allows;
then everything stays as it was. A spoke that a believed look misses is kept for a while, since the objects that name it
are rewritten one after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hubctl.errors import GuardRefused
from hubctl.inputs import inventory as listed
from hubctl.inputs import selection
from hubctl.model.base import ClusterName
from hubctl.model.fleetsource import FleetSource
from hubctl.model.found import Found, outdated
from hubctl.model.health import Finding, FindingKind
from hubctl.model.inventory import Changes, Inventory, Look, Member, Trouble
from hubctl.model.snapshot import Snapshot

AVAILABLE = "ManagedClusterConditionAvailable"
"""Condition of a ManagedCluster with three values: False is a sick API server, Unknown a silent agent."""

_NAME: TypeAdapter[str] = TypeAdapter(ClusterName)
_SILENT = {"False": "its API server is not available", "Unknown": "its agent is silent"}
_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look, sorted out.

    Attributes:
        present: what the hub says of each spoke that it names, new ones too.
        left_out: name to why.
        told: names of those left out that a person should hear of.
    """

    present: Mapping[str, Member]
    left_out: Mapping[str, str]
    told: frozenset[str]


def take(before: Inventory | None, snapshot: Snapshot, source: FleetSource, now: datetime) -> Look:
    """What a look at the hub makes of the inventory.

    Args:
        before: the inventory in force; None when nothing is remembered.
        snapshot: what was found.
        source: which clusters are meant, and the guards.
        now: of the look.
    """
    try:
        seen = _sorted_out(before, snapshot, source, now)
    except selection.Unknown as unknown:
        return Look(before, trouble=Trouble.UNREAD, detail=str(unknown))
    absent = absent_of(before, seen.present)
    notes = tuple(f"ManagedCluster {name} {why}" for name, why in sorted(seen.left_out.items()) if name in seen.told)
    if before is not None and before.members:
        count = len(before.members)
        if not seen.present:
            detail = f"the hub names no spoke any more; {count} are kept as they were"
            return Look(before, trouble=Trouble.EMPTY, detail=detail, absent=absent, notes=notes)
        allowed = source.allowed(count)
        if len(absent) > allowed:
            detail = f"{len(absent)} of {count} spokes are missing on the hub, expected at most {allowed}: " + (
                _names(absent)
            )
            return Look(_seen_again(before, seen), trouble=Trouble.SHRUNK, detail=detail, absent=absent, notes=notes)
    after = _after(before, seen, source, now)
    return Look(after, _changes(before, after), absent=absent, notes=notes)


def confirmed(before: Inventory, look: Look, removing: int, now: datetime) -> Inventory:
    """The inventory without the spokes that the hub does not name, because a person says that they are to go.

    Args:
        before: in force.
        look: at the hub, now.
        removing: how many the person expects to go.
        now: of the confirmation.

    Raises:
        GuardRefused: others are missing than the person thinks, or none, or the hub cannot be read.
    """
    if look.trouble is Trouble.UNREAD:
        raise GuardRefused(f"nobody can tell which spokes are gone: {look.detail}", hint="try again later")
    if len(look.absent) != removing:
        told = f": {', '.join(look.absent)}" if look.absent else ""
        raise GuardRefused(
            f"{len(look.absent)} spokes are missing on the hub, expected {removing}{told}",
            hint=f"if they are meant to go, run `hubctl clusters confirm --removing {len(look.absent)}`"
            if look.absent
            else "there is nothing to confirm",
        )
    kept = tuple(one for one in before.members if one.name not in look.absent)
    return replace(before, at=now, members=kept)


def findings(look: Look, source: FleetSource, now: datetime) -> tuple[Finding, ...]:
    """Hard facts for an incident: a look that cannot be believed; one that cannot be read, once that lasts."""
    if look.trouble is None or look.inventory is None:
        return ()
    if look.trouble is Trouble.UNREAD:
        blind = (now - look.inventory.at).total_seconds()
        if blind < source.forget_after:
            return ()
        summary = f"the fleet is as the hub told it {blind / 60:.0f} minutes ago: {look.detail}"
        return (_finding(FindingKind.FLEET_UNREAD, (), summary),)
    hint = f"`hubctl clusters confirm --removing {len(look.absent)}` lets them go"
    return (_finding(FindingKind.FLEET_SHRUNK, look.absent, f"{look.detail}; {hint}"),)


def absent_of(before: Inventory | None, present: Mapping[str, Member]) -> tuple[str, ...]:
    """Spokes in force that a look does not name."""
    return tuple(one.name for one in before.members if one.name not in present) if before else ()


def _sorted_out(before: Inventory | None, snapshot: Snapshot, source: FleetSource, now: datetime) -> _Seen:
    objects, left_out = selection.chosen(snapshot, source)
    present: dict[str, Member] = {}
    told: set[str] = set()
    spokes = {one.name: one for one in before.members} if before else {}
    for name in sorted(objects):
        known = spokes.get(name)
        if source.hub == "exclude" and listed.is_hub(objects[name]):
            left_out[name] = "is the hub itself"
            continue
        [found] = listed.managed_clusters([objects[name]], with_hub=True)
        if why := _unfit(objects[name], found, known):
            left_out[name] = why
            told.add(name)
            continue
        present[name] = _member(objects[name], found, known, now)
    return _Seen(present, left_out, frozenset(told))


def _unfit(cluster: Mapping[str, Any], found: Found, known: Member | None) -> str:
    """Why a ManagedCluster is no spoke; a spoke that says nothing of itself for a while stays one."""
    # What the hub itself decided comes first; of a known spoke a lost version is a lapse of its agent.
    if why := listed.refusal(cluster) or ("" if known else found.problem):
        return why
    try:
        _NAME.validate_python(found.name)
    except ValidationError:
        return "has a name that is no label value, expected 63 characters at most"
    return f"is not rendered: {old}" if (old := outdated(found.platform, found.version)) else ""


def _member(cluster: Mapping[str, Any], found: Found, known: Member | None, now: datetime) -> Member:
    notes = (*_standing(cluster), *found.notes)
    if known is not None and (not found.version or not listed.claims_of(cluster)):
        # Without claims an OpenShift cluster looks like any other; what it said before counts.
        return replace(known, missing_since=None, notes=(*notes, "it claims nothing now; what it said before counts"))
    return Member(
        name=found.name,
        platform=found.platform,
        version=found.version,
        topology=found.topology,
        labels=dict(found.labels),
        since=known.since if known else now,
        notes=notes,
    )


def _standing(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps a spoke from being reached now; it stays a spoke."""
    conditions = (cluster.get("status") or {}).get("conditions") or ()
    told = {str(each.get("type")): str(each.get("status")) for each in conditions if isinstance(each, Mapping)}
    silent = _SILENT.get(told.get(AVAILABLE, ""), "")
    taints = (cluster.get("spec") or {}).get("taints") or ()
    keys = sorted(str(each.get("key", "")) for each in taints if isinstance(each, Mapping))
    tainted = (f"tainted: {', '.join(keys)}",) if keys else ()
    return (*((silent,) if silent else ()), *tainted)


def _after(before: Inventory | None, seen: _Seen, source: FleetSource, now: datetime) -> Inventory:
    members = dict(seen.present)
    patience = timedelta(seconds=source.forget_after)
    for one in before.members if before else ():
        if one.name in members:
            continue
        since = one.missing_since or now
        if now - since < patience:
            why = seen.left_out.get(one.name, "the hub does not name it")
            members[one.name] = replace(one, missing_since=since, notes=(f"kept for now: {why}",))
    return Inventory(now, tuple(members[name] for name in sorted(members)), dict(sorted(seen.left_out.items())))


def _seen_again(before: Inventory, seen: _Seen) -> Inventory:
    """As it was, but nobody counts as missing who was seen: what a look does name can be believed."""
    if not any(one.missing_since and one.name in seen.present for one in before.members):
        return before
    back = (replace(one, missing_since=None) if one.name in seen.present else one for one in before.members)
    return replace(before, members=tuple(back))


def _changes(before: Inventory | None, after: Inventory) -> Changes:
    old = {one.name: one for one in before.members} if before else {}
    new = {one.name: one for one in after.members}
    both = sorted(old.keys() & new.keys())
    return Changes(
        joined=tuple(sorted(new.keys() - old.keys())),
        left=tuple(sorted(old.keys() - new.keys())),
        missing=tuple(name for name in both if new[name].missing_since and not old[name].missing_since),
        returned=tuple(name for name in both if old[name].missing_since and not new[name].missing_since),
        changed=tuple(name for name in both if _said(old[name]) != _said(new[name])),
    )


def _said(member: Member) -> tuple[object, ...]:
    """What is rendered of a spoke."""
    return (member.platform, member.version, member.topology, dict(member.labels))


def _finding(kind: FindingKind, clusters: Sequence[str], summary: str) -> Finding:
    return Finding(kind, str(kind), tuple(clusters), summary, deterministic=True)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
