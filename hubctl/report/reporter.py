"""Reporter: takes what happened to where it is seen; what it cannot tell never stops a pass."""

import time
from dataclasses import dataclass

from hubctl import __version__, metrics
from hubctl.errors import HubctlError, StoreUnavailable
from hubctl.metrics import Sample
from hubctl.reconcile import Pass
from hubctl.report import measures
from hubctl.store.schema import Store
from hubctl.web.pulse import Pulse


@dataclass(frozen=True, slots=True)
class Reporter:
    """Of one running process.

    Attributes:
        pulse: what probes are answered from.
        registry: what Prometheus is answered from.
    """

    pulse: Pulse
    registry: metrics.Registry

    @classmethod
    def fresh(cls) -> "Reporter":
        """Of a process that begins."""
        made = cls(Pulse(time.monotonic, time.monotonic()), metrics.Registry())
        made.registry.take([Sample(metrics.BUILD, 1, (__version__,))])
        made.leads(leading=True)
        return made

    def leads(self, *, leading: bool) -> None:
        """Whether this process may act; another one does when not."""
        self.pulse.leading = leading
        self.registry.take([Sample(metrics.LEADING, leading)])

    def read(self, *, valid: bool) -> None:
        """The files were read, and counted if they were right."""
        self.pulse.configured = self.pulse.configured or valid
        self.registry.take([Sample(metrics.CONFIGURATION_VALID, valid)])

    def opened(self) -> None:
        """The store can be used."""
        self.pulse.stored = True

    def passed(self, made: Pass, store: Store, seconds: float) -> None:
        """A pass came to its end."""
        self.pulse.stored = True
        self.registry.take(measures.of_pass(made, seconds, time.time()), whole=[metrics.SPOKE_PREDICTORS])
        try:
            self.registry.take([Sample(metrics.STORE_BYTES, store.bytes())])
        except StoreUnavailable:
            self.pulse.stored = False

    def failed(self, error: HubctlError, seconds: float) -> None:
        """A pass ended before its end."""
        if isinstance(error, StoreUnavailable):
            self.pulse.stored = False
        self.registry.take(measures.of_failure(error, seconds))
