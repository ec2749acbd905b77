"""Rows that hold one noun with an id and a state: found by a prefix of the id, saved only if nobody was faster.

Apart from incidents and remediations, which are both such rows.
"""

import difflib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from hubctl.errors import InputError, StoreUnavailable
from hubctl.store import codec

_NEAR = 3
"""Ids that a message proposes."""

_COMPARED = 500
"""Newest ids among which a misspelt one is looked up."""


class Noun(Protocol):
    """What such rows have in common."""

    @property
    def id(self) -> str:
        """Its identity."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def updated_at(self) -> datetime:
        """When it was changed last."""


N = TypeVar("N", bound=Noun)
T = TypeVar("T")


def save(
    connection: sa.Connection,
    table: sa.Table,
    nouns: Iterable[tuple[N, dict[str, object]]],
    before: Iterable[N],
) -> None:
    """Update the nouns that ``before`` holds too, if the stored ones are still those; insert the others.

    Args:
        connection: of a write transaction.
        table: theirs.
        nouns: each with the columns that only its table has.
        before: the nouns as they were read, also ones that are not saved now.

    Raises:
        StoreUnavailable: another process changed or inserted one meanwhile; nothing should be committed.
    """
    known = {noun.id: noun for noun in before}
    for noun, columns in nouns:
        row = {"id": noun.id, "state": noun.state, "updated_at": noun.updated_at, "document": noun} | columns
        if (old := known.get(noun.id)) is not None:
            _update(connection, table, old, row)
        elif connection.execute(sa.select(table.c.id).where(table.c.id == noun.id)).first():
            raise _lost(table, noun.id, "is there already")
        else:
            connection.execute(sa.insert(table), row)


def _update(connection: sa.Connection, table: sa.Table, old: Noun, row: dict[str, object]) -> None:
    statement = (
        sa.update(table)
        .where(table.c.id == old.id, table.c.state == old.state, table.c.updated_at == old.updated_at)
        .values(row)
    )
    if connection.execute(statement).rowcount != 1:
        raise _lost(table, old.id, f"is no longer {old.state} as of {old.updated_at.isoformat()}")


def _lost(table: sa.Table, identity: str, what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{table.name} {identity} {what}: another process was faster",
        hint=f"look at it with `hubctl {table.name}s list`, then run the command again",
    )


def find(connection: sa.Connection, table: sa.Table, kind: type[N], prefix: str) -> N:
    """The noun with that id, or with the one id that starts so.

    Raises:
        InputError: no id or more than one starts so.
    """
    if exact := nouns(connection, kind, sa.select(text(table)).where(table.c.id == prefix)):
        return exact[0]
    if prefix:
        starts = sa.select(text(table)).where(table.c.id.startswith(prefix, autoescape=True)).order_by(table.c.id)
        found = nouns(connection, kind, starts.limit(_NEAR + 1))
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found[:_NEAR])
            raise InputError(f"{prefix!r} could be more than one {table.name}", hint=f"use a whole id, such as {ids}")
    newest = connection.execute(sa.select(table.c.id).order_by(table.c.created_at.desc()).limit(_COMPARED))
    ids_known = list(newest.scalars())
    near = difflib.get_close_matches(prefix, ids_known, n=_NEAR) or ids_known[:_NEAR]
    hint = f"use a known one, such as {', '.join(near)}" if near else f"there is no {table.name} yet"
    raise InputError(f"there is no {table.name} {prefix!r}", hint=hint)


def text(table: sa.Table) -> sa.Cast[str]:
    """The documents of a table as JSON text, which is read into nouns without a detour over dictionaries."""
    return sa.cast(table.c.document, sa.Text)


def nouns(connection: sa.Connection, kind: type[T], statement: sa.Select[str]) -> tuple[T, ...]:
    """The nouns that a selection of ``text`` holds."""
    return tuple(map(codec.decoder(kind), connection.execute(statement).scalars()))


def rows(connection: sa.Connection, kind: type[T], statement: sa.Select[Any]) -> tuple[T, ...]:
    """Records whose fields are the columns of a selection."""
    build = codec.builder(kind)
    return tuple(build(dict(row)) for row in connection.execute(statement).mappings())
