"""Clusters found elsewhere against the cluster files: which are new, which say something else, which cannot be taken.

Pure: files come in as text and go out as text. What a file says beyond what was found is its owner's and stays; of a
version only major and minor count, for the rest changes with each patch.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from hubctl.errors import InputError
from hubctl.inputs import edit, enlist, explain, splice
from hubctl.inputs.document import Document, Trail, dotted, parse
from hubctl.model.base import ClusterName
from hubctl.model.cluster import Spoke
from hubctl.model.found import Found, minor, outdated
from hubctl.model.spelling import nearest

SERVER = "hubctl.io/api-server"
"""Annotation with the URL of a cluster's API server; for people, as Argo CD knows clusters by name."""

Status = Literal["new", "unchanged", "differs", "updated", "refused"]

_NAME: TypeAdapter[str] = TypeAdapter(ClusterName)


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that a cluster file and its source say differently; ``said`` is None where the file says nothing."""

    trail: Trail
    said: str | None
    found: str

    @property
    def field(self) -> str:
        """The path in the file."""
        return dotted(self.trail)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What becomes of one cluster found.

    Attributes:
        file: the cluster file, relative to the folder of the inputs.
        before: its text; None when there is none.
        after: its new text; None when nothing is to be written.
        notes: what a person should know.
        hint: of a refusal.
    """

    found: Found
    status: Status
    file: str
    differences: tuple[Difference, ...] = ()
    before: str | None = None
    after: str | None = None
    notes: tuple[str, ...] = ()
    hint: str = ""


def without(found: Sequence[Found], names: Iterable[str]) -> tuple[Found, ...]:
    """The clusters but for some.

    Raises:
        InputError: no cluster of that name was found.
    """
    left_out = [_known_name("--skip", name, found) for name in names]
    return tuple(one for one in found if one.name not in left_out)


def renamed(found: Sequence[Found], names: Mapping[str, str]) -> tuple[Found, ...]:
    """The same clusters under the names that a person gives them.

    Raises:
        InputError: no cluster of that name was found.
    """
    wanted = {_known_name("--rename", name, found): to for name, to in names.items()}
    return tuple(replace(one, name=wanted.get(one.name, one.name)) for one in found)


def adopt(
    found: Sequence[Found],
    spokes: Mapping[str, tuple[str, Spoke]],
    texts: Mapping[str, str],
    *,
    models: Mapping[str, str],
    update: bool,
) -> tuple[Adoption, ...]:
    """What becomes of each cluster, in their order.

    Args:
        found: checked for names and problems here.
        spokes: name to file and content, of the spokes there are.
        texts: file to its text, of every file of ``spokes``.
        models: name to version, of what a new spoke serves.
        update: whether a file that says something else is edited.
    """
    counts = Counter(one.name for one in found)
    made = []
    for one in found:
        file, spoke = spokes.get(one.name, (f"clusters/{one.name}.yaml", None))
        if refusal := _refusal(one, counts[one.name], new=spoke is None):
            problem, hint = refusal
            made.append(Adoption(one, "refused", file if spoke else "", notes=(problem,), hint=hint))
        elif spoke is None:
            made.append(_new(one, file, models))
        else:
            made.append(_known(one, file, spoke, texts[file], update=update))
    return tuple(made)


def _known_name(flag: str, name: str, found: Sequence[Found]) -> str:
    known = [one.name for one in found]
    if name not in known:
        names = ", ".join(known) or "none"
        raise InputError(f"{flag}: found no {name!r}, expected one of {names}", hint=nearest(name, known))
    return name


def _refusal(found: Found, count: int, *, new: bool) -> tuple[str, str] | None:
    """Why a cluster cannot be a spoke, and what to do; None when it can."""
    if found.problem:
        return (
            found.problem,
            "try it with kubectl, or leave it out with --skip"
            if found.silent
            else "mend it there, or leave it out with --skip",
        )
    try:
        _NAME.validate_python(found.name)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        expected = explain.PATTERNS.get(details.get("ctx", {}).get("pattern", ""), "63 characters at most")
        hint = f"name it with --rename '{found.name}=NAME'"
        return f"found {explain.shown(found.name)} as a name, expected {expected}", hint
    if count > 1:
        return f"{count} clusters are called {found.name}", "name them apart with --rename, or choose one"
    if new and not (found.platform and found.version):
        missing = " and ".join(word for word in ("platform", "version") if not getattr(found, word))
        return f"its {missing} are not known", "ask it with --probe, or say it with --platform and --version"
    return None


def _new(found: Found, file: str, models: Mapping[str, str]) -> Adoption:
    text = edit.new_cluster(
        found.name, platform=found.platform, version=found.version, topology=found.topology or "ha", models=models
    )
    if found.labels:
        text = splice.put(text, file, ("metadata", "labels"), dict(found.labels))
    if found.server:
        text = splice.put(text, file, ("metadata", "annotations"), {SERVER: found.server})
    explain.check(Spoke, parse(text, file))
    notes = _notes(found, found.topology)
    return Adoption(found, "new", file, after=text, notes=notes)


def _known(found: Found, file: str, spoke: Spoke, text: str, *, update: bool) -> Adoption:
    differences = tuple(_differences(found, spoke, parse(text, file)))
    notes = _notes(found, spoke.spec.topology)
    if not differences:
        return Adoption(found, "unchanged", file, before=text, notes=notes)
    if not update:
        return Adoption(found, "differs", file, differences, before=text, notes=notes)
    after = text
    for one in differences:
        change = splice.put if one.said is None else splice.replace
        after = change(after, file, one.trail, one.found)
    enlist.said(parse(after, file))
    return Adoption(found, "updated", file, differences, before=text, after=after, notes=notes)


def _differences(found: Found, spoke: Spoke, document: Document) -> Iterable[Difference]:
    """What a file says otherwise, or does not say; where the hub names the spokes, it need not say much."""
    spec = spoke.spec
    pairs = (
        ("platform", spec.platform, found.platform, spec.platform),
        ("version", spec.version, found.version, minor(spec.version)),
        ("topology", spec.topology, found.topology, spec.topology),
    )
    for key, written, told, counts in pairs:
        there = ("spec", key) in document.places
        if told and (told != counts or (not there and key != "topology")):
            yield Difference(("spec", key), written if there else None, told)
    for key, value in found.labels.items():
        if spoke.metadata.labels.get(key) != value:
            yield Difference(("metadata", "labels", key), spoke.metadata.labels.get(key), value)
    server = spoke.metadata.annotations.get(SERVER)
    if found.server and found.server != server:
        yield Difference(("metadata", "annotations", SERVER), server, found.server)


def _notes(found: Found, topology: str) -> tuple[str, ...]:
    old = outdated(found.platform, found.version)
    assumed = () if topology else ("topology ha is assumed, nothing says it",)
    return (*((old,) if old else ()), *found.notes, *assumed)
