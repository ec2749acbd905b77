"""How predictors are polled, as the values say.

Apart from the values, because it is the section that rounds, engines and the arithmetic of capacity share.
"""

from typing import Annotated

from pydantic import Field, model_validator

from hubctl.model.access import Access
from hubctl.model.base import DnsLabel, Duration, Period, Strict
from hubctl.model.pace import Backoff
from hubctl.model.route import Routes

Control = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:\d+)?(/[^\s]*)?$")]
"""A host that the hub is to reach."""


class Breaker(Strict):
    """When a predictor, or a route to a spoke, is left alone for a while."""

    failures: int = Field(3, ge=1, description="in a row; never fewer than aggregate.raiseAfter")
    most: Annotated[Duration, Field(allow_inf_nan=False)] = Field(
        150.0, description="the longest time open; 0: nobody is left alone for failing"
    )
    retry_after_most: Annotated[Duration, Field(allow_inf_nan=False)] = Field(
        600.0, description="the longest time for which Retry-After is heeded; 0: it is not"
    )


class Retries(Strict):
    """How many polls are made twice."""

    share: float = Field(0.1, ge=0, le=1, description="of a round's polls, at most; 0: none")


class Observe(Strict):
    """How predictors are polled."""

    interval: Period = 60.0
    deadline: Period = Field(10.0, description="for one predictor, from the first byte sent to the last read")
    concurrency: int = Field(512, ge=1, le=2048, description="requests under way at once, over all spokes")
    per_spoke: int = Field(2, ge=1, description="requests under way at once to one spoke")
    late_after: Period | None = Field(
        None, description="a poll that has not begun so long after it was due is given up; default: interval / 10"
    )
    max_body_bytes: int = Field(1_048_576, ge=1024)
    token_file: str | None = Field(None, description="file that holds the bearer token; {cluster} is replaced")
    token_env: str | None = Field(None, description="name of the variable that holds the bearer token")
    managed_service_account: DnsLabel | None = Field(
        None, description="ManagedServiceAccount whose token it is; default: access.token of the spoke, if it has one"
    )
    ca_file: str | None = Field(None, description="CA bundle; {cluster} is replaced; default: the system's")
    route: Routes | None = Field(None, description="or a list to try in order")
    probe_after: Period = Field(900.0, description="then routes are tried from the first again, not from the last good")
    backoff: Backoff = Backoff()
    breaker: Breaker = Breaker()
    retries: Retries = Retries()
    controls: tuple[Control, ...] = Field(
        (), description="hosts that the hub reaches whenever its network is well; https URLs"
    )

    @model_validator(mode="after")
    def _in_time(self) -> "Observe":
        if self.deadline > self.interval:
            raise ValueError(
                f"expected a deadline of at most the interval, found deadline {self.deadline:g}s and interval "
                f"{self.interval:g}s: polls that hang would pile up"
            )
        return self

    @model_validator(mode="after")
    def _one_token(self) -> "Observe":
        if sum(bool(one) for one in (self.token_file, self.token_env, self.managed_service_account)) > 1:
            raise ValueError("expected at most one of tokenFile, tokenEnv and managedServiceAccount")
        return self

    def account(self, access: Access | None) -> str:
        """The ManagedServiceAccount whose token a spoke's predictors get; empty when their token is from elsewhere."""
        if self.token_file or self.token_env:
            return ""
        return (access.token.name if access and access.token else self.managed_service_account) or ""
