"""Found: a cluster that somebody else's list names, before it is a spoke: what is known of it, and what is not.

Apart from the files and the APIs that such lists come from, so that each source says the same and one place compares it
with the cluster files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SUPPORTED: dict[str, tuple[int, int]] = {"openshift": (4, 18), "kubernetes": (1, 28)}
"""The oldest version of each platform that the manifests are made for."""

_MINOR = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A cluster as its source describes it; what the source does not say is empty.

    Attributes:
        name: as the spoke would be called; not checked yet.
        origin: for people: where it comes from, such as ``context admin@edge``.
        key: what the source itself calls it.
        version: of the platform, major and minor only: what comes after changes with each patch.
        labels: that the spoke would carry.
        server: URL of its API server.
        notes: what a person should know of it.
        problem: why it cannot become a spoke; empty if it can.
        silent: whether the problem is that the cluster did not answer.
    """

    name: str
    origin: str
    key: str = ""
    platform: str = ""
    version: str = ""
    topology: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    server: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    silent: bool = False


def minor(version: str) -> str:
    """``4.18`` of 4.18.9, ``1.31`` of v1.31.4-eks-1a2b; empty when it is no version."""
    found = _MINOR.match(version)
    return f"{found[1]}.{found[2]}" if found else ""


def outdated(platform: str, version: str) -> str:
    """What is wrong with a version that is older than the oldest supported one; empty when nothing is."""
    found = _MINOR.match(version)
    if platform not in SUPPORTED or found is None or (int(found[1]), int(found[2])) >= SUPPORTED[platform]:
        return ""
    oldest = ".".join(map(str, SUPPORTED[platform]))
    return f"{platform} {version} is older than {oldest}, the oldest that hubctl supports"
