"""What hubctl shows of itself to those who watch it, as the values say."""

from pydantic import Field

from hubctl.model.base import Strict


class Metrics(Strict):
    """What ``/metrics`` shows."""

    per_spoke: bool = Field(default=False, description="also predictors by spoke: up to three series for each spoke")
