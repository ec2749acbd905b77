"""World and Change: what one file is rendered from, and the same with another value in one place.

Apart from ``origin``, which finds the places. A world is changed behind the checks of files, so that values can be
tried that would only be accepted together with others; what is tried has the type of the field all the same.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from hubctl.inputs import merge
from hubctl.model.cluster import Spoke
from hubctl.model.fleet import HubInputs
from hubctl.model.origin import Place
from hubctl.model.remediation import Override
from hubctl.model.values import HubValues

Path = tuple[str | int, ...]
"""Attributes, keys and indices from a world to a value."""


class Removed:
    """In place of another value: the key or item is not there at all."""

    def __repr__(self) -> str:
        return "(removed)"


REMOVED: Final = Removed()


@dataclass(frozen=True, slots=True)
class World:
    """What the files of one spoke, or with one spoke those of the hub, are rendered from.

    Attributes:
        spokes: file and content; one, or none for the hub of an empty fleet.
        overrides: file name and content, those that name the spoke.
    """

    values: HubValues
    spokes: tuple[tuple[str, Spoke], ...]
    overrides: tuple[tuple[str, Override], ...]

    def inputs(self) -> HubInputs:
        """The inputs, merged as for rendering; without warnings, which nobody reads."""
        clusters, ordered, _ = merge.clusters_of(self.values, self.spokes, self.overrides)
        return HubInputs(self.values, clusters, ordered)


@dataclass(frozen=True, slots=True)
class Change:
    """Other values for one input.

    Attributes:
        path: to it in the world.
        old: what it is; of a section, the word in its ``type``.
        others: what it could be, see ``other``; not empty.
        fills: what has to be put in first, because the world leaves it out: sections that are whole defaults.
        unsaid: nothing says it and nothing stands in for it; it is only asked when no other input explains a field.
    """

    place: Place
    path: Path
    old: Any
    others: tuple[Any, ...]
    fills: tuple[tuple[Path, Any], ...] = ()
    unsaid: bool = False

    @property
    def identity(self) -> bool:
        """Whether it names the spoke or a model of it: after those, files are called and overrides found."""
        return self.path[:1] in (("spokes",), ("overrides",)) and (
            self.path[3:] in (("metadata", "name"), ("spec", "cluster"))
            or (self.path[3:5] == ("spec", "models") and self.path[6:] == ("name",))
        )

    def applied(self, world: World, other: Any) -> World:
        """The world with one of the other values."""
        made: Any = world
        for path, value in self.fills:
            made = replaced(made, path, value)
        found: World = replaced(made, self.path, other)
        return found


def replaced(holder: Any, path: Path, value: Any) -> Any:
    """A copy of a frozen value with another one somewhere below; what is not on the way there is shared."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(holder, dict):
        made = {**holder, head: replaced(holder.get(head), rest, value)}
        return {key: inner for key, inner in made.items() if inner is not REMOVED}
    if isinstance(holder, tuple):
        index = int(head)
        new = replaced(holder[index], rest, value)
        return (*holder[:index], *(() if new is REMOVED else (new,)), *holder[index + 1 :])
    new = replaced(getattr(holder, str(head)), rest, value)
    if isinstance(holder, BaseModel):
        return holder.model_copy(update={str(head): new})
    return replace(holder, **{str(head): new})


def shown(value: Any) -> Any:
    """A tried value as plain data: a section by the word in its ``type``."""
    if isinstance(value, BaseModel):
        return getattr(value, "type", None) or "(section)"
    return "(removed)" if value is REMOVED else value
