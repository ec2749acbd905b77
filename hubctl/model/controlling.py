"""Controller: how hubctl runs for ever, on the hub: which of several replicas may act.

Apart from ``values``, which is about the fleet.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from hubctl.model.base import DnsLabel, Duration, Strict

_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_JITTER = 1.2
"""The election's library asks for a renewDeadline of more than so many retryPeriods."""


def _whole(seconds: float) -> float:
    if seconds < 1 or seconds != int(seconds) or seconds >= 2**31:
        raise ValueError("expected whole seconds, at least 1s")
    return seconds


Seconds = Annotated[Duration, AfterValidator(_whole)]
"""A duration as a Lease holds it."""


class LeaderElection(Strict):
    """Which of several replicas acts: the one that holds a Lease."""

    enabled: bool | None = Field(None, description="default: whether hubctl runs in a pod")
    namespace: DnsLabel | None = Field(None, description="of the Lease; default: the pod's own")
    name: Annotated[str, Field(pattern=_SUBDOMAIN, max_length=253)] = Field(
        "hubctl", description="of the Lease; each fleet of one hub needs a name of its own"
    )
    lease_duration: Seconds = Field(60.0, description="another replica takes over when it saw no renewal for so long")
    renew_deadline: Seconds = Field(40.0, description="a leader that could not renew for so long acts no more")
    retry_period: Seconds = Field(5.0, description="between two tries to get or renew the Lease")

    @model_validator(mode="after")
    def _ordered(self) -> "LeaderElection":
        if self.lease_duration <= self.renew_deadline:
            raise ValueError(
                f"expected leaseDuration above renewDeadline, found {self.lease_duration:g}s and "
                f"{self.renew_deadline:g}s"
            )
        if self.renew_deadline <= _JITTER * self.retry_period:
            raise ValueError(
                f"expected renewDeadline above {_JITTER:g} times retryPeriod, found {self.renew_deadline:g}s and "
                f"{self.retry_period:g}s"
            )
        return self


class Controller(Strict):
    """``hubctl.controller``: of ``hubctl run``."""

    leader_election: LeaderElection = LeaderElection()
