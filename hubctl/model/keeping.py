"""Keeping: for how long the store holds what it holds of predictors."""

from pydantic import Field

from hubctl.model.base import Period, Strict

_DAY = 86_400.0


class Keep(Strict):
    """What is older is deleted, a little in each pass."""

    rounds: int = Field(64, ge=8, le=4096, description="latest rounds whose observations are kept, each as it was")
    transitions: Period = Field(90 * _DAY, description="changes of a predictor's condition or version")
