"""Reporter: takes what happened to where it is seen; what it cannot tell never stops a pass."""

import time
from dataclasses import dataclass
from datetime import datetime

from hubctl import __version__, metrics
from hubctl.errors import Fenced, HubctlError, StoreUnavailable
from hubctl.fleet.election import Election
from hubctl.hub import Hub
from hubctl.metrics import Sample
from hubctl.passes import Pass
from hubctl.report import measures
from hubctl.report.conditions import Facts
from hubctl.report.teller import Teller
from hubctl.store.schema import Store
from hubctl.web.pulse import Pulse


@dataclass(slots=True)
class Reporter:
    """Of one running process.

    Attributes:
        pulse: what probes are answered from.
        registry: what Prometheus is answered from.
        teller: tells the hub.
        refused: why the files that are there do not count; None when they do.
        term: while which this process may act; None when it need not be elected, or may not act.
    """

    pulse: Pulse
    registry: metrics.Registry
    teller: Teller
    refused: HubctlError | None = None
    term: Election | None = None

    @classmethod
    def fresh(cls, namespace: str = "") -> "Reporter":
        """Of a process that begins; ``namespace`` is hubctl's own on the hub."""
        made = cls(Pulse(time.monotonic, time.monotonic()), metrics.Registry(), Teller(namespace))
        made.registry.take([Sample(metrics.BUILD, 1, (__version__,))])
        made.leads(leading=True)
        return made

    def beat(self) -> None:
        """The loop turned. A term that is over is seen here, for the pass under way may last."""
        self.pulse.beat()
        if self.term is not None and not _goes_on(self.term):
            self.leads(leading=False)

    def leads(self, term: Election | None = None, *, leading: bool) -> None:
        """Whether this process may act, and while which term; another one does when not."""
        self.term = term
        self.pulse.leading = leading
        self.registry.take([Sample(metrics.LEADING, leading)])

    def read(self, refused: HubctlError | None = None) -> None:
        """The files were read, and count unless they were refused."""
        self.refused = refused
        self.pulse.configured = self.pulse.configured or refused is None
        self.registry.take([Sample(metrics.CONFIGURATION_VALID, refused is None)])

    def opened(self) -> None:
        """The store can be used."""
        self.pulse.stored = True

    async def passed(self, made: Pass, opened: Hub, seconds: float) -> None:
        """A pass came to its end."""
        self._measured(made, opened.store, seconds)
        facts = Facts(self.refused, leading=self.pulse.leading)
        await self._told(opened, made, facts, made.now)

    async def failed(self, error: HubctlError, opened: Hub, seconds: float, now: datetime) -> None:
        """A pass ended before its end."""
        if isinstance(error, StoreUnavailable):
            self.pulse.stored = False
        self.registry.take(measures.of_failure(error, seconds))
        await self._told(opened, None, Facts(self.refused, error, self.pulse.leading), now)

    def _measured(self, made: Pass, store: Store, seconds: float) -> None:
        self.pulse.stored = True
        self.registry.take(measures.of_pass(made, seconds, time.time()), whole=[metrics.SPOKE_PREDICTORS])
        try:
            self.registry.take([Sample(metrics.STORE_BYTES, store.bytes())])
        except StoreUnavailable:
            self.pulse.stored = False

    async def _told(self, opened: Hub, made: Pass | None, facts: Facts, now: datetime) -> None:
        if opened.term is not None and not _goes_on(opened.term):
            return  # what stands there is the next leader's
        server = opened.api.server if opened.api else None
        await self.teller.tell(server, made, facts, now, opened.sources.values.hubctl.gitops.argocd_namespace)


def _goes_on(term: Election) -> bool:
    try:
        term.check()
    except Fenced:
        return False
    return True
