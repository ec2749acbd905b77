"""Conditions of hubctl itself, as a pass leaves them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubctl.errors import Held, HubctlError, PublishConflict, RemoteFailed
from hubctl.model.condition import StateCondition
from hubctl.model.health import FindingKind, HealthReason

if TYPE_CHECKING:
    from hubctl.passes import Pass


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the pass.

    Attributes:
        refused: why the files that are there do not count; None when they do.
        failed: why the last pass did not come to its end; None when it did.
        leading: this process may act.
    """

    refused: HubctlError | None = None
    failed: HubctlError | None = None
    leading: bool = True


TYPES = ("Ready", "ConfigurationValid", "RemoteReachable", "HubReachable", "FleetVisible", "Paused", "Leading")
"""Every type, in the order of the documentation."""


def conditions(made: "Pass | None", facts: Facts) -> tuple[StateCondition, ...]:
    """What is so now; times of change are not known here.

    Args:
        made: the last pass; None when it did not come to its end.
        facts: what is known beside it.
    """
    found = (
        _ready(made, facts),
        _configuration(facts),
        _remote(made),
        _hub(made),
        _fleet(made),
        _paused(made),
        _yes("Leading", "Leading") if facts.leading else _no("Leading", "StandingBy"),
    )
    commit = made.published.commit if made else ""
    return tuple(StateCondition(one.type, one.status, one.reason, one.message, commit=commit) for one in found)


def _ready(made: "Pass | None", facts: Facts) -> StateCondition:
    if made is None:
        why = facts.failed.message if facts.failed else ""
        return _no("Ready", "PassFailed", why) if facts.failed else _unknown("Ready", "NoPass")
    if troubles := [problem for problem in made.problems if not isinstance(problem, Held)]:
        return _yes("Ready", "PassIncomplete", "; ".join(problem.message for problem in troubles))
    return _yes("Ready", "PassDone")


def _configuration(facts: Facts) -> StateCondition:
    if facts.refused is None:
        return _yes("ConfigurationValid", "Read")
    told = f"the last good one stays in force: {facts.refused}"
    return _no("ConfigurationValid", "Refused", told)


def _remote(made: "Pass | None") -> StateCondition:
    if made is None:
        return _unknown("RemoteReachable", "NoPass")
    for problem in made.problems:
        if isinstance(problem, RemoteFailed | PublishConflict):
            return _no("RemoteReachable", type(problem).__name__, problem.message)
    return _yes("RemoteReachable", "Answered")


def _hub(made: "Pass | None") -> StateCondition:
    if made is None or made.snapshot is None:
        return _unknown("HubReachable", "NotAsked")
    if unread := sorted(f"{kind.kind}: {why}" for kind, why in made.snapshot.unread.items()):
        return _no("HubReachable", "KindsUnread", "; ".join(unread))
    return _yes("HubReachable", "Answered")


def _fleet(made: "Pass | None") -> StateCondition:
    if made is None:
        return _unknown("FleetVisible", "NotAsked")
    for found in made.findings:
        if found.kind is FindingKind.HUB_UNREACHABLE:
            return _no("FleetVisible", "OutOfSight", found.summary)
    # What rounds saw before this pass counts until it is stale.
    if not made.observations and all(one.reason == HealthReason.STALE for one in made.health):
        return _unknown("FleetVisible", "NotAsked")
    return _yes("FleetVisible", "Answered")


def _paused(made: "Pass | None") -> StateCondition:
    if made is None:
        return _unknown("Paused", "NoPass")
    told = "; ".join(_held(made))
    if made.holds.stops:
        return _yes("Paused", "Stopped", told)
    return _yes("Paused", "Paused", told) if made.holds.pauses else _no("Paused", "NothingHeld")


def _held(made: "Pass") -> Iterator[str]:
    yield from (f"{stop.reach} {stop}" for stop in made.holds.stops)
    yield from map(str, made.holds.pauses)


def _yes(kind: str, reason: str, message: str = "") -> StateCondition:
    return StateCondition(kind, "True", reason, message)


def _no(kind: str, reason: str, message: str = "") -> StateCondition:
    return StateCondition(kind, "False", reason, message)


def _unknown(kind: str, reason: str) -> StateCondition:
    return StateCondition(kind, "Unknown", reason)
