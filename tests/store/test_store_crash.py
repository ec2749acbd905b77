"""Processes that die or meet: what was committed is there, nothing is there by halves."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hubctl.errors import StoreUnavailable
from hubctl.store.schema import Store, open_store
from tests.store.postgresserver import Server
from tests.store.storednouns import NOW, case, minute, observation, predictor_health

WRITER = """
import sys
from hubctl.store.schema import open_store
from tests.store.storednouns import NOW, case, observation, predictor_health, remedy

store = open_store(sys.argv[1])
for number in range(1, 100_000):
    with store.transaction():
        store.journal.record([predictor_health(cluster=f"edge-{i}", good_streak=number) for i in range(50)], now=NOW)
        store.cases.save_incidents([case(number)])
        store.cases.save_evidence(case(number).id, [observation()])
        store.remedies.save_remediations([remedy(number, incident_id=case(number).id)])
    print(number, flush=True)
"""

OPENER = """
import sys
from hubctl.store.schema import open_store
from tests.store.storednouns import NOW
sys.stdin.readline()
with open_store(sys.argv[1]) as store:
    print(store.journal.begin_pass(NOW))
"""


def root() -> Path:
    return Path(__file__).parents[2]


@pytest.mark.parametrize("commits", [1, 7, 23])
def test_killed_writer_leaves_every_commit_whole(url: str, commits: int) -> None:
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root()) as writer:
        assert writer.stdout is not None
        last = [int(writer.stdout.readline()) for _ in range(commits)][-1]
        writer.kill()
        told = [last, *map(int, writer.stdout.read().split())]
    with open_store(url) as store:
        store.check()
        found = store.cases.incidents(limit=100_000)
        assert len(found) in {told[-1], told[-1] + 1}
        assert {one.good_streak for one in store.journal.load_health()} == {len(found)}
        assert len(store.remedies.remediations(limit=100_000)) == len(found)
        assert all(store.cases.evidence(one.id) == (observation(),) for one in found)


def opened_together(url: str) -> list[int]:
    """The numbers of the passes that four processes begin."""
    command = [sys.executable, "-c", OPENER, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    openers = [subprocess.Popen(command, text=True, cwd=root(), **pipes) for _ in range(4)]  # type: ignore[call-overload]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda opener: opener.communicate("go\n")[0], openers))
    return sorted(map(int, numbers))


def test_processes_that_open_a_new_file_together_share_it(file: Path) -> None:
    assert opened_together(f"sqlite:///{file}") == [1, 2, 3, 4]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_processes_that_open_an_empty_database_together_migrate_it_once(postgres: Server) -> None:
    with postgres.database(migrated=False) as url:
        assert opened_together(url) == [1, 2, 3, 4]


def test_processes_that_record_rounds_at_once_do_so_in_turn(store: Store, second: Store) -> None:
    def write(process: Store, name: str) -> None:
        for number in range(10):
            process.journal.record([predictor_health(cluster=name, good_streak=number)], now=NOW)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (store, second), ("edge-a", "edge-b")))
    assert store.journal.load_health() == second.journal.load_health()
    assert [one.good_streak for one in store.journal.load_health()] == [9]
    assert store.size().rows["round"] == 20


def test_reader_sees_the_last_commit_while_a_writer_is_at_work(store: Store, second: Store) -> None:
    store.journal.record([predictor_health()], now=NOW)
    with store.transaction():
        store.journal.record([], now=NOW)
        assert second.journal.load_health() == (predictor_health(),)
    assert second.journal.load_health() == ()


def test_writer_waits_for_another_one(store: Store, second: Store) -> None:
    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            store.cases.save_incidents([case(1)])
            waiting = pool.submit(second.cases.save_incidents, [case(2)])
            store.cases.save_incidents([case(3)])
        waiting.result(timeout=30)
    assert {one.id for one in store.cases.unresolved()} == {case(number).id for number in (1, 2, 3)}


def test_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            store.journal.record([predictor_health()], now=NOW)
            store.journal.begin_pass(minute(1))
            store.cases.save_evidence("inc-ffffffff", [observation()])

    with pytest.raises(StoreUnavailable, match=r"(?i)foreign key"):
        fail()
    assert store.journal.load_health() == ()
    assert store.journal.last_pass() is None


def test_inner_transaction_is_part_of_the_outer_one(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            with store.transaction():
                store.cases.save_incidents([case()])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.cases.unresolved() == ()


def test_another_thread_is_not_in_the_transaction(store: Store) -> None:
    with ThreadPoolExecutor(1) as pool, store.transaction():
        store.cases.save_incidents([case()])
        assert pool.submit(store.cases.unresolved).result(timeout=30) == ()
        assert store.cases.unresolved() == (case(),)
