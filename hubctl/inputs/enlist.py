"""Spokes in force to spokes that are checked: what the hub says of each, refined by its cluster file.

Pure. A file's keys win; what it leaves out is the hub's word. Apart from ``discover``, which says which spokes there
are, and knows no files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hubctl.errors import InputError
from hubctl.inputs import explain, references, settle, steps
from hubctl.inputs.document import Document, refuse
from hubctl.model.cluster import Spoke
from hubctl.model.inventory import Inventory, Member
from hubctl.model.values import HubValues

ASSUMED = {"platform": "kubernetes", "version": "0.0"}
"""Stands in while a file is checked that leaves to the hub what a spoke must have."""

Read = tuple[Document, Spoke]
"""A document that describes a spoke, and what it says."""


@dataclass(frozen=True, slots=True)
class Enlisted:
    """The spokes of the fleet.

    Attributes:
        read: with their documents, sorted by name.
        warnings: for people.
        refused: name to why, of new ones that do not fit.
    """

    read: tuple[Read, ...]
    warnings: tuple[str, ...]
    refused: Mapping[str, str]


def said(document: Document) -> Spoke:
    """A cluster file that may leave platform and version to the hub.

    Raises:
        InputError: another key is wrong.
    """
    return explain.check(Spoke, _filled(document, ASSUMED, {}))


def is_whole(document: Document) -> bool:
    """Whether a cluster file alone makes a spoke."""
    spec = document.data.get("spec")
    return isinstance(spec, dict) and all(spec.get(key) is not None for key in ASSUMED)


def enlist(values: HubValues, files: Sequence[Document], inventory: Inventory, joined: Sequence[str] = ()) -> Enlisted:
    """The spokes of the fleet.

    Args:
        values: of the hub.
        files: the cluster files, each read without problem.
        inventory: in force.
        joined: new in this look: one of these that does not fit is reported and left out, as nobody relies on it yet.

    Raises:
        InputError: a spoke that was one before does not fit any more, or a file is wrong with what the hub says.
    """
    by_name = {said(document).metadata.name: document for document in files}
    found: list[Read] = []
    warnings: list[str] = []
    problems: list[InputError] = []
    refused: dict[str, str] = {}
    new = frozenset(joined)
    for member in inventory.members:
        document = by_name.pop(member.name, None)
        made, wrong = _checked(values, document or _document(member), member)
        if wrong and document is None and member.name in new:
            refused[member.name] = f"is not rendered: {wrong[0].message}"
            warnings.append(f"{member.origin} {refused[member.name]}")
        elif wrong:
            problems += wrong
        elif made and not made[1].spec.exclude:
            found.append(made)
    for name, document in by_name.items():
        if said(document).spec.exclude:
            continue
        made, wrong = _checked(values, document, None)
        problems += wrong
        if made and values.hubctl.fleet.source == "both" and is_whole(document):
            found.append(made)
        elif not wrong:
            warnings.append(_unlisted(values, document, name, inventory))
    refuse(problems)
    found.sort(key=lambda one: one[1].metadata.name)
    return Enlisted(tuple(found), (*warnings, *_modelless(values, found)), refused)


def _checked(values: HubValues, document: Document, member: Member | None) -> tuple[Read | None, list[InputError]]:
    try:
        facts = _facts(member) if member else ASSUMED
        spoke = explain.check(Spoke, _filled(document, facts, member.labels if member else {}))
    except InputError as error:
        return None, [error]
    if spoke.spec.exclude or (member is None and not is_whole(document)):
        return (document, spoke), []
    read = [(document, spoke)]
    return (document, spoke), [*references.check(values, read), *steps.untaken(values, read)]


def _facts(member: Member) -> dict[str, str]:
    facts = {"platform": member.platform, "version": member.version, "topology": member.topology}
    return {key: value for key, value in facts.items() if value}


def _document(member: Member) -> Document:
    """What stands for the file of a spoke that has none."""
    data = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": member.name}, "spec": {}}
    return Document(member.origin, data, {}, {})


def _filled(document: Document, facts: Mapping[str, str], labels: Mapping[str, str]) -> Document:
    """The document with what it leaves out."""
    data = dict(document.data)
    spec, metadata = data.get("spec"), data.get("metadata")
    if spec is None or isinstance(spec, dict):
        data["spec"] = {**facts, **{key: value for key, value in (spec or {}).items() if value is not None}}
    if labels and isinstance(metadata, dict):
        own: Any = metadata.get("labels") or {}
        data["metadata"] = {**metadata, "labels": {**labels, **own} if isinstance(own, dict) else own}
    return replace(document, data=data)


def _unlisted(values: HubValues, document: Document, name: str, inventory: Inventory) -> str:
    if why := inventory.left_out.get(name):
        why = f"ManagedCluster {name}: {why}"
    elif values.hubctl.fleet.source == "both":
        why = "the hub has no such ManagedCluster, and the file does not say platform and version"
    else:
        why = "the hub has no such ManagedCluster"
    return f"{document.name} makes no spoke: {why}"


def _modelless(values: HubValues, found: Sequence[Read]) -> list[str]:
    names = [spoke.metadata.name for document, spoke in found if not settle.models_of(values, spoke)]
    if not names:
        return []
    named = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - fits a line
    return [f"no model is served by {named}; name models under serve of a group that matches, or in a cluster file"]
