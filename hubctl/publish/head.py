"""Head: the branch that a pull request comes from, and whether everything on it is hubctl's own.

Apart from ``pulls``, which decides what follows. A commit is ours when the changes that it makes are those that its
trailer names, and when it is a merge that git makes by itself, such as a forge's button for updating a branch.
"""

from dataclasses import dataclass

from hubctl.publish import mending, proposal, stream
from hubctl.publish.repository import Repository

_FORMAT = f"%H%x00%P%x00%an <%ae>%x00%s%x00%(trailers:key={proposal.TRAILER},valueonly,separator=%x2C)%x00"
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Head:
    """What lies on the head branch beyond the published one.

    Attributes:
        tip: empty when there is no such branch.
        proposal: the digest that it carries; empty when it carries none, or more than one.
        subject: of the commit that carries it.
        strangers: commits by others, as people know them.
    """

    tip: str = ""
    proposal: str = ""
    subject: str = ""
    strangers: tuple[str, ...] = ()


async def read_head(published: Repository, name: str, base: str) -> Head:
    """Fetch the head branch and look at every commit on it that is not on ``base``.

    Args:
        published: the branch that it is to be merged into.
        name: of the head branch.
        base: the published tip.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    branch = published.on(name)
    tip = await branch.fetch()
    if not tip:
        return Head()
    # Where the history is cut off, everything behind the cut would be somebody's.
    await published.history.deepened()
    await branch.history.deepened()
    out = await branch.ask("log", "--no-show-signature", "--encoding=UTF-8", f"--format={_FORMAT}", f"{base}..{tip}")
    fields = out.decode(errors="replace").split("\0")[:-1]
    rows = [fields[at : at + _FIELDS] for at in range(0, len(fields), _FIELDS)]
    ours, strangers = [], []
    for commit, parents, author, subject, told in rows:
        if " " in parents:
            known = await _merged_by_git(branch, commit.strip(), parents.split(" "))
        else:
            known = bool(told) and await _digest_of(branch, commit.strip()) == told
            ours += [(told, subject)] if known else []
        strangers += [] if known else [f"{commit.strip()[:12]} {subject!r} by {author}"]
    told, subject = ours[0] if len(ours) == 1 else ("", "")
    return Head(tip, told, subject, tuple(strangers))


async def _digest_of(branch: Repository, commit: str) -> str:
    plain = ("--no-commit-id", "--root", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
    return proposal.digest(stream.moved(await branch.ask("diff-tree", *plain, commit)))


async def _merged_by_git(branch: Repository, commit: str, parents: list[str]) -> bool:
    """Whether a merge holds what git alone makes of its parents; a conflict is a no, and so is git before 2.38."""
    made = await branch.ask("merge-tree", "--write-tree", *parents, check=False)
    tree = await branch.ask("rev-parse", f"{commit}^{{tree}}")
    return made.strip() == tree.strip()


async def branches(published: Repository, prefix: str) -> tuple[str, ...]:
    """The remote's branches whose names begin so, sorted.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    asked = ("ls-remote", "--", published.cache.remote, f"refs/heads/{prefix}*")
    async with published.turn:
        answer = await mending.threaded(lambda: published.cache.remotely(*asked))
    rows = answer.out.decode(errors="replace").splitlines()
    return tuple(sorted(row.partition("\trefs/heads/")[2] for row in rows))


async def delete(published: Repository, branch: str, tip: str) -> None:
    """Take a branch off the remote, if it is still at ``tip``; whether it was is for a later look to tell."""
    lease = f"--force-with-lease=refs/heads/{branch}:{tip}"
    asked = ("push", "--quiet", "--no-verify", lease, "--", published.cache.remote, f":refs/heads/{branch}")
    async with published.turn:
        await published.permit()
        await mending.threaded(lambda: published.cache.remotely(*asked, check=False))
