"""One writer at a time on a state folder.

Apart from the database, because the Git cache beside it needs the same protection; commands that only read do not
take it. The system drops the lock of a process that dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hubctl.errors import StoreUnavailable

LOCK = "hubctl.lock"
"""The lock's file name in the state folder; it stays there, unlocked, after a run."""


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Hold the state folder while the block runs; does not wait.

    Raises:
        StoreUnavailable: another process holds it, or the folder cannot be written.
    """
    path = state / LOCK
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, blocking=False)
        lock.acquire()
    except Timeout as error:
        raise StoreUnavailable(
            f"another hubctl is at work on {state}",
            where=str(path),
            hint=f"wait for it to end, or see who holds it with `fuser {path}`",
        ) from error
    except OSError as error:
        raise StoreUnavailable(
            f"the state folder cannot be locked: {error.strerror or error}",
            where=str(path),
            hint="check that it is a folder that this user can write, or set HUBCTL_STATE to another",
        ) from error
    try:
        yield
    finally:
        lock.release()
