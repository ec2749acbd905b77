"""What the store alone knows: passes, decisions as they were counted, its own size.

Apart from the model, because no other room makes these; the command line shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hubctl.model import incident
from hubctl.model.health import Condition


@dataclass(frozen=True, slots=True)
class PassRecord:
    """One pass; ``ended_at`` is None while it runs and for ever when it died.

    Attributes:
        commit: what it published, empty when nothing changed.
        summary: one line for people.
        configuration: the commit of the configuration repository that it worked from, empty where there is none.
        complaint: why what the files say now is not in force; empty when it is.
    """

    id: int
    began_at: datetime
    ended_at: datetime | None = None
    commit: str = ""
    summary: str = ""
    configuration: str = ""
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class TransitionRecord:
    """A predictor's condition or version became another.

    Attributes:
        reason: for the condition after it.
    """

    at: datetime
    cluster: str
    model: str
    condition_before: Condition
    condition: Condition
    reason: str
    version_before: str
    version: str


@dataclass(frozen=True, slots=True)
class TermRecord:
    """The latest term of a leader that wrote into the store.

    Attributes:
        holder: its identity in the Lease.
    """

    epoch: int
    holder: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision, and how many passes in a row came to it.

    Attributes:
        at: first of those passes.
        last_at: latest of them; ``detail`` is of that one.
        incident_key: kept beside the id, so that the trail reads without the incident.
    """

    id: int
    at: datetime
    last_at: datetime
    count: int
    verdict: incident.Verdict
    incident_id: str
    incident_key: str
    reasons: tuple[incident.Reason, ...]
    detail: str = ""
    policy: str = ""
    action: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is stored.

    Attributes:
        bytes: on disk, the write-ahead log included.
        rows: by table.
    """

    bytes: int
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """How much one table holds.

    Attributes:
        bytes: its indexes included.
        oldest: when the first of its rows was made; None where rows are replaced, or there is none.
        written: bytes a day, as of the last day.
        grows: of these, what stays: nothing once as much is deleted.
        at_end: bytes when as much is deleted as comes; None where nothing is deleted.
    """

    table: str
    bytes: int
    rows: int
    oldest: datetime | None = None
    newest: datetime | None = None
    written: int = 0
    grows: int = 0
    at_end: int | None = None
