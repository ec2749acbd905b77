"""Tracked: where the remote branch stands, as the cache remembers it; the git commands that ask and move it.

Apart from ``repository``, which is async, takes the lock and decides what an answer means; every call here blocks.
"""

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
        plain = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        answer = self._cache.remotely("fetch", *plain, "--", self._cache.remote, refspec, check=False)
        if answer.status:
            self._cache.remotely(*asked)  # still there? then it is the cache that failed
            refused = self._cache.refused("git fetch failed", answer)
            raise cache.CacheBroken(refused.message, hint=refused.hint)
        return self.own()

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
