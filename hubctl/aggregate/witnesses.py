"""Findings from what witnesses say is wrong, once it has lasted; and whether they say that the hub is cut off.

What a wider trouble of the same spoke explains is marked with ``inhibited_by``, as everywhere.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from hubctl.model.health import Finding, FindingKind
from hubctl.model.values import Aggregate
from hubctl.model.witness import Lease, SpokeWitness, Trouble
from hubctl.model.witnessing import Witness

_OUT_OF_REACH = (FindingKind.SPOKE_DOWN, FindingKind.SPOKE_API)
_AT_ONCE = frozenset({*_OUT_OF_REACH, FindingKind.AGENT_SILENT})
"""The hub itself waits for five leases before it says so."""

_EXPLAINED: dict[FindingKind, tuple[FindingKind, ...]] = {
    FindingKind.SPOKE_ROUTE: _OUT_OF_REACH,
    FindingKind.SPOKE_UNREACHABLE: (*_OUT_OF_REACH, FindingKind.SPOKE_ROUTE),
    FindingKind.SYNC_FAILED: _OUT_OF_REACH,
    FindingKind.NOT_DELIVERED: (*_OUT_OF_REACH, FindingKind.SYNC_FAILED),
    FindingKind.VERSION_DRIFT: (*_OUT_OF_REACH, FindingKind.SYNC_FAILED, FindingKind.NOT_DELIVERED),
    FindingKind.SERVICE_ABSENT: (*_OUT_OF_REACH, FindingKind.SYNC_FAILED, FindingKind.NOT_DELIVERED),
    FindingKind.SERVICE_NOT_READY: _OUT_OF_REACH,
    FindingKind.APPLICATION_DEGRADED: (*_OUT_OF_REACH, FindingKind.SERVICE_NOT_READY),
}
"""Which findings about the same spoke explain one of a kind, the widest first."""

_FEWEST = 2
"""One silent klusterlet says more about itself than about the hub."""


def find(witnesses: Iterable[SpokeWitness], rules: Witness, *, now: datetime) -> list[Finding]:
    """A finding for each trouble that is seen now and has lasted, in no particular order."""
    found = []
    for one in witnesses:
        lasting = [trouble for trouble in one.troubles if trouble.sure and _has_lasted(one, trouble, rules, now)]
        keys = {trouble.kind: _key(one, trouble) for trouble in reversed(lasting)}
        found += [_finding(one, trouble, explained(trouble.kind, keys)) for trouble in lasting]
    return found


def explained(kind: FindingKind, keys: dict[FindingKind, str]) -> str:
    """Key of the widest of a spoke's findings that explains one of this kind; empty when none does."""
    return next((keys[wider] for wider in _EXPLAINED.get(kind, ()) if wider in keys), "")


def hub_cut_off(witnesses: Sequence[SpokeWitness], policy: Aggregate) -> Finding | None:
    """Many klusterlets silent at once, or a hub that cannot be read, are evidence about the hub."""
    leases = {one.cluster: one.lease for one in witnesses if one.lease is not Lease.ABSENT}
    unread = {one.cluster: one.klusterlet.detail for one in witnesses if one.klusterlet and one.lease is Lease.UNREAD}
    silent = [name for name, lease in leases.items() if lease is Lease.STALE]
    if unread:
        summary = next(iter(unread.values()))
    elif len(silent) >= _FEWEST and len(silent) / len(leases) >= policy.blind_fraction:
        summary = f"the klusterlets of {len(silent)} of {len(leases)} spokes are silent at once"
    else:
        return None
    key = str(FindingKind.HUB_UNREACHABLE)
    clusters = tuple(sorted(unread or silent))
    return Finding(FindingKind.HUB_UNREACHABLE, key, clusters, summary, deterministic=True)


def _has_lasted(one: SpokeWitness, trouble: Trouble, rules: Witness, now: datetime) -> bool:
    age = (now - trouble.since).total_seconds()
    if trouble.kind in _AT_ONCE:
        return True
    if trouble.kind is FindingKind.SPOKE_ROUTE:
        return age >= (one.klusterlet.grace if one.klusterlet and rules.lease_grace is None else rules.lease_grace or 0)
    return age >= rules.settle


def _key(one: SpokeWitness, trouble: Trouble) -> str:
    return f"{trouble.kind}:{one.cluster}" + (f"/{trouble.model}" if trouble.model else "")


def _finding(one: SpokeWitness, trouble: Trouble, wider: str) -> Finding:
    return Finding(
        kind=trouble.kind,
        key=_key(one, trouble),
        clusters=(one.cluster,),
        summary=trouble.summary,
        model=trouble.model,
        version=trouble.version,
        deterministic=True,
        inhibited_by=wider,
    )
