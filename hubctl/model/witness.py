"""Witnesses: what the hub's own objects say of a spoke, beside what its predictors answer.

The klusterlet renews a lease on the hub, feedback of a ManifestWork tells of InferenceServices, Argo CD of what it
delivered. Read from a snapshot by ``fleet.witness``, remembered and weighed by ``aggregate``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubctl.model.health import FindingKind


class Lease(StrEnum):
    """What a ManagedCluster's condition says of its klusterlet."""

    FRESH = "fresh"
    API_DOWN = "api-down"
    STALE = "stale"
    UNREPORTED = "unreported"
    ABSENT = "absent"
    UNREAD = "unread"


ALIVE = frozenset({Lease.FRESH, Lease.API_DOWN})
"""The klusterlet reports, whatever it says."""

UNHEARD = frozenset({Lease.API_DOWN, Lease.STALE, Lease.UNREPORTED, Lease.UNREAD})
"""The klusterlet ought to say that all is well, and does not: counts against an action."""


class Sight(StrEnum):
    """Whether something on a spoke can be seen from the hub."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Reach(StrEnum):
    """What the polls of one spoke's predictors say of the way to it."""

    ANSWERS = "answers"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Klusterlet:
    """The agent of a spoke, as its ManagedCluster tells.

    Attributes:
        since: when the condition became what it is; None when nothing says so.
        grace: seconds without a renewed lease until the hub calls the condition unknown.
        taints: keys of the ManagedCluster's taints, sorted.
        deleting: the ManagedCluster is being removed.
        detail: the hub's own words, or why nothing is known.
    """

    lease: Lease
    since: datetime | None = None
    grace: float = 300.0
    taints: tuple[str, ...] = ()
    deleting: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Git delivers of a model; a label or artifact that is empty is not compared.

    Attributes:
        artifact: its storageUri or image.
        label: the version as the object's label has it.
    """

    version: str
    artifact: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """An InferenceService, as feedback tells.

    Attributes:
        wanted: what Git delivers.
        ready: KServe's condition; None when it says neither yes nor no.
        served: the storageUri or image that the spoke's object holds.
        version: the object's label.
        same: whether the object is what Git delivers; None when that is not known.
        current: whether that is what answers: it is the same and ready; None when that is not known.
        detail: why it is not ready or not known.
    """

    model: str
    wanted: Wanted
    sight: Sight = Sight.UNKNOWN
    ready: bool | None = None
    stopped: bool = False
    url: str = ""
    model_state: str = ""
    served: str = ""
    version: str = ""
    same: bool | None = None
    current: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """A spoke's Argo CD Application, as the hub has it.

    Attributes:
        sync: ``Synced``, ``OutOfSync`` or ``Unknown``.
        health: Argo CD's word.
        revision: the commit that Argo CD compared with last.
        phase: of its latest operation.
        errors: conditions that say why nothing can be delivered, as ``type: message``.
        waits: it may be out of sync because its step of a rolling sync has not come yet.
        detail: why it is not known.
    """

    name: str
    sight: Sight = Sight.UNKNOWN
    sync: str = ""
    health: str = ""
    revision: str = ""
    phase: str = ""
    errors: tuple[str, ...] = ()
    waits: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that the witnesses say is wrong, which becomes a finding once it has lasted.

    Attributes:
        about: what exactly; the time counts anew when it changes.
        since: when it was seen first.
        sure: seen in the latest look; else only not known to be over, and no finding.
    """

    kind: FindingKind
    since: datetime
    summary: str
    model: str = ""
    version: str = ""
    about: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class SpokeWitness:
    """All that the hub's objects say of one spoke.

    Attributes:
        at: when they were looked at.
        klusterlet: None when ManagedClusters are not looked at.
        services: one for each model of the spoke, also where nothing tells of it.
        application: None when nothing is delivered to the spoke: it is quarantined.
        route: what the polls of the same pass say.
        troubles: with the time since when they last.
    """

    cluster: str
    at: datetime
    klusterlet: Klusterlet | None = None
    services: tuple[Service, ...] = ()
    application: Application | None = None
    route: Reach = Reach.UNKNOWN
    troubles: tuple[Trouble, ...] = ()

    @property
    def lease(self) -> Lease:
        """What is known of the klusterlet; ``absent``, as without a ManagedCluster, when nobody looks."""
        return self.klusterlet.lease if self.klusterlet else Lease.ABSENT

    @property
    def is_unheard(self) -> bool:
        """Whether the klusterlet ought to report and is not known to report that all is well."""
        return self.lease in UNHEARD

    @property
    def is_down(self) -> bool:
        """Whether neither way leads to the spoke."""
        return self.lease is Lease.STALE and self.route is Reach.DEAD

    def service(self, model: str) -> Service | None:
        """The model's InferenceService, or None when feedback does not speak of it."""
        return next((one for one in self.services if one.model == model), None)
