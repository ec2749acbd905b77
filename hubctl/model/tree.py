"""RenderedTree, Published and Wanted: files on their way from templates to a Git commit.

Rendering makes a tree, publishing compares it with what a branch holds; both speak of it in these words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

HUB = "hub"
"""Folder of the hub's own manifests in a rendered tree."""

SPOKES = "spokes"
"""Folder that holds one folder per spoke in a rendered tree."""

OVERRIDES_SUFFIX = ".yaml"
"""Files in the overrides folder that are overrides; others are left alone."""


@dataclass(frozen=True, slots=True)
class RenderedTree:
    """Every file of a fleet, by its path below the rendered folder, such as ``spokes/edge-a/storage.yaml``.

    Attributes:
        files: path to bytes, sorted by path.
    """

    files: Mapping[str, bytes]

    def below(self, folder: str) -> Mapping[str, bytes]:
        """The files in a folder such as ``spokes/edge-a``, whole paths kept."""
        return {path: data for path, data in self.files.items() if path.startswith(f"{folder}/")}


@dataclass(frozen=True, slots=True)
class Published:
    """What the branch holds now.

    Attributes:
        commit: the tip's id; empty when the branch does not exist yet.
        overrides: file name to bytes, of the overrides folder at the tip.
    """

    commit: str = ""
    overrides: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a commit should make of a tip.

    Attributes:
        files: repository path to bytes.
        owned: folders (no trailing slash) that are ours whole: what lies below them and is not in ``files`` is
            removed. Nothing outside ``owned`` and ``files`` is touched.
        subject: first line of the commit message.
        body: paragraphs below it, may be empty.
        trailers: ``Hubctl-…`` lines, in order.
        stamps: path to bytes of files that go along with any change; once there, they alone are none.
    """

    files: Mapping[str, bytes]
    owned: tuple[str, ...]
    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    stamps: Mapping[str, bytes] = field(default_factory=dict)
