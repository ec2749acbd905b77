"""The bare repository in the state folder: making it, sweeping up after a crash, making it anew, running git in it.

Nothing in it is the truth: every part can be fetched again. Of GitPython only the way to run git is used: adding
to its index costs a process per file.
"""

import configparser
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import git

from hubctl.errors import RemoteFailed
from hubctl.publish import stream
from hubctl.publish.access import Access

SHA1, SHA256 = "sha1", "sha256"
SCRATCH = "refs/hubctl/writing"
"""Commits on their way; each under a name of its own, so that git left over from a killed process cannot interfere."""

_NETWORK_SECONDS = 300.0
_QUIET = (
    "core.hooksPath=/dev/null",  # a person's own hooks are not for our pushes
    "gc.autoDetach=false",  # no process of ours outlives its call
    "maintenance.autoDetach=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=30",
)
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"
TIP, HISTORY = "blob:limit=1m", "blob:none"
"""What is fetched: of a tip all but large files, which are never ours; of what lies behind it, no files at all."""

_NAME = "hubctl"
"""Of the remote, while git runs; nothing is written into the cache's configuration. Files that were left out are
fetched when hubctl asks for them, with its credentials, and never by git on its own."""

_CHECKED_OUT = "push to a bare repository, or set hubctl.gitops.branch to one that is not checked out there"
_LEFTOVERS = ("fast_import_crash_*", "*.lock", "objects/pack/tmp_*", "objects/pack/*.lock")


class CacheBroken(RemoteFailed):
    """Git failed on the cache itself; it is made anew once before this reaches a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one git command said."""

    status: int
    out: bytes
    err: str


_NO_VERIFY = "GIT_SSL_NO_VERIFY"


class Cache:
    """A bare repository at ``folder/repository.git`` for one remote; every call blocks.

    Only the holder of the lock may call :meth:`open` and :meth:`rebuild`.
    """

    def __init__(self, folder: Path, remote: str, access: Access | None = None) -> None:
        self.path = folder / "repository.git"
        self.remote = _absolute(remote)
        self._access = access or Access()
        self._repo: git.Repo | None = None

    def open(self) -> None:
        """Make the cache if there is none, and clear what a killed process left.

        Raises:
            RemoteFailed: the remote, asked for its object format, did not answer.
        """
        if self._usable():
            _sweep(self.path)
        else:
            self.rebuild()

    def rebuild(self) -> None:
        """Replace the cache by an empty one of the remote's object format.

        Raises:
            RemoteFailed: the remote did not answer.
        """
        self._make(SHA1)
        # An empty remote names its format in the handshake only, and git shows that nowhere but in the trace.
        try:
            heard = self.remotely("ls-remote", "--", self.remote, "HEAD", trace=True)
        except RemoteFailed:
            self.close()
            shutil.rmtree(self.path)  # or the next run would take the format for known
            raise
        if re.search(r"object-format=sha256\b", heard.err):
            self._make(SHA256)

    def _make(self, object_format: str) -> None:
        self.close()
        fresh, old = (self.path.with_suffix(suffix) for suffix in (".new", ".old"))
        for stale in (fresh, old):
            shutil.rmtree(stale, ignore_errors=True)
        fresh.mkdir(parents=True)
        run = git.cmd.Git(fresh)
        run.execute(
            [
                "git",
                f"--git-dir={fresh}",
                "init",
                "--quiet",
                "--bare",
                "--template=",
                f"--object-format={object_format}",
            ]
        )
        # Renamed when whole: a crash leaves either no cache or a usable one.
        if self.path.exists():
            self.path.rename(old)
        fresh.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)

    def cut(self) -> frozenset[str]:
        """Commits whose parents were not fetched."""
        try:
            return frozenset((self.path / "shallow").read_text().split())
        except FileNotFoundError:
            return frozenset()

    def close(self) -> None:
        """Let go of the repository."""
        if self._repo is not None:
            self._repo.close()
            self._repo = None

    def local(
        self, *args: str, stdin: bytes = b"", check: bool = True, environment: Mapping[str, str] | None = None
    ) -> Answer:
        """Run git on the cache.

        Raises:
            CacheBroken: it failed and ``check`` is set.
        """
        answer = self._run(args, stdin=stdin, environment=environment)
        if check and answer.status:
            raise CacheBroken(
                f"git {args[0]} failed on {self.path}: {stream.said(answer.err) or answer.status}",
                hint=f"look for free space, then remove {self.path}; hubctl fetches it again",
            )
        return answer

    def remotely(self, *args: str, check: bool = True, trace: bool = False) -> Answer:
        """Run git against the remote.

        Raises:
            RemoteFailed: it failed and ``check`` is set, or the credentials cannot be read.
        """
        self._access.check(self.remote)
        answer = self._run(args, seconds=_NETWORK_SECONDS, trace=trace, away=True)
        if check and answer.status:
            raise self.refused(f"git {args[0]} failed", answer)
        return answer

    def fetch(self, *args: str, filtered: str = TIP, stdin: bytes = b"") -> Answer:
        """Fetch from the remote; ``args`` are options, ``--`` and what is wanted, or options alone.

        A server that knows no filters sends everything. What standard input asks for is taken to lack here, even if it
        belongs to a commit that does not.

        Raises:
            RemoteFailed: the credentials cannot be read.
        """
        plain = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        at = args.index("--") if "--" in args else len(args)
        self._access.check(self.remote)
        named = (f"url={self.remote}", "promisor=true", f"partialclonefilter={filtered}")
        partial = tuple(f"remote.{_NAME}.{setting}" for setting in named)
        return self._run(
            ("fetch", *plain, *args[:at], _NAME, *args[at + 1 :]),
            stdin=stdin,
            seconds=_NETWORK_SECONDS,
            away=True,
            settings=(*partial, *(("fetch.negotiationAlgorithm=noop",) if stdin else ())),
        )

    def refused(self, what: str, answer: Answer) -> RemoteFailed:
        """The error for a remote that refused or did not answer, in git's words."""
        remote, said = stream.without_credentials(self.remote), stream.said(answer.err)
        # A server may repeat what it was sent.
        for secret in self._access.check(self.remote):
            said = said.replace(secret, "***")
        return RemoteFailed(
            f"{what} on {remote}: {said or f'git exited with {answer.status}'}",
            hint=_CHECKED_OUT
            if "is currently checked out" in said or "denyCurrentBranch" in said
            else self._access.hint(said) or f"check the address and your access with `git ls-remote {remote}`",
        )

    def _run(
        self,
        args: tuple[str, ...],
        *,
        stdin: bytes = b"",
        seconds: float | None = None,
        trace: bool = False,
        away: bool = False,
        environment: Mapping[str, str] | None = None,
        settings: tuple[str, ...] = (),
    ) -> Answer:
        repo = self._opened()
        variables = {**_environment(repo, trace=trace), **(environment or {})}
        settings = (*_QUIET, *settings)
        if away:
            variables |= self._access.environment(self.remote, _SSH)
            settings += self._access.options(self.remote)
        options = [word for option in settings for word in ("-c", option)]
        command = [*_verified(), "git", f"--git-dir={self.path}", "--literal-pathspecs", *options, *args]
        # A file, not a pipe: git reads it to the end even if we are killed.
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            status, out, err = repo.git.execute(
                command,
                istream=source,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=seconds,
                env=variables,
            )
        return Answer(int(status), out if isinstance(out, bytes) else b"", str(err))

    def _opened(self) -> git.Repo:
        if self._repo is None or not self.path.is_dir():
            try:
                self._repo = git.Repo(self.path)
            except (git.InvalidGitRepositoryError, git.NoSuchPathError, configparser.Error) as error:
                raise CacheBroken(f"{self.path} is no repository", hint="remove it; hubctl fetches it again") from error
        return self._repo

    def _usable(self) -> bool:
        try:
            return self.local("rev-parse", "--is-bare-repository", check=False).out.strip() == b"true"
        except CacheBroken:
            return False


def _sweep(cache: Path) -> None:
    """Remove what killed processes left; safe, because the caller holds the lock."""
    shutil.rmtree(cache / SCRATCH, ignore_errors=True)
    stale = [*(found for pattern in _LEFTOVERS for found in cache.glob(pattern))]
    for path in (*stale, *(cache / "refs").rglob("*.lock")):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _verified() -> tuple[str, ...]:
    """Takes away the variable that switches git's certificate check off; it wins over settings, even when empty."""
    return ("env", "-u", _NO_VERIFY) if _NO_VERIFY in os.environ else ()


def _environment(repo: git.Repo, *, trace: bool) -> dict[str, str]:
    """Variables that keep git from asking anything; a person's own choice of ssh stands."""
    made = {"GIT_TERMINAL_PROMPT": "0", "GIT_TRACE_REDACT": "1"}
    if trace:
        made["GIT_TRACE_PACKET"] = "1"
    if not os.environ.get("GIT_SSH_COMMAND") and not os.environ.get("GIT_SSH"):
        with repo.config_reader() as config:
            if not config.get_value("core", "sshCommand", ""):
                made["GIT_SSH_COMMAND"] = _SSH
    return made


def _absolute(remote: str) -> str:
    """A path on this machine made absolute, since git runs in the cache; URLs and ``host:path`` as they are."""
    return remote if ":" in remote.split("/", maxsplit=1)[0] else str(Path(remote).absolute())
