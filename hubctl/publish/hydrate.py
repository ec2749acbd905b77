"""Hydrate: a publish onto the branch that a promoter proposes from, with the metadata and the note of its contract.

Apart from ``branch``, which knows one branch and nothing of where its content came from. Contract: GitOps Promoter,
"Building a custom hydrator"; see docs/adr/0020-hydrated-branches.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hubctl.errors import GuardRefused
from hubctl.model import tree
from hubctl.publish import apart, branch, dry, notes, stream
from hubctl.publish.repository import Repository

TRAILER = "Hubctl-Dry-Commit"
"""Commit trailer that carries the id of the commit of the inputs."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, and from what.

    Attributes:
        proposed: the branch that is pushed to.
        metadata: path of the metadata file on it.
        source: the commit of the inputs.
        is_older: whether the commit of the inputs that it is given comes after the source.
    """

    proposed: str
    metadata: str
    source: dry.Dry
    is_older: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """What came of it.

    Attributes:
        commit: None when the proposed branch held this fleet already.
        tip: the commit that stands for the source now; empty after a dry run that would have made one.
        noted: whether the note was written, or would be.
    """

    commit: branch.Commit | None
    tip: str
    noted: bool


async def hydrate(
    repository: Repository,
    wanted_on: branch.Rendering,
    options: branch.PublishOptions,
    target: Target,
    *,
    now: datetime,
) -> Hydrated:
    """Make the proposed branch stand for a commit of the inputs: a commit if anything changed, and the note.

    Args:
        repository: the proposed branch, its base the one that Argo CD reads.
        wanted_on: renders for a tip.
        options: how.
        target: where, and from what.
        now: aware; the commit's date.

    Raises:
        GuardRefused: the branch stands for a newer commit of the inputs, or holds the inputs themselves.
        PublishConflict: beaten each time.
        RemoteFailed: the remote refused or did not answer.
    """
    author = (options.author_name, options.author_email)
    if not await repository.fetch() and not options.dry_run:
        # A pull request needs a branch to go to.
        text = f"Begin the branch that the fleet is promoted to\n\nHubctl-Version: {options.version}\n"
        first = stream.Draft("", {}, (), text, author, now)
        await repository.begin_base(first)

    def stamped(published: tree.Published) -> tree.Wanted:
        wanted = wanted_on(published)
        return replace(
            wanted,
            stamps={target.metadata: target.source.metadata()},
            trailers=(*wanted.trailers, (TRAILER, target.source.sha)),
        )

    made = await _published(repository, stamped, options, target, now)
    tip = made.id if made else await repository.known()
    if options.dry_run:
        noted = not tip or notes.dry_of(await repository.notebook.noted(tip)) != target.source.sha
        return Hydrated(made, tip, noted)
    if not made and not await repository.exists():
        await repository.push(tip, tip)
    noted = notes.dry_of(await repository.notebook.noted(tip)) != target.source.sha
    if noted:
        await repository.notebook.note(tip, notes.text(target.source.sha), author)
    return Hydrated(made, tip, noted)


async def _published(
    repository: Repository,
    wanted_on: branch.Rendering,
    options: branch.PublishOptions,
    target: Target,
    now: datetime,
) -> branch.Commit | None:
    async for attempt in branch.races(options):
        with attempt:
            async with repository.turn:
                await _check(repository, await repository.fetch(), target)
                return await branch.once(repository, wanted_on, options, now=now)
    raise AssertionError("stamina raises the last error")  # pragma: no cover


async def _check(repository: Repository, tip: str, target: Target) -> None:
    """Refuse a branch that is the inputs' own, or that a newer commit of the inputs was rendered to."""
    own = f"{target.source.prefix}{apart.VALUES}"
    found = await repository.read(tip, [own, target.metadata])
    if own in found:
        raise GuardRefused(
            f"{target.proposed} is begun from a branch that holds the inputs, {own}; each promotion would change them",
            hint="set hubctl.gitops.branch to a branch for the output alone, such as environment/production",
        )
    noted = notes.dry_of(await repository.notebook.noted(tip)) if tip else ""
    for sha in dict.fromkeys((noted, notes.dry_of(found.get(target.metadata, b"")))):
        if sha and target.is_older(sha):
            raise GuardRefused(
                f"{target.proposed} stands for commit {sha[:12]} of the inputs, newer than {target.source.sha[:12]}",
                hint="bring the folder of the inputs up to date with `git pull`",
            )
