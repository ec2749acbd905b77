"""Notebook: notes on commits of the remote, written in spite of other writers.

Apart from ``notes``, whose calls block and which knows nothing of turns.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from hubctl.publish import cache, lock, mending, notes


@dataclass(frozen=True, slots=True)
class Notebook:
    """The notes of one remote.

    Attributes:
        mended: runs what blocks, on a cache made anew if it broke.
        permit: asked before the remote is changed.
    """

    store: cache.Cache
    turn: lock.Lock
    mended: mending.Mended
    permit: Callable[[], Awaitable[None]]

    @property
    def _notes(self) -> notes.Notes:
        return notes.Notes(self.store)

    async def noted(self, commit: str) -> str:
        """The note on a commit, as the remote has it; empty when there is none.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        async with self.turn:
            await self.mended(self._notes.take)
            return await self.mended(lambda: self._notes.read(commit))

    async def note(self, commit: str, text: str, author: tuple[str, str]) -> None:
        """Put a note on a commit, whatever other writers do to the notes meanwhile.

        Raises:
            PublishConflict: other writers were first each time.
            RemoteFailed: the remote refused.
        """
        for pause in notes.PAUSES:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads writers, keeps no secret
            async with self.turn:
                before = await self.mended(self._notes.take)
                await self.mended(lambda: self._notes.add(commit, text, author))
                await self.permit()
                answer = await mending.threaded(partial(self._notes.push, before))
                if answer.status == 0:
                    return
                if await self.mended(self._notes.take) == before:
                    raise self.store.refused(f"the push of {notes.REF} was refused", answer)
        raise notes.outrun()
