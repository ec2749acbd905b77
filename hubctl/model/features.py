"""Features: where a model's rows come from: a file, a command, or a recipe of PromQL queries.

A recipe is ordered: metric by metric, and within each its derivations, as upstream's 45 = 5 x 9 are.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, model_validator

from hubctl.model.base import DnsLabel, Period, Strict, only_placeholders, parse_duration

MOST_POINTS = 11_000
"""Of one series in one answer: Prometheus refuses more."""

_ONE = re.compile(r"(value|mean|std|sample_std|min|max|lag|diff|pct_change)(?: (\S+))?")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_GROUPED = re.compile(r"\bby\s*\([^()]*\$cluster\b")

_SOME: dict[str, Any] = {"minItems": 1}

Kind = Literal["value", "mean", "std", "sample_std", "min", "max", "lag", "diff", "pct_change"]


@dataclass(frozen=True, slots=True)
class Derivation:
    """What is made of a metric's values.

    Attributes:
        seconds: length of the window, or how far back; 0: one step, or none for ``value``.
    """

    kind: Kind
    seconds: float = 0.0


def derivation(text: str) -> Derivation:
    """The derivation that a text such as ``mean 5m`` names.

    Raises:
        ValueError: it names none.
    """
    found = _ONE.fullmatch(text)
    if found is None:
        raise ValueError(
            "expected value, or one of mean, std, sample_std, min, max, lag, diff, pct_change and a duration"
        )
    kind, length = found.groups()
    if kind == "value" and length:
        raise ValueError("value is the newest one and takes no duration")
    if length is None and kind not in ("value", "diff", "pct_change"):
        raise ValueError(f"expected a duration, such as {kind} 5m")
    seconds = parse_duration(length) if length else 0.0
    if length and not seconds > 0:
        raise ValueError(f"expected more than nothing in {text!r}")
    return Derivation(cast("Kind", kind), seconds)


def _is_derivation(text: str) -> str:
    derivation(text)
    return text


def _known_variables(query: str) -> str:
    if unknown := sorted(set(_VARIABLE.findall(query)) - {"cluster", "selector"}):
        raise ValueError(f"unknown ${unknown[0]}, expected $cluster or $selector")
    return query


def _some(found: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not min_length, which also complains when it is the items that are wrong.
    if not found:
        raise ValueError("expected at least one")
    return found


class Metric(Strict):
    """One query, and which features its answer gives."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    query: Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_known_variables)]
    derive: Annotated[
        tuple[Annotated[str, AfterValidator(_is_derivation)], ...],
        AfterValidator(_some),
        Field(json_schema_extra=_SOME),
    ] = ("value",)

    @property
    def by_cluster(self) -> bool:
        """Whether its answer tells spokes apart."""
        return bool(_GROUPED.search(self.query))

    @property
    def selects(self) -> bool:
        """Whether it can be asked of some spokes only."""
        return "$selector" in self.query

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        return tuple(f"{self.name}_{text.replace(' ', '_')}" for text in self.derive)


class Recipe(Strict):
    """Features from PromQL."""

    source: DnsLabel | None = Field(None, description="of hubctl.prometheus.sources; default: the default one")
    step: Period = Field(60.0, description="between two values of a series; whole seconds")
    rows: int = Field(1, ge=1, le=1000, description="newest steps that make a row each")
    gap: Literal["refuse", "drop-row"] = Field(
        "refuse", description="a value is missing: no rows at all, or none of the steps that need it"
    )
    metrics: Annotated[tuple[Metric, ...], AfterValidator(_some), Field(json_schema_extra=_SOME)]

    @model_validator(mode="after")
    def _fits(self) -> "Recipe":
        if self.step % 1:
            raise ValueError(f"step: expected whole seconds, found {self.step:g}s")
        names = [metric.name for metric in self.metrics]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each metric once, found {', '.join(twice)} more than once")
        for metric in self.metrics:
            for text in metric.derive:
                if derivation(text).seconds % self.step:
                    raise ValueError(f"{metric.name}: {text!r} is no multiple of the step {self.step:g}s")
                if text.startswith("sample_std") and derivation(text).seconds < 2 * self.step:
                    raise ValueError(f"{metric.name}: {text!r} is of one value, expected two steps or more")
            if len(set(metric.derive)) < len(metric.derive):
                raise ValueError(f"{metric.name}: expected each derivation once")
        if self.span / self.step >= MOST_POINTS:
            raise ValueError(f"expected at most {MOST_POINTS} steps, found {self.span / self.step + 1:.0f}")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        """The names of a row's columns, in order."""
        return tuple(name for metric in self.metrics for name in metric.features)

    @property
    def span(self) -> int:
        """Seconds from the oldest value that a window needs to the newest."""
        return int((self.rows - 1) * self.step) + max(self.reach(metric) for metric in self.metrics)

    def reach(self, metric: Metric) -> int:
        """Seconds from the oldest value that one row needs of a metric to the newest."""
        return int(max(self._back(derivation(text)) for text in metric.derive))

    def _back(self, one: Derivation) -> float:
        if one.kind == "value":
            return 0.0
        return (one.seconds or self.step) - (
            self.step if one.kind in ("mean", "std", "sample_std", "min", "max") else 0
        )


class Features(Strict):
    """Where the rows for a model come from: a file per spoke and model, a command that prints them, or Prometheus."""

    file: Annotated[str, only_placeholders("cluster", "model")] | None = None
    command: tuple[str, ...] | None = Field(
        None, description="arguments; {cluster} and {model} are replaced, no shell is involved"
    )
    prometheus: Recipe | None = None
    timeout: Period = Field(10.0, description="of the command")

    @model_validator(mode="after")
    def _one_source(self) -> "Features":
        if sum((self.file is not None, bool(self.command), self.prometheus is not None)) != 1:
            raise ValueError("expected exactly one of file, command and prometheus")
        return self
