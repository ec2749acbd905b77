"""Notes: ``refs/notes/hydrator.metadata`` of the remote, in the cache; which commit of the inputs a commit stands for.

Apart from ``tracked``, because many writers share one ref of notes: each try begins with everybody else's. Every call
blocks. Format: GitOps Promoter's contract for hydrators.
"""

import json

from hubctl.errors import PublishConflict
from hubctl.publish import cache

REF = "refs/notes/hydrator.metadata"

PAUSES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0)
"""Seconds before each try, each made half as long or half as long again by chance."""

KEY = "drySha"


class Notes:
    """The remote's notes, followed under their own name."""

    def __init__(self, store: cache.Cache) -> None:
        self._cache = store

    def take(self) -> str:
        """Fetch the notes over whatever the cache has of them; their tip, empty when the remote has none.

        Raises:
            RemoteFailed: the remote did not answer.
            CacheBroken: it did, and the fetch failed all the same.
        """
        asked = ("ls-remote", "--", self._cache.remote, REF)
        rows = (line.split("\t") for line in self._cache.remotely(*asked).out.decode().splitlines())
        tip = next((row[0] for row in rows if row[1] == REF), "")
        if not tip:
            self._cache.local("update-ref", "-d", REF)
        elif tip != self._known():
            # Notes have a history as long as the branch's, and nobody asks for it.
            answer = self._cache.fetch("--depth=1", "--", f"+{REF}:{REF}")
            if answer.status:
                answer = self._cache.fetch("--", f"+{REF}:{REF}")
            if answer.status:
                self._cache.remotely(*asked)  # still there? then it is the cache that failed
                refused = self._cache.refused(f"git fetch of {REF} failed", answer)
                raise cache.CacheBroken(refused.message, hint=refused.hint)
        return self._known()

    def read(self, commit: str) -> str:
        """The note on a commit as fetched last; empty when there is none."""
        if not self._known():
            return ""
        answer = self._cache.local("notes", f"--ref={REF}", "show", commit, check=False)
        return answer.out.decode(errors="replace").strip() if answer.status == 0 else ""

    def add(self, commit: str, text: str, author: tuple[str, str]) -> None:
        """Put a note on a commit, in the cache only; one that it has is replaced.

        Raises:
            CacheBroken: git failed.
        """
        named = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _parts(author)}
        args = ("notes", f"--ref={REF}", "add", "--force", "--file=-", commit)
        self._cache.local(*args, stdin=text.encode(), environment=named)

    def push(self, before: str) -> cache.Answer:
        """Move the remote's notes from ``before`` to the cache's, or not at all."""
        plain = ("--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no")
        lease = f"--force-with-lease={REF}:{before}"
        return self._cache.remotely("push", *plain, lease, "--", self._cache.remote, f"{REF}:{REF}", check=False)

    def _known(self) -> str:
        answer = self._cache.local("rev-parse", "--verify", "--quiet", REF, check=False)
        return answer.out.decode().strip() if answer.status == 0 else ""


def _parts(author: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return ("NAME", author[0]), ("EMAIL", author[1])


def text(dry: str) -> str:
    """The note for a commit that stands for this commit of the inputs."""
    return json.dumps({KEY: dry})


def dry_of(found: str | bytes) -> str:
    """The commit of the inputs that a note or a metadata file names; empty when it names none."""
    try:
        data = json.loads(found)
    except ValueError:
        return ""
    value = data.get(KEY) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def outrun() -> PublishConflict:
    """The error for a note that others kept being faster than."""
    return PublishConflict(
        f"{REF} moved away during each of {len(PAUSES)} tries",
        hint="run `hubctl publish` again; what it published is on the branch, only its note is missing",
    )
