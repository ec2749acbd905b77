"""Teller: conditions and Events on the hub after each pass; what cannot be told there is logged and no more."""

import asyncio
import os
import socket
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from hubctl.errors import RemoteFailed
from hubctl.fleet import standing
from hubctl.fleet.events import Events
from hubctl.model.apiserver import ApiServer
from hubctl.model.notice import Notice, Subject
from hubctl.passes import Pass
from hubctl.report import notices
from hubctl.report.conditions import Facts, conditions

log = structlog.get_logger("hubctl")

PATIENCE = 15.0
"""Seconds after which a pass does not wait any longer for the hub to hear of it."""


@dataclass(slots=True)
class Teller:
    """Of one process, in one namespace.

    Attributes:
        namespace: hubctl's own on the hub; empty: nothing is told, for there is no place for it.
    """

    namespace: str
    _events: dict[int, Events] = field(default_factory=dict)
    _said: str = ""

    async def tell(
        self, server: ApiServer | None, made: Pass | None, facts: Facts, now: datetime, argocd_namespace: str = ""
    ) -> None:
        """Tell the hub what came of a pass; never fails.

        Args:
            server: the hub's; None when nothing made hubctl ask it.
            made: the pass; None when it did not come to its end.
            facts: what is known beside it.
            now: the pass's time.
            argocd_namespace: where Applications are.
        """
        if server is None or not self.namespace:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                own = await standing.write(server, self.namespace, conditions(made, facts), now)
                found = list(self._notices(made, facts, own, argocd_namespace))
                left_out = await self._writer(server).write(found, now)
        except (RemoteFailed, TimeoutError) as error:
            self._log(str(error) or f"no answer within {PATIENCE:g} s")
            return
        self._said = ""
        if left_out:
            log.warning("more happened than is told on the hub", left_out=left_out)

    def _notices(self, made: Pass | None, facts: Facts, own: Subject, argocd_namespace: str) -> tuple[Notice, ...]:
        errors: list[Notice] = []
        if facts.refused is not None:
            errors.append(notices.of_refusal(facts.refused, own))
        if facts.failed is not None:
            errors.append(notices.of_failure(facts.failed, own))
        if made is None:
            return tuple(errors)
        subjects = notices.subjects_of(made.snapshot, own, argocd_namespace)
        return (*errors, *notices.notices(made, subjects))

    def _writer(self, server: ApiServer) -> Events:
        """The one that remembers what was written to this server."""
        if id(server) not in self._events:
            instance = os.environ.get("HOSTNAME") or socket.gethostname()
            self._events = {id(server): Events(server, instance[:128] or "hubctl")}
        return self._events[id(server)]

    def _log(self, why: str) -> None:
        """Once for the same trouble, not once a pass."""
        if why != self._said:
            log.warning("the hub is not told", error=why)
            self._said = why
