"""Publish: from the branch's tip to a commit on it, rendered again on the new tip whenever another writer was first.

Generated files are replaced on the new tip, never rebased as text. Apart from ``repository``, which knows git and
nothing of fleets.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import stamina

from hubctl.errors import PublishConflict
from hubctl.model import tree
from hubctl.publish import apart, cache, changes, stream
from hubctl.publish.repository import Repository

Rendering = Callable[[tree.Published], tree.Wanted]
"""Renders for a tip; called in a thread, once for every try."""

RETRY_WAITS = {"wait_initial": 0.1, "wait_max": 3.0, "wait_jitter": 0.5}
"""Seconds between tries, growing twofold."""


class Beaten(PublishConflict):
    """Another writer was first this time; unlike a lock that is never free, worth another try."""


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How to publish.

    Attributes:
        overrides: folder of the override files.
        path: folder of the rendered tree.
        removal_limit: spokes one publish may remove: a number, ``10%``, or None for the default.
        confirmed: removals that a person allowed.
        tries: races with other writers before giving up.
        dry_run: compare and brake, write nothing.
        version: of hubctl, for the commit message.
    """

    overrides: str = "overrides"
    path: str = "rendered"
    removal_limit: int | str | None = None
    confirmed: int | None = None
    author_name: str = "hubctl"
    author_email: str = "hubctl@localhost"
    tries: int = 5
    dry_run: bool = False
    version: str = "unknown"

    @property
    def spokes(self) -> str:
        """Folder that holds one folder per spoke."""
        return f"{self.path}/{tree.SPOKES}"


@dataclass(frozen=True, slots=True)
class Commit:
    """What was published.

    Attributes:
        id: empty after a dry run.
        parent: the tip it stands on; empty for the first commit of a branch.
    """

    id: str
    changes: changes.Changes
    parent: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A tip beside what is wanted of it.

    Attributes:
        listed: path to blob id at the tip, of all that is ours.
        object_format: of the ids, ``sha1`` or ``sha256``.
    """

    tip: tree.Published
    wanted: tree.Wanted
    listed: Mapping[str, str]
    found: changes.Changes
    object_format: str


async def published(repository: Repository, overrides: str) -> tree.Published:
    """The tip and the override files in its ``overrides`` folder; links and deeper folders are left out.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    return await _read(repository, await repository.fetch(), overrides)


async def remembered(repository: Repository, overrides: str) -> tree.Published:
    """The same as of the last fetch, for when the remote does not answer; asks nobody."""
    return await _read(repository, await repository.known(), overrides)


async def _read(repository: Repository, tip: str, overrides: str) -> tree.Published:
    prefix = f"{overrides}/"
    listed = await repository.listing(tip, [overrides, *apart.questions(overrides)])
    apart.check(listed, overrides, "overrides")
    files = [
        path
        for path, entry in listed.items()
        if path.startswith(prefix)
        and path.endswith(tree.OVERRIDES_SUFFIX)
        and "/" not in path.removeprefix(prefix)
        and not entry.startswith(("120000 ", "160000 "))
    ]
    read = await repository.read(tip, files) if files else {}
    return tree.Published(tip, {path.removeprefix(prefix): data for path, data in sorted(read.items())})


async def publish(
    repository: Repository, wanted_on: Rendering, options: PublishOptions, *, now: datetime
) -> Commit | None:
    """Make the branch hold what is wanted; None when it does already.

    Args:
        repository: the branch.
        wanted_on: renders for a tip; called again on the new tip when another writer was first.
        options: how.
        now: aware; the commit's date.

    Raises:
        PublishConflict: beaten each time, or another hubctl holds the lock.
        RemoteFailed: the remote refused or did not answer.
        GuardRefused: more spokes would go than allowed.
    """
    async for attempt in races(options):
        with attempt:
            async with repository.turn:
                return await once(repository, wanted_on, options, now=now)
    raise AssertionError("stamina raises the last error")  # pragma: no cover


def races(options: PublishOptions) -> AsyncIterator[stamina.Attempt]:
    """Tries, each to be entered, until one is not :class:`Beaten`."""
    return stamina.retry_context(on=Beaten, attempts=options.tries, timeout=None, **RETRY_WAITS)


async def once(
    repository: Repository, wanted_on: Rendering, options: PublishOptions, *, now: datetime
) -> Commit | None:
    """One try of :func:`publish`, by the holder of the repository's turn.

    Raises:
        Beaten: another writer was first.
    """
    seen = await compared(repository, wanted_on, options)
    tip, found = seen.tip, seen.found
    if found.empty:
        return None
    changes.check_brake(found, options.removal_limit, options.confirmed)
    text = changes.message(seen.wanted, found, options.version)
    if options.dry_run:
        return Commit("", found, tip.commit)
    author = (options.author_name, options.author_email)
    made = await repository.write(stream.Draft(tip.commit, found.writes, found.removed, text, author, now))
    if not await repository.push(made, tip.commit):
        raise Beaten(
            f"the branch moved away from {tip.commit[:12] or 'nothing'} during each of {options.tries} tries",
            hint="look with `git log` who else writes to this branch, then run `hubctl publish` again",
        )
    return Commit(made, found, tip.commit)


async def pending(
    repository: Repository, wanted_on: Rendering, options: PublishOptions
) -> tuple[changes.Changes, dict[str, bytes]]:
    """What a publish would change, and the bytes that stand now where it would change or remove.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    seen = await compared(repository, wanted_on, options)
    return seen.found, await replaced(repository, seen)


async def replaced(repository: Repository, seen: Compared) -> dict[str, bytes]:
    """The bytes that stand now where a publish would change or remove."""
    return await repository.read(seen.tip.commit, (*seen.found.changed, *seen.found.removed))


async def compared(
    repository: Repository, wanted_on: Rendering, options: PublishOptions, *, ask: bool = True
) -> Compared:
    """What a publish would find now: as of this moment if ``ask``, else as of the last fetch.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    tip = await (published if ask else remembered)(repository, options.overrides)
    wanted = await asyncio.to_thread(wanted_on, tip)
    single = [path for path in (*wanted.files, *wanted.stamps) if not changes.owns(wanted.owned, path)]
    listed = await repository.listing(tip.commit, (*wanted.owned, *single, *apart.questions(options.path)))
    apart.check(listed, options.path, "path")
    object_format = cache.SHA256 if len(tip.commit) == 64 else cache.SHA1  # noqa: PLR2004 - hex digits of a SHA-256
    found = changes.compare(listed, wanted, object_format=object_format, spokes_folder=options.spokes)
    return Compared(tip, wanted, listed, found, object_format)
