"""Rendered text to plain data, with scalars as an API server's parser reads them rather than as PyYAML does.

``12:30`` is text there and a number to PyYAML, ``y`` is a boolean there and text to PyYAML. The rules are those of the
YAML library of ``sigs.k8s.io/yaml``, which reads manifests for the server and for kubectl. Where no word of a text can
be read in two ways, ryaml reads it alike at a quarter of the cost; it knows neither those rules nor anchors and tags.
"""

import re
from typing import Any

import ryaml
import yaml

_TWO_MEANINGS = re.compile(
    r"""
    (?: ^ | [ \t\[{,] ) (?= [&*!=<yYnNoO0-9+-] )   # before a word; the second looks ahead, since most words are others
    (?:
        [&*!]                                      # an anchor, an alias, a tag
      | (?: [yY] | [nN] | [yY][eE][sS] | [nN][oO] | [oO][nN] | [oO][fF][fF] | = | <<
          | [-+]?0[0-9_]+ | [-+]?[0-9]+_[0-9_]*    # 010, 1_000
          | [-+]?[0-9]{19,}                        # too long for the fast parser
        ) [ \t]* (?: $ | [#,\]}:] )
    )
    """,
    re.VERBOSE | re.MULTILINE,
)
"""May find more than there is, such as a word at the end of a text; that costs time, no more."""

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
    """Every document, plain data.

    Raises:
        yaml.YAMLError: it is not YAML; ``problem_mark`` says where.
        ValueError: a key stands twice in one mapping, or a date is none, such as 2026-13-45.
    """
    if not text.strip() or _TWO_MEANINGS.search(text):
        return list(yaml.load_all(text, Loader=_Loader))
    try:
        return ryaml.loads_all(text)
    except ValueError:
        # PyYAML says the line, in words that people know; what it lets through is refused all the same.
        list(yaml.load_all(text, Loader=_Loader))
        raise
