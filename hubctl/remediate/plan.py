"""Decisions to act become remediations, if no guard refuses; and what later passes make of those.

A refusal names every guard that refused, and becomes a decision of its own. Guards that speak of one spoke leave that
spoke out; the action is refused when none is left. Proposals that wait for a person take nothing from the budgets: a
person sees all that may be done, and ``ready`` starts only as much of it as fits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from hubctl.model import incident as incidents
from hubctl.model.holds import Holds
from hubctl.model.incident import Decision, Incident, Reason, Verdict
from hubctl.model.remediation import Action, Remediation, State, Target
from hubctl.model.values import Remediation as Policy
from hubctl.remediate.effect import ready, revalidate, reverted, verify
from hubctl.remediate.history import GIT_ACTIONS, Deed, History, deed

__all__ = ["Deed", "History", "Plan", "plan", "ready", "revalidate", "reverted", "verify"]

_ORDER = {reason: place for place, reason in enumerate(Reason)}

_Refusals = Mapping[str, tuple[Reason, ...]]
"""Spoke to the guards that refuse it; the empty name stands for the whole action."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass is to do.

    Attributes:
        remediations: new ones, pending or approved.
        decisions: one for each action that guards refused.
    """

    remediations: tuple[Remediation, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One decision, with all that judging it needs."""

    decision: Decision
    action: Action
    policy: Policy
    history: History
    blamed: frozenset[str]
    holds: Holds
    now: datetime

    @property
    def incident(self) -> Incident:
        """The incident that it is about."""
        return self.decision.incident

    @property
    def model(self) -> str:
        """The model that the action changes; empty for a quarantine."""
        return self.incident.model if self.action is Action.ROLLBACK_MODEL else ""


def plan(
    decisions: Sequence[Decision], policy: Policy, history: History, *, now: datetime, holds: Holds | None = None
) -> Plan:
    """Remediations for the decisions to act, in their order, each seeing those before it.

    Args:
        decisions: of this pass, in the order of ``decide``: hard facts first.
        policy: the guards' numbers.
        history: the past, brought up to date with ``reverted``, ``verify`` and ``revalidate``.
        now: the pass's time.
        holds: what people hold back; None: nothing.
    """
    made: list[Remediation] = []
    refused: list[Decision] = []
    for decision in decisions:
        for action in _asked(decision, policy):
            case = _Case(
                decision, action, policy, history, _blamed(decision.incident, decisions), holds or Holds(), now
            )
            result = _changed(case) if action in GIT_ACTIONS else _told(case)
            if isinstance(result, Remediation):
                made.append(result)
                history = history.with_planned(result)
            elif result is not None:
                refused.append(result)
    return Plan(tuple(made), tuple(refused))


def _asked(decision: Decision, policy: Policy) -> Iterator[Action]:
    """The action that a decision asks for; who heard of the opening hears of the end too."""
    incident = decision.incident
    if decision.verdict is Verdict.ACT:
        yield Action(decision.action)
    elif decision.verdict is Verdict.RESOLVE and _notifier(incident, policy):
        yield Action.NOTIFY


def _notifier(incident: Incident, policy: Policy) -> str:
    """Name of the policy that notifies of such incidents, empty if none does."""
    return next(
        (
            rule.name
            for rule in policy.policies
            if rule.action == "notify"
            and rule.on == incident.kind
            and (not rule.models or incident.model in rule.models)
        ),
        "",
    )


def _blamed(incident: Incident, decisions: Iterable[Decision]) -> frozenset[str]:
    """Versions of the incident's model that an unresolved incident blames; none of them is rolled back to."""
    return frozenset(
        {incident.version}
        | {
            decision.incident.version
            for decision in decisions
            if decision.incident.model == incident.model
            and decision.incident.kind.startswith("model-")
            and decision.incident.state is not incidents.State.RESOLVED
        }
    )


def _told(case: _Case) -> Remediation | Decision | None:
    """A notification: once when an incident is opened, once when it is resolved, again only where it failed."""
    resolved = case.decision.verdict is Verdict.RESOLVE
    held = _held(case)
    if resolved and (case.incident.inhibited_by or held) and not _was_told(case):
        return None
    event = "resolved" if resolved else "opened"
    for attempt in range(case.policy.max_attempts):
        name = _identity(case, event, attempt)
        earlier = case.history.find(name)
        if earlier is None:
            # There is one end only: who is to hear of it hears of it once nothing holds it.
            if held and not resolved:
                return _refused(case, {"": tuple(held)}, "")
            return _remediation(case, name, (), State.APPROVED)
        if earlier.state is not State.FAILED:
            return None if resolved else _refused(case, {"": (Reason.NOTHING_TO_CHANGE,)}, f"told by {name}")
    return _refused(case, {"": (Reason.ATTEMPTS_EXHAUSTED,)}, f"telling failed {case.policy.max_attempts} times")


def _was_told(case: _Case) -> bool:
    """Whether anybody heard that the incident was opened."""
    names = (_identity(case, "opened", attempt) for attempt in range(case.policy.max_attempts))
    return any(case.history.find(name) is not None for name in names)


def _changed(case: _Case) -> Remediation | Decision:
    """An action on spokes, on as many as no guard refuses and the budget holds."""
    candidates = _rollback_targets(case) if case.action is Action.ROLLBACK_MODEL else _quarantine_targets(case)
    refusals = {target.cluster: found for target in candidates if (found := _against_target(case, target))}
    allowed = [target for target in candidates if target.cluster not in refusals]
    room = max(0, case.policy.max_spokes_at_once - len(case.history.in_flight()))
    against = [*_held(case), *_against_action(case, candidates)]
    if not room:
        against.append(Reason.TOO_MANY_SPOKES)
    if against or not allowed:
        blocking = {"": tuple(against), **({} if allowed else refusals)}
        return _refused(case, blocking, "")
    later = {target.cluster: (Reason.TOO_MANY_SPOKES,) for target in allowed[room:]} | refusals
    chosen = tuple(allowed[:room])
    name = _identity(case, *_words(chosen), len(case.history.of(case.incident.id, case.action)))
    state = State.APPROVED if case.decision.mode == "auto" else State.PENDING
    return replace(_remediation(case, name, chosen, state), detail=_spelled(later))


def _rollback_targets(case: _Case) -> list[Target]:
    """Spokes with evidence now that still get the bad version, and the version to pin there (empty: none is good)."""
    incident, history = case.incident, case.history
    return [
        Target(
            cluster,
            from_version=incident.version,
            to_version=history.good_version(cluster, incident.model, without=case.blamed),
            instead_of=history.pinned_over(cluster, incident.model, incident.version),
        )
        for cluster in sorted(set(case.decision.clusters or incident.clusters))
        if history.deployed.get((cluster, incident.model)) == incident.version
    ]


def _quarantine_targets(case: _Case) -> list[Target]:
    """Spokes with evidence now that are not quarantined yet."""
    clusters = set(case.decision.clusters or case.incident.clusters) - case.history.quarantined
    return [Target(cluster) for cluster in sorted(clusters)]


def _against_target(case: _Case, target: Target) -> tuple[Reason, ...]:
    """Every guard that refuses this one spoke."""
    history, cooldown = case.history, case.policy.cooldown
    wanted = deed(case.action, case.model, case.incident.id, target)
    out_of_reach = history.down | (history.unheard if case.decision.mode == "auto" else frozenset())
    guards = {
        Reason.PAUSED: case.holds.pause_of(case.action, case.model, target.cluster) is not None,
        Reason.LEASE_NOT_FRESH: target.cluster in out_of_reach,
        Reason.ALREADY_UNDER_WAY: target.cluster in history.in_flight(),
        Reason.COOLDOWN: history.is_cooling(case.action, target.cluster, cooldown=cooldown, now=case.now),
        Reason.NO_KNOWN_GOOD_VERSION: case.action is Action.ROLLBACK_MODEL and not target.to_version,
        Reason.REVERTED_BY_A_PERSON: history.was_reverted(wanted),
        Reason.REJECTED_BY_A_PERSON: history.was_rejected(wanted, cooldown=cooldown, now=case.now),
    }
    return tuple(reason for reason, refuses in guards.items() if refuses)


def _held(case: _Case) -> list[Reason]:
    """Every person's hold on the action whatever its spokes."""
    guards = {
        Reason.STOPPED: case.holds.stop_of(case.action) is not None,
        Reason.PAUSED: case.holds.pause_of(case.action, case.model) is not None,
    }
    return [reason for reason, refuses in guards.items() if refuses]


def _against_action(case: _Case, candidates: Sequence[Target]) -> list[Reason]:
    """Every guard that refuses the action whatever its spokes."""
    history, incident, policy = case.history, case.incident, case.policy
    clusters = [target.cluster for target in candidates]
    guards = {
        Reason.ALREADY_UNDER_WAY: history.is_under_way(incident.id, case.action),
        Reason.RATE_LIMIT: history.started_within_hour(case.now) >= policy.max_actions_per_hour,
        Reason.ATTEMPTS_EXHAUSTED: history.attempts(incident.id, case.action, clusters) >= policy.max_attempts,
        Reason.NOTHING_TO_CHANGE: not candidates,
    }
    return [reason for reason, refuses in guards.items() if refuses]


def _refused(case: _Case, blocking: _Refusals, detail: str) -> Decision:
    """The audit entry of an action that guards refused: each guard once, and where it spoke."""
    reasons = {reason for found in blocking.values() for reason in found}
    return Decision(
        at=case.now,
        verdict=Verdict.REFRAIN,
        incident=case.incident,
        reasons=tuple(sorted(reasons, key=_ORDER.__getitem__)),
        detail=detail or "; ".join((_spelled(blocking), *_who_holds(case, blocking))),
        policy=case.decision.policy,
        action=str(case.action),
        mode=case.decision.mode,
        clusters=case.decision.clusters,
    )


def _who_holds(case: _Case, refusals: _Refusals) -> list[str]:
    """Who stopped or paused it, where that is why it was refused."""
    held = {cluster: reasons for cluster, reasons in refusals.items() if Reason.PAUSED in reasons}
    pauses = (case.holds.pause_of(case.action, case.model, cluster) for cluster in held)
    stop = case.holds.stop_of(case.action)
    return list(dict.fromkeys(str(one) for one in (stop, *pauses) if one is not None))


def _spelled(refusals: _Refusals) -> str:
    """Refusals for people, such as ``edge-a: cooldown``."""
    lines = (f"{name}: {', '.join(found)}" if name else ", ".join(found) for name, found in refusals.items() if found)
    return "; ".join(lines)


def _remediation(case: _Case, name: str, targets: tuple[Target, ...], state: State) -> Remediation:
    """A new remediation for the case."""
    return Remediation(
        id=name,
        incident_id=case.incident.id,
        policy=case.decision.policy or _notifier(case.incident, case.policy),
        action=case.action,
        targets=targets,
        state=state,
        created_at=case.now,
        updated_at=case.now,
        model=case.model,
        by="policy" if state is State.APPROVED else "",
    )


def _words(targets: Iterable[Target]) -> Iterator[str]:
    """What identifies the targets."""
    for target in targets:
        yield f"{target.cluster}:{target.from_version}:{target.to_version}"


def _identity(case: _Case, *intent: object) -> str:
    """The id that this intent always has, whenever and wherever it is planned."""
    words = [case.incident.id, str(case.action), case.model, *map(str, intent)]
    return f"rem-{sha256('|'.join(words).encode()).hexdigest()[:12]}"
