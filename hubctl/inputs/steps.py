"""Checks of a rolling sync's steps against the groups and spokes of the fleet: every spoke takes one, none is empty.

Pure. Apart from ``references``, because they need the whole fleet at once. Argo CD itself says nothing when a spoke has
no step.
"""

from collections.abc import Iterator, Sequence

from hubctl.errors import InputError
from hubctl.inputs import settle
from hubctl.inputs.document import Document, Trail
from hubctl.model.cluster import Spoke
from hubctl.model.spelling import nearest
from hubctl.model.values import HubctlSection, HubValues

_STEPS: Trail = ("hubctl", "delivery", "strategy", "steps")


def groups(section: HubctlSection, document: Document) -> list[InputError]:
    """Steps name groups that there are."""
    known = [group.name for group in section.groups]
    return [
        InputError(
            f"found {step.group!r}, expected a group of hubctl.groups: {', '.join(known) or 'none'}",
            where=document.where((*_STEPS, index, "group")),
            hint=nearest(step.group, known) or "add the group, or select spokes by their labels with match",
        )
        for index, step in enumerate(section.delivery.strategy.steps)
        if step.group is not None and step.group not in known
    ]


def untaken(values: HubValues, spokes: Sequence[tuple[Document, Spoke]]) -> list[InputError]:
    """Spokes that no step takes, which Argo CD would leave as they are for ever."""
    if not values.hubctl.delivery.strategy.rolling:
        return []
    return [
        InputError(
            f"no step of hubctl.delivery.strategy takes {spoke.metadata.name}, and Argo CD would never sync it",
            where=document.where(("metadata", "labels")),
            hint="give it labels that a step selects, or end the steps with `- name: rest`, which takes all others",
        )
        for document, spoke in spokes
        if not _step_of(values, spoke)
    ]


def idle(values: HubValues, spokes: Sequence[Spoke]) -> list[str]:
    """Warnings about steps that nothing waits for: no spoke takes them, or none of one platform."""
    taken: dict[str, set[str]] = {}
    for spoke in spokes:
        taken.setdefault(spoke.spec.platform, set()).add(_step_of(values, spoke))
    everywhere = set().union(*taken.values())
    names = [step.name or "" for step in values.hubctl.delivery.strategy.steps]
    found = [
        f"step {name!r} of hubctl.delivery.strategy takes no spoke"
        for name in names
        if spokes and name not in everywhere
    ]
    used = [name for name in names if name in everywhere]
    return found + [text for platform in sorted(taken) for text in _skipped(platform, used, taken[platform])]


def _skipped(platform: str, used: Sequence[str], taken: set[str]) -> Iterator[str]:
    """Each platform has an ApplicationSet of its own, which does not wait for another one's steps."""
    own = [name for name in used if name in taken]
    for number, name in enumerate(used):
        after = next((later for later in used[number + 1 :] if later in own), "")
        if name not in own and after:
            yield (
                f"step {name!r} has no spoke of platform {platform}: its ApplicationSet goes on to step {after!r} "
                "without waiting for the other platform"
            )


def _step_of(values: HubValues, spoke: Spoke) -> str:
    names = [group.name for group in settle.groups_of(values, spoke)]
    return values.hubctl.delivery.strategy.step_of(spoke.metadata.labels, names)
