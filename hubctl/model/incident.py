"""Incident and its legal moves, Decision and its reasons.

An incident is one episode of one finding: opened once, refreshed while it lasts, resolved on known-good evidence
or by a person. A decision records what was concluded in a pass, the ones not to act too.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hubctl.errors import GuardRefused
from hubctl.model.health import FindingKind


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


MOVES = {
    State.OPEN: {State.ACKNOWLEDGED, State.RESOLVED},
    State.ACKNOWLEDGED: {State.RESOLVED},
    State.RESOLVED: frozenset[State](),
}
"""Legal moves; a finding that comes back after resolution opens a new incident."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One episode of one finding.

    Attributes:
        id: ``inc-`` and eight hex digits.
        key: the finding's key; at most one unresolved incident has it.
        clusters: every spoke that the finding named so far, sorted.
        seen: passes in which the finding was present.
        by: who acknowledged or resolved it, ``hubctl`` when evidence did.
        note: what that person said, or why it was resolved.
    """

    id: str
    key: str
    kind: FindingKind
    state: State
    summary: str
    clusters: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    model: str = ""
    version: str = ""
    deterministic: bool = False
    confidence: float = 1.0
    inhibited_by: str = ""
    seen: int = 1
    resolved_at: datetime | None = None
    by: str = ""
    note: str = ""

    def moved(self, state: State, *, by: str, note: str, now: datetime) -> "Incident":
        """The incident in another state.

        Raises:
            GuardRefused: the move is not legal.
        """
        if state not in MOVES[self.state]:
            raise GuardRefused(
                f"incident {self.id} is {self.state}, it cannot become {state}",
                hint="run `hubctl incidents list` to see what is open",
            )
        resolved_at = now if state is State.RESOLVED else None
        return replace(self, state=state, by=by, note=note, updated_at=now, resolved_at=resolved_at)


class Verdict(StrEnum):
    """What a decision concluded."""

    OPEN = "open"
    REFRESH = "refresh"
    HOLD = "hold"
    RESOLVE = "resolve"
    ACT = "act"
    REFRAIN = "refrain"


class Reason(StrEnum):
    """Why; "do nothing" has a reason too."""

    FOUND = "found"
    STILL_PRESENT = "still-present"
    KNOWN_GOOD = "known-good"
    NOT_KNOWN_GOOD = "not-known-good"
    POLICY_MATCHED = "policy-matched"
    NO_POLICY = "no-policy"
    INHIBITED = "inhibited"
    LOW_CONFIDENCE = "low-confidence"
    ACKNOWLEDGED = "acknowledged"
    STOPPED = "stopped"
    PAUSED = "paused"
    ALREADY_UNDER_WAY = "already-under-way"
    COOLDOWN = "cooldown"
    RATE_LIMIT = "rate-limit"
    TOO_MANY_SPOKES = "too-many-spokes"
    LEASE_NOT_FRESH = "lease-not-fresh"
    NO_KNOWN_GOOD_VERSION = "no-known-good-version"
    REVERTED_BY_A_PERSON = "reverted-by-a-person"
    REJECTED_BY_A_PERSON = "rejected-by-a-person"
    ATTEMPTS_EXHAUSTED = "attempts-exhausted"
    NOTHING_TO_CHANGE = "nothing-to-change"
    MODE_OBSERVE = "mode-observe"
    AWAITING_APPROVAL = "awaiting-approval"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Decision:
    """One conclusion of one pass, kept in the audit trail.

    Attributes:
        reasons: every reason that led to the verdict, not just the first.
        policy: name of the policy in values-hub.yaml, empty when none applied.
        action: the action that the policy names, empty when the verdict concerns no action.
        mode: ``observe``, ``approve`` or ``auto``: who lets the action happen.
        clusters: spokes with evidence now, sorted; an unknown one is never among them. The incident's own
            clusters are all that it concerned so far.
    """

    at: datetime
    verdict: Verdict
    incident: Incident
    reasons: tuple[Reason, ...]
    detail: str = ""
    policy: str = ""
    action: str = ""
    mode: str = ""
    clusters: tuple[str, ...] = ()
