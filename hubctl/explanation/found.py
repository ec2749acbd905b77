"""What is known of one rendered file: its values, each with its line of the template and its inputs.

Apart from ``file`` and ``hubfile``, which find it out in different ways.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from hubctl.explanation.evidence import Evidence, Proof
from hubctl.explanation.fleet import Fleet
from hubctl.explanation.trials import Making, Trials, what_makes
from hubctl.model.fleet import HubInputs
from hubctl.model.origin import Place
from hubctl.render import leaves, marks, scenes
from hubctl.render.leaves import Trail
from hubctl.render.marks import Line


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a rendered file.

    Attributes:
        trail: from the file's list of documents.
        line: of the template, None when it is not known.
        origins: never empty.
        more: how many other spokes lead to the same value, beside those in ``origins``.
    """

    trail: Trail
    value: Any
    line: Line | None
    origins: tuple[Proof, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rendered file, explained.

    Attributes:
        template: its name.
        documents: the file's objects; none when it is not made.
        leaves: those that were asked for, in the file's order.
        because: for each object, the inputs that decide whether there is one; the only entry of a file that is not made
            has those that would make it.
    """

    template: str
    documents: tuple[Any, ...]
    leaves: tuple[Leaf, ...]
    because: tuple[tuple[Proof, ...], ...]


Wanted = Callable[[Collection[Any]], Collection[Trail]]
"""Which values of a file's objects are asked for."""


def every(documents: Collection[Any]) -> Collection[Trail]:
    """All of them."""
    return [trail for trail, _ in leaves.leaves(list(documents))] if documents else []


def making_of(fleet: Fleet, file: str, prefix: str, inputs: HubInputs, subject: str) -> Making | None:
    """How a file comes to be; None when no template makes it.

    Raises:
        TemplateError: a template failed.
        InputError: the hub's manifests lack an input.
    """
    template = scenes.template_of(file, prefix, inputs, fleet.templates, subject)
    return Making(fleet.templates, template, file, prefix, subject) if template else None


def unmade(fleet: Fleet, trials: Trials) -> Explanation:
    """Of a file whose template renders to nothing, which inputs would make it.

    Raises:
        InputError: a file cannot be read any more.
    """
    return Explanation(trials.making.template, (), (), (what_makes(trials, fleet.changes(trials.world)),))


def lines_of(fleet: Fleet, trials: Trials) -> dict[Trail, Line]:
    """Which line of which template wrote each value of a file.

    Raises:
        TemplateError: the template failed.
    """
    making = trials.making
    scene = making.scene(trials.inputs)
    if scene is None:
        return {}
    marked = fleet.marked.render(making.template, scene, making.subject)
    return marks.lines_of(marks.read(marked, trials.text, fleet.marking))


def leaf_of(found: Evidence, line: Line | None, trail: Trail) -> Leaf:
    """One value with what was found of it: what nothing tells stands in the template."""
    origins = found.of(trail)
    if not found.told(trail):
        origins = (Proof(Place("template"), "value"), *origins)
    return Leaf(trail, found.before[trail], line, origins)
