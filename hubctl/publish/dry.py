"""Dry: the commit of the inputs' own repository that their folder stands at, asked of that checkout.

Apart from the cache, which holds the output: this is a person's checkout, of which nothing is changed. Every call
blocks.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import git

from hubctl.errors import InputError
from hubctl.publish import stream

READ = ("values-hub.yaml", "clusters", "templates")
"""What hubctl reads in the folder, beside overrides."""

_SHOWN = 5
_FORMAT = "%H%x00%an <%ae>%x00%aI%x00%s%x00%b%x00%(trailers:only,unfold)"
_REFERENCE = "argocd-reference-commit-"
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Dry:
    """A commit of the inputs.

    Attributes:
        prefix: of the folder in its repository, with a slash at its end; empty at the root.
        date: of authorship, in ISO 8601.
        reference: the commit of other code that this one brings in, as its trailers tell; empty when they do not.
    """

    sha: str
    prefix: str
    repo_url: str
    author: str
    date: str
    subject: str
    body: str
    reference: tuple[tuple[str, str], ...] = ()

    def metadata(self) -> bytes:
        """The file ``hydrator.metadata``: what is known, as JSON."""
        told: dict[str, Any] = {"repoURL": self.repo_url, "drySha": self.sha, "author": self.author, "date": self.date}
        told |= {"subject": self.subject, "body": self.body}
        told |= {"references": [{"commit": dict(self.reference)}] if self.reference else None}
        return (json.dumps({key: value for key, value in told.items() if value}, indent=2) + "\n").encode()


def read(folder: Path, overrides: str, repo_url: str | None = None) -> Dry:
    """The commit that the inputs are, to the byte.

    Args:
        folder: of the inputs.
        overrides: name of the folder of overrides in it.
        repo_url: of the repository; None asks the checkout for its remote's.

    Raises:
        InputError: the folder is no checkout, has no commit, or differs from it.
    """
    sha = _asked(folder, "rev-parse", "--verify", "HEAD^{commit}")
    names = (*READ, overrides)
    # What Git ignores counts too: hubctl reads it all the same.
    listed = _asked(
        folder, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored=matching", "--", *names
    )
    if differing := sorted(entry[3:] for entry in listed.split("\0") if len(entry) > 3 and _counts(entry)):  # noqa: PLR2004 - two letters, a space, a path
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise InputError(
            f"the inputs differ from commit {sha[:12]}: {', '.join(differing[:_SHOWN])}{more}",
            hint="commit them, or take them back; in mode hydrated each publish stands for one commit of the inputs",
        )
    shown = _asked(folder, "show", "-s", f"--format={_FORMAT}", "--encoding=UTF-8", "--no-show-signature", sha)
    _, author, date, subject, body, trailers = (shown.split("\0") + [""] * 6)[:6]
    return Dry(
        sha=sha,
        prefix=_asked(folder, "rev-parse", "--show-prefix"),
        repo_url=repo_url or _url(folder),
        author=author,
        date=date,
        subject=subject,
        body=body.strip(),
        reference=_reference(trailers),
    )


def is_older(folder: Path, sha: str, other: str) -> bool:
    """Whether ``other`` comes after ``sha``; False as well when the checkout does not know it."""
    if sha == other or not _SHA.fullmatch(other):
        return False
    return _run(folder, "merge-base", "--is-ancestor", sha, other)[0] == 0


def _counts(entry: str) -> bool:
    """Hidden files that Git does not know are not read by hubctl either, an editor's for instance."""
    return not (entry[:2] in {"??", "!!"} and entry.rstrip("/").rpartition("/")[2].startswith("."))


def _url(folder: Path) -> str:
    """The address of the remote that the checkout came from; empty for a path, which would mean nothing elsewhere."""
    status, names, _ = _run(folder, "remote")
    remotes = names.split() if status == 0 else []
    if not remotes:
        return ""
    chosen = "origin" if "origin" in remotes else remotes[0]
    found = stream.without_credentials(_run(folder, "remote", "get-url", chosen)[1].strip())
    local = found.startswith("file:") or ":" not in found.split("/", maxsplit=1)[0]
    return "" if local else found


def _reference(trailers: str) -> tuple[tuple[str, str], ...]:
    """What Argo CD's trailers tell of another commit, by the keys of the metadata; nothing without its id."""
    pairs = (line.partition(":") for line in trailers.splitlines())
    told = {key.strip().lower().removeprefix(_REFERENCE): value.strip() for key, _, value in pairs if _named(key)}
    if not _SHA.fullmatch(told.get("sha", "")):
        return ()
    keys = ("sha", "repourl", "author", "date", "subject", "body")
    if "date" in told and not _is_time(told["date"]):
        del told["date"]
    if "body" in told:
        told["body"] = _plain(told["body"])
    return tuple(("repoURL" if key == "repourl" else key, told[key]) for key in keys if told.get(key))


def _named(key: str) -> bool:
    return key.strip().lower().startswith(_REFERENCE)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _plain(text: str) -> str:
    """A body may be written as a JSON string, since a trailer is one line."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str) else text


def _asked(folder: Path, *args: str) -> str:
    status, out, said = _run(folder, *args)
    if status == 0:
        return out if "-z" in args or "show" in args else out.strip()
    raise InputError(
        f"{folder} is no checkout of a Git commit: {stream.said(said) or f'git {args[0]} exited with {status}'}",
        hint="in mode hydrated the inputs have to be committed: `git init`, `git add` and `git commit` them",
    )


def _run(folder: Path, *args: str) -> tuple[int, str, str]:
    command: Sequence[str] = ["git", "--no-optional-locks", "--literal-pathspecs", *args]
    answer = git.cmd.Git(folder).execute(command, with_extended_output=True, with_exceptions=False)
    return int(answer[0]), str(answer[1]), str(answer[2])
