"""Which CAs a spoke's certificate is verified against: the system's, or a bundle per spoke that may rotate.

Contexts are shared between spokes with one bundle, because each costs half a megabyte and twenty milliseconds.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from hubctl.model import base
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed


class NoTrust(Malformed):
    """A CA bundle is configured but cannot be used; nothing is asked without it."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A CA bundle as it was read; equal to another while path and stamp (mtime in ns, size) are the same."""

    path: str
    stamp: tuple[int, int]
    context: ssl.SSLContext = field(compare=False)


class Bundles:
    """The CA bundles in use."""

    def __init__(self, ca_file: str | None, folder: Path) -> None:
        self._ca_file = ca_file
        self._folder = folder
        self._known: dict[str, Trust] = {}

    def trust(self, cluster: str) -> Trust:
        """What a spoke's certificate is verified against, read anew if the file has changed.

        Raises:
            NoTrust: the file is missing or holds no certificate.
        """
        path = str(self._folder / base.fill(self._ca_file, cluster=cluster)) if self._ca_file else ""
        try:
            stamp = _stamp(path)
            known = self._known.get(path)
            if known is None or known.stamp != stamp:
                known = self._known[path] = Trust(path, stamp, ssl.create_default_context(cafile=path or None))
        except OSError as error:  # ssl.SSLError is one
            raise NoTrust(Reason.CA_FILE, f"cannot use the CA bundle {path}: {strict.excerpt(str(error))}") from error
        return known


def _stamp(path: str) -> tuple[int, int]:
    if not path:
        return 0, 0
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size
