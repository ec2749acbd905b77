"""StateCondition: one thing that is so, not so, or not known about hubctl itself, since when and why.

In the form that Kubernetes' own kinds have in ``status.conditions``. Not a predictor's health: that is ``health``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

LONGEST = 1024
"""Characters of a message."""

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StateCondition:
    """One condition.

    Attributes:
        type: such as ``Ready``.
        status: ``True``, ``False`` or ``Unknown``.
        reason: one word in CamelCase, for programs.
        message: for people.
        since: when the status changed last.
        commit: of the branch, as the pass that said so found it.
    """

    type: str
    status: str
    reason: str
    message: str = ""
    since: datetime = NEVER
    commit: str = ""

    def data(self) -> dict[str, str]:
        """As Kubernetes spells it."""
        at = self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message[:LONGEST],
            "lastTransitionTime": at,
            "observedCommit": self.commit,
        }


def turned(now: Iterable[StateCondition], before: Iterable[StateCondition], at: datetime) -> tuple[StateCondition, ...]:
    """Conditions with the times of their last change: that of before where the status is the same."""
    known = {one.type: one for one in before}
    return tuple(
        replace(one, since=known[one.type].since if _same(one, known.get(one.type)) else at.replace(microsecond=0))
        for one in now
    )


def read(data: Any) -> tuple[StateCondition, ...]:
    """The conditions in parsed data; what is none is left out, since anybody may have written there."""
    found = []
    for item in data if isinstance(data, list) else ():
        try:
            since = datetime.fromisoformat(str(item["lastTransitionTime"]))
            one = StateCondition(
                type=str(item["type"]),
                status=str(item["status"]),
                reason=str(item["reason"]),
                message=str(item["message"]),
                since=since if since.tzinfo else since.replace(tzinfo=UTC),
                commit=str(item["observedCommit"]),
            )
        except (KeyError, TypeError, ValueError):
            continue
        found.append(one)
    return tuple(found)


def _same(one: StateCondition, other: StateCondition | None) -> bool:
    return other is not None and one.status == other.status
