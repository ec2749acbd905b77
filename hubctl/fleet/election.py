"""Election: the client library's leader election at work in a thread, seen from asyncio.

Apart from ``lease``, which imports the client.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubctl.fleet.cluster import Cluster
    from hubctl.fleet.lease import Candidate


class Election:
    """One candidacy, from waiting to the end of the term; for one event loop.

    Attributes:
        candidate: who wants which Lease.
        won: set when the term begins.
        over: set when it ended, or when the candidacy did.
    """

    def __init__(self, cluster: "Cluster", candidate: "Candidate") -> None:
        """Nothing is asked before :meth:`begin`."""
        from hubctl.fleet import lease  # noqa: PLC0415 - imports the client

        self.candidate = candidate
        self.won, self.over = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = lease.FencedLock(cluster, candidate)

    @property
    def holder(self) -> str:
        """Who was seen to lead last; empty for nobody."""
        return self._lock.holder

    @property
    def problem(self) -> str:
        """Why the Lease could not be asked for last; empty when it could."""
        return self._lock.problem

    @property
    def epoch(self) -> int:
        """Of our term; 0 before it."""
        return self._lock.epoch or 0

    def begin(self) -> None:
        """Stand, in a thread of its own that does not keep the process alive."""
        threading.Thread(target=self._run, name="hubctl-election", daemon=True).start()

    def check(self) -> None:
        """See that our term goes on, as far as is known here.

        Raises:
            Fenced: it does not.
        """
        self._lock.check()

    async def confirm(self) -> None:
        """See in the API that our term goes on.

        Raises:
            Fenced: it does not, or the API does not answer.
        """
        await self._asked(self._lock.confirm)

    async def raise_to(self, epoch: int) -> None:
        """Move our term to a later epoch.

        Raises:
            Fenced: it ended, or the API does not answer.
        """
        await self._asked(partial(self._lock.raise_to, epoch))

    async def resign(self) -> None:
        """End the candidacy; the Lease is given back if it is ours. The thread ends of it, at its next try."""
        await asyncio.to_thread(self._lock.release)
        self.over.set()

    async def _asked(self, what: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(what)
        finally:
            if self._lock.over:
                self.over.set()

    def _run(self) -> None:
        from kubernetes.leaderelection import electionconfig, leaderelection  # noqa: PLC0415 - as above

        from hubctl.fleet.lease import OverError  # noqa: PLC0415 - as above

        config = electionconfig.Config(
            self._lock,
            lease_duration=self.candidate.lease_duration,
            renew_deadline=self.candidate.renew_deadline,
            retry_period=self.candidate.retry_period,
            onstarted_leading=lambda: self._tell(self.won.set),
            onstopped_leading=lambda: None,
        )
        try:
            leaderelection.LeaderElection(config).run()
        except OverError:
            pass
        finally:
            self._tell(self.over.set)

    def _tell(self, what: Callable[[], None]) -> None:
        """Do it in the event loop, unless that is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)
