"""The stop file: a kill switch that works while everything else is broken.

Apart from the database, for it must be thrown and seen without it: by a command, an editor, or ``touch``.
"""

import os
import tempfile
from pathlib import Path

from hubctl.errors import StoreUnavailable
from hubctl.model.holds import Reach, Stop, stop_from, stop_text

_LONGEST = 4096
"""Characters of the file that are read."""


def read(path: Path) -> Stop | None:
    """The stop that the file is; None when there is none. One that is there and cannot be read stops everything."""
    try:
        with path.open(errors="replace") as file:
            return stop_from(file.read(_LONGEST), str(path))
    except FileNotFoundError:
        # A link into nothing is no absent file: somebody put it there.
        return Stop(Reach.EVERYTHING, str(path), "a link that leads nowhere") if path.is_symlink() else None
    except OSError as error:
        return Stop(Reach.EVERYTHING, str(path), f"it cannot be read: {error.strerror}")


def write(path: Path, stop: Stop) -> None:
    """Throw the switch; the file is there whole, or not at all.

    Raises:
        StoreUnavailable: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(stop_text(stop))
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except OSError as error:
        raise _failed(path, error) from error


def remove(path: Path) -> None:
    """Take the switch back; none there is fine.

    Raises:
        StoreUnavailable: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"the stop file cannot be changed: {error.strerror or error}",
        where=str(path),
        hint="change it as its owner, or end the process: `kill` lets the pass under way end",
    )
