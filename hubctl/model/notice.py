"""Notice: something that people should hear of beside the object that it is about; becomes a Kubernetes Event."""

from dataclasses import dataclass
from hashlib import sha256

LONGEST = 1024
"""Bytes of a note that the API takes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that a notice is about.

    Attributes:
        namespace: empty for what has none.
        uid: empty when nobody said; `kubectl describe` shows an Event only with it.
    """

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to hear of; the same ``key`` about the same subject again is the same notice once more.

    Attributes:
        reason: CamelCase, what happened.
        action: CamelCase, what hubctl did or was doing.
        note: for people.
        key: what makes it the same, beside subject and reason.
        warning: whether somebody should look.
    """

    subject: Subject
    reason: str
    action: str
    note: str
    key: str = ""
    warning: bool = False

    @property
    def identity(self) -> str:
        """The same for the same notice, in every process and at any time."""
        words = [self.subject.kind, self.subject.namespace, self.subject.name, self.reason, self.key]
        return sha256("|".join(words).encode()).hexdigest()[:16]

    @property
    def short_note(self) -> str:
        """The note, within what the API takes."""
        return self.note.encode()[:LONGEST].decode(errors="ignore")
