"""values-hub.yaml, clusters/ and overrides/ to HubInputs; every problem of every file in one error.

The only module that reads the fleet's files, with ``hubfile`` for the one of the hub.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubctl.errors import InputError
from hubctl.inputs import enlist, explain, golden, hubfile, idle, merge, plain, references, steps
from hubctl.inputs.document import Document, parse, refuse
from hubctl.inputs.golden import Recorded
from hubctl.model import spelling
from hubctl.model.cluster import Spoke
from hubctl.model.credential import NotCredential
from hubctl.model.fleet import HubInputs
from hubctl.model.inventory import Inventory
from hubctl.model.remediation import Override
from hubctl.model.tree import OVERRIDES_SUFFIX
from hubctl.model.values import HubValues
from hubctl.settings import Settings

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Sources:
    """What the hub's values and the cluster files say, checked; overrides are merged into it any number of times.

    Attributes:
        spokes: file and content, sorted by file.
        warnings: of reading; those of merging come later.
        overrides: the folder's own, by file name, where they count and not the branch's; else None.
        files: the cluster files, where they refine what the hub says; ``spokes`` are empty until it has said it.
        inventory: the spokes that the hub named; None where it is not asked, or was not yet.
        golden: the golden rows of the models that have any, by model.
    """

    values: HubValues
    spokes: tuple[tuple[str, Spoke], ...]
    warnings: tuple[str, ...] = ()
    overrides: Mapping[str, bytes] | None = None
    files: tuple[Document, ...] = ()
    inventory: Inventory | None = None
    golden: Mapping[str, Recorded] = field(default_factory=dict)

    @property
    def described(self) -> tuple[tuple[str, Spoke], ...]:
        """File and content of every cluster file; what it leaves to the hub is assumed."""
        if not self.values.hubctl.fleet.discovers:
            return self.spokes
        return tuple((document.name, enlist.said(document)) for document in self.files)

    @property
    def is_whole(self) -> bool:
        """Whether it is known which spokes there are."""
        return self.inventory is not None or not self.values.hubctl.fleet.discovers


def load_inputs(
    settings: Settings,
    overrides: Mapping[str, bytes] | None = None,
    *,
    discover: Callable[[Sources], Sources] | None = None,
) -> HubInputs:
    """Everything a pass reads from files.

    Args:
        settings: where the files are.
        overrides: file name to bytes, as the published branch has them; None reads the folder on disk.
        discover: adds the spokes that the hub names, where the values say that it does.

    Raises:
        InputError: a file is wrong; all other problems of the run are in ``also``.
    """
    problems: list[InputError] = []
    sources = _sources(settings, problems)
    folder = sources.values.hubctl.gitops.overrides
    found: tuple[tuple[str, Override], ...] = ()
    try:
        files = read_overrides(settings, folder) if overrides is None else overrides
        found = parse_overrides(files, folder, sources.values.hubctl.not_credentials)
    except InputError as error:
        problems.append(error)
    refuse(problems)
    return _assemble(discover(sources) if discover else sources, found)


def enlisted(sources: Sources, inventory: Inventory, joined: Sequence[str] = (), only: str | None = None) -> Sources:
    """The sources with the spokes that the hub names.

    Args:
        sources: as they were read.
        inventory: in force.
        joined: as ``enlist`` takes it.
        only: a spoke; the others are left alone, and nothing is said about the fleet as a whole.

    Raises:
        InputError: a spoke does not fit.
    """
    asked = inventory
    if only is not None:
        asked = replace(inventory, members=tuple(one for one in inventory.members if one.name == only))
    found = enlist.enlist(sources.values, sources.files, asked, joined)
    spokes = tuple((document.name, spoke) for document, spoke in found.read)
    warnings = (*sources.warnings, *found.warnings, *_of_fleet(sources.values, found.read))
    members = tuple(one for one in inventory.members if one.name not in found.refused)
    left_out = {**inventory.left_out, **found.refused}
    admitted = replace(inventory, members=members, left_out=left_out)
    return replace(sources, spokes=spokes, warnings=warnings, inventory=admitted)


def read_sources(settings: Settings, only: str | None = None) -> Sources:
    """The hub's values and the cluster files, without overrides.

    Args:
        settings: where the files are.
        only: a spoke; no other cluster file is read then, and nothing is said about the fleet as a whole.

    Raises:
        InputError: as :func:`load_inputs`.
    """
    problems: list[InputError] = []
    sources = _sources(settings, problems, only)
    refuse(problems)
    return sources


def reload(sources: Sources, overrides: Mapping[str, bytes]) -> HubInputs:
    """The inputs with other overrides, no file of the fleet read again.

    Raises:
        InputError: an override is wrong.
    """
    section = sources.values.hubctl
    return _assemble(sources, parse_overrides(overrides, section.gitops.overrides, section.not_credentials))


def parse_overrides(
    files: Mapping[str, bytes], folder: str = "overrides", marks: Sequence[NotCredential] = ()
) -> tuple[tuple[str, Override], ...]:
    """The overrides among some files, by file name, sorted; hidden files and other suffixes are left alone.

    Raises:
        InputError: an override is wrong; ``where`` is ``folder/name:line field``.
    """
    problems: list[InputError] = []
    found = []
    for name in sorted(files):
        if name.startswith(".") or not name.endswith(OVERRIDES_SUFFIX):
            continue
        try:
            document = plain.marked(parse(files[name], f"{folder}/{name}"), marks)
            found.append((name, explain.check(Override, document)))
        except InputError as error:
            problems.append(error)
    refuse(problems)
    return tuple(found)


def read_overrides(settings: Settings, folder: str) -> dict[str, bytes]:
    """The files in the overrides folder on disk; none when there is no folder.

    Raises:
        InputError: the folder or a file cannot be read.
    """
    paths = [path for path in _files(settings, folder) if path.name.endswith(OVERRIDES_SUFFIX)]
    return {path.name: hubfile.read_file(path, f"{folder}/{path.name}") for path in paths}


def read_document(settings: Settings, name: str) -> Document:
    """The text of one file of the inputs, by its name in the folder, with its lines.

    Raises:
        InputError: it cannot be read.
    """
    return parse(hubfile.read_file(settings.directory / name, name), name)


def _assemble(sources: Sources, overrides: tuple[tuple[str, Override], ...]) -> HubInputs:
    if not sources.is_whole:
        raise InputError(
            "the hub says which spokes there are, and it was not asked",
            where=f"values-hub.yaml hubctl.fleet.source {sources.values.hubctl.fleet.source}",
            hint="run where the hub's API can be reached: see HUBCTL_KUBECONFIG in docs/configuration.md",
        )
    inputs = golden.with_golden(merge.assemble(sources.values, sources.spokes, overrides), sources.golden)
    return replace(inputs, warnings=(*sources.warnings, *inputs.warnings))


def _sources(settings: Settings, problems: list[InputError], only: str | None = None) -> Sources:
    """Both kinds of files; problems are added to the list, and what stands in for a broken file is empty."""
    warnings: list[str] = []
    before = len(problems)
    values, hub = hubfile.values_of(settings, problems, warnings)
    readable = len(problems) == before
    recorded = golden.read_all(settings, values, problems, warnings) if readable else {}
    marks = values.hubctl.not_credentials
    discovers = values.hubctl.fleet.discovers
    read = _spokes(settings, problems, warnings, marks, only, discovers=discovers)
    problems += references.names(read)
    warnings += plain.idle(marks, [hub, *(document for document, _ in read)], hub) if hub and readable else []
    files: tuple[Document, ...] = ()
    if discovers:
        files, read = tuple(document for document, _ in read), []
    # Against a registry that could not be read every model would be unknown.
    elif readable:
        problems += references.check(values, read)
        problems += steps.untaken(values, read)
        warnings += _of_fleet(values, read)
    spokes = tuple((document.name, spoke) for document, spoke in read)
    found = Sources(
        hubfile.with_remote(values, settings.remote, problems), spokes, tuple(warnings), files=files, golden=recorded
    )
    if not values.hubctl.gitops.publishing.hydrates:
        return found
    try:
        return replace(found, overrides=read_overrides(settings, values.hubctl.gitops.overrides))
    except InputError as error:
        problems.append(error)
        return found


def _of_fleet(values: HubValues, read: Sequence[tuple[Document, Spoke]]) -> list[str]:
    """Warnings about the fleet as a whole."""
    return [*idle.of_fleet(values, read), *steps.idle(values, [spoke for _, spoke in read])]


def _files(settings: Settings, folder: str) -> list[Path]:
    """The files in a folder, hidden ones left out, sorted; a folder that cannot be listed is never an empty one."""
    try:
        found = [path for path in (settings.directory / folder).iterdir() if path.is_file()]
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = "check that it is a folder that may be read"
        raise InputError(f"cannot list it: {error.strerror}", where=f"{folder}/", hint=hint) from None
    return sorted(path for path in found if not path.name.startswith("."))


def _spokes(
    settings: Settings,
    problems: list[InputError],
    warnings: list[str],
    marks: Sequence[NotCredential],
    only: str | None,
    *,
    discovers: bool,
) -> list[tuple[Document, Spoke]]:
    """Every cluster file that can be read, by file name; where the hub names the spokes, excluding ones too."""
    try:
        paths = [path for path in _files(settings, "clusters") if only in (None, path.stem)]
    except InputError as error:
        problems.append(error)
        return []
    found = []
    for path in paths:
        name = f"clusters/{path.name}"
        if path.suffix not in _SUFFIXES:
            if spelling.nearest(path.suffix, _SUFFIXES):
                warnings.append(f"{name} is ignored; expected a name that ends with .yaml")
            continue
        try:
            document = plain.marked(parse(hubfile.read_file(path, name), name), marks)
            spoke = enlist.said(document) if discovers else explain.check(Spoke, document)
            if discovers or not spoke.spec.exclude:
                found.append((document, spoke))
        except InputError as error:
            problems.append(error)
    # With problems, the spokes may only be unreadable; then nothing is said about their number.
    if not found and not problems and not discovers:
        warnings.append("clusters/ holds no spoke; add one with `hubctl clusters add NAME`")
    return found
