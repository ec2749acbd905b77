"""values-hub.yaml to our two sections, checked; other people's keys are left alone.

Apart from ``load``, which reads the files of the spokes and puts everything together.
"""

from pathlib import Path

from hubctl.errors import InputError
from hubctl.inputs import explain, idle, plain, references, steps, surroundings
from hubctl.inputs.document import Document, parse, refuse
from hubctl.model import spelling
from hubctl.model.registry import KServe
from hubctl.model.values import HubctlSection, HubValues
from hubctl.settings import Settings

SECTIONS = ("coordinationEngine", "hubctl")
"""The top-level keys of a values file that hubctl reads."""

_OURS = {"coordinationEngine": ("kserve",), "hubctl": ()}
"""The same, each with the keys in it that are ours; none: all of them."""


def values_of(settings: Settings, problems: list[InputError], warnings: list[str]) -> tuple[HubValues, Document | None]:
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
        document = plain.marked(parse(read_file(path, path.name), path.name))
    except InputError as error:
        problems.append(error)
        return HubValues(), None
    warnings += _misspelt(document)
    wrong, doubtful = plain.others(document, _OURS)
    problems += wrong
    warnings += doubtful
    kserve, hubctl = _sections(document, problems)
    values = HubValues(kserve=kserve, hubctl=hubctl, engine=_has_engine(document))
    warnings += idle.of_hub(values, document)
    warnings += surroundings.too_long(kserve, document)
    try:
        values, unread = surroundings.merged(values, settings.kserve)
        warnings += unread
    except InputError as error:
        problems.append(error)
    problems += references.served(values, document)
    return values, document


def _sections(document: Document, problems: list[InputError]) -> tuple[KServe, HubctlSection]:
    """Both sections, each with its defaults where it is broken."""
    kserve, hubctl = KServe(), HubctlSection()
    try:
        kserve = _kserve(document)
    except InputError as error:
        problems.append(error)
    try:
        if document.data.get("hubctl") is not None:
            hubctl = explain.check(HubctlSection, document, ("hubctl",))
            problems += references.folders(hubctl, document)
            problems += references.recipes(hubctl, document)
            problems += steps.groups(hubctl, document)
    except InputError as error:
        problems.append(error)
    return kserve, hubctl


def _has_engine(document: Document) -> bool:
    """Whether the coordination engine runs on the hub; the key is the platform's, who may write other things there."""
    engine = document.data.get("coordinationEngine")
    return isinstance(engine, dict) and engine.get("enabled") is True


def with_remote(values: HubValues, remote: str, problems: list[InputError]) -> HubValues:
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


def read_file(path: Path, name: str) -> bytes:
    """The bytes of a file.

    Args:
        path: where it is.
        name: what errors call it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=f"{name}:1", hint="check its permissions") from None


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
