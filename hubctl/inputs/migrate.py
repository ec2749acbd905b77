"""From the platform's old values to those that its cluster can run.

The old generation points the coordination engine at an ML service that was never deployed
(``coordinationEngine.mlService``); the next one names the KServe predictors (``coordinationEngine.kserve``), and its
chart lists what each model may use (``models``), which nothing but that chart reads.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hubctl.errors import InputError
from hubctl.inputs import edit, explain, splice
from hubctl.inputs.document import parse
from hubctl.model.base import Quantity
from hubctl.model.registry import KServe, RegisteredModel
from hubctl.model.values import HubValues

SERVICES = {
    "anomaly_detector": "anomaly-detector-predictor",
    "predictive_analytics": "predictive-analytics-predictor",
}
"""The platform's two models and the Services that KServe makes for them."""

NAMESPACE = "self-healing-platform"
"""Where the platform puts its models unless the file says otherwise."""

_NAME = "values-hub.yaml"
_REMOTE = ("hubctl", "gitops", "remote")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MODEL, _QUANTITY = TypeAdapter(RegisteredModel), TypeAdapter[str](Quantity)
_AMOUNTS = (("cpu", "requests", "cpu"), ("memory", "requests", "memory"), ("cpuLimit", "limits", "cpu"),
            ("memoryLimit", "limits", "memory"))  # fmt: skip
"""Of a model in the chart's list: its key, and where its value goes."""


def migrate(text: str, remote: str = "") -> tuple[str, tuple[str, ...]]:
    """The migrated text and what was changed; the same text and nothing when there is nothing to do.

    Every other key, its order and every comment stay. A second run changes nothing.

    Args:
        text: the file.
        remote: Git URL or path that a file gets which names none.

    Raises:
        InputError: the text is no YAML mapping, or holds an anchor that makes the edit unsafe.
    """
    text, changes = _engine(text)
    for step in (_registered, _resources, partial(_remote, remote=remote)):
        text, more = step(text)
        changes += more
    return text, tuple(changes)


def without_remote(text: str) -> bool:
    """Whether a file does not say where hubctl publishes to."""
    return not _at(parse(text, _NAME).data, _REMOTE)


def _engine(text: str) -> tuple[str, list[str]]:
    """The coordination engine's own section."""
    document = parse(text, _NAME)
    engine = document.data.get("coordinationEngine") or {}
    if not isinstance(engine, dict):
        raise InputError(
            f"found {explain.shown(engine)}, expected a mapping of `key: value` lines",
            where=document.where(("coordinationEngine",)),
        )
    changes = []
    if engine.get("kserve") is None:
        block = _kserve(document.data, engine.get("mlService"))
        text = splice.put(text, _NAME, ("coordinationEngine", "kserve"), block)
        changes.append(f"added coordinationEngine.kserve: {', '.join(SERVICES)} in namespace {block['namespace']}")
    # Removed last, so that the mapping is never empty in between.
    if "mlService" in engine:
        line = document.line(("coordinationEngine", "mlService"))
        text = splice.remove(text, _NAME, ("coordinationEngine", "mlService"))
        changes.append(f"removed coordinationEngine.mlService (line {line}), a service that was never deployed")
    return text, changes


def _registered(text: str) -> tuple[str, list[str]]:
    """Models of the chart's list that the registry lacks."""
    changes = []
    for model in _listed(text):
        if model["name"] not in _registry(text):
            text = edit.register_model(text, model["name"])
            changes.append(f"added {model['name']} to coordinationEngine.kserve: the chart's models list it")
    return text, changes


def _resources(text: str) -> tuple[str, list[str]]:
    """What the chart lets each registered model use, where hubctl's own section says nothing of it."""
    changes = []
    for model in _listed(text):
        trail = ("hubctl", "models", model["name"])
        profile = _at(parse(text, _NAME).data, trail)
        amounts = _amounts(model)
        if not amounts or (isinstance(profile, Mapping) and "resources" in profile):
            continue
        # A profile that is there decides on the output too, and without one the model's own default counts.
        if profile is None and HubValues().profile(model["name"]).output != "labels":
            text = splice.put(text, _NAME, (*trail, "output"), HubValues().profile(model["name"]).output)
        text = splice.put(text, _NAME, (*trail, "resources"), amounts)
        changes.append(f"added hubctl.models.{model['name']}.resources: as the chart's models say")
    return text, changes


def _remote(text: str, remote: str) -> tuple[str, list[str]]:
    """Where hubctl publishes to."""
    if not remote or not without_remote(text):
        return text, []
    if explain.has_credentials(remote):
        raise InputError(
            f"found {explain.shown(remote)}, expected a URL without user and password",
            where="--remote",
            hint="use a Git credential helper",
        )
    return splice.put(text, _NAME, _REMOTE, remote), [f"added hubctl.gitops.remote: {remote}"]


def _listed(text: str) -> list[Mapping[str, Any]]:
    """The chart's models; a list of that name with other things in it is not the chart's."""
    found = parse(text, _NAME).data.get("models")
    listed = found if isinstance(found, list) else []
    ours = [each for each in listed if isinstance(each, Mapping) and {"name", "cpu", "memory"} <= each.keys()]
    return ours if len(ours) == len(listed) and all(_is_model(each["name"]) for each in ours) else []


def _is_model(name: object) -> bool:
    try:
        _MODEL.validate_python({"name": name})
    except ValidationError:
        return False
    return True


def _amounts(model: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """``requests`` and ``limits``, without what is no quantity, such as a template."""
    found: dict[str, dict[str, str]] = {}
    for key, kind, resource in _AMOUNTS:
        try:
            amount = _QUANTITY.validate_python(str(model.get(key, "")))
        except ValidationError:
            continue
        found.setdefault(kind, {})[resource] = amount
    return found


def _registry(text: str) -> list[str]:
    document = parse(text, _NAME)
    return [model.name for model in explain.check(KServe, document, ("coordinationEngine", "kserve")).registry]


def _at(data: Any, trail: tuple[str, ...]) -> Any:
    """What stands at a path, or None."""
    for part in trail:
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _kserve(data: Mapping[str, Any], service: object) -> dict[str, Any]:
    """The new block; whoever had switched the old service off keeps the new one off."""
    paths = (("namespace",), ("main", "namespace"), ("namespace", "name"), ("global", "namespace"))
    candidates = [*(_at(data, path) for path in paths), NAMESPACE]
    namespace = next(name for name in candidates if isinstance(name, str) and _LABEL.fullmatch(name))
    enabled = not (isinstance(service, Mapping) and service.get("enabled") is False)
    return {"enabled": enabled, "namespace": namespace, "services": dict(SERVICES)}
