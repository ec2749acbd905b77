"""Bearer tokens: of a ManagedServiceAccount, from a file per spoke or from a variable; read again after a 401.

Apart from polling because a token rotates under us (ManagedServiceAccounts, service account projections) and because
what a token must never do, appear in a detail, is easier to see in one place.
"""

from collections.abc import Mapping
from pathlib import Path

from hubctl.model import base, values
from hubctl.model.apiserver import HubReader
from hubctl.model.predictor import InferenceService
from hubctl.model.snapshot import Snapshot
from hubctl.observe import strict
from hubctl.observe.accounts import Accounts, NoToken
from hubctl.observe.reason import Reason


class Tokens:
    """Where each spoke's token comes from, and what was read in this round."""

    def __init__(
        self, observe: values.Observe, environ: Mapping[str, str], folder: Path, api: HubReader | None = None
    ) -> None:
        self._observe = observe
        self._environ = environ
        self._folder = folder
        self._read: dict[str, str] = {}
        self._files: dict[Path, str] = {}
        self._accounts = Accounts(api)

    def begin(self, snapshot: Snapshot | None) -> None:
        """Begin a round: files and variables are read anew, Secrets where they have rotated."""
        self._read.clear()
        self._files.clear()
        self._accounts.begin(snapshot)

    async def current(self, service: InferenceService) -> str:
        """The token for a predictor; empty when none is configured.

        Raises:
            NoToken: the file, variable or Secret is missing, or holds no token.
        """
        if service.account:
            return (await self._accounts.held(service.cluster, service.account)).token
        if service.cluster not in self._read:
            self._read[service.cluster] = self._fresh(service.cluster)
        return self._read[service.cluster]

    async def reread(self, service: InferenceService, refused: str) -> str:
        """The token after a 401, read anew.

        Raises:
            NoToken: as ``current``.
        """
        if service.account:
            return (await self._accounts.again(service.cluster, service.account, refused)).token
        if self._read.get(service.cluster) == refused:
            del self._read[service.cluster]
            self._files.pop(self._path(service.cluster), None)
        return await self.current(service)

    async def authority(self, service: InferenceService) -> str:
        """The spoke's own CA bundle, PEM, as it comes with its account's token; empty when there is none.

        Raises:
            NoToken: as ``current``.
        """
        return (await self._accounts.held(service.cluster, service.account)).ca if service.account else ""

    def _path(self, cluster: str) -> Path:
        return self._folder / base.fill(self._observe.token_file or "", cluster=cluster)

    def _fresh(self, cluster: str) -> str:
        if self._observe.token_file:
            path = self._path(cluster)
            if path not in self._files:  # one file may be that of every spoke
                self._files[path] = read(str(path), "", self._folder, self._environ)
            return self._files[path]
        return read("", self._observe.token_env or "", self._folder, self._environ)


def read(file: str, variable: str, folder: Path, environ: Mapping[str, str]) -> str:
    """The token in a file below the folder, or else in a variable; empty when neither is named.

    Raises:
        NoToken: it is missing, or holds no token.
    """
    if file:
        path = folder / file
        return _checked(_text_of(path), str(path))
    if variable:
        if not environ.get(variable):
            raise NoToken(Reason.TOKEN_MISSING, f"expected a token in the variable {variable}, it is not set")
        return _checked(environ[variable], f"the variable {variable}")
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
    token = strict.bearer(text)
    if not token:
        raise NoToken(Reason.TOKEN_INVALID, f"expected one bearer token in {place}, found something else")
    return token
