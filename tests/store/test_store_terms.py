"""Terms of leaders: the store remembers the latest and refuses whatever an earlier one still wants to write."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hubctl.errors import Fenced
from hubctl.model.remediation import State
from hubctl.store import tables
from hubctl.store.database import Database
from hubctl.store.records import TermRecord
from hubctl.store.schema import Store, open_store
from hubctl.store.terms import Terms
from tests.store import older
from tests.store.storednouns import NOW, case, minute, predictor_health, remedy


def epochs(store: Store) -> dict[str, int]:
    """Remediation: the epoch beside it."""
    table = tables.remediation
    with store.database.reading() as connection:
        return {row.id: row.epoch for row in connection.execute(sa.select(table.c.id, table.c.epoch))}


def test_intent_has_the_epoch_of_its_leader_beside_it(store: Store) -> None:
    store.cases.save_incidents([case()])
    approved = remedy(state=State.APPROVED)
    store.remedies.save_remediations([approved])
    assert epochs(store) == {approved.id: 0}
    store.terms.enter(7, "me", NOW)
    store.remedies.save_remediations([approved.moved(State.EXECUTING, now=minute(1))], before=[approved])
    assert epochs(store) == {approved.id: 7}


def test_leader_that_a_later_one_followed_writes_nothing_more(store: Store, second: Store) -> None:
    store.cases.save_incidents([case()])
    approved = remedy(state=State.APPROVED)
    store.terms.enter(1, "old", NOW)
    store.remedies.save_remediations([approved])
    second.terms.enter(2, "new", minute(1))
    with pytest.raises(Fenced, match="epoch 1 may write no more: new leads with epoch 2"):
        store.remedies.save_remediations([approved.moved(State.EXECUTING, now=minute(2))], before=[approved])
    with pytest.raises(Fenced), store.transaction():
        store.journal.record([predictor_health()], now=NOW)
    assert second.remedies.executing() == ()
    assert second.journal.load_health() == ()
    second.remedies.save_remediations([approved.moved(State.EXECUTING, now=minute(2))], before=[approved])


def test_person_at_the_command_line_needs_no_term(store: Store, second: Store) -> None:
    store.terms.enter(3, "leader", NOW)
    second.cases.save_incidents([case()])
    second.remedies.save_remediations([remedy()])
    assert epochs(store) == {remedy().id: 0}


def test_same_epoch_of_two_holders_is_not_taken_for_one_term(store: Store, second: Store) -> None:
    store.terms.enter(1, "one", NOW)
    store.terms.enter(1, "one", minute(1))
    with pytest.raises(Fenced):
        second.terms.enter(1, "other", minute(1))
    assert store.terms.latest() == TermRecord(1, "one", NOW)


def test_store_of_the_release_before_gets_terms_and_keeps_its_rows(empty: str) -> None:
    row = {"began_at": datetime(2026, 1, 1), "commit": "abc", "summary": "fine"}  # noqa: DTZ001 - as SQLite keeps it
    older.make(empty, "0001", *(("pass", row) for _ in range(41)))
    with open_store(empty) as store:
        last = store.journal.last_pass()
        assert last is not None
        assert (last.id, last.commit, last.configuration) == (41, "abc", "")
        assert store.terms.latest() is None
        store.terms.enter(1, "first", NOW)
        assert store.journal.begin_pass(NOW, "def") == 42


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from("ab")), max_size=12))
def test_terms_only_ever_grow_and_only_the_latest_writes(moves: list[tuple[int, str]]) -> None:
    shared = Database(sa.URL.create("sqlite", database=":memory:"))
    with shared.writing() as connection:
        tables.METADATA.create_all(connection)
    highest: tuple[int, str] | None = None
    for epoch, holder in moves:
        shared.epoch = None
        terms = Terms(shared)
        later = highest is None or epoch > highest[0] or (epoch, holder) == highest
        if later:
            terms.enter(epoch, holder, NOW)
            highest = (epoch, holder)
        else:
            with pytest.raises(Fenced):
                terms.enter(epoch, holder, NOW)
        found = terms.latest()
        assert found is not None
        assert (found.epoch, found.holder) == highest
    shared.close()
