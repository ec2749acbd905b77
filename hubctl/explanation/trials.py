"""Trials: one file in the world as it is, and in worlds where an input is another one.

Pure but for the templates that it is given.
"""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from hubctl.errors import HubctlError
from hubctl.explanation.evidence import Evidence, Proof
from hubctl.inputs.trial import Change, World, shown
from hubctl.model.fleet import HubInputs
from hubctl.model.origin import Place
from hubctl.render import leaves, scenes
from hubctl.render.leaves import GONE, Trail
from hubctl.render.marks import Line
from hubctl.render.templates import Templates

_IMPOSSIBLE = (HubctlError, yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, IndexError)
"""What is tried is not checked to fit together, so it may be a world that cannot be; that says nothing."""


Alike = tuple[str, ...]
"""An input, whichever spoke's it is."""


@dataclass(frozen=True)
class Making:
    """How one file comes to be.

    Attributes:
        template: its name.
        file: without its folder.
        prefix: ``spoke/`` or ``hub/``.
    """

    templates: Templates
    template: str
    file: str
    prefix: str
    subject: str

    def scene(self, inputs: HubInputs) -> Mapping[str, Any] | None:
        """What the template sees for the file; None when it is not asked for it, as its model has another name."""
        made = scenes.scenes(self.template, inputs, self.templates)
        return next((scene for file, scene in made if file == self.file), None)

    def text(self, inputs: HubInputs) -> str | None:
        """The file's text; None as for its scene."""
        scene = self.scene(inputs)
        return None if scene is None else self.templates.render(self.template, scene, self.subject)

    def texts(self, inputs: HubInputs) -> dict[str, str]:
        """Every file that the template makes."""
        made = scenes.scenes(self.template, inputs, self.templates)
        return {file: self.templates.render(self.template, scene, self.subject) for file, scene in made}


@dataclass
class Trials:
    """One world and what becomes of a file in others."""

    world: World
    making: Making
    known: dict[tuple[int, int], dict[Trail, Any]] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> HubInputs:
        """The inputs as things are."""
        return self.world.inputs()

    @cached_property
    def seen(self) -> dict[str, Any]:
        """What templates see as things are."""
        return scenes.seen(self.inputs, self.making.prefix)

    @cached_property
    def text(self) -> str:
        """The file as things are; empty when it is not made."""
        return self.making.text(self.inputs) or ""

    @cached_property
    def documents(self) -> list[Any]:
        """The file's objects; none when it is not made."""
        return _read(self.text)

    @cached_property
    def _beside(self) -> frozenset[str]:
        return frozenset(self.making.texts(self.inputs))

    def outcome(self, world: World) -> dict[Trail, Any]:
        """The file's values that are others in another world; nothing when rendering fails there."""
        try:
            inputs = world.inputs()
            if scenes.seen(inputs, self.making.prefix) == self.seen:
                return {}
            text = self.making.text(inputs)
            return self.compared(self._moved(inputs) if text is None else text)
        except _IMPOSSIBLE:
            return {}

    def tried(self, change: Change, index: int) -> dict[Trail, Any]:
        """The outcome of one of a change's other values; asked again, it is not rendered again."""
        key = (id(change), index)
        if key not in self.known:
            self.known[key] = self.outcome(change.applied(self.world, change.others[index]))
        return self.known[key]

    def compared(self, text: str) -> dict[Trail, Any]:
        """The file's values that are others in another text."""
        if text == self.text:
            return {}
        new = _read(text)
        return leaves.changed(self.documents, new) if new else dict.fromkeys(dict(leaves.leaves(self.documents)), GONE)

    def _moved(self, inputs: HubInputs) -> str:
        """Where the file went: the template's file of a new name, if there is just one."""
        new = [text for file, text in self.making.texts(inputs).items() if file not in self._beside]
        return new[0] if len(new) == 1 else ""


def _read(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader)) if text.strip() else []


def explain(
    trials: Trials, changes: Sequence[Change], lines: Mapping[Trail, Line], wanted: Iterable[Trail]
) -> Evidence:
    """Try every change, and for computed values that none explains several at once, and what nothing says.

    Args:
        trials: of the world as it is.
        changes: of its inputs.
        lines: what wrote each value, where it is known.
        wanted: the values that have to be explained.
    """
    found = Evidence(dict(leaves.leaves(trials.documents)))
    for change in changes:
        if not change.unsaid:
            _try(trials, change, found)
    for trail in wanted:
        # A template that measures its own text has no lines; then any value may be computed.
        if found.told(trail) or (trail in lines and not lines[trail].computed):
            continue
        _together(trials, changes, found, trail)
        if not found.told(trail) and not any(
            _tells(trials, change, found, trail) for change in changes if change.unsaid
        ):
            _constant(trials, found, trail)
    return found


def explain_again(
    trials: Trials,
    changes: Sequence[Change],
    lines: Mapping[Trail, Line],
    wanted: Collection[Trail],
    likely: Collection[Alike],
) -> Evidence:
    """As :func:`explain`, for one spoke after another: first what told something of an earlier one like it.

    Args:
        trials: of the world as it is.
        changes: of its inputs.
        lines: what wrote each value, where it is known.
        wanted: the values that have to be explained.
        likely: such changes, see :func:`alike`; when they leave a value open, all others are tried too.
    """
    found = Evidence(dict(leaves.leaves(trials.documents)))
    for change in changes:
        if not change.unsaid and alike(change) in likely:
            _try(trials, change, found, once=True)
    return found if all(found.told(trail) for trail in wanted) else explain(trials, changes, lines, wanted)


def alike(change: Change) -> Alike:
    """What the same input of different spokes has in common: its key in the same kind of file."""
    return tuple("*" if isinstance(part, int) else part for part in change.path)


def what_makes(trials: Trials, changes: Sequence[Change]) -> tuple[Proof, ...]:
    """The inputs of a file that is not made with which it would be."""
    found: dict[Place, Proof] = {}
    for change in changes:
        for other in () if change.identity else change.others:
            with contextlib.suppress(*_IMPOSSIBLE):
                text = trials.making.text(change.applied(trials.world, other).inputs())
                if text and text.strip():
                    found.setdefault(change.place, Proof(change.place, "presence", change.old, shown(other)))
    return tuple(found.values())


def _try(trials: Trials, change: Change, found: Evidence, *, once: bool = False) -> None:
    for index, other in enumerate(change.others):
        outcome = trials.tried(change, index)
        found.add(change, other, outcome)
        if once and outcome:
            return


def _tells(trials: Trials, change: Change, found: Evidence, trail: Trail) -> bool:
    """Whether something that nothing says would change the value; only that value is noted."""
    for index, other in enumerate(change.others):
        outcome = trials.tried(change, index)
        if outcome.get(trail, GONE) is not GONE:
            found.add(change, other, {trail: outcome[trail]})
            return True
    return False


def _together(trials: Trials, changes: Sequence[Change], found: Evidence, trail: Trail) -> None:
    """Inputs that say the same: none of them alone changes the value, so they are changed together."""
    text = str(found.before[trail])
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if not change.unsaid and isinstance(change.old, (str, int, float)) and str(change.old) in text:
            groups.setdefault(str(change.old), []).append(change)
    for group in groups.values():
        other = next((one for one in group[0].others if all(one in change.others for change in group)), None)
        if len(group) < 2 or other is None:  # noqa: PLR2004 - one alone was tried before
            continue
        needed = list(group)
        for change in group:
            rest = [one for one in needed if one is not change]
            if trail in _all(trials, rest, other):
                needed = rest
        outcome = _all(trials, needed, other)
        for change in needed if trail in outcome else []:
            found.add(change, other, {trail: outcome[trail]}, together=True)


def _all(trials: Trials, changes: Iterable[Change], other: Any) -> dict[Trail, Any]:
    world = trials.world
    for change in changes:
        world = change.applied(world, other)
    return trials.outcome(world)


def _constant(trials: Trials, found: Evidence, trail: Trail) -> None:
    """The name under which templates see what no input changes, if there is one."""
    making = trials.making
    scene = making.scene(trials.inputs) or {}
    for path, value, other in _probes(scene):
        with contextlib.suppress(*_IMPOSSIBLE):
            text = making.templates.render(making.template, _with(scene, path, other), making.subject)
            outcome = trials.compared(text)
            if outcome.get(trail, GONE) is not GONE:
                place = Place("hubctl", field=re.sub(r"\.(\d+)", r"[\1]", ".".join(map(str, path))))
                found.add(Change(place, (), value, (other,)), other, {trail: outcome[trail]})
                return


def _probes(scene: Mapping[str, Any]) -> Iterator[tuple[Trail, Any, Any]]:
    """Everything that a template sees, with another value; at last lists that are longer or shorter."""
    for path, value in leaves.leaves(dict(scene)):
        if isinstance(value, bool):
            yield path, value, not value
        elif isinstance(value, (int, float, str)):
            yield path, value, f"{value}x" if isinstance(value, str) else value + 1
    for path, items in _lists(scene, ()):
        yield from ((path, items, other) for other in (items[:-1], [*items, items[-1]]))


def _lists(value: Any, path: Trail) -> Iterator[tuple[Trail, list[Any]]]:
    if isinstance(value, list) and value:
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _lists(inner, (*path, key))


def _with(value: Any, path: Trail, new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, dict):
        return {**value, path[0]: _with(value[path[0]], path[1:], new)}
    return [_with(item, path[1:], new) if index == path[0] else item for index, item in enumerate(value)]
