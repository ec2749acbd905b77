"""Holding: every stop and pause in force, read anew each time that hubctl is about to change something.

Apart from ``hub`` and ``reconcile``, because commands that publish heed a stop as a pass does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from hubctl.errors import Held
from hubctl.model.cluster import ManagedCluster
from hubctl.model.holds import CLUSTER_SET, Holds, Reach, Stop
from hubctl.model.remediation import Remediation
from hubctl.model.snapshot import MANAGED_CLUSTERS, Snapshot
from hubctl.model.values import HubctlSection
from hubctl.settings import Settings
from hubctl.store import switch

if TYPE_CHECKING:  # publish starts without SQL
    from hubctl.store.pauses import Pauses

GO_ON = "`hubctl start`, or `hubctl.stopped` in the values, lets it go on; `hubctl status` shows all that holds it"


@dataclass(frozen=True, slots=True)
class Gate:
    """What has to be passed immediately before each effect.

    Attributes:
        pauses: of the store; None where nothing but publishing is asked about, which no pause holds.
        now: the pass's time.
        sets: spoke to its ClusterSet.
        blind: the hub could not be asked for sets.
    """

    settings: Settings
    section: HubctlSection
    pauses: "Pauses | None"
    now: datetime
    sets: Mapping[str, str] = field(default_factory=dict)
    blind: bool = False

    def holds(self) -> Holds:
        """Everything in force, read now.

        Raises:
            StoreUnavailable: nobody can say which pauses there are.
        """
        planned = (
            one.pause(f"remediation.pauses[{place}]", self.now)
            for place, one in enumerate(self.section.remediation.pauses)
        )
        stored = self.pauses.in_force(self.now) if self.pauses else ()
        in_force = tuple(pause for pause in (*planned, *stored) if pause.in_force(self.now))
        return Holds(stops(self.settings, self.section), in_force, self.sets, self.blind)

    def refuse(self, remediation: Remediation) -> None:
        """Let a remediation pass.

        Raises:
            Held: it may not.
            StoreUnavailable: as in ``holds``.
        """
        if found := self.holds().against(remediation):
            raise Held(f"held: {found}", hint=GO_ON)

    def refuse_publish(self) -> None:
        """Let people's own changes pass.

        Raises:
            Held: they may not.
        """
        if found := Holds(stops(self.settings, self.section)).everything:
            raise Held(f"nothing is published: {found}", hint=GO_ON)


def stops(settings: Settings, section: HubctlSection) -> tuple[Stop, ...]:
    """Every kill switch that is on; asks neither store nor Git nor hub."""
    found = switch.read(settings.stop_file)
    said = Stop(Reach(section.stopped), "hubctl.stopped") if section.stopped else None
    return tuple(filter(None, (found, said)))


def sets_of(clusters: Iterable[ManagedCluster], snapshot: Snapshot | None) -> dict[str, str]:
    """Spoke to its ClusterSet: as its label says on the hub, else as its file does."""
    found = {one.name: one.labels[CLUSTER_SET] for one in clusters if CLUSTER_SET in one.labels}
    for item in (snapshot.of(MANAGED_CLUSTERS) if snapshot else None) or ():
        metadata = item.get("metadata") or {}
        labels = metadata.get("labels") or {}
        if CLUSTER_SET in labels:
            found[str(metadata.get("name"))] = str(labels[CLUSTER_SET])
    return found
