"""Pauses as the values say them, in Git: the same as those that ``hubctl pause`` makes, without a person at a keyboard.

Apart from ``holds``, which knows no values, and from ``values``, which is long enough.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from hubctl.model import holds
from hubctl.model.base import ClusterName, ModelName, Strict


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("expected a time with a zone, such as 2026-12-01T08:00:00Z")
    return time


class PlannedPause(Strict):
    """A part of hubctl's actions that is held back until some time; what is named has to fit, all of it."""

    fleet: bool = Field(default=False, description="true: all actions on spokes; then nothing else may be named")
    cluster_set: str | None = Field(None, min_length=1, description="spokes whose label names this ClusterSet")
    cluster: ClusterName | None = None
    model: ModelName | None = Field(None, description="rollbacks of it")
    action: Literal["notify", "rollback-model", "quarantine"] | None = None
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1, description="whom to ask about it")
    until: Annotated[datetime, AfterValidator(_aware)] = Field(description="it lifts itself then")

    @model_validator(mode="after")
    def _of_something(self) -> "PlannedPause":
        named = [self.cluster_set, self.cluster, self.model, self.action]
        if self.fleet == any(named):
            raise ValueError("expected either fleet: true or some of clusterSet, cluster, model and action")
        if self.action == "notify" and sum(map(bool, named)) > 1:
            raise ValueError("expected nothing else beside action notify: incidents are told of, not spokes or models")
        return self

    def pause(self, place: str, now: datetime) -> holds.Pause:
        """The pause, as if it were made now.

        Args:
            place: stands for its id.
            now: the pass's time.
        """
        return holds.Pause(
            id=place,
            reason=self.reason,
            owner=self.owner,
            until=self.until,
            created_at=now,
            updated_at=now,
            cluster_set=self.cluster_set or "",
            cluster=self.cluster or "",
            model=self.model or "",
            action=self.action or "",
            made_by="values",
        )
