"""A file of the hub's, explained one spoke at a time.

What such a file says of one spoke is made from that spoke's inputs alone, and what several spokes lead to no single
input could change. So each value is explained in fleets of one spoke, those in which it is made too.
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubctl.explanation.evidence import Proof
from hubctl.explanation.fleet import Fleet
from hubctl.explanation.found import Explanation, Leaf, Wanted, leaf_of, lines_of, making_of, unmade
from hubctl.explanation.trials import Alike, Making, Trials, alike, explain_again
from hubctl.model.origin import Place
from hubctl.render import leaves
from hubctl.render.leaves import Trail
from hubctl.render.marks import Line

SHOWN = 3
"""Spokes that a value is explained by, of those that lead to it."""

_FEW = 40
"""Values for which it is quicker to look first whether a spoke's text can hold them."""

_PLAIN = re.compile(r"[\w.:/-]{3,}")


@dataclass
class HubFile:
    """One file of the hub's."""

    fleet: Fleet
    file: str
    wanted: Wanted
    advance: Callable[[], None]
    origins: dict[Trail, list[Proof]] = field(default_factory=dict)
    several: dict[Trail, int] = field(default_factory=dict)
    settled: set[Trail] = field(default_factory=set)
    because: dict[int, tuple[Proof, ...]] = field(default_factory=dict)
    likely: dict[Hashable, set[Alike]] = field(default_factory=dict)

    def explained(self) -> Explanation | None:
        """The explanation; None when no template makes the file.

        Raises:
            TemplateError: a template failed.
            InputError: a file is wrong, or the hub's manifests lack an input.
        """
        inputs = self.fleet.inputs()
        making = making_of(self.fleet, self.file, "hub/", inputs, "hub")
        if making is None:
            return None
        whole = Trials(self.fleet.world(None), making)
        whole.inputs = inputs
        names = self.fleet.names or ("",)
        if not whole.documents:
            return unmade(self.fleet, Trials(self.fleet.world(names[0]), making))
        lines, asked = lines_of(self.fleet, whole), self.wanted(whole.documents)
        known = _Whole(whole.documents, asked)
        for name in names:
            self._look(name, making, known, lines)
            self.advance()
        return Explanation(
            template=making.template,
            documents=tuple(whole.documents),
            leaves=tuple(self._leaf(trail, known.values[trail], lines.get(trail)) for trail in asked),
            because=tuple(self.because.get(index, ()) for index in range(len(whole.documents))),
        )

    def _look(self, name: str, making: Making, whole: "_Whole", lines: Mapping[Trail, Line]) -> None:
        """Explain what a fleet of this spoke alone makes too."""
        alone = Trials(self.fleet.world(name), making)
        if not whole.possible(alone.text, self.settled):
            return
        mine = {trail: here for trail, here in whole.also_in(alone.documents) if trail not in self.settled}
        for trail in mine:
            self.several[trail] = self.several.get(trail, 0) + 1
        needed = {trail: here for trail, here in mine.items() if self.several[trail] <= SHOWN}
        if not needed:
            return
        written = {here: lines[trail] for trail, here in needed.items() if trail in lines}
        changes = self.fleet.changes(alone.world)
        likely = self.likely.setdefault(self.fleet.shape(alone.world, changes), set())
        found = explain_again(alone, changes, written, needed.values(), likely)
        spokes_own = self.fleet.files_of(alone.world)
        for trail, here in needed.items():
            proofs = leaf_of(found, written.get(here), here).origins
            known = self.origins.setdefault(trail, [])
            known += [proof for proof in proofs if proof.place not in {one.place for one in known}]
            if not any(proof.place.file in spokes_own for proof in proofs):
                self.settled.add(trail)
            else:
                likely |= {alike(change) for change, _ in found.proofs.get(here, {}).values()}
            self.because.setdefault(trail[0], found.of_object(here[0]))

    def _leaf(self, trail: Trail, value: Any, line: Line | None) -> Leaf:
        # What no spoke alone makes, all of them make together: their number, or a list in one value.
        proofs = self.origins.get(trail) or [Proof(Place("fleet"), "decides")]
        more = 0 if trail in self.settled else max(0, self.several.get(trail, 0) - SHOWN)
        return Leaf(trail, value, line, tuple(proofs), more)


class _Whole:
    """The file of the whole fleet, in which the values of a smaller one are found again."""

    def __init__(self, documents: list[Any], asked: Collection[Trail]) -> None:
        self.documents = documents
        self.asked = frozenset(asked)
        self.values = dict(leaves.leaves(documents))
        self._texts = {trail: _texts(documents, trail) for trail in asked} if len(asked) <= _FEW else None
        self._items: dict[tuple[Trail, str], dict[Hashable, list[int]]] = {}

    def possible(self, text: str, settled: Collection[Trail]) -> bool:
        """Whether a text can hold any of the values that are still open."""
        if self._texts is None:
            return True
        return any(all(part in text for part in parts) for trail, parts in self._texts.items() if trail not in settled)

    def also_in(self, documents: list[Any]) -> Iterator[tuple[Trail, Trail]]:
        """The values that are asked for and stand in these objects too, with their places there."""
        return self._below(self.documents, documents, (), ())

    def _below(self, whole: Any, part: Any, trail: Trail, here: Trail) -> Iterator[tuple[Trail, Trail]]:
        if isinstance(whole, dict) and isinstance(part, dict) and whole and part:
            for key in part.keys() & whole.keys():
                yield from self._below(whole[key], part[key], (*trail, key), (*here, key))
        elif isinstance(whole, list) and isinstance(part, list) and whole and part:
            for index, item in enumerate(part):
                for partner in self._partners(whole, item, trail, only=len(whole) == len(part) == 1):
                    yield from self._below(whole[partner], item, (*trail, partner), (*here, index))
        elif trail in self.asked and leaves.same(whole, part):
            yield trail, here

    def _partners(self, whole: list[Any], item: Any, trail: Trail, *, only: bool) -> list[int]:
        """The items of the whole list that are this one, or stand for it; several when they are equal."""
        if only:
            return [0]
        for kind, key in (("equal", _equal), ("named", _named)):
            if (trail, kind) not in self._items:
                places: dict[Hashable, list[int]] = {}
                for index, one in enumerate(whole):
                    places.setdefault(key(one), []).append(index)
                self._items[trail, kind] = places
            wanted = key(item)
            if wanted is not None and (found := self._items[trail, kind].get(wanted)):
                return found if kind == "equal" else found[:1]
        return []


def _texts(documents: list[Any], trail: Trail) -> tuple[str, ...]:
    """What a text has to hold that has this value: the plain words of the innermost item that it stands in."""
    value: Any = documents
    item = None
    for part in trail:
        item = value[part] if isinstance(value, list) and value is not documents else item
        value = value[part]
    found = [text for _, text in leaves.leaves(value if item is None else item)]
    return tuple(text for text in found if isinstance(text, str) and _PLAIN.fullmatch(text))


def _equal(item: Any) -> Hashable:
    return json.dumps(item, sort_keys=True, default=repr)


def _named(item: Any) -> Hashable:
    if not isinstance(item, dict):
        return None
    metadata = item.get("metadata")
    if "kind" in item and isinstance(metadata, dict):
        return (str(item["kind"]), str(metadata.get("namespace")), str(metadata.get("name")))
    name = item.get("name")
    return name if isinstance(name, str) else None
