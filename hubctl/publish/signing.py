"""Signing: a commit of ours made anew with a signature, by a key in a file that the values name.

``git fast-import`` signs nothing, so the commit that it wrote is written once more by ``git commit-tree -S``: the same
tree, parents, author, dates and message. Formats: gpg.format in git-config(1), ssh-keygen(1) -Y sign, gpg(1).
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Signing
from hubctl.publish import cache, stream

_PLACE = "values-hub.yaml hubctl.gitops.signing.keyFile"
_HINT = "see that the file holds a private key without passphrase and that only its owner may read it"
_SECONDS = 60.0
_PERSON = re.compile(rb"(?P<name>.*) <(?P<email>.*)> (?P<date>\d+ [+-]\d{4})")
_GPG_CONF = "batch\nno-tty\npinentry-mode error\n"
"""Nobody is there to be asked for a passphrase."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one key.

    Attributes:
        directory: what a relative key file is relative to.
    """

    signing: Signing
    directory: Path

    def signed(self, store: cache.Cache, commit: str) -> str:
        """The id of a commit that differs from ``commit`` in its signature only.

        Raises:
            RemoteFailed: the key is missing or unusable; later it may be there.
        """
        self.check()
        head, _, message = store.local("cat-file", "commit", commit).out.partition(b"\n\n")
        lines = [line.partition(b" ") for line in head.split(b"\n")]
        tree = next(value for key, _, value in lines if key == b"tree").decode()
        parents = [word for key, _, value in lines if key == b"parent" for word in ("-p", value.decode())]
        with self._ready() as (options, environment):
            variables = {**_person("AUTHOR", lines), **_person("COMMITTER", lines), **environment}
            asked = [word for option in options for word in ("-c", option)]
            args = (*asked, "commit-tree", "-S", tree, *parents)
            answer = store.local(*args, stdin=message, check=False, environment=variables)
        if answer.status:
            raise _unusable(stream.said(answer.err))
        return answer.out.decode().strip()

    def check(self) -> None:
        """See that the key is there.

        Raises:
            RemoteFailed: it cannot be read.
        """
        try:
            self._key.read_bytes()
        except OSError as error:
            raise _unusable(f"cannot read {self._key}: {error.strerror}") from error

    @property
    def _key(self) -> Path:
        return (self.directory / self.signing.key_file).absolute()

    @contextmanager
    def _ready(self) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
        """Settings for ``git -c`` and variables with which git can use the key."""
        if self.signing.format == "ssh":
            # A passphrase is asked for by a program that knows none, instead of at the terminal.
            mute = {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
            yield ("gpg.format=ssh", f"user.signingKey={self._key}", "i18n.commitEncoding=UTF-8"), mute
            return
        # A keyring for this one signature, with an agent of its own that ends with it.
        home = tempfile.mkdtemp(prefix="hubctl-gpg-")
        try:
            key = _imported(self._key, Path(home))
            yield ("gpg.format=openpgp", f"user.signingKey={key}", "i18n.commitEncoding=UTF-8"), {"GNUPGHOME": home}
        finally:
            if shutil.which("gpgconf"):
                _run("gpgconf", "--homedir", home, "--kill", "all")
            shutil.rmtree(home, ignore_errors=True)


def _imported(key: Path, home: Path) -> str:
    """The fingerprint of a secret key, once it is in the keyring."""
    if not shutil.which("gpg"):
        raise RemoteFailed("no gpg on PATH, and commits are to be signed by it", where=_PLACE, hint="install gnupg")
    (home / "gpg.conf").write_text(_GPG_CONF)
    told = _run("gpg", "--homedir", str(home), "--import", str(key))
    listed = _run("gpg", "--homedir", str(home), "--with-colons", "--list-secret-keys").stdout.decode()
    fingerprints = [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")]
    if not fingerprints:
        raise _unusable(f"gpg finds no secret key in {key}: {stream.said(told.stderr.decode(errors='replace'))}")
    return fingerprints[0]


def _run(*args: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(  # noqa: S603 - fixed programs, no shell
        args, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_SECONDS, env=environment
    )


def _person(role: str, lines: list[tuple[bytes, bytes, bytes]]) -> dict[str, str]:
    """The variables that make git write a person and a date as they stand in a commit."""
    told = next(value for key, _, value in lines if key == role.lower().encode())
    found = _PERSON.fullmatch(told)
    assert found, "fast-import wrote it"  # noqa: S101 - a mistake of git, not of a user
    parts = {name: value.decode(errors="replace") for name, value in found.groupdict().items()}
    return {f"GIT_{role}_{name.upper()}": f"@{part}" if name == "date" else part for name, part in parts.items()}


def _unusable(why: str) -> RemoteFailed:
    return RemoteFailed(f"the commit cannot be signed: {why}", where=_PLACE, hint=_HINT)
