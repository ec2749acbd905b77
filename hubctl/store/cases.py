"""Incidents, the observations that are their evidence, and the audit trail of decisions.

Apart from the journal, because people read and change these; the journal is hubctl's own memory.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from hubctl.model.incident import Decision, Incident, State, Verdict
from hubctl.model.predictor import Observation
from hubctl.store import documents, tables
from hubctl.store.database import Database
from hubctl.store.records import DecisionRecord

EVIDENCE_KEPT = 200
"""Observations per incident: the first half says why it was opened, the latest half why it lasts."""

_SAME = ("verdict", "reasons", "mode")
"""What makes a decision the same as the one before it in its stream."""


class Cases:
    """The incidents of a store and what is recorded about them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_incidents(self, incidents: Iterable[Incident], *, before: Iterable[Incident] = ()) -> None:
        """Insert new incidents; update those that ``before`` holds, if the stored ones are still those.

        Raises:
            StoreUnavailable: another process was faster, another unresolved incident has the key, or the database
                failed; nothing is saved.
        """
        # Resolved ones first: a key may be resolved and opened anew in one pass.
        ordered = sorted(incidents, key=lambda case: case.state is not State.RESOLVED)
        rows = ((case, {"key": case.key, "created_at": case.opened_at}) for case in ordered)
        with self._database.writing() as connection:
            documents.save(connection, tables.incident, rows, before)

    def unresolved(self) -> tuple[Incident, ...]:
        """Open and acknowledged incidents, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.incident
        statement = sa.select(documents.text(table)).where(table.c.state != State.RESOLVED)
        with self._database.reading() as connection:
            return documents.nouns(connection, Incident, statement.order_by(table.c.created_at, table.c.id))

    def incidents(self, state: State | None = None, *, limit: int = 100) -> tuple[Incident, ...]:
        """Incidents in that state (None: all), newest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.incident
        statement = sa.select(documents.text(table)).order_by(table.c.created_at.desc(), table.c.id).limit(limit)
        if state is not None:
            statement = statement.where(table.c.state == state)
        with self._database.reading() as connection:
            return documents.nouns(connection, Incident, statement)

    def incident(self, prefix: str) -> Incident:
        """The incident with that id, or the one whose id starts so.

        Raises:
            InputError: there is none, or more than one.
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return documents.find(connection, tables.incident, Incident, prefix)

    def save_evidence(self, incident_id: str, observations: Iterable[Observation]) -> None:
        """Add observations to a stored incident, each once; past EVIDENCE_KEPT the middle ones go.

        Raises:
            StoreUnavailable: the incident is not stored, or the database failed.
        """
        table = tables.evidence
        mine = table.c.incident_id == incident_id
        with self._database.writing() as connection:
            at = sa.select(table.c.cluster, table.c.model, table.c.at).where(mine).order_by(table.c.at)
            held = {tuple(row) for row in connection.execute(at)}
            rows = {(seen.cluster, seen.model, seen.at): seen for seen in observations}
            fresh = [
                {"incident_id": incident_id, "cluster": key[0], "model": key[1], "at": key[2], "document": seen}
                for key, seen in rows.items()
                if key not in held
            ]
            if fresh:
                connection.execute(sa.insert(table), fresh)
                _keep_both_ends(connection, incident_id)

    def evidence(self, incident_id: str) -> tuple[Observation, ...]:
        """The observations behind an incident, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.evidence
        statement = sa.select(documents.text(table)).where(table.c.incident_id == incident_id)
        with self._database.reading() as connection:
            ordered = statement.order_by(table.c.at, table.c.cluster, table.c.model)
            return documents.nouns(connection, Observation, ordered)

    def append_decisions(self, decisions: Iterable[Decision]) -> None:
        """Append to the audit trail; one that repeats the latest of its stream is counted there instead.

        A stream is what one pass decides once: an incident's life, or one policy's action for it.

        Raises:
            StoreUnavailable: the database failed.
        """
        rows = [_decision_row(decision) for decision in decisions]
        with self._database.writing() as connection:
            for row in rows:
                _append(connection, row)

    def decisions(self, incident_id: str | None = None, *, limit: int = 100) -> tuple[DecisionRecord, ...]:
        """Decisions, latest first, about that incident (None: all).

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.decision
        columns = [column for column in table.c if column.name != "stream"]
        statement = sa.select(*columns).order_by(table.c.last_at.desc(), table.c.id.desc()).limit(limit)
        if incident_id is not None:
            statement = statement.where(table.c.incident_id == incident_id)
        with self._database.reading() as connection:
            return documents.rows(connection, DecisionRecord, statement)


def _keep_both_ends(connection: sa.Connection, incident_id: str) -> None:
    table = tables.evidence
    key: Sequence[sa.Column[Any]] = (table.c.at, table.c.cluster, table.c.model)
    statement = sa.select(*key).where(table.c.incident_id == incident_id).order_by(*key)
    held = connection.execute(statement).all()
    half = EVIDENCE_KEPT // 2
    gone = [dict(zip(("b_at", "b_cluster", "b_model"), row, strict=True)) for row in held[half : len(held) - half]]
    if gone:
        matches = [column == sa.bindparam(f"b_{column.name}") for column in key]
        connection.execute(sa.delete(table).where(table.c.incident_id == incident_id, *matches), gone)


def _decision_row(decision: Decision) -> dict[str, Any]:
    acts = decision.verdict in {Verdict.ACT, Verdict.REFRAIN}
    return {
        "incident_id": decision.incident.id,
        "incident_key": decision.incident.key,
        "stream": f"act {decision.policy} {decision.action}" if acts else "life",
        "at": decision.at,
        "last_at": decision.at,
        "count": 1,
        "verdict": decision.verdict.value,
        "reasons": [reason.value for reason in decision.reasons],
        "detail": decision.detail,
        "policy": decision.policy,
        "action": decision.action,
        "mode": decision.mode,
    }


def _append(connection: sa.Connection, row: dict[str, Any]) -> None:
    table = tables.decision
    mine = sa.and_(table.c.incident_id == row["incident_id"], table.c.stream == row["stream"])
    last = connection.execute(sa.select(table).where(mine).order_by(table.c.id.desc()).limit(1)).mappings().first()
    if last is None or any(last[name] != row[name] for name in _SAME):
        connection.execute(sa.insert(table), row)
        return
    counted = {"count": last["count"] + 1, "last_at": row["at"], "detail": row["detail"]}
    connection.execute(sa.update(table).where(table.c.id == last["id"]).values(counted))
