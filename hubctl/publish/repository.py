"""Repository: one branch of one remote, read and written through the bare cache.

The door to git for publishing. Every call runs git in a thread; those that change the cache take the lock, and a
caller that needs several calls to belong together holds it with ``async with repository.turn``.
"""

import asyncio
import copy
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from hubctl.errors import InputError
from hubctl.publish import cache, lock, stream, tracked
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
        patience: float = 60.0,
        access: Access | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Nothing is made or asked yet.

        Args:
            state: folder for the cache and its lock.
            remote: URL or path.
            branch: without ``refs/heads/``.
            patience: seconds to wait for another writer.
            access: credentials; without, git's own are used.
            signer: signs every commit; without, none is signed.

        Raises:
            InputError: the branch's name is none.
        """
        self.turn = lock.Lock(state / "repository.lock", patience)
        self._cache = cache.Cache(state, remote, access)
        self._tracked = tracked.Tracked(self._cache, _checked(branch))
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
        out = await self._mended(lambda: self._cache.local("cat-file", "--batch", "--buffer", stdin=asked).out)
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
                contained = await _threaded(partial(self._tracked.holds, commit, tip)) if tip else False
                if contained:
                    return True
                if tip != parent:
                    return False
        raise self._cache.refused("the push was refused", answer)

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
        """The newest commit of the fetched tip whose trailer has exactly that value; empty when there is none."""
        found = await self._log("--fixed-strings", f"--grep={trailer}: {value}")
        return next((record.commit for record in found if (trailer, value) in record.trailers), "")

    async def log(self, paths: Iterable[str] = (), limit: int = 20) -> tuple[stream.Record, ...]:
        """The newest commits of the fetched tip that touch ``paths``, or any, newest first."""
        return await self._log(f"--max-count={limit}", "--", *paths)

    async def touched(self, commits: Iterable[str], path: str) -> dict[str, dict[str, str]]:
        """Commit to path to ``added``, ``changed`` or ``removed``, of the files at or below ``path``."""
        asked = "".join(f"{commit}\n" for commit in commits).encode()
        args = ("diff-tree", "--stdin", "--root", "-c", "-r", "-z", "--no-renames", "--name-status", "--", path)
        return stream.touched(await self._mended(lambda: self._cache.local(*args, stdin=asked).out)) if asked else {}

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
