"""A store opens sound and current, or it is refused with a way out; it never starts empty by itself."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from hubctl.errors import HubctlError, InputError, StoreUnavailable
from hubctl.store import migrations, tables
from hubctl.store.schema import Store, open_store
from tests.store.storednouns import NOW, case, predictor_health


def spoil(file: Path, statement: str) -> None:
    """Change a closed store behind hubctl's back."""
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def refusal(url: str) -> HubctlError:
    with pytest.raises(HubctlError) as caught:
        open_store(url).close()
    return caught.value


@pytest.fixture
def url(file: Path) -> str:
    """SQLite: this module is about the file."""
    return f"sqlite:///{file}"


@pytest.fixture
def closed(url: str, file: Path) -> Path:
    """A store with something in it, closed."""
    with open_store(url) as store:
        store.journal.record([predictor_health(cluster=f"edge-{number}") for number in range(200)], now=NOW)
        store.cases.save_incidents([case()])
    return file


def test_new_store_is_made_with_its_folder_and_nothing_beside_it(url: str, file: Path) -> None:
    open_store(url).close()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o077 == 0


def test_reopened_store_holds_what_was_saved(closed: Path, url: str) -> None:
    with open_store(url) as store:
        assert store.cases.unresolved() == (case(),)
        assert len(store.journal.load_health()) == 200
    assert closed.exists()


def test_every_commit_reaches_the_disk(store: Store) -> None:
    with store.database.writing() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_migrations_make_the_indexes_and_their_conditions(store: Store) -> None:
    def indexes(connection: sa.Connection) -> dict[str, str]:
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        return {row.name: row.sql for row in connection.exec_driver_sql(sql)}

    engine = sa.create_engine("sqlite://")
    with engine.begin() as described, store.database.reading() as migrated:
        tables.METADATA.create_all(described)
        assert indexes(migrated) == indexes(described)
        assert "WHERE state <> 'resolved'" in indexes(migrated)["uq_incident_unresolved_key"]
    engine.dispose()


def test_newest_migration_is_the_revision_that_the_code_names() -> None:
    assert migrations.scripts().get_heads() == [tables.REVISION]


@pytest.mark.parametrize("table", tables.METADATA.sorted_tables, ids=lambda table: table.name)
def test_table_compiles_for_postgresql(table: sa.Table) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    ddl = str(CreateTable(table).compile(dialect=dialect))
    assert "DATETIME" not in ddl
    for index in table.indexes:
        unresolved = "WHERE state <> 'resolved'" in str(CreateIndex(index).compile(dialect=dialect))
        assert unresolved == (index.name == "uq_incident_unresolved_key")


def test_instants_on_postgresql_keep_their_zone() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    column = tables.UtcDateTime()
    assert str(column.compile(dialect=dialect)) == "TIMESTAMP WITH TIME ZONE"
    assert column.process_bind_param(NOW, dialect) == NOW
    assert column.process_result_value(NOW, dialect) == NOW


def test_current_store_opens_without_alembic(closed: Path) -> None:
    script = "import sys; from hubctl.store.schema import open_store; open_store(sys.argv[1]).close()"
    script += "; print([name for name in sys.modules if name.startswith('alembic')])"
    command = [sys.executable, "-c", script, f"sqlite:///{closed}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_store_of_a_newer_hubctl_is_refused_and_left_alone(closed: Path, url: str) -> None:
    spoil(closed, "UPDATE hubctl_version SET version_num = '9999'")
    before = closed.read_bytes()
    error = refusal(url)
    assert isinstance(error, StoreUnavailable)
    assert f"revision 9999; this hubctl knows revisions up to {tables.REVISION}" in error.message
    assert "a newer hubctl wrote it" in error.hint
    assert closed.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_truncated_store_is_refused_and_left_alone(closed: Path, url: str, share: float) -> None:
    whole = closed.read_bytes()
    damaged = whole[: int(len(whole) * share)]
    closed.write_bytes(damaged)
    error = refusal(url)
    assert isinstance(error, StoreUnavailable)
    assert "restore the file from a copy, or move it away" in error.hint
    assert closed.read_bytes() == damaged


def test_overwritten_store_is_refused(closed: Path, url: str) -> None:
    closed.write_bytes(b"not a database " * 1000)
    error = refusal(url)
    assert "file is not a database" in error.message
    assert "move it away" in error.hint


def test_other_peoples_database_is_refused(url: str, file: Path) -> None:
    file.parent.mkdir()
    spoil(file, "CREATE TABLE theirs (id INTEGER)")
    assert refusal(url).message == "the file holds no hubctl store"


def test_log_without_its_store_is_refused(closed: Path, url: str) -> None:
    closed.rename(closed.with_name("hubctl.db-wal"))
    assert "its log hubctl.db-wal is there" in refusal(url).message
    assert not closed.exists()


def test_folder_in_place_of_the_store_is_refused(url: str, file: Path) -> None:
    file.mkdir(parents=True)
    assert "is a folder" in refusal(url).message


def test_file_in_place_of_the_folder_is_refused(url: str, file: Path) -> None:
    file.parent.write_text("")
    error = refusal(url)
    assert isinstance(error, StoreUnavailable)
    assert "cannot be reached" in error.message


def test_page_damaged_in_place_is_found_by_the_check(closed: Path, url: str) -> None:
    with open_store(url) as store:
        store.check()
    whole = bytearray(closed.read_bytes())
    whole[8192:12288] = b"\xff" * 4096
    closed.write_bytes(whole)
    with open_store(url) as store, pytest.raises(StoreUnavailable) as caught:
        store.check()
    assert "restore" in caught.value.hint


def test_row_that_is_no_noun_is_refused_not_dropped(closed: Path, url: str) -> None:
    spoil(closed, """UPDATE incident SET document = '{"id": 1}'""")
    with open_store(url) as store, pytest.raises(StoreUnavailable) as caught:
        store.cases.unresolved()
    assert "restore" in caught.value.hint


def test_full_disk_is_told_and_keeps_what_was_saved(store: Store) -> None:
    store.journal.record([predictor_health()], now=NOW)
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full") as caught:
        store.journal.record(
            [predictor_health(reason=f"edge-{n}" * 20, cluster=f"edge-{n}") for n in range(900)], now=NOW
        )
    assert "free some space" in caught.value.hint
    assert store.journal.load_health() == (predictor_health(),)


@pytest.mark.parametrize("wrong", ["", "state.db", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_url_of_no_store_is_an_input_error(wrong: str) -> None:
    error = refusal(wrong)
    assert isinstance(error, InputError)
    assert "use sqlite:////path/to/hubctl.db" in error.hint


def test_password_is_in_no_message() -> None:
    error = refusal("postgresql+nosuch://hub:hunter2@db.example/hubctl?password=hunter2")
    assert "hub:***@db.example/hubctl" in error.message
    assert "hunter2" not in f"{error!r} {error} {error.hint}"


def test_size_counts_bytes_and_rows(store: Store) -> None:
    store.cases.save_incidents([case(1), case(2)])
    size = store.size()
    assert size.rows["incident"] == 2
    assert set(size.rows) == set(tables.METADATA.tables)
    assert size.bytes > 4096
