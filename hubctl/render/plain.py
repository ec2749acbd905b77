"""Plain credentials in a person's own templates: what they say, and what is rendered from them.

Pure. Packaged templates are not looked at: they hold none, and a fleet of thousands would pay for it at each pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hubctl.errors import TemplateError
from hubctl.model import credential
from hubctl.model.credential import NotCredential

HINT = (
    "what is rendered goes into Git: let an ExternalSecret make the Secret on the spoke, or name one that its owner "
    "makes; if it is none, list the field under hubctl.notCredentials"
)

ANYWHERE = "*"
"""The field of a mark for a template's text, which has no fields."""


def refuse_texts(templates: Mapping[str, str], marks: Sequence[NotCredential]) -> None:
    """Refuse own templates whose text holds something of a credential's shape, in comments too.

    Raises:
        TemplateError: with all others in ``also``.
    """
    found = []
    for name, text in sorted(templates.items()):
        file = f"templates/{name}"
        if _excused(marks, file, ANYWHERE):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            kind = credential.shape(line) or ("a URL with user and password" if _has_password(line) else "")
            if kind:
                message = f"holds {kind}, expected no credential in plain text"
                found.append(TemplateError(message, where=f"{file}:{number}", hint=HINT))
    _raise(found)


def refuse_objects(
    documents: Sequence[Any], file: str, template: str, subject: str, *, marks: Sequence[NotCredential]
) -> None:
    """Refuse rendered objects that hold a credential; of a Secret, whatever is in it.

    Args:
        documents: parsed.
        file: the rendered file, for messages.
        template: its name below ``templates/``.
        subject: whom it was rendered for.
        marks: of fields that are no credentials.

    Raises:
        TemplateError: with all others in ``also``.
    """
    found = []
    for document in documents:
        for field, why in _of_object(document):
            if not _excused(marks, f"templates/{template}", field):
                message = f"{file} {field}: {why}, expected no credential in plain text"
                found.append(TemplateError(message, where=f"templates/{template} ({subject})", hint=HINT))
    _raise(found)


def _of_object(document: Any) -> Iterator[tuple[str, str]]:
    """Field and reason of each credential in an object."""
    secret = isinstance(document, dict) and document.get("kind") == "Secret"
    sections = ("data", "stringData") if secret else ()
    for section in sections:
        held = document.get(section)
        for key, value in held.items() if isinstance(held, dict) else ():
            if value is not None and not credential.is_reference(str(value)):
                yield f"{section}.{key}", "a Secret with a value"
    rest = {key: value for key, value in document.items() if key not in sections} if secret else document
    for each in credential.findings(rest):
        yield _dotted(each.trail), each.why


def _has_password(line: str) -> bool:
    return credential.has_userinfo(line, users=False)


def _excused(marks: Sequence[NotCredential], file: str, field: str) -> bool:
    return any(mark.excuses(file, field) for mark in marks)


def _dotted(trail: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in trail).removeprefix(".")


def _raise(found: Sequence[TemplateError]) -> None:
    if found:
        first = found[0]
        raise TemplateError(first.message, where=first.where, hint=first.hint, also=found[1:])
