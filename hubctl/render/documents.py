"""Rendered text to plain data, with scalars as an API server's parser reads them rather than as PyYAML does.

``12:30`` is text there and a number to PyYAML, ``y`` is a boolean there and text to PyYAML. The rules are those of the
YAML library of ``sigs.k8s.io/yaml``, which reads manifests for the server and for kubectl.
"""

import re
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_BOOLEAN = re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_INTEGER = re.compile(r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


class _Loader(yaml.CSafeLoader):
    """Nothing but the implicit types differs."""


_OTHERS = {f"{_TAG}{name}" for name in ("bool", "int", "float", "value")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag not in _OTHERS]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", _BOOLEAN, list("yYnNtTfFoO"))
_Loader.add_implicit_resolver(f"{_TAG}int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+.0123456789"))


def _boolean(loader: Any, node: Any) -> bool:
    return loader.construct_scalar(node).lower() in {"y", "yes", "true", "on"}


_Loader.add_constructor(f"{_TAG}bool", _boolean)


def parse(text: str) -> list[Any]:
    """Every document.

    Raises:
        yaml.YAMLError: it is not YAML.
        ValueError: it has an impossible date, such as 2026-13-45.
    """
    return list(yaml.load_all(text, Loader=_Loader))
