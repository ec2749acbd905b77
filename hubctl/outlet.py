"""Outlet: where a publish goes, opened from the values, and what of the fleet is in force or delivered there.

Apart from ``hub``, which a whole pass needs: most commands need no store and no poller.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from hubctl import desired
from hubctl.conform.cache import validators_of
from hubctl.conform.check import Validators
from hubctl.errors import InputError, RemoteFailed
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.publish import branch
from hubctl.publish.access import Access
from hubctl.publish.forge import Forge, forge_of
from hubctl.publish.repository import Permit, Repository, anybody
from hubctl.publish.signing import Signer
from hubctl.publish.versions import versions
from hubctl.settings import Settings


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a publish goes.

    Attributes:
        repository: the only door to Git.
        validators: of the cached schemas, compiled once.
        forge: where pull requests are opened; None when hubctl commits to the branch itself.
    """

    repository: Repository
    validators: Validators
    forge: Forge | None = None


def open_outlet(settings: Settings, sources: load.Sources, permit: Permit = anybody) -> Outlet:
    """Where a publish goes; nothing is asked yet.

    Args:
        settings: where the inputs are.
        sources: of which values.
        permit: asked immediately before anything is changed there.

    Raises:
        InputError: the schemas cannot be read, or the values do not say where pull requests are opened.
    """
    repository, forge = open_repository(settings, sources), open_forge(settings, sources)
    repository.permit = permit
    return Outlet(repository, validators_of(settings, sources.values), replace(forge, permit=permit) if forge else None)


def remote_of(settings: Settings, sources: load.Sources) -> str:
    """Where hubctl pushes; a relative path is relative to the folder of the inputs.

    Raises:
        InputError: nothing says where.
    """
    remote = sources.values.hubctl.gitops.remote
    if not remote:
        raise InputError(
            "nothing says where to publish",
            where="values-hub.yaml hubctl.gitops.remote",
            hint="set hubctl.gitops.remote to a Git URL or path, or HUBCTL_REMOTE for this run",
        )
    if ":" in remote or Path(remote).is_absolute():
        return remote
    return str((settings.directory / remote).resolve())


def open_repository(settings: Settings, sources: load.Sources) -> Repository:
    """The cache of the branch that is published to, in the state folder; nothing is fetched yet."""
    gitops = sources.values.hubctl.gitops
    proposed = gitops.publishing.proposed(gitops.branch)
    base = gitops.branch if gitops.publishing.hydrates else ""
    return _open(settings, sources, proposed, base)


def _open(settings: Settings, sources: load.Sources, branch_name: str, base: str = "") -> Repository:
    access = Access(sources.values.hubctl.gitops.credentials, settings.directory)
    signer = signer_of(settings, sources)
    remote = remote_of(settings, sources)
    return Repository(settings.state, remote, branch_name, base=base, access=access, signer=signer)


def open_forge(settings: Settings, sources: load.Sources) -> Forge | None:
    """Where pull requests are opened; None when hubctl commits to the branch itself. Nothing is asked yet.

    Raises:
        InputError: the values and the remote do not say where that is.
    """
    gitops = sources.values.hubctl.gitops
    return forge_of(gitops, settings.directory) if gitops.publishing.by_pull_request else None


def signer_of(settings: Settings, sources: load.Sources) -> Signer | None:
    """What signs commits; None when the values name no key."""
    signing = sources.values.hubctl.gitops.signing
    return Signer(signing, settings.directory) if signing else None


async def inputs_in_force(settings: Settings, sources: load.Sources, *, ask: bool = False) -> HubInputs:
    """The fleet with the overrides of the branch: as of now if ``ask``, else as of the last fetch.

    Without a remote, before the first fetch and when the remote does not answer, the folder's own overrides count.

    Raises:
        InputError: an override is wrong.
    """
    here = _here(settings, sources)
    if not _is_followed(settings, sources, ask=ask):
        return desired.inputs_on(sources, here)
    try:
        if sources.overrides is not None:
            return desired.as_delivered(desired.inputs_on(sources, here), await delivered(settings, sources, ask=ask))
        repository = open_repository(settings, sources)
        published = await _there(repository, sources, here, ask=ask)
        found = desired.inputs_on(sources, published)
        if published.commit and sources.values.hubctl.gitops.publishing.by_pull_request:
            return desired.as_delivered(found, await delivered_at(repository, sources, published.commit))
    except RemoteFailed as error:
        known = desired.inputs_on(sources, here)
        return replace(known, warnings=(*known.warnings, _unreadable(error)))
    return found


async def overrides_in_force(settings: Settings, sources: load.Sources) -> tuple[tree.Published, tuple[str, ...]]:
    """The overrides that :func:`inputs_in_force` takes, as files, and warnings; those of the folder are of no commit.

    Raises:
        InputError: the folder cannot be read.
    """
    if sources.overrides is not None:
        return tree.Published(overrides=sources.overrides), ()
    here = _here(settings, sources)
    if not _is_followed(settings, sources, ask=False):
        return here, ()
    try:
        return await _there(open_repository(settings, sources), sources, here, ask=False), ()
    except RemoteFailed as error:
        return here, (_unreadable(error),)


def _here(settings: Settings, sources: load.Sources) -> tree.Published:
    """The folder's own overrides, of no commit."""
    return tree.Published(overrides=load.read_overrides(settings, sources.values.hubctl.gitops.overrides))


async def _there(repository: Repository, sources: load.Sources, here: tree.Published, *, ask: bool) -> tree.Published:
    """The branch's overrides; those of the folder while there is no branch."""
    folder = sources.values.hubctl.gitops.overrides
    published = await (branch.published if ask else branch.remembered)(repository, folder)
    return published if published.commit else here


def _is_followed(settings: Settings, sources: load.Sources, *, ask: bool) -> bool:
    return bool(sources.values.hubctl.gitops.remote) and (ask or settings.state.is_dir())


def _unreadable(error: RemoteFailed) -> str:
    return f"the branch cannot be read now: {error}"


async def delivered(settings: Settings, sources: load.Sources, *, ask: bool) -> dict[tuple[str, str], str] | None:
    """(Spoke, model) to the version that the branch which Argo CD reads names.

    Without ``ask`` that is the branch as it was fetched last, None if it never was.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    gitops = sources.values.hubctl.gitops
    repository = _open(settings, sources, gitops.branch)
    tip = await (repository.fetch() if ask else repository.known())
    if not tip and not ask:
        return None
    return await delivered_at(repository, sources, tip)


async def delivered_at(repository: Repository, sources: load.Sources, tip: str) -> dict[tuple[str, str], str]:
    """The same at one commit of the branch."""
    folder = f"{sources.values.hubctl.gitops.path}/{tree.SPOKES}"
    return versions(await repository.read(tip, [folder]), folder)
