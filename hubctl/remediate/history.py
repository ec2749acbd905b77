"""History: what the guards need to know of the past, and the questions they ask of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hubctl.model.remediation import IN_FLIGHT, UNDER_WAY, Action, Remediation, State, Target

GIT_ACTIONS = frozenset({Action.ROLLBACK_MODEL, Action.QUARANTINE})
"""Actions that change a spoke; the guards are about these."""

Deed = tuple[str, str, str, str]
"""Action, model, version taken back (for a quarantine: the incident) and spoke: what a person may have undone."""

_DONE = frozenset({State.APPLIED, State.SUCCEEDED, State.INEFFECTIVE, State.FAILED})
_USELESS = frozenset({State.INEFFECTIVE, State.FAILED})
_STARTED = _DONE | {State.APPROVED, State.EXECUTING, State.REVERTED}
_LONGEST_COOLDOWN = 86_400.0
_HOUR = timedelta(hours=1)

ON_THE_BRANCH = frozenset({State.APPLIED, State.SUCCEEDED, State.INEFFECTIVE})
"""States in which an action's override lies on the branch, unless a person took it off."""


@dataclass(frozen=True, slots=True)
class History:
    """The past of a fleet, as one pass reads it.

    Attributes:
        remediations: those that are not final, those of the last day, and all of unresolved incidents.
        deployed: (spoke, model) to the version that Git delivers.
        good: (spoke, model) to the versions that were known good there, the latest first.
        healthy: (spoke, model, version) that are known healthy now.
        quarantined: spokes that nothing is delivered to.
        unheard: spokes whose klusterlet ought to report and is not known to; nobody but a person acts on them.
        down: those of them whose predictors do not answer either; nothing is done on them.
        reverted: deeds that a person undid, beyond those that ``remediations`` tell of.
    """

    remediations: tuple[Remediation, ...] = ()
    deployed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    good: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    healthy: frozenset[tuple[str, str, str]] = frozenset()
    quarantined: frozenset[str] = frozenset()
    unheard: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    reverted: frozenset[Deed] = frozenset()

    def with_planned(self, remediation: Remediation) -> "History":
        """The history once this one is planned, so that the next one in the same pass sees it."""
        return replace(self, remediations=(*self.remediations, remediation))

    def find(self, remediation_id: str) -> Remediation | None:
        """The remediation of that id, or None."""
        return next((one for one in self.remediations if one.id == remediation_id), None)

    def of(self, incident_id: str, action: Action) -> tuple[Remediation, ...]:
        """Every remediation of this kind for this incident."""
        return tuple(one for one in self.remediations if (one.incident_id, one.action) == (incident_id, action))

    def in_flight(self) -> frozenset[str]:
        """Spokes that an approved, running or unverified action holds."""
        return clusters_of(self.remediations, IN_FLIGHT)

    def is_under_way(self, incident_id: str, action: Action) -> bool:
        """Whether the same action for the same incident waits, runs or is not verified yet."""
        return any(one.state in UNDER_WAY for one in self.of(incident_id, action))

    def started_within_hour(self, now: datetime) -> int:
        """Actions on spokes that were let happen, or moved on, in the last hour."""
        return sum(
            one.action in GIT_ACTIONS and one.state in _STARTED and now - one.updated_at < _HOUR
            for one in self.remediations
        )

    def attempts(self, incident_id: str, action: Action, clusters: Iterable[str]) -> int:
        """Attempts that did not end the incident: useless or reverted ones, and successes on these very spokes."""
        again = set(clusters)
        return sum(
            one.state in _USELESS | {State.REVERTED}
            or (one.state is State.SUCCEEDED and not again.isdisjoint(one.clusters))
            for one in self.of(incident_id, action)
        )

    def is_cooling(self, action: Action, cluster: str, *, cooldown: float, now: datetime) -> bool:
        """Whether the last such action on this spoke is too recent; each useless one doubles the wait, up to a day."""
        done = [
            one for one in self.remediations if one.action is action and cluster in one.clusters and one.state in _DONE
        ]
        if not done:
            return False
        useless = sum(one.state in _USELESS for one in done)
        wait = min(cooldown * 2 ** min(useless, 32), max(cooldown, _LONGEST_COOLDOWN))
        return now - max(one.updated_at for one in done) < timedelta(seconds=wait)

    def was_reverted(self, wanted: Deed) -> bool:
        """Whether a person undid just this."""
        return wanted in self.reverted or any(
            wanted in deeds(one) for one in self.remediations if one.state is State.REVERTED
        )

    def was_rejected(self, wanted: Deed, *, cooldown: float, now: datetime) -> bool:
        """Whether a person rejected just this, less than a cooldown ago."""
        return any(
            wanted in deeds(one) and now - one.updated_at < timedelta(seconds=cooldown)
            for one in self.remediations
            if one.state is State.REJECTED
        )

    def good_version(self, cluster: str, model: str, *, without: frozenset[str]) -> str:
        """The version that was good on this spoke last, else the one healthy on most others now; empty if none.

        A version that hubctl took back anywhere is not gone back to, however good it once was.
        """
        bad = without.union(target.from_version for _, target in self._pins(model))
        here = [version for version in self.good.get((cluster, model), ()) if version not in bad]
        if here:
            return here[0]
        counts = Counter(
            version
            for place, name, version in self.healthy
            if name == model and place != cluster and version not in bad
        )
        return min(counts, key=lambda version: (-counts[version], version), default="")

    def pinned_over(self, cluster: str, model: str, version: str) -> str:
        """The version in the cluster file that an earlier pin to ``version`` replaces; empty if there is no such pin.

        A new pin has to name that one: with any other it would lapse at once.
        """
        pins = [
            (made_at, target.instead_of or target.from_version)
            for made_at, target in self._pins(model)
            if (target.cluster, target.to_version) == (cluster, version)
        ]
        return max(pins)[1] if pins else ""

    def _pins(self, model: str) -> Iterator[tuple[datetime, Target]]:
        """What rollbacks of this model pinned, and when they were planned."""
        for one in self.remediations:
            if one.action is Action.ROLLBACK_MODEL and one.model == model and one.state in ON_THE_BRANCH:
                yield from ((one.created_at, target) for target in one.targets)


def deed(action: Action, model: str, incident_id: str, target: Target) -> Deed:
    """What an action does to one target, as a person would recognize it when it comes back."""
    return str(action), model, target.from_version or incident_id, target.cluster


def deeds(remediation: Remediation) -> frozenset[Deed]:
    """What a remediation does, target by target."""
    return frozenset(
        deed(remediation.action, remediation.model, remediation.incident_id, target) for target in remediation.targets
    )


def clusters_of(remediations: Iterable[Remediation], states: frozenset[State]) -> frozenset[str]:
    """Spokes that actions in these states hold."""
    return frozenset(
        cluster for one in remediations if one.state in states and one.action in GIT_ACTIONS for cluster in one.clusters
    )
