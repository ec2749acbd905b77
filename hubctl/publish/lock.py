"""One writer at a time: among the tasks of a process and among processes on one state folder.

Apart because a file lock alone does not keep two tasks of one process from each other.
"""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock

from hubctl.errors import PublishConflict

_PAUSE = 0.05


class Lock:
    """An async lock on a file; the task that holds it may enter again.

    The operating system drops it when its process dies, so there is no stale lock to remove.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._file = filelock.FileLock(path, thread_local=False)
        self._tasks = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None
        self._depth = 0

    async def __aenter__(self) -> Self:
        """Wait for the turn.

        Raises:
            PublishConflict: another writer kept it for longer than the timeout.
        """
        task = asyncio.current_task()
        if self._holder is not task or task is None:
            await self._wait()
            self._holder = task
        self._depth += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the turn back."""
        self._depth -= 1
        if self._depth == 0:
            self._holder = None
            self._file.release()
            self._tasks.release()

    async def _wait(self) -> None:
        # Polling, because a thread that waits in flock could win the lock for a task that was cancelled meanwhile.
        try:
            async with asyncio.timeout(self._timeout):
                await self._tasks.acquire()
                try:
                    while not self._try():  # noqa: ASYNC110 - the other holder may be another process
                        await asyncio.sleep(_PAUSE)
                except BaseException:
                    self._tasks.release()
                    raise
        except TimeoutError:
            raise self._refusal() from None

    def _try(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file.acquire(timeout=0)
        except filelock.Timeout:
            return False
        return True

    def _refusal(self) -> PublishConflict:
        return PublishConflict(
            f"another hubctl has been writing for more than {self._timeout:g} s; it holds {self._path}",
            hint="wait for it to end, or give this one a state folder of its own with HUBCTL_STATE",
        )
