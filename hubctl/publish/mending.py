"""What lets async callers run git's blocking calls: a thread each, and the shape of what mends a broken cache."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Mended(Protocol):
    """Runs a call that blocks; a broken cache is made anew and filled once."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """The call's result.

        Raises:
            CacheBroken: it broke again.
            RemoteFailed: it broke, and the remote did not answer.
        """


async def threaded(work: Callable[[], T]) -> T:
    """Run in a thread; a cancelled task waits for its git to end, so that it does not give its turn away early."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
