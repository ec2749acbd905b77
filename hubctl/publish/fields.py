"""What differs between two values of one object: a field each, by path, with what it was and what it would be.

Pure. Apart from ``objects``, which knows files and Kubernetes' names; here are only mappings, lists and scalars.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Absence(Enum):
    """The value of a field that one side does not have; None is a value of its own."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT


@dataclass(frozen=True, slots=True)
class Named:
    """An item of a list by its key ``name``; None stands for all items' names, that is, for their order."""

    name: str | None


Trail = tuple[str | int | Named, ...]
"""Keys, indices and names of items from the top level to a value."""


@dataclass(frozen=True, slots=True)
class Field:
    """One difference.

    Attributes:
        trail: to the value.
        old: ``ABSENT`` when the field is added.
        new: ``ABSENT`` when it is removed.
    """

    trail: Trail
    old: Any
    new: Any

    @property
    def path(self) -> str:
        """As people write it: ``spec.containers[name=main].image``; ``$`` is the whole."""
        return "".join(_part(part) for part in self.trail).removeprefix(".") or "$"

    @property
    def change(self) -> str:
        """``added``, ``changed`` or ``removed``."""
        if self.old is ABSENT:
            return "added"
        return "removed" if self.new is ABSENT else "changed"


def differing(old: Any, new: Any, trail: Trail = ()) -> Iterator[Field]:
    """The fields in which two values differ, in the order of the paths; none when they are equal.

    Lists whose items all have a ``name`` of their own are compared by it, others by index. After the changes of such a
    list, what stays keeps its order and what is added follows; a different order is one more field, the ``name`` of
    ``Named(None)``. Types count: 1, 1.0 and true differ.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _pairs(old, new, sorted({*old, *new}, key=str), trail)
    elif isinstance(old, list) and isinstance(new, list):
        before, after = _by_name(old), _by_name(new)
        if before is not None and after is not None:
            yield from _items(before, after, trail)
        else:
            yield from _pairs(dict(enumerate(old)), dict(enumerate(new)), range(max(len(old), len(new))), trail)
    elif type(old) is not type(new) or old != new:
        yield Field(trail, old, new)


def _pairs(old: dict[Any, Any], new: dict[Any, Any], keys: Any, trail: Trail) -> Iterator[Field]:
    for key in keys:
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        yield from differing(before, after, (*trail, key))


def _items(old: dict[str, Any], new: dict[str, Any], trail: Trail) -> Iterator[Field]:
    names = [*old, *(name for name in new if name not in old)]
    for name in names:
        yield from differing(old.get(name, ABSENT), new.get(name, ABSENT), (*trail, Named(name)))
    if [name for name in names if name in new] != list(new):
        yield Field((*trail, Named(None), "name"), list(old), list(new))


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """The items by name; None unless each has one of its own. An empty list has no names that could clash."""
    found = {item["name"]: item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
    return found if len(found) == len(items) else None


def _part(part: str | int | Named) -> str:
    if isinstance(part, Named):
        return "[*]" if part.name is None else f"[name={part.name}]"
    if isinstance(part, int):
        return f"[{part}]"
    quoted = part.replace("\\", "\\\\").replace('"', '\\"')
    return f".{part}" if _SIMPLE.fullmatch(part) else f'["{quoted}"]'
