"""Tracked: where the remote branch stands, as the cache remembers it; the git commands that ask and move it.

Apart from ``repository``, which is async, takes the lock and decides what an answer means; every call here blocks.
"""

from collections.abc import Iterable

from hubctl.publish import cache, stream


class Tracked:
    """One branch of the cache's remote, followed in a private ref.

    Attributes:
        base: the branch that it is begun from; as long as it does not exist, that one's tip and history count.
    """

    def __init__(self, store: cache.Cache, branch: str, base: str = "") -> None:
        self._cache = store
        self._branch = f"refs/heads/{branch}"
        self._ref = f"refs/hubctl/tip/{branch}"
        self.base = Tracked(store, base) if base else None

    def take(self) -> str:
        """Fetch the branch into the private ref; its tip, the base's, or empty when the remote has neither.

        Raises:
            RemoteFailed: the remote did not answer.
            CacheBroken: it did, and the fetch failed all the same.
        """
        asked = ("ls-remote", "--", self._cache.remote, self._branch)
        rows = (line.split("\t") for line in self._cache.remotely(*asked).out.decode().splitlines())
        tip = next((row[0] for row in rows if row[1] == self._branch), "")
        if not tip:
            self._cache.local("update-ref", "-d", self._ref)
            return self.base.take() if self.base else ""
        if self.own() == tip:
            return tip
        refspec = f"+{self._branch}:{self._ref}"
        # Later ones go on from there, so what came after the first is complete: a push can be found in it.
        answer = self._cache.fetch(*(() if self.own() else ("--depth=1",)), "--", refspec)
        if answer.status:
            answer = self._cache.fetch("--", refspec)  # a server that cannot cut a history short
        self._check(answer)
        return self.own()

    def deepen(self) -> None:
        """Fetch the history behind the tip, without its files; nothing to do when it is there.

        Raises:
            RemoteFailed: the remote did not answer.
            CacheBroken: it did, and the fetch failed all the same.
        """
        if self.edge():
            # Into a ref of its own: the branch may have moved on, and the caller's tip stays what it was.
            aside = f"refs/hubctl/deep/{self._branch.removeprefix('refs/heads/')}"
            self._check(self._cache.fetch("--unshallow", "--", f"+{self._branch}:{aside}", filtered=cache.HISTORY))
            self._cache.local("update-ref", "-d", aside)

    def edge(self) -> frozenset[str]:
        """Commits behind the tip at which the history that was fetched ends before its beginning."""
        cut = self._cache.cut()
        if not cut:
            return frozenset()
        if not self.own():
            return self.base.edge() if self.base else frozenset()
        return cut.intersection(self._cache.local("rev-list", self._ref).out.decode().split())

    def bring(self, blobs: Iterable[str]) -> None:
        """Fetch files that were left out.

        Raises:
            RemoteFailed: the remote did not answer.
            CacheBroken: it did, and does not give single files.
        """
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        self._check(self._cache.fetch("--stdin", stdin=asked, filtered=cache.HISTORY))

    def _check(self, answer: cache.Answer) -> None:
        if answer.status:
            self._cache.remotely("ls-remote", "--", self._cache.remote, self._branch)  # there? then the cache failed
            refused = self._cache.refused("git fetch failed", answer)
            raise cache.CacheBroken(refused.message, hint=refused.hint)

    def known(self) -> str:
        """The tip fetched last, or the base's; empty if none.

        Raises:
            CacheBroken: the cache cannot tell.
        """
        return self.own() or (self.base.known() if self.base else "")

    def own(self) -> str:
        """The branch's own tip as fetched last, empty if it has none.

        Raises:
            CacheBroken: the cache cannot tell; taking that for "none" would make overrides vanish.
        """
        out = self._cache.local("for-each-ref", "--format=%(refname) %(objectname)", self._ref).out.decode()
        rows = (line.split(" ") for line in out.splitlines())
        return next((commit for ref, commit in rows if ref == self._ref), "")

    def push(self, commit: str, parent: str) -> cache.Answer:
        """Move the remote branch from ``parent`` to ``commit``, or not at all; from nothing if that is the base's tip.

        The lease makes it compare-and-swap: a plain push would also wind a rewound branch forward again.
        """
        lease = f"--force-with-lease={self._branch}:{parent if self.own() or not self.base else ''}"
        plain = ("--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no")
        refspec = f"{commit}:{self._branch}"
        answer = self._cache.remotely("push", *plain, lease, "--", self._cache.remote, refspec, check=False)
        if answer.status == 0:
            # Unchecked: the branch has moved, and the next fetch puts this right.
            self._cache.local("update-ref", self._ref, commit, check=False)
        return answer

    def holds(self, commit: str, tip: str) -> bool:
        """Whether ``commit`` is ``tip`` or behind it."""
        return self._cache.local("merge-base", "--is-ancestor", commit, tip, check=False).status == 0

    def log(self, *args: str) -> bytes:
        """A ``git log`` of the tip fetched last, in :data:`stream.HISTORY`; empty without a tip.

        Raises:
            CacheBroken: git failed.
        """
        if not self.own():
            return self.base.log(*args) if self.base else b""
        plain = ("--no-color", "--no-show-signature", "--encoding=UTF-8", f"--format={stream.HISTORY}")
        return self._cache.local("log", *plain, self._ref, *args).out
