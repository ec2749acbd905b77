"""values-hub.yaml, clusters/ and overrides/ to HubInputs; every problem of every file in one error.

The only module that reads the fleet's files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubctl.errors import InputError
from hubctl.inputs import explain, idle, merge, plain, references, steps, surroundings
from hubctl.inputs.document import Document, parse, refuse
from hubctl.model import spelling
from hubctl.model.cluster import Spoke
from hubctl.model.credential import NotCredential
from hubctl.model.fleet import HubInputs
from hubctl.model.registry import KServe
from hubctl.model.remediation import Override
from hubctl.model.tree import OVERRIDES_SUFFIX
from hubctl.model.values import HubctlSection, HubValues
from hubctl.settings import Settings

SECTIONS = ("coordinationEngine", "hubctl")
"""The top-level keys of a values file that hubctl reads."""

_OURS = {"coordinationEngine": ("kserve",), "hubctl": ()}
"""The same, each with the keys in it that are ours; none: all of them."""

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Sources:
    """What the hub's values and the cluster files say, checked; overrides are merged into it any number of times.

    Attributes:
        spokes: file and content, sorted by file.
        warnings: of reading; those of merging come later.
        overrides: the folder's own, by file name, where they count and not the branch's; else None.
    """

    values: HubValues
    spokes: tuple[tuple[str, Spoke], ...]
    warnings: tuple[str, ...] = ()
    overrides: Mapping[str, bytes] | None = None


def load_inputs(settings: Settings, overrides: Mapping[str, bytes] | None = None) -> HubInputs:
    """Everything a pass reads from files.

    Args:
        settings: where the files are.
        overrides: file name to bytes, as the published branch has them; None reads the folder on disk.

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
    return _assemble(sources, found)


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
    return {path.name: _read(path, f"{folder}/{path.name}") for path in paths}


def read_document(settings: Settings, name: str) -> Document:
    """The text of one file of the inputs, by its name in the folder, with its lines.

    Raises:
        InputError: it cannot be read.
    """
    return parse(_read(settings.directory / name, name), name)


def _assemble(sources: Sources, overrides: tuple[tuple[str, Override], ...]) -> HubInputs:
    inputs = merge.assemble(sources.values, sources.spokes, overrides)
    return replace(inputs, warnings=(*sources.warnings, *inputs.warnings))


def _sources(settings: Settings, problems: list[InputError], only: str | None = None) -> Sources:
    """Both kinds of files; problems are added to the list, and what stands in for a broken file is empty."""
    warnings: list[str] = []
    before = len(problems)
    values, hub = _values(settings, problems, warnings)
    readable = len(problems) == before
    marks = values.hubctl.not_credentials
    read = _spokes(settings, problems, warnings, marks, only)
    spokes = tuple((document.name, spoke) for document, spoke in read)
    # Against a registry that could not be read every model would be unknown.
    if readable:
        problems += references.check(values, read)
        problems += steps.untaken(values, read)
        warnings += idle.of_fleet(values, read)
        warnings += plain.idle(marks, [hub, *(document for document, _ in read)], hub) if hub else []
        warnings += steps.idle(values, [spoke for _, spoke in read])
    found = Sources(_with_remote(values, settings.remote, problems), spokes, tuple(warnings))
    if not values.hubctl.gitops.publishing.hydrates:
        return found
    try:
        return replace(found, overrides=read_overrides(settings, values.hubctl.gitops.overrides))
    except InputError as error:
        problems.append(error)
        return found


def _with_remote(values: HubValues, remote: str, problems: list[InputError]) -> HubValues:
    """The values with the run's own remote; Argo CD keeps reading the one that the file names."""
    if not remote:
        return values
    if explain.has_credentials(remote):
        message = f"found {explain.shown(remote)}, expected a URL without user and password"
        problems.append(InputError(message, where="HUBCTL_REMOTE", hint="use a Git credential helper"))
        return values
    gitops = values.hubctl.gitops
    changed = gitops.model_copy(update={"remote": remote, "repo_url": gitops.repo_url or gitops.remote})
    return values.model_copy(update={"hubctl": values.hubctl.model_copy(update={"gitops": changed})})


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


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=f"{name}:1", hint="check its permissions") from None


def _values(settings: Settings, problems: list[InputError], warnings: list[str]) -> tuple[HubValues, Document | None]:
    """Our two sections of values-hub.yaml, defaults where they are broken, and the file if it can be read."""
    path = settings.values_file
    if not path.is_file():
        problems.append(
            InputError(
                f"there is no {path.name} in {settings.directory}",
                where=path.name,
                hint="pass the folder that holds it with -C DIR, or run `hubctl init DIR`",
            )
        )
        return HubValues(), None
    try:
        document = plain.marked(parse(_read(path, path.name), path.name))
    except InputError as error:
        problems.append(error)
        return HubValues(), None
    warnings += _misspelt(document)
    wrong, doubtful = plain.others(document, _OURS)
    problems += wrong
    warnings += doubtful
    kserve, hubctl = KServe(), HubctlSection()
    try:
        kserve = _kserve(document)
    except InputError as error:
        problems.append(error)
    try:
        if document.data.get("hubctl") is not None:
            hubctl = explain.check(HubctlSection, document, ("hubctl",))
            problems += references.folders(hubctl, document)
            problems += steps.groups(hubctl, document)
    except InputError as error:
        problems.append(error)
    values = HubValues(kserve=kserve, hubctl=hubctl, engine=_has_engine(document))
    warnings += idle.of_hub(values, document)
    warnings += surroundings.too_long(kserve, document)
    try:
        values, unread = surroundings.merged(values, settings.kserve)
        warnings += unread
    except InputError as error:
        problems.append(error)
    return values, document


def _has_engine(document: Document) -> bool:
    """Whether the coordination engine runs on the hub; the key is the platform's, who may write other things there."""
    engine = document.data.get("coordinationEngine")
    return isinstance(engine, dict) and engine.get("enabled") is True


def _kserve(document: Document) -> KServe:
    """``coordinationEngine.kserve``; the retired ``mlService`` beside it is refused, other keys are left alone."""
    engine = document.data.get("coordinationEngine")
    if engine is None:
        return KServe()
    if not isinstance(engine, dict):
        raise InputError(
            f"found {explain.shown(engine)}, expected a mapping of `key: value` lines",
            where=document.where(("coordinationEngine",)),
        )
    problems = []
    if "mlService" in engine:
        problems.append(
            InputError(
                "mlService names a service that no platform ever deployed, expected coordinationEngine.kserve",
                where=document.where(("coordinationEngine", "mlService")),
                hint="run `hubctl migrate` to replace it with the KServe predictors",
            )
        )
    kserve = KServe()
    try:
        if engine.get("kserve") is not None:
            kserve = explain.check(KServe, document, ("coordinationEngine", "kserve"))
    except InputError as error:
        problems.append(error)
    refuse(problems)
    return kserve


def _misspelt(document: Document) -> list[str]:
    """Warnings for other people's keys that look like ours."""
    engine = document.data.get("coordinationEngine")
    levels = [((), document.data, SECTIONS), (("coordinationEngine",), engine, ("kserve", "mlService"))]
    return [
        f"{document.where((*trail, key))}: {key!r} is ignored; {hint}"
        for trail, level, ours in levels
        if isinstance(level, dict)
        for key in level
        if key not in ours and (hint := spelling.nearest(key, ours, cutoff=0.8))
    ]


def _spokes(
    settings: Settings,
    problems: list[InputError],
    warnings: list[str],
    marks: Sequence[NotCredential],
    only: str | None,
) -> list[tuple[Document, Spoke]]:
    """Every cluster file that can be read, by file name."""
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
            document = plain.marked(parse(_read(path, name), name), marks)
            found.append((document, explain.check(Spoke, document)))
        except InputError as error:
            problems.append(error)
    # With problems, the spokes may only be unreadable; then nothing is said about their number.
    if not found and not problems:
        warnings.append("clusters/ holds no spoke; add one with `hubctl clusters add NAME`")
    return found
