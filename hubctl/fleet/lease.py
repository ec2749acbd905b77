"""The lock of the client library's leader election, with what it lacks: an epoch, an end, and our own client.

The epoch is the Lease's ``leaseTransitions``. It grows with every term, so that two terms are never mistaken for one,
not even two of the same holder. Imported only where there is an election, because it imports the client.
"""

import json
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import urllib3
from kubernetes.client import ApiException, CoordinationV1Api
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from hubctl.errors import Fenced
from hubctl.fleet.cluster import Cluster

_FAILURES = (ApiException, urllib3.exceptions.HTTPError, OSError, ValueError)
"""What a request may raise: an answer that is a no, no answer, a credential that cannot be read, an odd body."""

_USUAL = (404, 409)
_SHOWN = 300


class OverError(Exception):
    """The candidacy is over; raised in the election's thread, which ends of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who wants which Lease.

    Attributes:
        identity: of this process and no other, also not of one before it.
        lease_duration: seconds, like the others; another one takes over after it.
        renew_deadline: after it a leader gives up.
        retry_period: between tries.
    """

    namespace: str
    name: str
    identity: str
    lease_duration: int
    renew_deadline: int
    retry_period: int

    @property
    def lease(self) -> str:
        """For people."""
        return f"{self.namespace}/{self.name}"


class FencedLock(LeaseLock):  # type: ignore[misc]  # the library is not typed
    """One candidacy for a Lease.

    Attributes:
        epoch: of our term; None before it.
        holder: who had the Lease when it was looked at last, empty for nobody.
        problem: why the API was of no use when it was asked last; empty when it was.
    """

    def __init__(self, cluster: Cluster, candidate: Candidate) -> None:
        super().__init__(candidate.name, candidate.namespace, candidate.identity)
        self._candidate = candidate
        self._where = cluster.address
        self.api_instance = api = CoordinationV1Api(cluster.client)
        # Two tries must fit into the deadline, or one answer that is lost ends the term.
        seconds = max(1.0, min(candidate.retry_period, candidate.renew_deadline / 2))
        for name in ("read_namespaced_lease", "create_namespaced_lease", "replace_namespaced_lease"):
            setattr(api, name, partial(self._noted, partial(getattr(api, name), _request_timeout=seconds)))
        # The election's thread, the pass and the end of the process all look at and write the same Lease.
        self._turn = threading.RLock()
        self._over = False
        self._renewed = 0.0
        self.epoch: int | None = None
        self.holder = self.problem = ""

    @property
    def over(self) -> bool:
        """Whether the candidacy was ended, by us or by what the Lease says."""
        return self._over

    def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        """The Lease as the election wants it.

        Raises:
            OverError: the candidacy was ended, or the Lease is no longer that of our term.
        """
        with self._turn:
            self._go_on()
            found, record = self._asked(partial(super().get, name, namespace))
            if found:
                self._look()
            elif self.epoch is not None and record.status == 404:  # noqa: PLR2004 - Not Found: somebody removed it
                self._end()
            return found, record

    def create(self, name: str, namespace: str, election_record: Any) -> bool:
        """Make the Lease; the first term's epoch is 1."""
        with self._turn:
            self._go_on()
            began = time.monotonic()
            made, _ = self._asked(lambda: (super(FencedLock, self).create(name, namespace, election_record), None))
            if made:
                self._leads(began)
            return bool(made)

    def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        """Take or renew the Lease."""
        with self._turn:
            self._go_on()
            began = time.monotonic()
            done, _ = self._asked(lambda: (super(FencedLock, self).update(name, namespace, updated_record), None))
            if done:
                self._leads(began)
            return bool(done)

    def get_lease_spec(self, leader_election_record: Any, current_spec: Any = None) -> Any:
        """The library's, with the epoch: one more than stands there, unless this renews our term."""
        spec = super().get_lease_spec(leader_election_record, current_spec)
        stands = (current_spec.lease_transitions if current_spec else 0) or 0
        spec.lease_transitions = stands if self.epoch is not None else stands + 1
        return spec

    def check(self) -> None:
        """See that our term goes on as far as this process knows; asks nobody.

        Raises:
            Fenced: it does not.
        """
        age = time.monotonic() - self._renewed
        if self._over or self.epoch is None:
            raise self._fenced(f"it is held by {self.holder}" if self.holder else "it is held by nobody")
        if age > self._candidate.renew_deadline:
            raise self._fenced(f"it was renewed {age:.0f} s ago, and another replica may hold it by now")

    def confirm(self) -> None:
        """See in the API, now, that the Lease is ours with our epoch.

        Raises:
            Fenced: it is not, or cannot be read.
        """
        with self._turn:
            self.check()
            try:
                self.lease_reference = self.api_instance.read_namespaced_lease(self.name, self.namespace)
                self._look()
            except _FAILURES as error:
                raise self._fenced(f"it cannot be read: {_said(error)}") from error
            except OverError:
                raise self._fenced(f"it is held by {self.holder or 'nobody'} now") from None

    def raise_to(self, epoch: int) -> None:
        """Move our term to a later epoch: the Lease is younger than what was done under one of its name.

        Raises:
            Fenced: the Lease is no longer ours, or cannot be written.
        """
        with self._turn:
            self.confirm()
            lease = self.lease_reference
            lease.spec.lease_transitions = epoch
            try:
                self.api_instance.replace_namespaced_lease(self.name, self.namespace, lease)
            except _FAILURES as error:
                raise self._fenced(f"it cannot be written: {_said(error)}") from error
            self.epoch = epoch

    def release(self) -> None:
        """End the candidacy, and give the Lease back if it is ours, so that nobody waits for it to expire."""
        with self._turn:
            self._over = True
            try:
                lease = self.api_instance.read_namespaced_lease(self.name, self.namespace)
                if lease.spec is None or lease.spec.holder_identity != self.identity:
                    return
                lease.spec.holder_identity = ""
                self.api_instance.replace_namespaced_lease(self.name, self.namespace, lease)
            except _FAILURES:
                return  # It expires by itself.

    def _noted(self, request: Any, *args: Any, **more: Any) -> Any:
        """The answer to a request; the library does not tell anybody of those that fail."""
        try:
            answer = request(*args, **more)
        except _FAILURES as error:
            # No Lease yet, or another one was faster: both are part of an election.
            usual = isinstance(error, ApiException) and error.status in _USUAL
            self.problem = "" if usual else _said(error)
            raise
        self.problem = ""
        return answer

    def _asked(self, call: Any) -> tuple[bool, Any]:
        """What the library's lock answers, also where it lets an error through that is not the API's."""
        try:
            answer: tuple[bool, Any] = call()
        except _FAILURES as error:
            return False, ApiException(status=0, reason=_said(error))
        return answer

    def _look(self) -> None:
        """Note who holds the Lease that was just read.

        Raises:
            OverError: we lead, and it is not the Lease of our term.
        """
        spec = self.lease_reference.spec
        self.holder, epoch = (spec.holder_identity or "", spec.lease_transitions or 0) if spec else ("", 0)
        if self.epoch is not None and (self.holder, epoch) != (self.identity, self.epoch):
            self._end()

    def _leads(self, began: float) -> None:
        """The Lease was written at ``began`` or later."""
        self._renewed, self.holder = began, self.identity
        if self.epoch is None:
            self.epoch = self.lease_reference.spec.lease_transitions

    def _go_on(self) -> None:
        if self._over:
            raise OverError

    def _end(self) -> None:
        self._over = True
        raise OverError

    def _fenced(self, why: str) -> Fenced:
        return Fenced(
            f"this process does not lead: {why}",
            where=f"Lease {self._candidate.lease}",
            hint=f"nothing is lost: the leader goes on; `kubectl -n {self.namespace} get lease {self.name}` names it",
        )


def _said(error: Exception) -> str:
    """An error in one short line."""
    if isinstance(error, ApiException) and error.body:
        try:
            return str(json.loads(error.body)["message"])[:_SHOWN]
        except (ValueError, TypeError, KeyError):
            pass
    return (str(getattr(error, "reason", None) or error) or type(error).__name__)[:_SHOWN]
