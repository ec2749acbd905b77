"""How often a spoke that does not answer is asked, as the values say."""

from typing import Annotated

from pydantic import Field

from hubctl.model.base import Duration, Strict


class Backoff(Strict):
    """When a spoke of which no predictor answers is asked less often."""

    after: int = Field(5, ge=1, description="polls in a row without an answer; never fewer than aggregate.raiseAfter")
    most: Annotated[Duration, Field(allow_inf_nan=False)] = Field(
        600.0, description="the longest time between two polls; 0: every spoke is asked in every pass"
    )
