"""From the platform's old values to those that its cluster can run.

The old generation points the coordination engine at an ML service that was never deployed
(``coordinationEngine.mlService``); the new one names the KServe predictors (``coordinationEngine.kserve``).
"""

import re
from collections.abc import Mapping
from typing import Any

from hubctl.errors import InputError
from hubctl.inputs import explain, splice
from hubctl.inputs.document import parse

SERVICES = {
    "anomaly_detector": "anomaly-detector-predictor",
    "predictive_analytics": "predictive-analytics-predictor",
}
"""The platform's two models and the Services that KServe makes for them."""

NAMESPACE = "self-healing-platform"
"""Where the platform puts its models unless the file says otherwise."""

_NAME = "values-hub.yaml"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def migrate(text: str) -> tuple[str, tuple[str, ...]]:
    """The migrated text and what was changed; the same text and nothing when there is nothing to do.

    Every other key, its order and every comment stay. A second run changes nothing.

    Raises:
        InputError: the text is no YAML mapping, or holds an anchor that makes the edit unsafe.
    """
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
    return text, tuple(changes)


def _kserve(data: Mapping[str, Any], service: object) -> dict[str, Any]:
    """The new block; whoever had switched the old service off keeps the new one off."""
    inner = data.get("global")
    candidates = [data.get("namespace"), inner.get("namespace") if isinstance(inner, Mapping) else None, NAMESPACE]
    namespace = next(name for name in candidates if isinstance(name, str) and _LABEL.fullmatch(name))
    enabled = not (isinstance(service, Mapping) and service.get("enabled") is False)
    return {"enabled": enabled, "namespace": namespace, "services": dict(SERVICES)}
