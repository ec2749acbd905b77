"""In which order an ApplicationSet syncs its spokes: Argo CD's strategies, with steps that may name groups of ours.

Apart from ``delivery``, because which step a spoke takes is decided here and not by Argo CD: each spoke's delivery file
says its step, so that groups, labels and Argo CD's own expressions mean one thing; see docs/adr/0015-steps.md.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hubctl.model.base import Strict, Version
from hubctl.model.platform import LabelKey

_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")

StrategyType = Literal["AllAtOnce", "RollingSync"]


class Expression(Strict):
    """One of Argo CD's ``matchExpressions``, about a spoke's labels."""

    key: LabelKey
    operator: Literal["In", "NotIn"]
    values: tuple[str, ...] = Field(min_length=1)

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fit, as Argo CD sees it: a label that is not there is in nothing."""
        return (labels.get(self.key) in self.values) == (self.operator == "In")


class Step(Strict):
    """Spokes that are synced together; all that stands here must fit, and nothing fits every spoke."""

    name: Version | None = Field(None, description="a label's value, each once; default: the group, or step-N")
    group: Annotated[str, Field(min_length=1)] | None = Field(None, description="of hubctl.groups: its spokes")
    match: dict[str, str] = Field(default_factory=dict, description="labels that a spoke must have, all of them")
    match_expressions: tuple[Expression, ...] = Field((), description="as in Argo CD, about the spoke's labels")
    max_update: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^(100|[1-9]?\d)%$")] | None = Field(
        None, description="spokes at once; 0: a person syncs each; default: all"
    )

    def takes(self, labels: Mapping[str, str], groups: Iterable[str]) -> bool:
        """Whether a spoke with these labels, in these groups, fits."""
        return (
            (self.group is None or self.group in groups)
            and self.match.items() <= labels.items()
            and all(expression.fits(labels) for expression in self.match_expressions)
        )


class Strategy(Strict):
    """Argo CD's strategy of an ApplicationSet."""

    type: StrategyType = "AllAtOnce"
    steps: tuple[Step, ...] = ()

    @field_validator("steps")
    @classmethod
    def _named(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        names = [step.name or step.group or f"step-{number}" for number, step in enumerate(steps, start=1)]
        if odd := next((name for name in names if not _LABEL.fullmatch(name)), ""):
            raise ValueError(f"group {odd!r} is no label's value, expected a name for its step")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each step once, found {', '.join(twice)} more than once; give them names")
        return tuple(step.model_copy(update={"name": name}) for step, name in zip(steps, names, strict=True))

    @model_validator(mode="after")
    def _whole(self) -> "Strategy":
        if self.type == "RollingSync" and not self.steps:
            raise ValueError("without a step Argo CD takes RollingSync for AllAtOnce, expected steps")
        if self.type == "AllAtOnce" and self.steps:
            raise ValueError("steps are for type RollingSync, found AllAtOnce")
        return self

    @property
    def rolling(self) -> bool:
        """Whether spokes are synced step by step."""
        return self.type == "RollingSync"

    def step_of(self, labels: Mapping[str, str], groups: Iterable[str]) -> str:
        """Name of the first step that takes a spoke; empty when none does or all are synced at once."""
        names = tuple(groups)
        return next((step.name or "" for step in self.steps if step.takes(labels, names)), "")
