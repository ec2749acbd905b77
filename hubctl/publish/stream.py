"""Text that git reads and writes: the fast-import stream of one commit, listings, histories.

Pure, and apart so that quoting and parsing can be tested without a repository. Formats: git-fast-import(1),
git-ls-tree(1), git-cat-file(1), git-log(1).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

PLAIN = "100644"
ABSENT = "000000"
HISTORY = "%H%x00%aI%x00%aN <%aE>%x00%s%x00%(trailers:only,unfold)%x00"
"""Format of ``git log`` that :func:`history` reads; no message can hold a NUL."""

_FIELDS = 5
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SAID = 12


@dataclass(frozen=True, slots=True)
class Record:
    """One commit of the branch.

    Attributes:
        date: the author date, aware.
        author: name and e-mail address, as ``NAME <ADDRESS>``.
        trailers: in order.
    """

    commit: str
    date: datetime
    author: str
    subject: str
    trailers: tuple[tuple[str, str], ...]

    def trailer(self, key: str) -> str:
        """The last value of a trailer, as git has it; empty when there is none."""
        return next((value for found, value in reversed(self.trailers) if found == key), "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be written.

    Attributes:
        parent: commit id; empty for the first commit of a branch.
        author: name and e-mail address.
        now: aware; both dates of the commit.
    """

    parent: str
    writes: Mapping[str, bytes]
    removed: tuple[str, ...]
    message: str
    author: tuple[str, str]
    now: datetime


def commit(ref: str, draft: Draft) -> bytes:
    """The fast-import stream that makes the draft a commit on ``ref`` and prints its id.

    Removals come first, so that a file may take the place of a folder and the other way round.
    """
    name, email = (re.sub(r"[<>\x00-\x1f]", "", part).strip() for part in draft.author)
    person = f"{name} <{email}> {int(draft.now.timestamp())} +0000"
    text = draft.message.encode(errors="replace")
    head = f"commit {ref}\nmark :1\nauthor {person}\ncommitter {person}\ndata {len(text)}\n"
    parts = [head.encode(), text, b"\n"]
    if draft.parent:
        parts.append(f"from {draft.parent}\n".encode())
    parts += [b"D %s\n" % _quoted(path) for path in draft.removed]
    for path in sorted(draft.writes):
        data = draft.writes[path]
        parts += [b"M %s inline %s\ndata %d\n" % (PLAIN.encode(), _quoted(path), len(data)), data, b"\n"]
    parts.append(b"\nget-mark :1\ndone\n")
    return b"".join(parts)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%s"' % escaped.encode(errors="surrogateescape")


def listing(out: bytes) -> dict[str, str]:
    """Path to blob id of ``ls-tree -r -z``; what is no plain file gets its mode before the id.

    The prefix makes an executable, a link or a submodule differ from any wanted file of the same bytes.
    """
    found: dict[str, str] = {}
    for entry in out.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, blob = about.decode().split()
        found[path.decode(errors="surrogateescape")] = blob if mode == PLAIN else f"{mode} {blob}"
    return found


def contents(out: bytes) -> Iterator[bytes]:
    """The objects in an answer of ``cat-file --batch``, in the order asked; empty for one that is missing."""
    return (data or b"" for _, data in _objects(out))


def missing(out: bytes) -> tuple[str, ...]:
    """What was asked for in vain, of the same answer; each once."""
    return tuple(dict.fromkeys(name for name, data in _objects(out) if data is None))


def _objects(out: bytes) -> Iterator[tuple[str, bytes | None]]:
    start = 0
    while start < len(out):
        end = out.index(b"\n", start)
        name, _, size = out[start:end].rpartition(b" ")
        start = end + 1
        if not size.isdigit():
            yield name.decode(), None
            continue
        yield name.split(b" ")[0].decode(), out[start : start + int(size)]
        start += int(size) + 1


def history(out: bytes) -> tuple[Record, ...]:
    """Records of a ``git log`` in :data:`HISTORY`, newest first."""
    fields = out.decode(errors="replace").split("\0")[:-1]
    rows: Sequence[list[str]] = [fields[at : at + _FIELDS] for at in range(0, len(fields), _FIELDS)]
    return tuple(
        Record(row[0].strip(), datetime.fromisoformat(row[1]), row[2], row[3], _trailers(row[4])) for row in rows
    )


def touched(out: bytes) -> dict[str, dict[str, str]]:
    """Commit to path to ``added``, ``changed`` or ``removed``, of ``diff-tree --stdin -z -r --name-status``."""
    found: dict[str, dict[str, str]] = {}
    paths: dict[str, str] = {}
    words = iter(out.decode(errors="surrogateescape").split("\0")[:-1])
    for word in words:
        if _COMMIT.fullmatch(word):
            paths = found.setdefault(word, {})
        else:
            # A merge has a letter for each parent; the first is the branch's own.
            paths[next(words)] = {"A": "added", "D": "removed"}.get(word[0], "changed")
    return found


def moved(out: bytes) -> dict[str, tuple[str, str]]:
    """Path to what stood there and what does now, of ``diff-tree -z -r --raw``: as :func:`listing` has it, or empty."""
    found: dict[str, tuple[str, str]] = {}
    words = iter(out.decode(errors="surrogateescape").split("\0")[:-1])
    for word in words:
        modes = word.removeprefix(":").split(" ")
        if word.startswith(":"):
            sides = ("" if mode == ABSENT else blob if mode == PLAIN else f"{mode} {blob}"
                     for mode, blob in zip(modes[:2], modes[2:4], strict=True))  # fmt: skip
            before, after = sides
            found[next(words)] = (before, after)
    return found


def _trailers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(":") for line in text.split("\n"))
    return tuple((key.strip(), value.strip()) for key, separator, value in pairs if separator)


def without_credentials(text: str) -> str:
    """The text with user and password cut from every URL in it."""
    return _CREDENTIALS.sub("", text)


def said(stderr: str) -> str:
    """What git and the server said, for a person: no hints, no progress, no credentials, a dozen lines at most."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", without_credentials(stderr))]
    kept = [line for line in lines if line and not line.startswith(("hint:", "To "))]
    return "; ".join(kept[-_SAID:])
