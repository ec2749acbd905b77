"""Leaves: every value of a rendered file by its path, and the same value in another rendering of it.

Pure. Apart from ``publish.fields``, which tells what differs between two trees; here every value is followed, also into
another object, so that a changed name or namespace is a change and not a loss.
"""

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

Trail = tuple[Any, ...]
"""Keys and indices from a file's list of documents to a value; the first is the document's index."""


class Absence(Enum):
    """The value of a leaf that the other rendering does not have."""

    GONE = "gone"


GONE: Final = Absence.GONE


def leaves(value: Any, trail: Trail = ()) -> Iterator[tuple[Trail, Any]]:
    """Every scalar below, and what is empty."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*trail, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*trail, index))
    else:
        yield trail, value


def paired(old: Any, new: Any, trail: Trail = (), other: Trail = ()) -> Iterator[tuple[Trail, Any, Trail]]:
    """Each leaf of the old value with what it is in the new one, and where it stands there.

    Items of a list are paired when they are equal, else by their name, else in their order, objects with those of their
    kind only; moving an item is no change.
    """
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key, inner in old.items():
            if key in new:
                yield from paired(inner, new[key], (*trail, key), (*other, key))
            else:
                yield from _gone(inner, (*trail, key))
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        partners = _partners(old, new)
        for index, inner in enumerate(old):
            partner = partners.get(index)
            if partner is None:
                yield from _gone(inner, (*trail, index))
            else:
                yield from paired(inner, new[partner], (*trail, index), (*other, partner))
    elif isinstance(old, (dict, list)) and old:
        yield from _gone(old, trail)
    else:
        yield trail, new, other


def changed(old: Any, new: Any) -> dict[Trail, Any]:
    """The leaves of the old value that are others in the new one, or gone."""
    before = dict(leaves(old))
    return {trail: found for trail, found, _ in paired(old, new) if not same(before[trail], found)}


def same(one: Any, two: Any) -> bool:
    """Whether two leaves are equal; types count, as 1, 1.0 and true differ."""
    return type(one) is type(two) and bool(one == two)


def _gone(value: Any, trail: Trail) -> Iterator[tuple[Trail, Any, Trail]]:
    for leaf, _ in leaves(value, trail):
        yield leaf, GONE, ()


def _partners(old: Sequence[Any], new: Sequence[Any]) -> dict[int, int]:
    """Index of the new item for that of the old one: equal, else of its name, else the next of its kind."""
    found: dict[int, int] = {}
    for key in (_whole, _named, _kind):
        rest_old, rest_new = _rest(old, found), _rest(new, found.values())
        pairs = _matched([key(old[index]) for index in rest_old], [key(new[index]) for index in rest_new])
        found |= {rest_old[before]: rest_new[after] for before, after in pairs.items()}
    return found


def _rest(items: Sequence[Any], taken: Iterable[int]) -> list[int]:
    gone = set(taken)
    return [index for index in range(len(items)) if index not in gone]


def _matched(old: Sequence[Hashable], new: Sequence[Hashable]) -> dict[int, int]:
    """Pairs of equal keys, each used once; no pair for None."""
    places: dict[Hashable, list[int]] = {}
    for index, key in enumerate(new):
        if key is not None:
            places.setdefault(key, []).append(index)
    return {index: queue.pop(0) for index, key in enumerate(old) if (queue := places.get(key))}


def _named(item: Any) -> Hashable:
    """An item's name, if it is one of a list of named things."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) and "kind" not in item else None


def _whole(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=repr)


def _kind(item: Any) -> Hashable:
    """What an item may be paired with: an object with one of its kind, a mapping with one that has its keys."""
    if not isinstance(item, dict):
        return type(item) if isinstance(item, list) else "scalar"
    if "kind" in item and "apiVersion" in item:
        return (str(item["apiVersion"]), str(item["kind"]))
    return "mapping"
