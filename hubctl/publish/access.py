"""Access: how git proves itself to the remote, from files that the values name.

No secret is in an argument, and none in a variable that was not there before: git asks a helper of one line of shell,
which reads the files when the remote wants to know, and ssh reads its key itself. So a rotated file counts at once.
Protocols: gitcredentials(7), ssh_config(5).
"""

import base64
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Credentials

TOKEN_USER = "x-access-token"  # noqa: S105 - the user's name that goes with a token where nothing names another
_FILE = "values-hub.yaml "
_PLACE = f"{_FILE}hubctl.gitops.credentials"

HINTS = (
    (("Authentication failed", "error: 401", "error: 403", "could not read Username"), "a password or token"),
    (("certificate", "SSL"), "the CA of the remote's certificate in caFile"),
    (("Host key verification failed", "host key is known"), "the remote's host key in knownHostsFile"),
    (("Permission denied", "publickey", "UNPROTECTED PRIVATE KEY"), "a key in sshKeyFile, readable by its owner only,"),
)
"""What git or ssh says: what to look at."""


@dataclass(frozen=True, slots=True)
class Access:
    """The credentials for one remote.

    Attributes:
        directory: what relative files are relative to.
        place: where the credentials are named, for messages.
    """

    credentials: Credentials = field(default_factory=Credentials)
    directory: Path = Path()
    place: str = _PLACE

    def options(self, remote: str) -> tuple[str, ...]:
        """Settings for ``git -c``, for HTTPS only; all for this server, so that a redirect to another gets nothing."""
        if not _over_https(remote):
            return ()
        place = urlsplit(remote)
        server = f"{place.scheme}://{place.netloc}"
        # A person may have switched the check off for everything; not where our CA or password is concerned.
        made: list[str] = []
        if self.credentials.ca_file or self.credentials.has_password:
            made.append(f"http.{server}.sslVerify=true")
        if self.credentials.has_password:
            # The empty one drops a person's own helpers.
            made += ["credential.helper=", f"credential.{server}.helper=!{self._helper()}"]
        return tuple(made)

    def environment(self, remote: str, ssh: str) -> dict[str, str]:
        """Variables for git; ``ssh`` is the command that reaches a remote over SSH without credentials of ours."""
        made = {}
        if self.credentials.ca_file and _over_https(remote):
            made["GIT_SSL_CAINFO"] = str(self._path(self.credentials.ca_file))
        if _over_ssh(remote) and (options := self._ssh_options()):
            made["GIT_SSH_COMMAND"] = f"{ssh} {options}"
        return made

    def check(self, remote: str) -> tuple[str, ...]:
        """See that everything that will be needed is there; every secret in it, so that none is shown.

        Raises:
            RemoteFailed: a file or variable is missing or unusable; a mounted one may come later.
        """
        named = self.credentials
        if _over_ssh(remote):
            for key, file in (("sshKeyFile", named.ssh_key_file), ("knownHostsFile", named.known_hosts_file)):
                self._read(key, file)
        if _over_https(remote):
            self._read("caFile", named.ca_file)
        if not self._sends_password(remote):
            return ()
        user = self._line("usernameFile", self._read("usernameFile", named.username_file)) or TOKEN_USER
        secret = self._line("passwordFile", self._read("passwordFile", named.password_file))
        secret = secret or self._line("tokenFile", self._read("tokenFile", named.token_file))
        if named.token_env:
            secret = self._line("tokenEnv", os.environ.get(named.token_env, ""), f"the variable {named.token_env}")
        return (secret, base64.b64encode(f"{user}:{secret}".encode()).decode())

    def hint(self, said: str) -> str:
        """What to look at after an error, in the words of the credentials; empty when they had no part in it."""
        if self.credentials == Credentials():
            return ""
        look = next((look for words, look in HINTS if any(word in said for word in words)), "")
        return f"expected {look} that is right for this remote; see {self.place.removeprefix(_FILE)}" if look else ""

    def _sends_password(self, remote: str) -> bool:
        return self.credentials.has_password and _over_https(remote)

    def _helper(self) -> str:
        """Shell that answers git's ``get`` with the first lines of the files."""
        named = self.credentials
        user = self._first_line("u", named.username_file) if named.username_file else f"u={TOKEN_USER}"
        if named.token_env:
            secret = f'p="${named.token_env}"'
        else:
            secret = self._first_line("p", named.password_file or named.token_file or "")
        answer = r"printf 'username=%s\npassword=%s\n' " + '"$u" "$p"'
        return f'f() {{ test "$1" = get || exit 0; {user}; {secret}; {answer}; }}; f'

    def _first_line(self, variable: str, file: str) -> str:
        return f"IFS= read -r {variable} <{shlex.quote(str(self._path(file)))}"

    def _ssh_options(self) -> str:
        named = self.credentials
        options = []
        if named.ssh_key_file:
            options += [f"IdentityFile={self._for_ssh(named.ssh_key_file)}", "IdentitiesOnly=yes", "IdentityAgent=none"]
        if named.known_hosts_file:
            options += [
                f"UserKnownHostsFile={self._for_ssh(named.known_hosts_file)}",
                "GlobalKnownHostsFile=/dev/null",
                "StrictHostKeyChecking=yes",
            ]
        return " ".join(f"-o {shlex.quote(option)}" for option in options)

    def _for_ssh(self, file: str) -> str:
        """A path as ssh_config reads it: quoted, since it splits at spaces, and without its percent tokens."""
        return '"{}"'.format(str(self._path(file)).replace("%", "%%"))

    def _path(self, file: str) -> Path:
        return (self.directory / file).absolute()

    def _read(self, key: str, file: str | None) -> str:
        """The text of a file; empty when none is named."""
        if file is None:
            return ""
        path = self._path(file)
        try:
            found = path.read_text(errors="replace")
        except OSError as error:
            raise RemoteFailed(
                f"cannot read {path}: {error.strerror}",
                where=f"{self.place}.{key}",
                hint="see that the file is there and that hubctl may read it",
            ) from error
        if not found.strip():
            raise RemoteFailed(
                f"{path} is empty", where=f"{self.place}.{key}", hint="write what the remote expects into it"
            )
        return found

    def _line(self, key: str, text: str, what: str = "the file") -> str:
        """The one line of a secret; empty for no text, unless it is a variable's.

        Raises:
            RemoteFailed: there is more than one line, or what cannot be in one; what stands there is not shown.
        """
        if not text and key != "tokenEnv":
            return ""
        found = text.removesuffix("\n")
        if not found.isprintable() or not found.strip():
            raise RemoteFailed(
                f"{what} holds {len(text)} characters, expected one line of printable ones",
                where=f"{self.place}.{key}",
                hint="write the secret alone into it, with at most a line break at the end",
            )
        return found


def _over_https(remote: str) -> bool:
    return remote.lower().startswith("https://")


def _over_ssh(remote: str) -> bool:
    return remote.lower().startswith("ssh://") or ("://" not in remote and ":" in remote.split("/", maxsplit=1)[0])
