"""Repository: one branch of one remote, read and written through the bare cache.

The door to git for publishing. Every call runs git in a thread; those that change the cache take the lock, and a
caller that needs several calls to belong together holds it with ``async with repository.turn``.
"""

import asyncio
import copy
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

from hubctl.errors import InputError
from hubctl.publish import cache, history, lock, mending, notebook, stream, tracked
from hubctl.publish.access import Access
from hubctl.publish.signing import Signer

T = TypeVar("T")

REREAD = (0.0, 0.2, 0.8)
"""Seconds before each look at the branch after a refused push: another push may be under way and not yet visible."""


Permit = Callable[[], Awaitable[None]]
"""Asked immediately before the remote is changed; raises what keeps this process from it."""


async def anybody() -> None:
    """The permit of a process that need not ask."""


class Repository:
    """One branch of one remote.

    Attributes:
        permit: whether the remote may be changed now.
        turn: the lock of this state folder.
        cache: of the remote.
        tracked: the branch in it.
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
        self.cache = cache.Cache(state, remote, access)
        self.tracked = tracked.Tracked(self.cache, _checked(branch), base)
        self._followed = {branch: self.tracked}
        self._signer = signer
        self.permit: Permit = anybody

    @property
    def history(self) -> history.History:
        """What lies behind the tip."""
        return history.History(self.cache, self.tracked, self.turn, self.mended)

    @property
    def notebook(self) -> notebook.Notebook:
        """Notes on commits."""
        return notebook.Notebook(self.cache, self.turn, self.mended, self.permit)

    def on(self, branch: str) -> "Repository":
        """Another branch of the same remote, through the same cache and with the same turn.

        Raises:
            InputError: the branch's name is none.
        """
        other = copy.copy(self)
        followed = self._followed.setdefault(branch, tracked.Tracked(self.cache, _checked(branch)))
        other.tracked = followed
        return other

    async def fetch(self) -> str:
        """Bring the branch's tip into the cache; its commit id, empty when the remote has no such branch.

        Raises:
            RemoteFailed: the remote did not answer.
            PublishConflict: another writer kept the lock.
        """
        async with self.turn:
            await mending.threaded(self.cache.open)
            return await self.mended(self.tracked.take)

    async def known(self) -> str:
        """The tip as of the last fetch, empty before the first; the remote is asked only to mend a broken cache.

        Raises:
            RemoteFailed: the cache is broken and the remote did not answer.
        """
        return await self.mended(self.tracked.known) if self.cache.path.is_dir() else ""

    async def listing(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Path to blob id of every file at or below ``paths``; a mode stands before the id of what is no plain file."""
        wanted = tuple(paths)
        if not commit or not wanted:
            return {}
        asked = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *wanted)
        return stream.listing(await self.mended(lambda: self.cache.local(*asked).out))

    async def read(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Path to bytes of every file at or below ``paths``; links give their target."""
        listed = await self.listing(commit, paths)
        blobs = {path: entry for path, entry in listed.items() if not entry.startswith("160000 ")}
        if not blobs:
            return {}
        asked = "".join(f"{entry.rpartition(' ')[2]}\n" for entry in blobs.values()).encode()

        def batch() -> bytes:
            return self.cache.local("cat-file", "--batch", "--buffer", stdin=asked).out

        out = await self.mended(batch)
        if lacking := stream.missing(out):
            async with self.turn:
                await self.mended(lambda: self.tracked.bring(lacking))
            out = await self.mended(batch)
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
            commit = self.cache.local(*args, stdin=made).out.decode().strip()
            return self._signer.signed(self.cache, commit) if self._signer else commit

        async with self.turn:
            return await self.mended(written)

    async def push(self, commit: str, parent: str) -> bool:
        """Move the remote branch from ``parent`` to ``commit``; whether it now holds the commit.

        False means that the branch is no longer at ``parent``, rewound or deleted ones included. What happened is
        read from the branch, not from the server's words: those differ by server, and an answer may be lost.

        Raises:
            RemoteFailed: the branch did not move, so the server refused.
            Fenced: this process may not write.
        """
        async with self.turn:
            await self.permit()
            answer = await mending.threaded(lambda: self.tracked.push(commit, parent))
            if answer.status == 0:
                return True
            for pause in REREAD:
                await asyncio.sleep(pause)
                tip = await self.fetch()
                if tip and await self._holds(commit, tip):
                    return True
                if tip != parent:
                    return False
        raise self.cache.refused("the push was refused", answer)

    async def _holds(self, commit: str, tip: str) -> bool:
        """Whether the commit is the tip or behind it, also where nothing was fetched yet."""
        holds = partial(self.tracked.holds, commit, tip)
        return await mending.threaded(holds) or (await self.history.deepened() and await mending.threaded(holds))

    async def exists(self) -> bool:
        """Whether the branch itself, not only its base, was there at the last fetch."""
        return bool(await self.mended(self.tracked.own))

    async def begin_base(self, draft: stream.Draft) -> None:
        """Make the base of a branch that has none yet, unless another writer does.

        Raises:
            RemoteFailed: the remote refused.
        """
        base = self.tracked.base
        assert base is not None  # noqa: S101 - a mistake of the caller, not of a user
        commit = await self.write(draft)
        async with self.turn:
            await self.permit()
            answer = await mending.threaded(lambda: base.push(commit, ""))
            tip = commit if answer.status == 0 else await self.mended(base.take)
        if tip:
            return
        raise self.cache.refused("the push was refused", answer)

    async def ask(self, *args: str, check: bool = True) -> bytes:
        """What a git command says of the cache alone; without ``check``, nothing when it fails.

        Raises:
            CacheBroken: git failed, and failed again on a new cache.
        """
        answer = await self.mended(lambda: self.cache.local(*args, check=check))
        return b"" if answer.status else answer.out

    async def mended(self, work: Callable[[], T]) -> T:
        """The result of a call that blocks; a broken cache is made anew and filled once.

        Raises:
            CacheBroken: it broke again.
            RemoteFailed: it broke, and the remote did not answer.
        """
        try:
            return await mending.threaded(work)
        except cache.CacheBroken:
            async with self.turn:
                await mending.threaded(self.cache.rebuild)
                for one in self._followed.values():
                    await mending.threaded(one.take)
                return await mending.threaded(work)


def _checked(branch: str) -> str:
    parts = branch.split("/")
    if ".." in branch or any(not part or part.startswith((".", "-")) or part.endswith(".lock") for part in parts):
        raise InputError(f"{branch!r} is no branch name", hint="see `git check-ref-format --help` for the rules")
    return branch
