"""Bearer tokens: from a file per spoke or from a variable, kept for one round and read again after a 401.

Apart from polling because a token rotates under us (ManagedServiceAccounts, service account projections) and because
what a token must never do, appear in a detail, is easier to see in one place.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from hubctl.model import base, values
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""RFC 6750's b68token, which cannot smuggle a header."""


class NoToken(Malformed):
    """A token is configured but cannot be read."""


class Tokens:
    """Where each spoke's token comes from, and what was read in this round."""

    def __init__(self, observe: values.Observe, environ: Mapping[str, str], folder: Path) -> None:
        self._observe = observe
        self._environ = environ
        self._folder = folder
        self._read: dict[str, str] = {}

    def forget(self) -> None:
        """Begin a round: tokens are read anew."""
        self._read.clear()

    def current(self, cluster: str) -> str:
        """The token for a spoke; empty when none is configured.

        Raises:
            NoToken: the file or variable is missing, or holds no token.
        """
        if cluster not in self._read:
            self._read[cluster] = self._fresh(cluster)
        return self._read[cluster]

    def reread(self, cluster: str) -> str:
        """The token after a 401, read anew.

        Raises:
            NoToken: as ``current``.
        """
        self._read.pop(cluster, None)
        return self.current(cluster)

    def _fresh(self, cluster: str) -> str:
        if self._observe.token_file:
            path = self._folder / base.fill(self._observe.token_file, cluster=cluster)
            return _checked(_text_of(path), str(path))
        if self._observe.token_env:
            name = self._observe.token_env
            if not self._environ.get(name):
                raise NoToken(Reason.TOKEN_MISSING, f"expected a token in the variable {name}, it is not set")
            return _checked(self._environ[name], f"the variable {name}")
        return ""


def _text_of(path: Path) -> str:
    try:
        # A pipe or device would block; a Secret's mount holds plain files.
        if not path.is_file():
            raise NoToken(Reason.TOKEN_MISSING, f"expected a token in {path}, there is no such file")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise NoToken(Reason.TOKEN_INVALID, f"cannot read a token from {path}: {type(error).__name__}") from error


def _checked(text: str, place: str) -> str:
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise NoToken(Reason.TOKEN_INVALID, f"expected one bearer token in {place}, found something else")
    return token
