"""Listed: what the hub's API server answered when one kind was listed, its refusals too.

Apart from ``snapshot``, where a kind that cannot be read is only a gap: here the answer itself is what is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Name = tuple[str, str]
"""Namespace and name; the namespace of cluster-wide objects is empty."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The answer for one kind.

    Attributes:
        objects: by namespace and name.
        status: HTTP's; anything but 200 means that nothing is known of the kind.
        message: the server's words when it refused.
    """

    objects: Mapping[Name, Mapping[str, Any]] = field(default_factory=dict)
    status: int = 200
    message: str = ""
