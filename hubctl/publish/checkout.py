"""Checkouts: commits of the configuration repository as folders, one of which is in force.

Apart from ``repository``, which has no work tree. A commit is a folder of its own, so that it is there whole or not in
force; each is a work tree of the cache, so that git in it knows its commit.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from hubctl.errors import InputError, RemoteFailed
from hubctl.model.gitops import Credentials
from hubctl.publish import mending, stream
from hubctl.publish.access import Access
from hubctl.publish.repository import Repository
from hubctl.settings import BRANCH, CREDENTIALS, PATH, ConfigRepository

_CURRENT, _COMMITS = "current", "at"


@dataclass(frozen=True, slots=True)
class Checkout:
    """One commit of the branch.

    Attributes:
        folder: of the inputs in it.
    """

    commit: str
    folder: Path


class Checkouts:
    """The commits of one branch in ``config`` of the state folder; nothing is asked yet."""

    def __init__(self, state: Path, config: ConfigRepository) -> None:
        """Take where to follow what.

        Raises:
            InputError: the branch's name or the path is none, or the files are no credentials.
        """
        self._home = state / "config"
        self._below = PurePosixPath(config.path)
        if self._below.is_absolute() or ".." in self._below.parts:
            raise InputError(
                f"the path of the inputs in the configuration repository is {config.path!r}",
                where=PATH,
                hint="expected a folder in it, such as fleets/production",
            )
        try:
            credentials = Credentials.model_validate(dict(config.files))
        except ValidationError as error:
            raise InputError(
                f"the variables {', '.join(CREDENTIALS[kind] for kind in config.files)} name no credentials: "
                f"{error.errors()[0]['msg']}",
                hint="a token alone is enough, or a user name with a password or token",
            ) from error
        access = Access(credentials, Path(), "the configuration repository's credentials")
        self._branch = config.branch
        self._repository = Repository(self._home, config.url, config.branch, access=access)

    @property
    def folder(self) -> Path:
        """The inputs in force, the same path for every commit."""
        return self._home / _CURRENT

    def current(self) -> Checkout | None:
        """The commit in force; None before the first."""
        if not self.folder.is_dir():
            return None
        return Checkout(self.folder.readlink().parts[1], self.folder)

    async def newest(self) -> Checkout:
        """The branch's tip, checked out beside the one in force.

        Raises:
            InputError: it has no such folder.
            PublishConflict: another process keeps the lock.
            RemoteFailed: the remote did not answer, or has no such branch.
        """
        async with self._repository.turn:
            commit = await self._repository.fetch()
            if not commit:
                raise RemoteFailed(
                    f"the configuration repository has no branch {self._branch}",
                    where=self._shown,
                    hint=f"push it, or name another with --config-branch or {BRANCH}",
                )
            if not self._is_whole(commit):
                await self._check_out(commit)
        return Checkout(commit, self._at(commit) / self._below)

    async def take(self, checkout: Checkout) -> Checkout:
        """Put a commit in force, from one moment to the next, and remove the others."""
        fresh = self.folder.with_suffix(".new")
        async with self._repository.turn:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(Path(_COMMITS) / checkout.commit / self._below)
            fresh.replace(self.folder)
            await mending.threaded(partial(self._sweep, checkout.commit))
        return Checkout(checkout.commit, self.folder)

    def _sweep(self, kept: str) -> None:
        for other in (self._home / _COMMITS).iterdir():
            if not other.name.startswith(kept):
                _remove(other)

    def _at(self, commit: str) -> Path:
        return self._home / _COMMITS / commit

    def _whole(self, commit: str) -> Path:
        return self._at(commit).with_suffix(".whole")

    def _is_whole(self, commit: str) -> bool:
        """Whether that folder of the commit is checked out, and git in it still knows of its cache."""
        marker, known = self._whole(commit), self._repository.cache.path / "worktrees" / commit
        return marker.is_file() and marker.read_text() == str(self._below) and known.is_dir()

    async def _check_out(self, commit: str) -> None:
        below = [] if self._below == PurePosixPath() else ["--", str(self._below)]
        out = await self._repository.ask("ls-tree", "-r", "-z", "--full-tree", commit, *below)
        listed = stream.listing(out)
        if not listed:
            raise InputError(
                f"commit {commit[:12]} of the configuration repository holds nothing at {self._below}",
                hint=f"name the folder with the values file with --config-path or {PATH}",
            )
        await self._bring(entry.rpartition(" ")[2] for entry in listed.values() if not entry.startswith("160000 "))
        _remove(self._whole(commit))
        _remove(self._at(commit))
        self._at(commit).parent.mkdir(exist_ok=True)
        await self._repository.ask("worktree", "prune")
        await self._repository.ask("config", "remote.origin.url", self._shown)
        await self._repository.ask(
            "worktree", "add", "--quiet", "--force", "--detach", "--no-checkout", str(self._at(commit)), commit
        )
        inside = (f"--git-dir={self._repository.cache.path / 'worktrees' / commit}", f"--work-tree={self._at(commit)}")
        await self._repository.ask(*inside, "checkout", "--quiet", "HEAD", "--", *(below[1:] or ["."]))
        self._whole(commit).write_text(str(self._below))

    async def _bring(self, blobs: Iterable[str]) -> None:
        """Fetch the files that were left out for their size."""
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        cache, tracked = self._repository.cache, self._repository.tracked
        out = await mending.threaded(lambda: cache.local("cat-file", "--batch-check", "--buffer", stdin=asked).out)
        if lacking := [line.split()[0].decode() for line in out.splitlines() if line.endswith(b" missing")]:
            await mending.threaded(lambda: tracked.bring(lacking))

    @property
    def _shown(self) -> str:
        return stream.without_credentials(self._repository.cache.remote)


def _remove(path: Path) -> None:
    """Remove a file or folder that may not be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
