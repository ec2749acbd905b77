"""What all input models share: strict keys in our own sections, camelCase spelling, durations and names.

``Strict`` refuses unknown keys; the error texts are made by ``hubctl.inputs``, which knows file and line.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_FIELD = re.compile(r"\{([^{}]*)\}")


class Strict(BaseModel):
    """A section of ours: unknown keys are errors, keys are written in camelCase, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, alias_generator=to_camel)


def parse_duration(value: object) -> float:
    """Seconds of a Go-style duration (``90s``, ``5m``, ``1h30m``) or of a plain number of seconds.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not any(found.groups()):
        raise ValueError("expected a duration such as 90s, 5m or 1h30m")
    hours, minutes, seconds, thousandths = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def placeholders(text: str) -> frozenset[str]:
    """The names between braces in a template such as ``https://{model}.{cluster}.example``."""
    return frozenset(_FIELD.findall(text))


def only_placeholders(*allowed: str) -> AfterValidator:
    """A validator that refuses placeholders other than the allowed ones.

    Raises:
        ValueError: another name stands between braces.
    """

    def check(text: str) -> str:
        if unknown := placeholders(text) - set(allowed):
            names = ", ".join(f"{{{name}}}" for name in sorted(unknown))
            raise ValueError(f"unknown placeholder {names}; expected {', '.join(f'{{{a}}}' for a in allowed)}")
        return text

    return AfterValidator(check)


def fill(text: str, **values: str) -> str:
    """The text with its placeholders replaced; plain substitution, no attribute access."""
    return _FIELD.sub(lambda found: values[found.group(1)], text)


Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=str | float),
]
"""Seconds; written as ``90s``, ``5m``, ``1h30m`` or a plain number."""

DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A Kubernetes namespace or object name of one label (RFC 1123)."""

Period = Annotated[Duration, Field(gt=0, allow_inf_nan=False)]
"""A duration that is more than nothing."""

ClusterName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=63)
]
"""A ManagedCluster's name: it is a folder, a hub namespace and a label value too."""

ModelName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=53)]
"""An InferenceService's name: KServe's own pattern, Open Data Hub's length."""

_DECIMAL = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
Quantity = Annotated[str, Field(pattern=rf"^{_DECIMAL}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]{{1,2}}))?$")]
"""A Kubernetes resource quantity such as 500m or 2Gi; what both KServe's CRD and Kubernetes read, no sign."""

Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]
"""A model or platform version: it becomes a label value and a path segment."""
