"""What Kubernetes asks of every object's metadata, whatever its kind.

A CRD says nothing about ``metadata``; the server checks it by rules of its own, of which these are the ones that a
schema can express. The rules are those of the API machinery's ``ObjectMeta`` and of its name and label validation.
"""

from typing import Any

META = "ObjectMeta"
"""Definition of metadata with any name."""

NAMED = "NamedMeta"
"""Definition of the metadata of a custom resource: its name is a DNS subdomain."""

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WORD = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_COUNT: dict[str, Any] = {"type": ["integer", "null"]}
_LABELS: dict[str, Any] = {
    "type": ["object", "null"],
    "propertyNames": {"pattern": f"^({_SUBDOMAIN}/)?{_WORD}$"},
    "additionalProperties": {"type": ["string", "null"], "pattern": f"^({_WORD})?$"},
}
_ANNOTATIONS: dict[str, Any] = {
    "type": ["object", "null"],
    "propertyNames": {"pattern": f"^(?i:({_SUBDOMAIN}/)?{_WORD})$"},
    "additionalProperties": _TEXT,
}
_OWNER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "name": {"type": "string"},
        "uid": {"type": "string"},
        "controller": {"type": ["boolean", "null"]},
        "blockOwnerDeletion": {"type": ["boolean", "null"]},
    },
    "required": ["apiVersion", "kind", "name", "uid"],
    "additionalProperties": False,
}

DEFINITIONS: dict[str, dict[str, Any]] = {
    META: {
        "type": ["object", "null"],
        "properties": {
            "name": _TEXT,
            "generateName": _TEXT,
            "namespace": {"type": ["string", "null"], "maxLength": 63, "pattern": f"^({_LABEL})?$"},
            "labels": _LABELS,
            "annotations": _ANNOTATIONS,
            "finalizers": {"type": ["array", "null"], "items": {"type": "string"}},
            "ownerReferences": {"type": ["array", "null"], "items": _OWNER},
            "managedFields": {"type": ["array", "null"]},
            "uid": _TEXT,
            "resourceVersion": _TEXT,
            "selfLink": _TEXT,
            "generation": _COUNT,
            "creationTimestamp": _TEXT,
            "deletionTimestamp": _TEXT,
            "deletionGracePeriodSeconds": _COUNT,
        },
        "additionalProperties": False,
    },
    NAMED: {
        "type": "object",
        "allOf": [{"$ref": f"#/$defs/{META}"}],
        "properties": {"name": {"maxLength": 253, "pattern": f"^{_SUBDOMAIN}$"}},
        "required": ["name"],
    },
}
