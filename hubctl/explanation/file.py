"""A rendered file, explained: a spoke's from its own inputs; the hub's one spoke at a time.

What the hub's files say of one spoke is made from that spoke's inputs alone, and what several spokes lead to no single
input could change. So a value of the hub's is explained in fleets of one spoke each, those in which it is made too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubctl.explanation.evidence import Evidence, Proof
from hubctl.explanation.fleet import Fleet
from hubctl.explanation.trials import Making, Trials, explain, explain_again
from hubctl.model import tree as folders
from hubctl.model.origin import Place
from hubctl.render import leaves, marks, tree
from hubctl.render.leaves import Trail
from hubctl.render.marks import Line

SPOKES_SHOWN = 3
"""Spokes that a value of the hub's is explained by, of those that lead to it."""


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
    return [trail for trail, _ in leaves.leaves(list(documents))]


def explain_file(
    fleet: Fleet, path: str, wanted: Wanted = every, advance: Callable[[], None] = lambda: None
) -> Explanation | None:
    """How a file came to be; None when no template makes it.

    Args:
        fleet: what is rendered.
        path: below the rendered folder, such as ``spokes/edge-a/storage.yaml``.
        wanted: which values.
        advance: called with each spoke that has been looked at, for progress.

    Raises:
        TemplateError: a template failed.
        InputError: a file is wrong, or the hub's manifests lack an input.
    """
    folder, _, file = path.rpartition("/")
    name = folder.removeprefix(f"{folders.SPOKES}/")
    if folder == folders.HUB:
        return _HubFile(fleet, file, wanted, advance).explained()
    if folder != f"{folders.SPOKES}/{name}" or name not in fleet.names():
        return None
    world = fleet.world(name)
    making = _making(fleet, file, "spoke/", Trials(world, _unknown(fleet, "spoke/", f"spoke {name}")).seen)
    if making is None:
        return None
    trials = Trials(world, replace(making, subject=f"spoke {name}"))
    lines = lines_of(fleet, trials)
    asked = wanted(trials.documents)
    found = explain(trials, fleet.changes(world), lines, asked)
    return Explanation(
        template=making.template,
        documents=tuple(trials.documents),
        leaves=tuple(_leaf(found, lines, trail) for trail in asked),
        because=_because(found, trials),
    )


def lines_of(fleet: Fleet, trials: Trials) -> dict[Trail, Line]:
    """Which line of which template wrote each value of a file."""
    making = trials.making
    scenes = tree.scenes(making.template, making.prefix, making.templates, trials.seen, making.subject)
    scene = next((scene for file, scene in scenes if file == making.file), None)
    if scene is None:
        return {}
    plain, marked = (one.render(making.template, scene, making.subject) for one in (making.templates, fleet.marked))
    return marks.lines_of(marks.read(marked, plain, fleet.marking))


def _unknown(fleet: Fleet, prefix: str, subject: str) -> Making:
    """Enough to see what templates see, before it is known which one makes the file."""
    return Making(fleet.templates, "", "", prefix, subject)


def _making(fleet: Fleet, file: str, prefix: str, seen: Mapping[str, Any]) -> Making | None:
    subject = prefix.removesuffix("/")
    template = tree.template_of(file, prefix, fleet.templates, seen, subject)
    return Making(fleet.templates, template, file, prefix, subject) if template else None


def _leaf(found: Evidence, lines: Mapping[Trail, Line], trail: Trail) -> Leaf:
    origins = found.of(trail)
    if not any(proof.role == "value" for proof in origins) and not found.told(trail):
        origins = (Proof(Place("template"), "value"), *origins)
    return Leaf(trail, found.before[trail], lines.get(trail), origins)


def _because(found: Evidence, trials: Trials) -> tuple[tuple[Proof, ...], ...]:
    if not trials.documents:
        return (tuple(proof for _, proof in found.proofs.get((), {}).values()),)
    return tuple(tuple(found.objects.get(index, {}).values()) for index in range(len(trials.documents)))


@dataclass
class _HubFile:
    """One file of the hub's, explained spoke by spoke."""

    fleet: Fleet
    file: str
    wanted: Wanted
    advance: Callable[[], None]
    origins: dict[Trail, list[Proof]] = field(default_factory=dict)
    several: dict[Trail, int] = field(default_factory=dict)
    settled: set[Trail] = field(default_factory=set)
    because: dict[int, list[Proof]] = field(default_factory=dict)
    hot: set[Any] = field(default_factory=set)

    def explained(self) -> Explanation | None:
        """The explanation; None when no template makes the file."""
        inputs = self.fleet.inputs()
        unknown = _unknown(self.fleet, "hub/", "hub")
        making = _making(self.fleet, self.file, "hub/", unknown.seen(inputs))
        if making is None:
            return None
        whole = Trials(self.fleet.world(None), making)
        whole.seen = making.seen(inputs)
        lines = lines_of(self.fleet, whole)
        asked = self.wanted(whole.documents)
        for name in self.fleet.names() or (None,):
            self._look(Trials(self.fleet.world(name), making), whole.documents, asked, lines)
            self.advance()
        return Explanation(
            template=making.template,
            documents=tuple(whole.documents),
            leaves=tuple(self._leaf(whole.documents, trail, lines) for trail in asked),
            because=tuple(tuple(self.because.get(index, ())) for index in range(max(1, len(whole.documents)))),
        )

    def _look(self, alone: Trials, documents: list[Any], asked: Collection[Trail], lines: Mapping[Trail, Line]) -> None:
        """Explain what a fleet of this spoke alone makes too."""
        mine = {trail: here for trail, here in self._made_alone(alone, documents) if trail in asked}
        open_ones = {trail: here for trail, here in mine.items() if trail not in self.settled}
        for trail in open_ones:
            self.several[trail] = self.several.get(trail, 0) + 1
        needed = {trail: here for trail, here in open_ones.items() if self.several[trail] <= SPOKES_SHOWN}
        if not needed:
            return
        here_lines = {here: lines[trail] for trail, here in needed.items() if trail in lines}
        changes = self.fleet.changes(alone.world)
        found = explain_again(alone, changes, here_lines, tuple(needed.values()), self.hot)
        sources = {source for source, _ in alone.world.spokes} | {"", *self._override_files(alone)}
        for trail, here in needed.items():
            leaf = _leaf(found, here_lines, here)
            known = self.origins.setdefault(trail, [])
            known += [proof for proof in leaf.origins if proof.place not in {one.place for one in known}]
            if not any(proof.place.file in sources - {""} for proof in leaf.origins):
                self.settled.add(trail)
        for index, reasons in ((trail[0], found.objects.get(here[0], {})) for trail, here in needed.items()):
            self.because.setdefault(index, list(reasons.values()))

    def _override_files(self, alone: Trials) -> Iterator[str]:
        folder = self.fleet.sources.values.hubctl.gitops.overrides
        yield from (f"{folder}/{file}" for file, _ in alone.world.overrides)

    def _made_alone(self, alone: Trials, documents: list[Any]) -> Iterator[tuple[Trail, Trail]]:
        """The whole file's values that the spoke alone leads to, and where they stand then."""
        whole = dict(leaves.leaves(documents))
        for trail, value, here in leaves.paired(documents, alone.documents):
            if here and leaves.same(whole[trail], value):
                yield trail, here

    def _leaf(self, documents: list[Any], trail: Trail, lines: Mapping[Trail, Line]) -> Leaf:
        value = dict(leaves.leaves(documents))[trail]
        proofs = self.origins.get(trail)
        if proofs is None:
            # Only all spokes together make it, such as their number.
            proofs = [Proof(Place("fleet"), "decides")]
        more = 0 if trail in self.settled else max(0, self.several.get(trail, 0) - SPOKES_SHOWN)
        return Leaf(trail, value, lines.get(trail), tuple(proofs), more)
