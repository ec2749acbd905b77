"""Rendered YAML as data: read by the fast parser, wherever both versions of YAML read it alike.

Kubernetes' parser still takes YAML 1.1's ``on`` for true, ``010`` for 8, and knows anchors and tags; ryaml reads YAML
1.2. A text with a word that they read differently goes to PyYAML, which reads 1.1 and takes four times as long.
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


def parse(text: str) -> list[Any]:
    """Every document of a text, plain data.

    Raises:
        yaml.YAMLError: it is not YAML; ``problem_mark`` says where.
        ValueError: a key stands twice in one mapping.
    """
    if not text.strip() or _TWO_MEANINGS.search(text):
        return list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    try:
        return ryaml.loads_all(text)
    except ValueError:
        # PyYAML says the line, in words that people know; what it lets through is refused all the same.
        list(yaml.load_all(text, Loader=yaml.CSafeLoader))
        raise
