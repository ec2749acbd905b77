"""What a publish would change: wanted bytes against the blob ids that a branch holds; the brake; the message.

Pure. Blob ids are computed here as git does (``blob SIZE NUL DATA`` hashed), so that an unchanged fleet costs one
listing and no process for each file.
"""

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hubctl.errors import GuardRefused, InputError
from hubctl.model import tree

_TRAILER_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_SHOWN = 20
"""Spokes named in a commit message or a refusal before "and N more"."""


@dataclass(frozen=True, slots=True)
class Spokes:
    """Spokes that a publish touches, by name, sorted.

    Attributes:
        before: how many the branch holds.
        after: how many it would hold.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """Repository paths that differ, each tuple sorted.

    Attributes:
        writes: bytes of the added and changed paths.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    writes: Mapping[str, bytes] = field(default_factory=dict)
    spokes: Spokes = Spokes()

    @property
    def empty(self) -> bool:
        """Whether the branch already holds what is wanted."""
        return not (self.added or self.changed or self.removed)


def blob_id(data: bytes, object_format: str = "sha1") -> str:
    """The id git gives these bytes; ``object_format`` is ``sha1`` or ``sha256``."""
    digest = hashlib.new(object_format, b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def compare(
    published: Mapping[str, str],
    wanted: tree.Wanted,
    *,
    object_format: str = "sha1",
    spokes_folder: str = f"rendered/{tree.SPOKES}",
) -> Changes:
    """The difference between a branch and what is wanted of it.

    Args:
        published: path to blob id, of all below ``wanted.owned`` and of the paths in ``wanted.files`` and
            ``wanted.stamps``.
        wanted: files, and the folders that are ours whole.
        object_format: of the ids, ``sha1`` or ``sha256``.
        spokes_folder: holds one folder per spoke.

    Raises:
        InputError: a wanted path cannot stand in a repository.
    """
    for path in wanted.files:
        _check_path(path)
    if wanted.stamps:
        return _stamped(published, wanted, object_format, spokes_folder)
    added = tuple(sorted(path for path in wanted.files if path not in published))
    changed = tuple(
        sorted(
            path
            for path, data in wanted.files.items()
            if path in published and published[path] != blob_id(data, object_format)
        )
    )
    removed = tuple(sorted(path for path in published if path not in wanted.files and owns(wanted.owned, path)))
    return Changes(
        added=added,
        changed=changed,
        removed=removed,
        writes={path: wanted.files[path] for path in (*added, *changed)},
        spokes=_spokes(published, (*added, *changed), removed, spokes_folder),
    )


def _stamped(published: Mapping[str, str], wanted: tree.Wanted, object_format: str, spokes_folder: str) -> Changes:
    """Stamps are as if they were not there, unless something else changes or one is missing."""
    bare = replace(wanted, stamps={})
    others = {path: blob for path, blob in published.items() if path not in wanted.stamps}
    found = compare(others, bare, object_format=object_format, spokes_folder=spokes_folder)
    if found.empty and published.keys() >= wanted.stamps.keys():
        return found
    whole = replace(bare, files={**wanted.files, **wanted.stamps})
    return compare(published, whole, object_format=object_format, spokes_folder=spokes_folder)


def owns(owned: tuple[str, ...], path: str) -> bool:
    """Whether a path is one of the owned folders or lies below one."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in owned)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if "\0" in path or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        raise InputError(
            f"{path!r} cannot stand in a Git repository",
            hint="expected a relative path without empty, '.', '..' or '.git' parts",
        )


def _spokes(published: Mapping[str, str], written: tuple[str, ...], removed: tuple[str, ...], folder: str) -> Spokes:
    prefix = f"{folder}/"

    def named(paths: frozenset[str]) -> frozenset[str]:
        below = (path[len(prefix) :] for path in paths if path.startswith(prefix))
        return frozenset(name for name, separator, _ in (rest.partition("/") for rest in below) if separator)

    before = named(frozenset(published))
    after = named((frozenset(published) - frozenset(removed)) | frozenset(written))
    touched = named(frozenset(written) | frozenset(removed))
    return Spokes(
        added=tuple(sorted(after - before)),
        changed=tuple(sorted(touched & before & after)),
        removed=tuple(sorted(before - after)),
        before=len(before),
        after=len(after),
    )


def allowed_removals(limit: int | str | None, published_spokes: int) -> int:
    """How many spokes one publish may remove: a number, a share such as ``10%``, or None for the default.

    Shares are rounded down; the default is the larger of 1 and 10 %.
    """
    if limit is None:
        return max(1, published_spokes // 10)
    if isinstance(limit, str):
        return published_spokes * int(limit.removesuffix("%")) // 100
    return limit


def check_brake(changes: Changes, limit: int | str | None, confirmed: int | None = None) -> None:
    """Refuse a publish that removes more spokes than allowed, or all of them.

    Args:
        changes: of this publish.
        limit: as :func:`allowed_removals` takes it.
        confirmed: spokes that a person allowed for this publish.

    Raises:
        GuardRefused: more spokes would go; the message names them.
    """
    spokes = changes.spokes
    count = len(spokes.removed)
    if not count or count <= (confirmed or 0):
        return
    allowed = allowed_removals(limit, spokes.before)
    hint = f"if they are meant to go, run `hubctl publish --allow-removing {count}`"
    if spokes.after == 0:
        raise GuardRefused(f"no spoke would be left; {_count(count)} would go: {_names(spokes.removed)}", hint=hint)
    if count > allowed:
        raise GuardRefused(
            f"{_count(count)} of {spokes.before} would go, expected at most {allowed}: {_names(spokes.removed)}",
            hint=hint,
        )


def message(wanted: tree.Wanted, changes: Changes, version: str) -> str:
    """The commit message: subject, body, a line for each way spokes changed, trailers.

    The subject becomes one line whatever it holds; the trailers stand alone in the last paragraph, so nothing in
    subject or body can be taken for one.

    Raises:
        InputError: a trailer's key is no key, or its value has a line break.
    """
    subject = " ".join(_CONTROL.sub(" ", wanted.subject).split()) or "Publish the fleet"
    body = _CONTROL.sub(" ", wanted.body.replace("\r\n", "\n")).strip()
    trailers = (("Hubctl-Version", version), *wanted.trailers)
    for key, value in trailers:
        if not _TRAILER_KEY.fullmatch(key) or not value.strip() or _CONTROL.search(value) or "\n" in value:
            raise InputError(
                f"{f'{key}: {value}'!r} cannot be a trailer", hint="expected letters, digits and '-', and one line"
            )
    last = "\n".join(f"{key}: {value.strip()}" for key, value in trailers)
    return "\n\n".join(part for part in (subject, body, _summary(changes), last) if part) + "\n"


def _summary(changes: Changes) -> str:
    spokes = changes.spokes
    lines = [
        f"{title} {len(names)}: {_names(names)}"
        for title, names in (
            ("Spokes added", spokes.added),
            ("Spokes changed", spokes.changed),
            ("Spokes removed", spokes.removed),
        )
        if names
    ]
    files = f"Files: {len(changes.added)} added, {len(changes.changed)} changed, {len(changes.removed)} removed"
    return "\n".join([*lines, files])


def _names(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(count: int) -> str:
    return f"{count} spoke{'s' if count != 1 else ''}"


def unified(path: str, old: bytes | None, new: bytes | None) -> str:
    """A unified diff of one path, as text; None means that the side has no such file."""
    before, after = (_lines(side) for side in (old, new))
    if before is None or after is None:
        return f"Binary file {path} differs\n" if old != new else ""
    names = (f"a/{path}" if old is not None else "/dev/null", f"b/{path}" if new is not None else "/dev/null")
    made = difflib.unified_diff(before, after, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made)


def _lines(data: bytes | None) -> list[str] | None:
    """Lines with their ends, split at line feeds only; None for bytes that are not text."""
    try:
        text = (data or b"").decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else re.findall(r"[^\n]*\n|[^\n]+", text)
