import pytest

from hubctl.errors import InputError, StoreUnavailable
from hubctl.model.remediation import State
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, case, minute, remedy


@pytest.fixture
def store_with_incident(store: Store) -> Store:
    store.cases.save_incidents([case(1), case(2)])
    return store


def test_intent_that_was_executing_is_found_by_the_next_process(store_with_incident: Store, second: Store) -> None:
    approved = remedy(state=State.APPROVED)
    store_with_incident.remedies.save_remediations([approved, remedy(2)])
    executing = approved.moved(State.EXECUTING, now=minute(1))
    store_with_incident.remedies.save_remediations([executing], before=[approved])
    assert second.remedies.executing() == (executing,)


def test_of_two_processes_that_start_one_action_one_loses(store_with_incident: Store, second: Store) -> None:
    approved = remedy(state=State.APPROVED)
    store_with_incident.remedies.save_remediations([approved])
    store_with_incident.remedies.save_remediations([approved.moved(State.EXECUTING, now=minute(1))], before=[approved])
    with pytest.raises(StoreUnavailable, match="is no longer approved"):
        second.remedies.save_remediations([approved.moved(State.EXECUTING, now=minute(1))], before=[approved])


def test_lost_race_in_a_transaction_undoes_what_came_before_it(store_with_incident: Store) -> None:
    store = store_with_incident
    store.remedies.save_remediations([remedy()])

    def save_both() -> None:
        with store.transaction():
            store.cases.save_incidents([case(3)])
            store.remedies.save_remediations([remedy()])

    with pytest.raises(StoreUnavailable, match="is there already"):
        save_both()
    assert len(store.cases.unresolved()) == 2


def test_remediations_are_selected_by_state_and_incident(store_with_incident: Store) -> None:
    first, other = remedy(1), remedy(2, incident_id=case(2).id, created_at=minute(1))
    rejected = remedy(3, state=State.REJECTED, created_at=minute(2))
    remedies = store_with_incident.remedies
    remedies.save_remediations([first, other, rejected])
    assert remedies.remediations() == (rejected, other, first)
    assert remedies.remediations([State.PENDING]) == (other, first)
    assert remedies.remediations(incident_id=case(1).id, limit=1) == (rejected,)
    assert remedies.remediations([]) == ()


def test_remediation_of_an_unknown_incident_is_refused(store_with_incident: Store) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)foreign key"):
        store_with_incident.remedies.save_remediations([remedy(incident_id="inc-ffffffff")])


def test_missing_remediation_names_near_ids(store_with_incident: Store) -> None:
    store_with_incident.remedies.save_remediations([remedy(created_at=NOW)])
    with pytest.raises(InputError, match="there is no remediation 'rem-1'") as caught:
        store_with_incident.remedies.remediation("rem-1")
    assert "rem-000000000001" in caught.value.hint


@pytest.mark.parametrize("state", [State.APPROVED, State.REJECTED])
def test_change_in_the_same_instant_or_the_same_state_is_noticed(store_with_incident: Store, state: State) -> None:
    remedies, old = store_with_incident.remedies, remedy(state=State.APPROVED)
    stored = remedy(state=state, updated_at=minute(1) if state is old.state else old.updated_at)
    remedies.save_remediations([stored])
    with pytest.raises(StoreUnavailable, match="is no longer approved"):
        remedies.save_remediations([old.moved(State.EXECUTING, now=minute(2))], before=[old])
    assert remedies.remediations() == (stored,)
