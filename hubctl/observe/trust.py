"""What a certificate is verified against: the system's CAs, a bundle in a file that may rotate, or what the hub says.

Contexts are shared between spokes with one bundle, because one with the system's CAs costs almost a megabyte and thirty
milliseconds. So a spoke's own CA never comes into one context with those: they are tried after it.
"""

import hashlib
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed


class NoTrust(Malformed):
    """A CA bundle is configured but cannot be used; nothing is asked without it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Whom to trust; nothing said is the system's CAs.

    Attributes:
        file: a bundle; nothing else is trusted then.
        pem: a bundle that was read from the hub.
        system: whether the system's CAs are trusted beside ``pem``.
    """

    file: str = ""
    pem: str = field(default="", repr=False)
    system: bool = True


_SYSTEM = Anchor()


@dataclass(frozen=True, slots=True)
class Trust:
    """CAs as they were read; equal to another while place and stamp (mtime in ns, size) are the same.

    Attributes:
        path: of the file that they are from; empty for others.
        beyond: more CAs, to be tried when these do not know a certificate's; one context for all who share them.
    """

    place: str
    stamp: tuple[int, int]
    context: ssl.SSLContext = field(compare=False)
    path: str = field(compare=False, default="")
    beyond: ssl.SSLContext | None = field(compare=False, default=None)


class Bundles:
    """The CA bundles in use."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that relative paths start from."""
        self._folder = folder
        self._known: dict[Anchor, Trust] = {}
        self._shared: dict[str, Trust] = {}

    def trust(self, anchor: Anchor) -> Trust:
        """What certificates are verified against, read anew if the file has changed.

        Raises:
            NoTrust: the file is missing, or what is there is no certificate.
        """
        known = self._known.get(anchor)
        try:
            if known is not None and known.stamp == _stamp(known.path):
                return known
            path = str(self._folder / anchor.file) if anchor.file else ""
            pem = f"pem {anchor.system} {hashlib.sha256(anchor.pem.encode()).hexdigest()}"
            place, stamp = path or (pem if anchor.pem else ""), _stamp(path)
            made = self._shared.get(place)
            if made is None or made.stamp != stamp:
                more = self.trust(_SYSTEM).context if anchor.pem and anchor.system and not path else None
                made = self._shared[place] = Trust(place, stamp, _context(path, anchor), path, more)
        except OSError as error:  # ssl.SSLError is one
            told = str(self._folder / anchor.file) if anchor.file else "that came from the hub"
            raise NoTrust(Reason.CA_FILE, f"cannot use the CA bundle {told}: {strict.excerpt(str(error))}") from error
        self._known[anchor] = made
        return made


def _context(path: str, anchor: Anchor) -> ssl.SSLContext:
    if anchor.pem and not path:
        return ssl.create_default_context(cadata=anchor.pem)
    return ssl.create_default_context(cafile=path or None)


def _stamp(path: str) -> tuple[int, int]:
    if not path:
        return 0, 0
    found = os.stat(path)  # noqa: PTH116 - once a poll, and a Path costs more than the look
    return found.st_mtime_ns, found.st_size
