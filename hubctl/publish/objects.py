"""Old and new bytes of files to what happens to each Kubernetes object, and the same change on many spokes as one.

Pure. Reads what a branch holds, which other people may have written: odd files become opaque, never an error.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal

import yaml

from hubctl.model import tree
from hubctl.publish.fields import Field, differing

Change = Literal["added", "changed", "removed"]

SPOKE = "<spoke>"
"""Stands for the spoke's own name in an entry that several spokes share."""

MAX_NODES = 200_000
"""Values of one file, aliases written out; a file with more is opaque."""

MAX_DEPTH = 60
"""Levels of nesting; a deeper file is opaque."""

_NOT_READ = frozenset({"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge"})
_LEADING = re.compile(r"^[ \t?:-]*", re.MULTILINE)


class _Reader(yaml.CSafeLoader):
    """Reads a date as the text that it is to Kubernetes, and merges nothing: ``<<`` can grow exponentially."""


_Reader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NOT_READ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Veiled:
    """A value of a Secret: compared, never shown."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        """What is shown instead."""
        return "(redacted)"


@dataclass(frozen=True, slots=True, order=True)
class Object:
    """An object in a file; what is no Kubernetes object has only a name, that of its file.

    Attributes:
        file: below the spoke's folder, or the repository path of the hub's.
        spoke: empty for the hub's.
    """

    kind: str
    namespace: str
    name: str
    api_version: str
    file: str
    spoke: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What happens to an object; ``fields`` only when it changes."""

    change: Change
    object: Object
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """The same change to the same object on one or more spokes.

    Attributes:
        object: without a spoke; its name is ``SPOKE`` where several spokes' objects are called after them.
        spokes: sorted; empty for the hub's.
    """

    change: Change
    object: Object
    spokes: tuple[str, ...]
    fields: tuple[Field, ...] = ()


def compare_files(
    old: Mapping[str, bytes], new: Mapping[str, bytes], spokes_folder: str = f"rendered/{tree.SPOKES}"
) -> tuple[tuple[ObjectChange, ...], tuple[str, ...]]:
    """What happens to each object, and the files whose text differs but no object in them.

    Args:
        old: repository path to bytes as they stand; files that did not change may be left out of both.
        new: as they would stand.
        spokes_folder: holds one folder per spoke.

    An object is itself by spoke, apiVersion, kind, namespace and name, so one that moves to another file changes only
    if its content does.
    """
    before, after = _objects(old, spokes_folder), _objects(new, spokes_folder)
    found: list[ObjectChange] = []
    told: set[str] = set()
    for key in sorted(before.keys() | after.keys(), key=repr):
        was, now = before.get(key), after.get(key)
        change = _change(was, now)
        if change is not None:
            found.append(change)
            told |= {side[0] for side in (was, now) if side}
    silent = {path for path in {*old, *new} if old.get(path) != new.get(path)} - told
    return tuple(sorted(found, key=lambda one: (one.object, one.change))), tuple(sorted(silent))


def grouped(changes: Iterable[ObjectChange]) -> tuple[Entry, ...]:
    """Equal changes of many spokes as one entry each: new objects first, then changed, then removed."""
    order = ("added", "changed", "removed")
    rows = sorted(((_shared(one), one) for one in changes), key=lambda row: (order.index(row[1].change), repr(row[0])))
    found = []
    for _, group in groupby(rows, key=lambda row: repr(row[0])):
        same = [one for _, one in group]
        spokes = tuple(sorted(one.object.spoke for one in same if one.object.spoke))
        shared = same[0].object if len(same) == 1 else _shared(same[0]).object
        found.append(Entry(same[0].change, replace(shared, spoke=""), spokes, same[0].fields))
    return tuple(found)


def _shared(one: ObjectChange) -> ObjectChange:
    """The change without what only says which spoke it is on."""
    name = SPOKE if one.object.spoke and one.object.name == one.object.spoke else one.object.name
    return replace(one, object=replace(one.object, name=name, spoke=""))


_Read = tuple[str, Object, Any]
"""Path, object, content."""


def _change(was: _Read | None, now: _Read | None) -> ObjectChange | None:
    if was is None or now is None:
        there = now or was
        assert there is not None  # noqa: S101 - the key comes from one of the two
        return ObjectChange("added" if was is None else "removed", there[1])
    fields = tuple(differing(was[2], now[2]))
    return ObjectChange("changed", now[1], fields) if fields else None


def _objects(files: Mapping[str, bytes], spokes_folder: str) -> dict[tuple[Any, ...], _Read]:
    """The objects by who they are; of two that are the same the later path is counted as another."""
    found: dict[tuple[Any, ...], _Read] = {}
    for path in sorted(files):
        spoke, file = "", path
        if path.startswith(f"{spokes_folder}/") and "/" in (rest := path.removeprefix(f"{spokes_folder}/")):
            spoke, _, file = rest.partition("/")
        for content in _documents(files[path]):
            one = _object(content, file, spoke)
            who: tuple[Any, ...] = (spoke, one.api_version, one.kind, one.namespace, one.name)
            who = who if one.kind else (*who, file)
            count = 0
            while (who, count) in found:
                count += 1
            found[who, count] = (path, one, _veiled(content))
    return found


def _object(content: Any, file: str, spoke: str) -> Object:
    data = content if isinstance(content, dict) else {}
    metadata = data.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    texts = [data.get("kind"), named.get("namespace", ""), named.get("name"), data.get("apiVersion")]
    kind, namespace, name, version = (text if isinstance(text, str) else None for text in texts)
    if not kind or namespace is None or name is None or version is None:
        return Object("", "", file.rpartition("/")[2], "", file, spoke)
    return Object(kind, namespace, name, version, file, spoke)


def _veiled(value: Any) -> Any:
    """The value with what Secrets hold, at any level, as ``Veiled``."""
    if isinstance(value, list):
        return [_veiled(item) for item in value]
    if not isinstance(value, dict):
        return value
    secret = ("data", "stringData") if value.get("kind") == "Secret" else ()
    return {key: _hidden(inner) if key in secret else _veiled(inner) for key, inner in value.items()}


def _hidden(value: Any) -> Any:
    return {key: _hidden(inner) for key, inner in value.items()} if isinstance(value, dict) else Veiled(repr(value))


def _documents(data: bytes) -> Iterator[Any]:
    """The documents of a file with text as keys, empty ones left out; one line about it when it cannot be read."""
    try:
        text = data.decode()
        _bound_depth(text)
        found = [_plain(content, _Budget()) for content in yaml.load_all(text, Loader=_Reader)]
    except (yaml.YAMLError, ValueError):
        digest = hashlib.sha256(data).hexdigest()
        yield f"{len(data)} bytes, sha256 {digest}"
        return
    yield from (content for content in found if content is not None)


class _Budget:
    """How many values a document may still have."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def spend(self, depth: int) -> None:
        """Count one value.

        Raises:
            ValueError: too many or too deep, as with an alias inside its own anchor.
        """
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise ValueError("too large")


def _plain(value: Any, budget: _Budget, depth: int = 0) -> Any:
    """What JSON can hold: text as keys, no bytes, no sets, no numbers that are none."""
    budget.spend(depth)
    if isinstance(value, dict):
        return {str(key): _plain(inner, budget, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        items = sorted(value, key=repr) if isinstance(value, set) else value
        return [_plain(item, budget, depth + 1) for item in items]
    odd = isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))  # noqa: PLR0124
    return value if isinstance(value, (str, bool, int, float, type(None))) and not odd else repr(value)


def _bound_depth(text: str) -> None:
    """Refuse deep nesting before the composer, which recurses in C, sees it; a cheap bound settles most files."""
    if text.count("[") + text.count("{") + 2 * max(len(run) for run in _LEADING.findall(text)) < MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Reader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
