"""Remediation, Action, Outcome and Override: what is done about an incident, and the file it leaves in Git.

A remediation's intent is stored before its effect; its id travels with the effect (a commit trailer, a header),
so that a pass after a crash finds out what happened.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from hubctl.errors import GuardRefused
from hubctl.model.base import ClusterName, ModelName, Strict, Version


class Action(StrEnum):
    """What hubctl can do about an incident."""

    NOTIFY = "notify"
    ROLLBACK_MODEL = "rollback-model"
    QUARANTINE = "quarantine"


class State(StrEnum):
    """Where a remediation stands."""

    PENDING = "pending"
    APPROVED = "approved"
    EXECUTING = "executing"
    APPLIED = "applied"
    SUCCEEDED = "succeeded"
    INEFFECTIVE = "ineffective"
    FAILED = "failed"
    REJECTED = "rejected"
    REVERTED = "reverted"
    EXPIRED = "expired"


MOVES: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.APPROVED, State.REJECTED, State.EXPIRED}),
    State.APPROVED: frozenset({State.EXECUTING, State.REJECTED, State.EXPIRED}),
    State.EXECUTING: frozenset({State.APPLIED, State.FAILED, State.APPROVED, State.REJECTED}),
    State.APPLIED: frozenset({State.SUCCEEDED, State.INEFFECTIVE, State.REVERTED}),
    State.INEFFECTIVE: frozenset({State.SUCCEEDED, State.REVERTED}),
    State.SUCCEEDED: frozenset({State.REVERTED}),
}
"""Legal moves; a state that is not listed is final."""

IN_FLIGHT = frozenset({State.APPROVED, State.EXECUTING, State.APPLIED})
"""States in which a target counts as unhealthy and takes part of the budget."""

UNDER_WAY = IN_FLIGHT | {State.PENDING}
"""States in which the same action is not proposed again."""


WAITS = "waits to be merged: "
"""Stands before the URL of a pull request, in a remediation's detail and in a pass's summary."""


@dataclass(frozen=True, slots=True)
class Target:
    """One spoke that an action changes.

    Attributes:
        from_version: the version that is taken back; empty when the action is not about a version.
        to_version: the version that is pinned instead.
        instead_of: the version that the cluster file names, when an earlier pin already replaces it; else empty.
    """

    cluster: str
    from_version: str = ""
    to_version: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Remediation:
    """One action for one incident.

    Attributes:
        id: ``rem-`` and twelve hex digits of what is to be done; the same intent has the same id.
        by: who approved or rejected it; ``policy`` when the mode is auto.
        commit: the commit that carries the effect, empty before and for a notification.
        detail: what happened, for people.
    """

    id: str
    incident_id: str
    policy: str
    action: Action
    targets: tuple[Target, ...]
    state: State
    created_at: datetime
    updated_at: datetime
    model: str = ""
    by: str = ""
    commit: str = ""
    detail: str = ""

    @property
    def clusters(self) -> tuple[str, ...]:
        """The spokes it changes."""
        return tuple(target.cluster for target in self.targets)

    def moved(
        self,
        state: State,
        *,
        now: datetime,
        by: str | None = None,
        commit: str | None = None,
        detail: str | None = None,
    ) -> "Remediation":
        """The remediation in another state; an absent argument keeps what is recorded.

        Raises:
            GuardRefused: the move is not legal.
        """
        if state not in MOVES.get(self.state, frozenset()):
            raise GuardRefused(
                f"remediation {self.id} is {self.state}, it cannot become {state}",
                hint="run `hubctl remediations list` to see which ones wait for approval",
            )
        return replace(
            self,
            state=state,
            updated_at=now,
            by=self.by if by is None else by,
            commit=self.commit if commit is None else commit,
            detail=self.detail if detail is None else detail,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What carrying out a remediation came to."""

    state: State
    commit: str = ""
    detail: str = ""


class PinnedModel(Strict):
    """A model whose version an override pins.

    ``insteadOf`` makes the pin lapse by itself once a person sets another version in the cluster file.
    """

    name: ModelName
    version: Version
    instead_of: Version | None = None


class OverrideMetadata(Strict):
    """Name and annotations of an override; the annotations say which incident and action made it."""

    name: str
    annotations: dict[str, str] = Field(default_factory=dict)


class OverrideSpec(Strict):
    """What an override changes of one spoke."""

    cluster: ClusterName
    models: tuple[PinnedModel, ...] = ()
    quarantine: bool = False


class Override(Strict):
    """One file under ``overrides/``: written by a remediation, removed by ``git revert``."""

    api_version: Literal["hubctl.io/v1alpha1"] = "hubctl.io/v1alpha1"
    kind: Literal["Override"] = "Override"
    metadata: OverrideMetadata
    spec: OverrideSpec
