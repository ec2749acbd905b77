"""The demo's bare Git remote, and the clone in which a person keeps the fleet's input files.

Runs the plain ``git`` program: this is the person's and Argo CD's side of the remote. hubctl's own side, with locks
and retries, is ``hubctl.publish``.
"""

import asyncio
import io
import os
import tarfile
from pathlib import Path

from hubctl.errors import RemoteFailed

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Fleet Owner",
    "GIT_AUTHOR_EMAIL": "owner@demo.invalid",
    "GIT_COMMITTER_NAME": "Fleet Owner",
    "GIT_COMMITTER_EMAIL": "owner@demo.invalid",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""The person of the demo, and nothing of the person who runs it: no hooks, no signing, no translated messages."""


async def make_remote(path: Path, branch: str = "main") -> Path:
    """A bare repository without commits, in a folder that exists; ``path`` itself.

    Raises:
        RemoteFailed: git refused.
    """
    await run(path.parent, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(path))
    return path


async def push_inputs(folder: Path, remote: Path, branch: str = "main") -> str:
    """Makes ``folder`` a clone of an empty remote and pushes what lies in it; the commit.

    Raises:
        RemoteFailed: git refused.
    """
    await run(folder, "init", "--quiet", f"--initial-branch={branch}")
    await run(folder, "remote", "add", "origin", str(remote))
    await _commit(folder, "Describe the fleet")
    await run(folder, "push", "--quiet", "--set-upstream", "origin", branch)
    return await _head(folder)


async def push_change(folder: Path, message: str) -> str:
    """Commits what changed in a clone, on top of what hubctl pushed meanwhile, and pushes it; the commit.

    Raises:
        RemoteFailed: git refused, also when nothing changed.
    """
    await _commit(folder, message)
    await run(folder, "pull", "--quiet", "--rebase")
    await run(folder, "push", "--quiet")
    return await _head(folder)


async def tip(remote: Path, branch: str) -> str:
    """The branch's newest commit; empty when there is none."""
    return (await run(remote, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")).decode().strip()


async def read_folder(remote: Path, commit: str, folder: str) -> dict[str, bytes]:
    """Every file below a folder of one commit, by its path below that folder; empty when there is no such folder.

    Raises:
        RemoteFailed: git refused.
    """
    if not await run(remote, "ls-tree", "-d", commit, "--", folder):
        return {}
    archive = io.BytesIO(await run(remote, "archive", "--format=tar", f"{commit}:{folder}"))
    with tarfile.open(fileobj=archive) as tar:
        members = ((member.name, tar.extractfile(member)) for member in tar.getmembers() if member.isfile())
        return {name: content.read() for name, content in members if content is not None}


async def run(folder: Path, *arguments: str) -> bytes:
    """Runs git in a folder, free of this person's configuration and of a surrounding git's variables; its output.

    Raises:
        RemoteFailed: it exited with another code than 0.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=folder,
        env=environment | _ENVIRONMENT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate()
    if process.returncode != 0:
        said = (complaint or output).decode(errors="replace").strip()
        raise RemoteFailed(
            f"git {arguments[0]} exited with {process.returncode}: {said}",
            hint=f"run `git {' '.join(arguments)}` there to see it",
            where=str(folder),
        )
    return output


async def _commit(folder: Path, message: str) -> None:
    """Commits everything in a clone."""
    await run(folder, "add", "--all")
    await run(folder, "commit", "--quiet", "-m", message)


async def _head(folder: Path) -> str:
    """The commit that a clone stands on."""
    return (await run(folder, "rev-parse", "HEAD")).decode().strip()
