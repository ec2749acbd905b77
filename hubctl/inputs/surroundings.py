"""The coordination engine's variables in hubctl's own environment: what they say of ``coordinationEngine.kserve``.

Pure. Read as upstream's engine reads them (its ``pkg/config``), so that a pod of hubctl can be given the engine's own
ConfigMap. The values file comes first: a variable only says what the file leaves out, model by model. The one exception
is the switch, which is off when either of them says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from hubctl.errors import InputError
from hubctl.inputs import explain
from hubctl.inputs.document import Document, Trail, dotted
from hubctl.model.registry import RESERVED_PREFIXES, SWITCH_KEY, KServe, RegisteredModel
from hubctl.model.values import HubValues
from hubctl.settings import SWITCH

SHORTEST, LONGEST = 1.0, 120.0
"""Seconds: with another ``KSERVE_TIMEOUT`` the coordination engine does not start."""

_PREFIX = "KSERVE_"
_SECTION = ("coordinationEngine", "kserve")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_PAIRS = {
    "anomaly-detector": "anomalyDetectorService",
    "predictive-analytics": "predictiveAnalyticsService",
}
"""The older chart's key of a model's Service."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the variables say, each in the form of the values file.

    Attributes:
        off: the switch says no.
        scalars: our field to variable and value.
        services: model to variable and Service.
        unread: warnings about variables that say nothing, as they say nothing to the engine.
    """

    off: bool = False
    scalars: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    services: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One setting and who says it.

    Attributes:
        key: as the values file spells it.
        source: ``file:line``, a variable, or ``default``.
        overruled: a variable that says otherwise and does not count.
    """

    key: str
    value: Any
    source: str
    overruled: str = ""


def merged(values: HubValues, variables: Sequence[tuple[str, str]]) -> tuple[HubValues, tuple[str, ...]]:
    """The values with what only the variables say, and warnings about variables that say nothing.

    Raises:
        InputError: a variable says what the values file might not say; all such are in ``also``.
    """
    if not variables:
        return values, ()
    heard = hear(variables)
    kserve, named = values.kserve, {model.name for model in values.kserve.registry}
    update: dict[str, Any] = {}
    environment: dict[str, str] = {}
    for name, (variable, value) in heard.scalars.items():
        if name not in kserve.model_fields_set:
            update[name] = value
            environment[_key(name)] = variable
    services = {model: one for model, one in heard.services.items() if model not in named}
    if services:
        update["services"] = {**kserve.services, **{_spelled(model): one for model, (_, one) in services.items()}}
        environment |= {_key("services", _spelled(model)): variable for model, (variable, _) in services.items()}
    _check(update, {key: said[0] for key, said in heard.scalars.items()} | dict(_variables(services)))
    if heard.off:
        update["enabled"] = False
        environment[SWITCH_KEY] = SWITCH
    made = {"kserve": kserve.model_copy(update=update), "environment": environment}
    return values.model_copy(update=made), heard.unread


def hear(variables: Sequence[tuple[str, str]]) -> Heard:
    """What the variables say, by the engine's own rules: what it cannot read counts as not said."""
    heard = Heard()
    for variable, text in variables:
        if variable == SWITCH:
            heard = _switch(heard, text)
        elif variable in ("KSERVE_NAMESPACE", "KSERVE_PREDICTOR_PORT", "KSERVE_TIMEOUT"):
            heard = _scalar(heard, variable, text)
    services, unread = _discovered(dict(variables))
    return replace(heard, services=services, unread=(*heard.unread, *unread))


def _switch(heard: Heard, text: str) -> Heard:
    if text in _TRUE or text in _FALSE:
        return replace(heard, off=text in _FALSE)
    return _unread(heard, SWITCH, text, "true or false")


def _scalar(heard: Heard, variable: str, text: str) -> Heard:
    name = variable.removeprefix(_PREFIX).lower()
    value: Any = text
    if name == "predictor_port":
        if not re.fullmatch(r"[+-]?\d+", text):
            # A Service called kserve-predictor makes Kubernetes set this very variable, to a URL.
            return _unread(heard, variable, text, "a number")
        value = int(text)
    elif name == "timeout":
        value = go_duration(text)
        if value is None:
            return _unread(heard, variable, text, "a duration with its unit, such as 10s")
    if value == 0:  # no port: the engine takes its default
        return heard
    return replace(heard, scalars={**heard.scalars, name: (variable, value)})


def _unread(heard: Heard, variable: str, text: str, expected: str) -> Heard:
    told = f"{variable} is not read, as the coordination engine would not: found {text!r}, expected {expected}"
    return replace(heard, unread=(*heard.unread, told))


def go_duration(text: str) -> float | None:
    """Seconds of a duration as Go's ``time.ParseDuration`` reads it; None where it does not."""
    if text in ("0", "+0", "-0"):
        return 0.0
    if not re.fullmatch(rf"[+-]?(?:{_PART})+", text):
        return None
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    return -seconds if text.startswith("-") else seconds


def _discovered(variables: Mapping[str, str]) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Model to variable and Service of every ``KSERVE_NAME_SERVICE``; under the name of ``KSERVE_NAME_MODEL``."""
    found: dict[str, tuple[str, str]] = {}
    unread = []
    for variable, service in variables.items():
        middle = variable.removeprefix(_PREFIX).removesuffix("_SERVICE")
        if variable != f"{_PREFIX}{middle}_SERVICE" or middle.startswith(("NAMESPACE", "TIMEOUT", "PREDICTOR_PORT")):
            continue
        model = variables.get(f"{_PREFIX}{middle}_MODEL") or middle.lower().replace("_", "-")
        if not _is_name(model):
            unread.append(f"{variable} is not read: {model!r} can be no InferenceService's name")
        elif model in found:
            unread.append(f"{variable} is not read: {found[model][0]} names the model {model} too")
        else:
            found[model] = (variable, service)
    return found, unread


def _is_name(model: str) -> bool:
    try:
        RegisteredModel(name=model)
    except ValidationError:
        return False
    return not model.startswith(RESERVED_PREFIXES)


def _check(update: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    """Refuse what a values file might not hold.

    Raises:
        InputError: naming the variable.
    """
    problems = []
    seconds = update.get("timeout", SHORTEST)
    if not SHORTEST <= seconds <= LONGEST:
        wrong = f"found {seconds:g}s, expected 1s to 2m; the coordination engine does not start with it"
        problems.append(InputError(wrong, where=variables["timeout"], hint="set another one, or none for 10s"))
    try:
        KServe.model_validate({key: value for key, value in update.items() if key != "timeout"})
    except ValidationError as error:
        for each in error.errors():
            name = ".".join(str(part) for part in each["loc"])
            expected = explain.PATTERNS.get(each.get("ctx", {}).get("pattern", ""), each["msg"].lower())
            wrong = f"found {each['input']!r}, expected {expected}"
            hint = "correct or unset the variable; the values file may say it instead"
            problems.append(InputError(wrong, where=variables.get(name, name), hint=hint))
    if problems:
        first, *rest = problems
        raise InputError(first.message, where=first.where, hint=first.hint, also=rest)


def _variables(services: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"services.{_spelled(model)}", variable) for model, (variable, _) in services.items())


def too_long(kserve: KServe, document: Document) -> list[str]:
    """A warning about a timeout in the values file with which no coordination engine starts."""
    if "timeout" not in kserve.model_fields_set or SHORTEST <= kserve.timeout <= LONGEST:
        return []
    where = document.where((*_SECTION, "timeout"))
    return [f"{where} is {kserve.timeout:g}s; the coordination engine only starts with 1s to 2m"]


def told(values: HubValues, document: Document, variables: Sequence[tuple[str, str]]) -> tuple[Said, ...]:
    """Every setting of ``coordinationEngine.kserve`` in force, with who says it.

    Args:
        values: with the variables merged in.
        document: the values file.
        variables: as for :func:`merged`.
    """
    heard, kserve = hear(variables), values.kserve
    found = []
    for name in ("enabled", "namespace", "predictor_port", "timeout"):
        variable, value = heard.scalars.get(name, ("", None))
        source = _source(values, document, name)
        overruled = variable if variable != source and value != getattr(kserve, name) else ""
        found.append(Said(_key(name), getattr(kserve, name), source, overruled))
    for model in kserve.registry:
        key, source = _registered(values, document, model.name)
        variable, service = heard.services.get(model.name, ("", ""))
        overruled = variable if variable not in ("", source) and service != model.service else ""
        found.append(Said(key, model.service, source, overruled))
    return tuple(found)


def _source(values: HubValues, document: Document, name: str) -> str:
    if variable := values.environment.get(_key(name)):
        return variable
    if name not in values.kserve.model_fields_set:
        return "default"
    for key in (_camel(name), name):
        if (*_SECTION, key) in document.places:
            return f"{document.name}:{document.line((*_SECTION, key))}"
    return document.name


def _registered(values: HubValues, document: Document, model: str) -> tuple[str, str]:
    """Where the registry names a model: its key, and the file's line or the variable."""
    key = _key("services", _spelled(model))
    if variable := values.environment.get(key):
        return key, variable
    trails: list[Trail] = [(*_SECTION, "services", name) for name in values.kserve.services if _hyphened(name) == model]
    trails += [(*_SECTION, "models", at) for at, one in enumerate(values.kserve.models) if one.name == model]
    trails += [(*_SECTION, _PAIRS[model])] if model in _PAIRS else []
    trail = next((one for one in trails if one in document.places), _SECTION)
    return dotted(trail), f"{document.name}:{document.line(trail)}"


def _key(*names: str) -> str:
    first, *rest = names
    return dotted((*_SECTION, _camel(first), *rest))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _spelled(model: str) -> str:
    return model.replace("-", "_")


def _hyphened(key: str) -> str:
    return key.replace("_", "-")
