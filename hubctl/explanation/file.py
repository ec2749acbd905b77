"""A rendered file, explained; a spoke's from its own inputs, one of the hub's by ``hubfile``."""

from collections.abc import Callable

from hubctl.explanation.fleet import Fleet
from hubctl.explanation.found import Explanation, Wanted, every, leaf_of, lines_of, making_of, unmade
from hubctl.explanation.hubfile import HubFile
from hubctl.explanation.trials import Trials, explain
from hubctl.model import tree as folders
from hubctl.render import scenes


def explain_file(
    fleet: Fleet, path: str, wanted: Wanted = every, advance: Callable[[], None] = lambda: None
) -> Explanation | None:
    """How a file came to be; None when no template makes it.

    Args:
        fleet: what is rendered.
        path: below the rendered folder, such as ``spokes/edge-a/storage.yaml``.
        wanted: which values.
        advance: called with each spoke that has been looked at for a file of the hub, for progress.

    Raises:
        TemplateError: a template failed.
        InputError: a file is wrong, or the hub's manifests lack an input.
    """
    folder, _, file = path.rpartition("/")
    if folder == folders.HUB:
        return HubFile(fleet, file, wanted, advance).explained()
    name = spoke_of(path)
    return _of_spoke(fleet, name, file, wanted) if name in fleet.names else None


def spoke_of(path: str) -> str:
    """The spoke of a file such as ``spokes/edge-a/storage.yaml``; empty for others."""
    folder, _, _ = path.rpartition("/")
    name = folder.removeprefix(f"{folders.SPOKES}/")
    return name if folder == f"{folders.SPOKES}/{name}" else ""


def _of_spoke(fleet: Fleet, name: str, file: str, wanted: Wanted) -> Explanation | None:
    world = fleet.world(name)
    making = making_of(fleet, file, "spoke/", world.inputs(), f"spoke {name}")
    if making is None:
        return None
    trials = Trials(world, making)
    if not trials.documents:
        return unmade(fleet, trials)
    lines, asked = lines_of(fleet, trials), wanted(trials.documents)
    found = explain(trials, fleet.changes(world), lines, asked)
    return Explanation(
        template=making.template,
        documents=tuple(trials.documents),
        leaves=tuple(leaf_of(found, lines.get(trail), trail) for trail in asked),
        because=tuple(found.of_object(index) for index in range(len(trials.documents))),
    )


def paths(fleet: Fleet, folder: str) -> tuple[str, ...]:
    """The files that are made in a folder, such as ``hub`` or ``spokes/edge-a``; none in one that there is not.

    Raises:
        TemplateError: a template failed.
        InputError: the hub's manifests lack an input.
    """
    if folder == folders.HUB:
        return scenes.files(fleet.inputs(), fleet.templates, "hub/")
    return scenes.files(fleet.world(spoke_of(f"{folder}/")).inputs(), fleet.templates, "spoke/")
