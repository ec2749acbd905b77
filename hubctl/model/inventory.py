"""Inventory: the spokes that the hub named when it was last looked at and believed, with what it said of each.

What is remembered between looks, so that a list that fails, is empty or shrinks all at once changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Member:
    """A spoke as the hub knows it.

    Attributes:
        platform: ``openshift`` or ``kubernetes``.
        version: of the platform, major and minor only.
        topology: ``ha`` or ``sno``; empty when nothing says it.
        labels: that people select clusters by, claims among them.
        since: when it became a spoke.
        missing_since: when the hub stopped naming it; None while it does.
        notes: what a person should know of it now, such as that its agent is silent.
    """

    name: str
    platform: str
    version: str
    since: datetime
    topology: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    missing_since: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """For people, and as the source of what is rendered for it."""
        return f"ManagedCluster {self.name}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The spokes in force.

    Attributes:
        at: when the hub was last looked at and believed.
        members: sorted by name.
        left_out: name to why, of ManagedClusters that are no spokes.
    """

    at: datetime
    members: tuple[Member, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def member(self, name: str) -> Member | None:
        """The spoke of that name, or None."""
        return next((one for one in self.members if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look made of the inventory, names sorted.

    Attributes:
        joined: new spokes.
        left: forgotten, after they were missing for long enough.
        missing: not named now, kept for a while.
        returned: that were missing at the look before.
        changed: of which the hub says something else.
    """

    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Trouble(StrEnum):
    """Why a look changed nothing."""

    UNREAD = "unread"
    EMPTY = "empty"
    SHRUNK = "shrunk"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the hub came to.

    Attributes:
        inventory: in force; None when nothing is remembered and the look could not be believed.
        changes: against the inventory before.
        trouble: why the inventory before stays; None when the look is believed.
        detail: of the trouble, for people.
        absent: spokes of the inventory that the hub does not name now, sorted.
        notes: for people: ManagedClusters that are no spokes, and why.
    """

    inventory: Inventory | None
    changes: Changes = Changes()
    trouble: Trouble | None = None
    detail: str = ""
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
