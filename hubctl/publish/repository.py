"""Repository: one branch of one remote, read and written through the bare cache.

The door to git for publishing. Every call runs git in a thread; those that change the cache take the lock, and a
caller that needs several calls to belong together holds it with ``async with repository.turn``.
"""

import asyncio
import copy
import random
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from hubctl.errors import InputError
from hubctl.publish import cache, lock, notes, stream, tracked
from hubctl.publish.access import Access
from hubctl.publish.signing import Signer

T = TypeVar("T")

REREAD = (0.0, 0.2, 0.8)
"""Seconds before each look at the branch after a refused push: another push may be under way and not yet visible."""


class Repository:
    """One branch of one remote.

    Attributes:
        turn: the lock of this state folder.
    """

    def __init__(
        self,
        state: Path,
        remote: str,
        branch: str,
        *,
        base: str = "",
        patience: float = 60.0,
        access: Access | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Nothing is made or asked yet.

        Args:
            state: folder for the cache and its lock.
            remote: URL or path.
            branch: without ``refs/heads/``.
            base: the branch that it is begun from, and that counts as long as it does not exist.
            patience: seconds to wait for another writer.
            access: credentials; without, git's own are used.
            signer: signs every commit; without, none is signed.

        Raises:
            InputError: the branch's name is none.
        """
        self.turn = lock.Lock(state / "repository.lock", patience)
        self._cache = cache.Cache(state, remote, access)
        self._tracked = tracked.Tracked(self._cache, _checked(branch), base)
        self._notes = notes.Notes(self._cache)
        self._followed = {branch: self._tracked}
        self._signer = signer

    def on(self, branch: str) -> "Repository":
        """Another branch of the same remote, through the same cache and with the same turn.

        Raises:
            InputError: the branch's name is none.
        """
        other = copy.copy(self)
        followed = self._followed.setdefault(branch, tracked.Tracked(self._cache, _checked(branch)))
        other._tracked = followed  # noqa: SLF001 - of its own class
        return other

    async def fetch(self) -> str:
        """Bring the branch's tip into the cache; its commit id, empty when the remote has no such branch.

        Raises:
            RemoteFailed: the remote did not answer.
            PublishConflict: another writer kept the lock.
        """
        async with self.turn:
            await _threaded(self._cache.open)
            return await self._mended(self._tracked.take)

    async def known(self) -> str:
        """The tip as of the last fetch, empty before the first; the remote is asked only to mend a broken cache.

        Raises:
            RemoteFailed: the cache is broken and the remote did not answer.
        """
        return await self._mended(self._tracked.known) if self._cache.path.is_dir() else ""

    async def listing(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Path to blob id of every file at or below ``paths``; a mode stands before the id of what is no plain file."""
        wanted = tuple(paths)
        if not commit or not wanted:
            return {}
        asked = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *wanted)
        return stream.listing(await self._mended(lambda: self._cache.local(*asked).out))

    async def read(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Path to bytes of every file at or below ``paths``; links give their target."""
        listed = await self.listing(commit, paths)
        blobs = {path: entry for path, entry in listed.items() if not entry.startswith("160000 ")}
        if not blobs:
            return {}
        asked = "".join(f"{entry.rpartition(' ')[2]}\n" for entry in blobs.values()).encode()

        def batch() -> bytes:
            return self._cache.local("cat-file", "--batch", "--buffer", stdin=asked).out

        out = await self._mended(batch)
        if lacking := stream.missing(out):
            async with self.turn:
                await self._mended(lambda: self._tracked.bring(lacking))
            out = await self._mended(batch)
        return dict(zip(blobs, stream.contents(out), strict=True))

    async def write(self, draft: stream.Draft) -> str:
        """Make the draft a commit in the cache, of changed paths only; its id. The branch does not move yet.

        Raises:
            CacheBroken: git failed, and failed again on a new cache.
            RemoteFailed: it cannot be signed.
        """
        made = stream.commit(f"{cache.SCRATCH}/{secrets.token_hex(8)}", draft)
        args = ("fast-import", "--quiet", "--done", "--date-format=raw")

        def written() -> str:
            commit = self._cache.local(*args, stdin=made).out.decode().strip()
            return self._signer.signed(self._cache, commit) if self._signer else commit

        async with self.turn:
            return await self._mended(written)

    async def push(self, commit: str, parent: str) -> bool:
        """Move the remote branch from ``parent`` to ``commit``; whether it now holds the commit.

        False means that the branch is no longer at ``parent``, rewound or deleted ones included. What happened is
        read from the branch, not from the server's words: those differ by server, and an answer may be lost.

        Raises:
            RemoteFailed: the branch did not move, so the server refused.
        """
        async with self.turn:
            answer = await _threaded(lambda: self._tracked.push(commit, parent))
            if answer.status == 0:
                return True
            for pause in REREAD:
                await asyncio.sleep(pause)
                tip = await self.fetch()
                if tip and await self._holds(commit, tip):
                    return True
                if tip != parent:
                    return False
        raise self._cache.refused("the push was refused", answer)

    async def _holds(self, commit: str, tip: str) -> bool:
        """Whether the commit is the tip or behind it, also where nothing was fetched yet."""
        holds = partial(self._tracked.holds, commit, tip)
        return await _threaded(holds) or (await self.deepened() and await _threaded(holds))

    async def exists(self) -> bool:
        """Whether the branch itself, not only its base, was there at the last fetch."""
        return bool(await self._mended(self._tracked.own))

    async def begin_base(self, draft: stream.Draft) -> None:
        """Make the base of a branch that has none yet, unless another writer does.

        Raises:
            RemoteFailed: the remote refused.
        """
        base = self._tracked.base
        assert base is not None  # noqa: S101 - a mistake of the caller, not of a user
        commit = await self.write(draft)
        async with self.turn:
            answer = await _threaded(lambda: base.push(commit, ""))
            tip = commit if answer.status == 0 else await self._mended(base.take)
        if tip:
            return
        raise self._cache.refused("the push was refused", answer)

    async def noted(self, commit: str) -> str:
        """The note on a commit, as the remote has it; empty when there is none.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        async with self.turn:
            await self._mended(self._notes.take)
            return await self._mended(lambda: self._notes.read(commit))

    async def note(self, commit: str, text: str, author: tuple[str, str]) -> None:
        """Put a note on a commit, whatever other writers do to the notes meanwhile.

        Raises:
            PublishConflict: other writers were first each time.
            RemoteFailed: the remote refused.
        """
        for pause in notes.PAUSES:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads writers, keeps no secret
            async with self.turn:
                before = await self._mended(self._notes.take)
                await self._mended(lambda: self._notes.add(commit, text, author))
                answer = await _threaded(partial(self._notes.push, before))
                if answer.status == 0:
                    return
                if await self._mended(self._notes.take) == before:
                    raise self._cache.refused(f"the push of {notes.REF} was refused", answer)
        raise notes.outrun()

    async def branches(self, prefix: str) -> tuple[str, ...]:
        """The remote's branches whose names begin so, sorted.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        asked = ("ls-remote", "--", self._cache.remote, f"refs/heads/{prefix}*")
        async with self.turn:
            out = (await _threaded(lambda: self._cache.remotely(*asked))).out.decode(errors="replace")
        return tuple(sorted(row.partition("\trefs/heads/")[2] for row in out.splitlines()))

    async def delete(self, branch: str, tip: str) -> None:
        """Take a branch off the remote, if it is still at ``tip``; whether it was is for a later look to tell."""
        lease = f"--force-with-lease=refs/heads/{branch}:{tip}"
        asked = ("push", "--quiet", "--no-verify", lease, "--", self._cache.remote, f":refs/heads/{branch}")
        async with self.turn:
            await _threaded(lambda: self._cache.remotely(*asked, check=False))

    async def ask(self, *args: str, check: bool = True) -> bytes:
        """What a git command says of the cache alone; without ``check``, nothing when it fails.

        Raises:
            CacheBroken: git failed, and failed again on a new cache.
        """
        answer = await self._mended(lambda: self._cache.local(*args, check=check))
        return b"" if answer.status else answer.out

    async def find(self, trailer: str, value: str) -> str:
        """The newest commit of the fetched tip whose trailer has exactly that value; empty when there is none.

        Raises:
            RemoteFailed: it may lie in what was not fetched yet, and the remote did not answer.
        """
        asked = ("--fixed-strings", f"--grep={trailer}: {value}")
        found = await self._log(*asked)
        if not any((trailer, value) in record.trailers for record in found) and await self.deepened():
            found = await self._log(*asked)
        return next((record.commit for record in found if (trailer, value) in record.trailers), "")

    async def log(self, paths: Iterable[str] = (), limit: int = 20, *, ask: bool = True) -> tuple[stream.Record, ...]:
        """The newest commits of the fetched tip that touch ``paths``, or any, newest first.

        Args:
            paths: files and folders.
            limit: most commits.
            ask: fetch more of the history if there may be more of them in it.

        Raises:
            RemoteFailed: more was to be fetched, and the remote did not answer.
        """
        asked = (f"--max-count={limit}", "--", *paths)
        edge = await self._mended(self._tracked.edge)
        # Where the history is cut off, a commit seems to add all that it holds.
        found = tuple(record for record in await self._log(*asked) if record.commit not in edge)
        if len(found) >= limit or not edge or not ask:
            return found
        await self.deepened()
        return await self._log(*asked)

    async def touched(self, commits: Iterable[str], path: str) -> dict[str, dict[str, str]]:
        """Commit to path to ``added``, ``changed`` or ``removed``, of the files at or below ``path``."""
        asked = "".join(f"{commit}\n" for commit in commits).encode()
        args = ("diff-tree", "--stdin", "--root", "-c", "-r", "-z", "--no-renames", "--name-status", "--", path)
        return stream.touched(await self._mended(lambda: self._cache.local(*args, stdin=asked).out)) if asked else {}

    async def deepened(self) -> bool:
        """Fetch the whole history; whether there was more of it.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        async with self.turn:
            lacked = bool(await self._mended(self._tracked.edge))
            if lacked:
                await self._mended(self._tracked.deepen)
        return lacked

    async def _log(self, *args: str) -> tuple[stream.Record, ...]:
        return stream.history(await self._mended(lambda: self._tracked.log(*args)))

    async def _mended(self, work: Callable[[], T]) -> T:
        """The work's result; a broken cache is made anew and filled once."""
        try:
            return await _threaded(work)
        except cache.CacheBroken:
            async with self.turn:
                await _threaded(self._cache.rebuild)
                for one in self._followed.values():
                    await _threaded(one.take)
                return await _threaded(work)


def _checked(branch: str) -> str:
    parts = branch.split("/")
    if ".." in branch or any(not part or part.startswith((".", "-")) or part.endswith(".lock") for part in parts):
        raise InputError(f"{branch!r} is no branch name", hint="see `git check-ref-format --help` for the rules")
    return branch


async def _threaded(work: Callable[[], T]) -> T:
    """Run in a thread; a cancelled task waits for its git to end, so that it does not give its turn away early."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
