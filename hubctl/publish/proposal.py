"""Proposals: what a pull request stands for, by digest, and the text that says it. Pure.

The digest is over each path with what stood there and what is to stand there. It travels as a trailer of the commit and
in the text of the pull request, so both sides can be read back: a commit that holds anything else was not written by
hubctl, a text that names another one is old, and a closed pull request that names this one is a person's no to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from hubctl.model import tree
from hubctl.model.pullrequest import Forge
from hubctl.publish import changes, review
from hubctl.publish.dialects import TEXT_LIMIT

TRAILER = "Hubctl-Proposal"
"""Commit trailer that carries the digest; the text of a pull request holds the same line."""

WITHDRAWN = "Hubctl-Withdrawn"
"""What the line becomes in a pull request that hubctl closes itself, so that it is nobody's no."""

_BODY = 4_000
_TITLE = 200
_FOOTER = """
---
hubctl writes this branch and this text anew whenever the fleet's inputs change. Merging delivers the change. Closing
declines this very change; another one opens a new pull request. Commits of others on this branch are never overwritten.
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """Title and text of a pull request."""

    title: str
    text: str


def digest(moves: Mapping[str, tuple[str, str]]) -> str:
    """Names a set of changes: path to the listing's entry before and after, empty where there is none."""
    made = hashlib.sha256()
    for path in sorted(moves):
        before, after = moves[path]
        made.update(f"{path}\0{before}\0{after}\n".encode(errors="surrogateescape"))
    return f"sha256:{made.hexdigest()}"


def moves(found: changes.Changes, listed: Mapping[str, str], object_format: str) -> dict[str, tuple[str, str]]:
    """What a publish would do, as :func:`digest` takes it."""
    written = {
        path: (listed.get(path, ""), changes.blob_id(data, object_format)) for path, data in found.writes.items()
    }
    return written | {path: (listed[path], "") for path in found.removed}


def names(text: str, proposal: str) -> bool:
    """Whether the text of a pull request, or of a commit, stands for just this proposal."""
    return f"{TRAILER}: {proposal}" in text


def is_ours(text: str) -> bool:
    """Whether the text of a pull request is one of hubctl's."""
    return f"{TRAILER}: sha256:" in text


def withdrawn(text: str) -> str:
    """The text of a pull request that hubctl closes itself."""
    return text.replace(f"{TRAILER}:", f"{WITHDRAWN}:")


def letter(
    wanted: tree.Wanted, difference: review.Difference, trailers: tuple[tuple[str, str], ...], forge: Forge
) -> Letter:
    """What a pull request says: the message, the difference as far as the forge takes it, and where it comes from.

    Args:
        wanted: holds the message.
        difference: from the target branch to what is wanted.
        trailers: of the commit, the proposal among them.
        forge: whose limit counts.
    """
    body = wanted.body if len(wanted.body) <= _BODY else f"{wanted.body[: _BODY - 1]}…"
    told = "\n".join(f"{key}: {value}" for key, value in trailers)
    end = f"{_FOOTER}\n```text\n{told}\n```\n"
    start = f"{body}\n\n" if body else ""
    room = TEXT_LIMIT[forge] - len(start) - len(end)
    title = wanted.subject if len(wanted.subject) <= _TITLE else f"{wanted.subject[: _TITLE - 1]}…"
    return Letter(title, start + review.markdown(difference, room, summary=False) + end)
