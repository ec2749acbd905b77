"""Stores of earlier releases: the migrations up to a revision, and rows behind hubctl's back."""

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from hubctl.store import migrations, tables
from hubctl.store.database import Database


def make(url: str, revision: str, *rows: tuple[str, dict[str, object]]) -> None:
    """A store of that revision at an empty place, with rows in tables that may be gone since.

    Args:
        url: of the store.
        revision: the newest that the release had.
        rows: each with its table.
    """
    directory, old = migrations.scripts(), Database(sa.make_url(url))
    with old.writing() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": tables.VERSION_TABLE})
        with Operations.context(context):
            for script in reversed(list(directory.iterate_revisions(revision, None))):
                script.module.upgrade()
        context.stamp(directory, revision)
        for name, row in rows:
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(table), row)
    old.close()
