"""Which Events a pass gives, and about which objects. Pure.

An Event is only about an object that is known to be there: a ManagedCluster or an Application that the snapshot holds,
else hubctl's own ConfigMap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubctl.errors import Held, HubctlError
from hubctl.model import incident as incidents
from hubctl.model.notice import Notice, Subject
from hubctl.model.remediation import Remediation, State
from hubctl.model.snapshot import MANAGED_CLUSTERS, SPOKE_APPLICATIONS, Resource, Snapshot

if TYPE_CHECKING:
    from hubctl.passes import Pass

WIDE = 3
"""Spokes of one incident or remediation that each hear of it; of more, hubctl's own object hears once."""

_BAD = frozenset({State.FAILED, State.INEFFECTIVE, State.REVERTED})


@dataclass(frozen=True, slots=True)
class Subjects:
    """Where notices go.

    Attributes:
        own: hubctl's own object.
        clusters: spoke to its ManagedCluster.
        applications: spoke to the Application that delivers to it.
    """

    own: Subject
    clusters: dict[str, Subject] = field(default_factory=dict)
    applications: dict[str, Subject] = field(default_factory=dict)


def subjects_of(snapshot: Snapshot | None, own: Subject, argocd_namespace: str) -> Subjects:
    """Every object that a notice of this pass may be about."""
    if snapshot is None:
        return Subjects(own)
    clusters = {one.name: one for one in _objects(snapshot, MANAGED_CLUSTERS)}
    applications = {
        one.name.removeprefix("hubctl-"): one
        for one in _objects(snapshot, SPOKE_APPLICATIONS)
        if one.namespace == argocd_namespace and one.name.startswith("hubctl-")
    }
    return Subjects(own, clusters, applications)


def notices(made: "Pass", subjects: Subjects) -> tuple[Notice, ...]:
    """What people should hear of a pass that came to its end, what is worse first."""
    found = [*_problems(made, subjects), *_incidents(made, subjects), *_remediations(made, subjects)]
    return tuple(sorted(found, key=lambda one: not one.warning))


def of_failure(error: HubctlError, own: Subject) -> Notice:
    """What people should hear of a pass that did not."""
    return Notice(own, "PassFailed", "Reconcile", _told(error), type(error).__name__, warning=True)


def of_refusal(error: HubctlError, own: Subject) -> Notice:
    """What people should hear of files that do not count."""
    note = f"the last good ones stay in force: {_told(error)}"
    return Notice(own, "ConfigurationRefused", "Read", note, type(error).__name__, warning=True)


def _problems(made: "Pass", subjects: Subjects) -> Iterator[Notice]:
    for problem in made.problems:
        if not isinstance(problem, Held):
            key = type(problem).__name__
            yield Notice(subjects.own, "PassIncomplete", "Reconcile", _told(problem), key, warning=True)


def _incidents(made: "Pass", subjects: Subjects) -> Iterator[Notice]:
    told = {incidents.Verdict.OPEN: "IncidentOpened", incidents.Verdict.RESOLVE: "IncidentResolved"}
    for decision in made.decisions:
        incident = decision.incident
        if (reason := told.get(decision.verdict)) and not incident.inhibited_by:
            note = f"{incident.id}: {incident.summary}"
            opened = decision.verdict is incidents.Verdict.OPEN
            for subject in _about(incident.clusters, subjects.clusters, subjects.own):
                yield Notice(subject, reason, "Judge", note, incident.id, warning=opened)


def _remediations(made: "Pass", subjects: Subjects) -> Iterator[Notice]:
    before = {one.id: one.state for one in made.stored}
    for one in made.remediations:
        if before.get(one.id) is one.state:
            continue
        reason = f"Remediation{one.state.capitalize()}"
        for subject in _about(one.clusters, subjects.clusters | subjects.applications, subjects.own):
            yield Notice(subject, reason, "Remediate", _changed(one), one.id, warning=one.state in _BAD)


def _about(clusters: tuple[str, ...], known: dict[str, Subject], own: Subject) -> list[Subject]:
    found = [known[cluster] for cluster in clusters if cluster in known]
    return found if 0 < len(found) <= WIDE and len(found) == len(clusters) else [own]


def _changed(one: Remediation) -> str:
    where = f" on {', '.join(one.clusters)}" if one.clusters else ""
    return f"{one.id} ({one.action}{where}, for {one.incident_id}) is {one.state}" + (
        f": {one.detail}" if one.detail else ""
    )


def _told(error: HubctlError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _objects(snapshot: Snapshot, resource: Resource) -> Iterator[Subject]:
    for item in snapshot.of(resource) or ():
        metadata: dict[str, Any] = dict(item.get("metadata") or {})
        if name := metadata.get("name"):
            version = f"{resource.group}/{resource.version}"
            namespace, uid = str(metadata.get("namespace") or ""), str(metadata.get("uid") or "")
            yield Subject(version, resource.kind, str(name), namespace, uid)
