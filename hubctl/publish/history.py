"""History: what lies behind the fetched tip of a branch, fetched itself when somebody asks for it.

Apart from ``repository``, which needs only the tip.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hubctl.publish import cache, lock, mending, stream, tracked


@dataclass(frozen=True, slots=True)
class History:
    """The commits of one branch.

    Attributes:
        mended: runs what blocks, on a cache made anew if it broke.
    """

    store: cache.Cache
    branch: tracked.Tracked
    turn: lock.Lock
    mended: mending.Mended

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
        edge = await self.mended(self.branch.edge)
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
        if not asked:
            return {}
        return stream.touched(await self.mended(lambda: self.store.local(*args, stdin=asked).out))

    async def deepened(self) -> bool:
        """Fetch the whole history; whether there was more of it.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        async with self.turn:
            lacked = bool(await self.mended(self.branch.edge))
            if lacked:
                await self.mended(self.branch.deepen)
        return lacked

    async def _log(self, *args: str) -> tuple[stream.Record, ...]:
        return stream.history(await self.mended(lambda: self.branch.log(*args)))
