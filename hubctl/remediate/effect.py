"""What later passes make of remediations: still wanted, effective, undone by a person, or next to start. Pure.

``revalidate``, ``verify`` and ``reverted`` return every remediation they were given, in the same order, moved or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubctl.model import incident as incidents
from hubctl.model.health import Condition, FindingKind, PredictorHealth
from hubctl.model.holds import Holds
from hubctl.model.incident import Incident
from hubctl.model.remediation import Action, Remediation, State
from hubctl.model.values import Remediation as Policy
from hubctl.remediate.history import GIT_ACTIONS, ON_THE_BRANCH, clusters_of

_AT_WORK = frozenset({State.EXECUTING, State.APPLIED})
_UNHEARD = frozenset({FindingKind.AGENT_SILENT, FindingKind.SPOKE_API})


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a verification looks at."""

    incidents: Mapping[str, Incident]
    healthy: Mapping[tuple[str, str, str], datetime]
    within: timedelta
    now: datetime


def revalidate(
    remediations: Sequence[Remediation],
    unresolved: Mapping[str, Incident],
    deployed: Mapping[tuple[str, str], str],
    *,
    now: datetime,
) -> tuple[Remediation, ...]:
    """Expire what waits, or is approved, for a reason that is gone; notifications are always still wanted.

    Args:
        remediations: any; only actions on spokes that did not start are moved.
        unresolved: by id; an incident that is missing or resolved is over.
        deployed: (spoke, model) to the version that Git delivers.
        now: the pass's time.
    """
    return tuple(
        one.moved(State.EXPIRED, now=now, detail=gone) if (gone := _gone(one, unresolved, deployed)) else one
        for one in remediations
    )


def verify(
    remediations: Sequence[Remediation],
    concerned: Mapping[str, Incident],
    policy: Policy,
    *,
    now: datetime,
    health: Iterable[PredictorHealth] = (),
) -> tuple[Remediation, ...]:
    """Say of applied ones whether they helped; what stays unknown for ``verify_within`` did not.

    Args:
        remediations: any; only applied ones are moved.
        concerned: by id, the incidents they belong to, as this pass leaves them, resolved ones too.
        policy: names the time within which an action has to help.
        now: the pass's time.
        health: if given, a rollback has also succeeded once each of its predictors became healthy with the pinned
            version after it was applied, so that the next spokes need not wait for the end of the incident.
    """
    healthy = {(one.cluster, one.model, one.version): one.since for one in health if one.condition is Condition.HEALTHY}
    evidence = _Evidence(concerned, healthy, timedelta(seconds=policy.verify_within), now)
    return tuple(_verified(one, evidence) if one.state is State.APPLIED else one for one in remediations)


def reverted(remediations: Sequence[Remediation], present: frozenset[str], *, now: datetime) -> tuple[Remediation, ...]:
    """Notice actions whose override a person took off the branch.

    An override that a later action of ours replaced was not taken back by anybody.

    Args:
        remediations: every one that may have left an override.
        present: action ids that the overrides on the branch carry.
        now: the pass's time.
    """
    return tuple(
        one.moved(State.REVERTED, now=now, detail="its override is no longer on the branch")
        if _vanished(one, remediations, present)
        else one
        for one in remediations
    )


def ready(
    remediations: Sequence[Remediation],
    unresolved: Iterable[Incident],
    policy: Policy,
    holds: Holds | None = None,
) -> tuple[Remediation, ...]:
    """The approved ones that may start now, oldest first; a person's approvals are carried out, in turn.

    Nothing may that somebody stopped or paused; other notifications always may. Actions on spokes may not while the hub
    is out of sight of its fleet, nor while their policy's mode is ``observe``, which is how a person holds what is
    approved; nor on a spoke that is down, or that nobody but a person may act on because its klusterlet is silent; and
    only while the spokes at work, theirs included, are no more than ``max_spokes_at_once``.
    """
    lasting = [one for one in unresolved if one.state is not incidents.State.RESOLVED]
    blind = any(one.kind is FindingKind.HUB_UNREACHABLE for one in lasting)
    busy = set(clusters_of(remediations, _AT_WORK))
    chosen = []
    for one in sorted(remediations, key=lambda one: (one.created_at, one.id)):
        if one.state is not State.APPROVED or (holds is not None and holds.against(one)):
            continue
        if one.action in GIT_ACTIONS:
            after = busy.union(one.clusters)
            if (
                blind
                or _only_observes(one, policy)
                or _is_out_of_reach(one, lasting)
                or not busy.isdisjoint(one.clusters)
                or len(after) > policy.max_spokes_at_once
            ):
                continue
            busy = after
        chosen.append(one)
    return tuple(chosen)


def _is_out_of_reach(one: Remediation, lasting: Iterable[Incident]) -> bool:
    """Whether an open incident says that one of the spokes is down, or not to be acted on without a person."""
    kinds = {FindingKind.SPOKE_DOWN} | (_UNHEARD if one.by == "policy" else set())
    return any(found.kind in kinds and not set(one.clusters).isdisjoint(found.clusters) for found in lasting)


def _only_observes(one: Remediation, policy: Policy) -> bool:
    """Whether the mode of the action's policy, or of all of them, has become ``observe``."""
    modes = {rule.name: rule.mode for rule in policy.policies}
    return (modes.get(one.policy) or policy.mode) == "observe"


def _gone(one: Remediation, unresolved: Mapping[str, Incident], deployed: Mapping[tuple[str, str], str]) -> str:
    """Why an action that did not start is no longer wanted; empty when it is."""
    if one.state not in (State.PENDING, State.APPROVED) or one.action not in GIT_ACTIONS:
        return ""
    incident = unresolved.get(one.incident_id)
    if incident is None or incident.state is incidents.State.RESOLVED:
        return "its incident is over"
    for target in one.targets:
        found = deployed.get((target.cluster, one.model), "")
        if target.from_version and found != target.from_version:
            return f"{target.cluster} has {one.model} {found or 'no more'}, not {target.from_version}"
    return ""


def _verified(one: Remediation, evidence: _Evidence) -> Remediation:
    """An applied remediation, moved if it is known whether it helped."""
    now = evidence.now
    if one.action is Action.NOTIFY:
        return one.moved(State.SUCCEEDED, now=now)
    incident = evidence.incidents.get(one.incident_id)
    if incident is not None and incident.resolved_at is not None and incident.resolved_at >= one.updated_at:
        return one.moved(State.SUCCEEDED, now=now, detail="its incident was resolved after it")
    if one.action is Action.ROLLBACK_MODEL and _all_healthy_since(one, evidence.healthy):
        return one.moved(State.SUCCEEDED, now=now, detail="every predictor is healthy with the pinned version")
    if now - one.updated_at > evidence.within:
        return one.moved(State.INEFFECTIVE, now=now, detail="its incident lasts")
    return one


def _all_healthy_since(one: Remediation, healthy: Mapping[tuple[str, str, str], datetime]) -> bool:
    """Whether every target became healthy with its pinned version after the action."""
    since = [healthy.get((target.cluster, one.model, target.to_version)) for target in one.targets]
    return all(moment is not None and moment >= one.updated_at for moment in since)


def _vanished(one: Remediation, remediations: Iterable[Remediation], present: frozenset[str]) -> bool:
    """Whether an action's override is gone though no later action of the same kind replaced it everywhere."""
    if one.action not in GIT_ACTIONS or one.state not in ON_THE_BRANCH or one.id in present:
        return False
    replaced = {
        cluster
        for later in remediations
        if (later.action, later.model) == (one.action, one.model)
        and later.state in ON_THE_BRANCH | {State.EXECUTING, State.REVERTED}
        and (later.created_at, later.id) > (one.created_at, one.id)
        for cluster in later.clusters
    }
    return not replaced.issuperset(one.clusters)
