"""Reading: what a model's answers mean, declared for each model and never guessed.

Apart from how it is served, because only polling reads it. An answer that the declaration does not cover is malformed,
whatever it resembles; a score or a class becomes a vote only by what is declared here.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from hubctl.model.base import Strict, only_placeholders

Label = StrictBool | StrictInt | Annotated[StrictStr, Field(min_length=1, max_length=200)]
"""What a classifier calls a row; 1.0 in an answer is the label 1."""

Output = Literal["labels", "scores", "classes", "forecast"]
Real = Annotated[float, Field(allow_inf_nan=False)]

NORMAL, ANOMALY = 1, -1
"""The two sides that a vote knows, as scikit-learn's detectors call them."""


class Labels(Strict):
    """Which labels mean what; any other makes the answer malformed."""

    normal: tuple[Label, ...] = Field((1,), min_length=1)
    anomaly: tuple[Label, ...] = Field((-1,), min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> "Labels":
        every = (*self.normal, *self.anomaly)
        # Python's true is 1 too, and so it is to the tools that read such answers after us.
        if twice := [label for place, label in enumerate(every) if label in every[:place]]:
            raise ValueError(f"expected each label once, found {twice[0]!r} again")
        return self

    @cached_property
    def sides(self) -> Mapping[type, Mapping[Any, int]]:
        """By type as JSON has it, each label's side."""
        found: dict[type, dict[Any, int]] = defaultdict(dict)
        for side, labels in ((NORMAL, self.normal), (ANOMALY, self.anomaly)):
            for label in labels:
                for kind in (int, float) if type(label) is int else (type(label),):
                    found[kind][label] = side
        return dict(found)

    @property
    def told(self) -> str:
        """The labels in words, for details."""
        return " or ".join(map(_shown, (*self.anomaly, *self.normal)))


class Scores(Strict):
    """When a score is an anomaly; a score that equals the threshold is normal."""

    threshold: Real
    anomaly_when: Literal["above", "below"] = Field(description="on which side of the threshold anomalies lie")
    column: StrictInt | Annotated[StrictStr, Field(min_length=1)] | None = Field(
        None, description="place in a row of numbers, from 0, or key of an object; default: a row is one number"
    )


class Classes(Strict):
    """The classes whose probabilities a row holds; the most probable one counts, of equals the one named first."""

    names: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=2, description="in the model's order")
    anomaly: tuple[str, ...] = Field(min_length=1, description="classes that are anomalies; all others are normal")

    @model_validator(mode="after")
    def _named(self) -> "Classes":
        for each in (self.names, self.anomaly):
            if twice := [one for one, after in pairwise(sorted(each)) if one == after]:
                raise ValueError(f"expected each class once, found {twice[0]!r} again")
        if unknown := sorted(set(self.anomaly) - set(self.names)):
            raise ValueError(f"expected classes of names in anomaly, found {unknown[0]!r}")
        if len(self.anomaly) == len(self.names):
            raise ValueError("expected at least one class that is no anomaly")
        return self

    @cached_property
    def sides(self) -> Mapping[str, int]:
        """Each class's side."""
        return {name: ANOMALY if name in self.anomaly else NORMAL for name in self.names}


class Forecast(Strict):
    """What a forecast looks like."""

    width: int | None = Field(None, ge=1, description="numbers in a row; default: whatever the model answers")


class Tensor(Strict):
    """How rows and answers are named in protocol v2."""

    name: str = Field("input-0", min_length=1, description="of the tensor that holds the rows")
    datatype: Literal["FP64", "FP32"] = "FP64"
    output: str | None = Field(None, min_length=1, description="of the tensor with the answer; default: the first")


class GoldenRows(Strict):
    """Rows whose answers were recorded when a version was released, sent with every poll."""

    file: Annotated[str, only_placeholders("model")] | None = Field(
        None, description="default: golden/{model}.yaml or .json in the folder of the inputs, when there is one"
    )
    tolerance: float = Field(
        1e-4, ge=0, lt=1, description="of scores and forecasts, relative to the largest one recorded in their column"
    )


class Reading(Strict):
    """How a model's answers are read, for the whole fleet."""

    output: Output = Field(
        "labels",
        description="labels, scores or classes: one a row, voted; forecast: a row of numbers, recorded",
    )
    labels: Labels = Field(default_factory=Labels, description="only with output labels")
    scores: Scores | None = Field(None, description="needed with output scores")
    classes: Classes | None = Field(None, description="needed with output classes")
    forecast: Forecast = Field(default_factory=Forecast, description="only with output forecast")
    golden: GoldenRows = Field(default_factory=GoldenRows)
    tensor: Tensor = Field(default_factory=Tensor, description="only with protocol v2")

    @property
    def votes(self) -> bool:
        """Whether an answer to rows is a vote."""
        return self.output != "forecast"

    @model_validator(mode="after")
    def _declared(self) -> "Reading":
        # By value, not by what was set: a profile that travelled to a worker has every key set.
        defaults = {"labels": Labels(), "scores": None, "classes": None, "forecast": Forecast()}
        for name, default in defaults.items():
            if name != self.output and getattr(self, name) != default:
                raise ValueError(f"{name} is only for output {name}, found output {self.output}")
        if self.output in ("scores", "classes") and getattr(self, self.output) is None:
            raise ValueError(f"output {self.output} needs {self.output}, which says what is an anomaly")
        return self


def _shown(label: Label) -> str:
    return label if isinstance(label, str) else str(label).lower()
