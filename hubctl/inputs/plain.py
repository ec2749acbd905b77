"""Plain credentials in the fleet's files: which are errors, which warnings, and which a person has marked as none.

Pure. In our sections and files every one is an error. In other people's sections of values-hub.yaml one that its shape
gives away is an error too; one that only its key tells of is a warning, because we do not know what their keys mean.
See docs/adr/0013-plain-credentials.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hubctl.errors import InputError
from hubctl.inputs.document import Document, Trail, dotted, parse
from hubctl.model import credential
from hubctl.model.credential import Finding, NotCredential

URL_HINT = "these files are in Git: use a credential helper, tokenFile or urlEnv, and change that password"
HINT = (
    "these files are in Git: name a Secret, a file or an ExternalSecret instead, and change it if it was pushed; "
    "if it is none, list the field under hubctl.notCredentials"
)

_SHOWN = 60
_MARKS: TypeAdapter[tuple[NotCredential, ...]] = TypeAdapter(tuple[NotCredential, ...])


def marked(document: Document, marks: Sequence[NotCredential] | None = None) -> Document:
    """The document with the marks that may excuse its fields.

    Args:
        document: a file.
        marks: None: those that the document itself has, as far as they can be read.
    """
    if marks is None:
        section = document.data.get("hubctl")
        try:
            marks = _MARKS.validate_python(section.get("notCredentials") or ()) if isinstance(section, dict) else ()
        except ValidationError:
            # The section's own check says what is wrong with them.
            marks = ()
    return replace(document, marks=tuple(marks))


def ours(data: Any, document: Document, trail: Trail = ()) -> Iterator[InputError]:
    """A problem for every plain credential in a section or file of ours."""
    for found in _open(credential.findings(data, trail, users=True), document):
        yield _problem(found, document)


def others(document: Document, sections: Mapping[str, Sequence[str]]) -> tuple[list[InputError], list[str]]:
    """Problems and warnings of the keys that are not ours.

    Args:
        document: values-hub.yaml.
        sections: our keys of the top level, each with those of its keys that are ours; none: all of them.
    """
    problems, warnings = [], []
    for found in _open(_of_others(document, sections), document):
        if found.sure:
            problems.append(_problem(found, document))
        else:
            warnings.append(f"{document.where(found.trail)}: {found.why}; is that a credential in plain text?")
    return problems, warnings


def idle(marks: Sequence[NotCredential], documents: Iterable[Document], document: Document) -> list[str]:
    """Warnings about marks of fields that do not look like credentials; those of templates are left out."""
    if not marks:
        return []
    seen = [(one.name, dotted(each.trail)) for one in documents for each in credential.findings(one.data, users=True)]
    return [
        f"{document.where(('hubctl', 'notCredentials', index))} is not read: nothing there looks like a credential"
        for index, mark in enumerate(marks)
        if not mark.file.startswith("templates/") and not any(mark.excuses(file, field) for file, field in seen)
    ]


def veiled(text: str) -> str:
    """A file's text for people, line by line the same, with ``***`` for what looks like a credential."""
    lines, written = credential.masked(text).split("\n"), text.split("\n")
    try:
        document = parse(text, "the file")
    except InputError:
        return "\n".join(lines)
    for found in credential.findings(document.data, users=True):
        line, column = document.places.get(found.trail, (1, 1))
        key, colon, _ = written[line - 1][column - 1 :].partition(":")
        before = credential.masked(written[line - 1][: column - 1])
        lines[line - 1] = f"{before}{key if colon else ''}{colon} {credential.VEIL}"
    return "\n".join(lines)


def _of_others(document: Document, sections: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for key, value in document.data.items():
        if key not in sections:
            yield from credential.findings(value, (key,))
        elif sections[key] and isinstance(value, dict):
            rest = {name: inner for name, inner in value.items() if name not in sections[key]}
            yield from credential.findings(rest, (key,))


def _open(found: Iterable[Finding], document: Document) -> Iterator[Finding]:
    """Those that no mark excuses."""
    for each in found:
        if not any(mark.excuses(document.name, dotted(each.trail)) for mark in document.marks):
            yield each


def _problem(found: Finding, document: Document) -> InputError:
    where = document.where(found.trail)
    if found.url:
        value: Any = document.data
        for part in found.trail:
            value = value[part]
        text = credential.masked(str(value))
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        return InputError(f"found {shown!r}, expected a URL without user and password", where=where, hint=URL_HINT)
    return InputError(f"{found.why}, expected no credential in plain text", where=where, hint=HINT)
