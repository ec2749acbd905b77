"""Stop, Pause and Holds: what people hold hubctl back with, and what of its work that holds back.

A stop is for now and for all of it; a pause is for a part of the fleet, by somebody, until some time. Both hold back
what hubctl does by itself; neither keeps it from looking.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from hubctl.errors import GuardRefused
from hubctl.model.remediation import Action, Remediation

CLUSTER_SET = "cluster.open-cluster-management.io/clusterset"
"""Label of a ManagedCluster, and of a spoke, that names its ClusterSet."""


class Reach(StrEnum):
    """How much a stop holds back."""

    ACTIONS = "actions"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Stop:
    """A kill switch that is on.

    Attributes:
        source: where it was thrown: the file's path, or the key of the values.
        by: who threw it; empty when nobody said.
        at: when; None when nobody said.
    """

    reach: Reach
    source: str
    reason: str = ""
    by: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        said = f": {self.reason}" if self.reason else ""
        return f"stopped{f' by {self.by}' if self.by else ''} ({self.source}){said}"


def stop_from(text: str, source: str) -> Stop:
    """What the text of a stop file says; an empty one stops actions, and what is not understood stops everything."""
    known = dict.fromkeys(("scope", "reason", "by", "at"), "")
    rest = []
    for line in filter(None, map(str.strip, text.splitlines())):
        key, colon, value = line.partition(":")
        if colon and key in known:
            known[key] = value.strip()
        else:
            rest.append(line)
    scope = known["scope"] or Reach.ACTIONS
    reach = Reach(scope) if scope in set(Reach) else Reach.EVERYTHING
    try:
        at = datetime.fromisoformat(known["at"]) if known["at"] else None
    except ValueError:
        at = None
    aware = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    return Stop(reach, source, known["reason"] or " ".join(rest), known["by"], aware)


def stop_text(stop: Stop) -> str:
    """The text of a stop file, for ``stop_from`` and for people."""
    at = stop.at.isoformat() if stop.at else ""
    said = {"scope": str(stop.reach), "reason": " ".join(stop.reason.split()), "by": stop.by, "at": at}
    return "".join(f"{key}: {value}\n" for key, value in said.items() if value)


class State(StrEnum):
    """Where a pause stands; one that ran out needs no move, its time says so."""

    MADE = "made"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Pause:
    """A part of hubctl's work that somebody holds back until some time.

    What is not named is not asked: a pause that names a model holds it on every spoke, one that names nothing holds
    the fleet.

    Attributes:
        id: ``pau-`` and eight hex digits; of one in the values, the place there.
        owner: whom to ask about it.
        until: it lifts itself then.
        made_by: who made it, beside its owner.
    """

    id: str
    reason: str
    owner: str
    until: datetime
    created_at: datetime
    updated_at: datetime
    cluster_set: str = ""
    cluster: str = ""
    model: str = ""
    action: str = ""
    state: State = State.MADE
    made_by: str = ""
    lifted_by: str = ""
    note: str = ""

    @property
    def what(self) -> str:
        """What it is for, such as ``cluster edge-a, model m``."""
        named = {"set": self.cluster_set, "cluster": self.cluster, "model": self.model, "action": self.action}
        return ", ".join(f"{key} {name}" for key, name in named.items() if name) or "fleet"

    def in_force(self, now: datetime) -> bool:
        """Whether it holds anything now."""
        return self.state is State.MADE and now < self.until

    def lifted(self, *, by: str, note: str, now: datetime) -> "Pause":
        """The pause, lifted by a person.

        Raises:
            GuardRefused: it is not in force.
        """
        if not self.in_force(now):
            how = "was lifted" if self.state is State.LIFTED else f"ran out at {self.until.isoformat()}"
            raise GuardRefused(f"pause {self.id} {how}", hint="run `hubctl pause list` to see which are in force")
        return replace(self, state=State.LIFTED, lifted_by=by, note=note, updated_at=now)

    def __str__(self) -> str:
        return f"{self.what} paused by {self.owner} until {self.until.isoformat()}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Holds:
    """Every stop and pause in force, and what is asked of them.

    Attributes:
        sets: spoke to its ClusterSet.
        blind: the hub could not be asked for sets; a spoke that is not in ``sets`` may then be in any.
    """

    stops: tuple[Stop, ...] = ()
    pauses: tuple[Pause, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    blind: bool = False

    @property
    def everything(self) -> Stop | None:
        """The stop that holds back all that leaves hubctl, people's own changes too."""
        return next((stop for stop in self.stops if stop.reach is Reach.EVERYTHING), None)

    def stop_of(self, action: Action) -> Stop | None:
        """The stop that holds such actions back; who is told of incidents goes on being told, unless all stops."""
        if action is Action.NOTIFY:
            return self.everything
        return self.everything or next(iter(self.stops), None)

    def pause_of(self, action: Action, model: str = "", cluster: str = "") -> Pause | None:
        """The pause that holds such an action back; with no spoke, only one that is not for some spokes only.

        A notification is held by a pause that names its action, and by no other.
        """
        fitting = (
            pause
            for pause in self.pauses
            if (pause.action == action if pause.action or action is Action.NOTIFY else True)
            and pause.model in ("", model)
            and pause.cluster in ("", cluster)
            and (pause.cluster_set in ("", self.sets.get(cluster, "")) or self._may_be_in_any_set(cluster))
        )
        return next(fitting, None)

    def _may_be_in_any_set(self, cluster: str) -> bool:
        return self.blind and bool(cluster) and cluster not in self.sets

    def against(self, remediation: Remediation) -> Stop | Pause | None:
        """What holds a remediation back, if anything does; one held spoke holds all of it."""
        stop = self.stop_of(remediation.action)
        if stop is not None:
            return stop
        held = (
            self.pause_of(remediation.action, remediation.model, cluster) for cluster in remediation.clusters or ("",)
        )
        return next(filter(None, held), None)
