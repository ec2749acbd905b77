"""Moves a database forward to the newest revision, in the caller's transaction.

Apart from ``schema``, so that Alembic is imported only when there is something to move. No ``alembic.ini`` and no
``env.py``: the scripts are found beside this file, in a checkout and in an installed wheel.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from hubctl.errors import StoreUnavailable
from hubctl.store import tables


def scripts() -> ScriptDirectory:
    """The numbered migrations of this release."""
    return ScriptDirectory(str(Path(__file__).parent))


def upgrade(connection: sa.Connection, current: str | None) -> None:
    """Apply every migration after ``current`` (None: all), then record the newest.

    Raises:
        StoreUnavailable: ``current`` is not a revision of this release.
    """
    directory = scripts()
    known = {script.revision for script in directory.walk_revisions()}
    if current is not None and current not in known:
        raise StoreUnavailable(
            f"the store is at revision {current}; this hubctl knows revisions up to {max(known)}",
            hint="a newer hubctl wrote it: run that release again, or restore a copy made before the upgrade",
        )
    context = MigrationContext.configure(connection, opts={"version_table": tables.VERSION_TABLE})
    with Operations.context(context):
        for script in reversed(list(directory.iterate_revisions("head", current))):
            script.module.upgrade()
    context.stamp(directory, "head")
