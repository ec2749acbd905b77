"""What witnesses said, of the latest pass and behind incidents."""

import pytest

from hubctl.errors import StoreUnavailable
from hubctl.model.witness import SpokeWitness
from hubctl.store import codec
from hubctl.store.schema import Store, open_store
from tests.store import older
from tests.store.storednouns import case, minute


def says(cluster: str, number: int = 0) -> SpokeWitness:
    return SpokeWitness(cluster, minute(number))


def test_witness_that_is_not_saved_again_is_forgotten(store: Store) -> None:
    store.witnesses.save([says("a"), says("b")])
    store.witnesses.save([says("b", 1)])
    assert store.witnesses.load() == (says("b", 1),)


def test_incident_keeps_what_was_said_of_its_spokes_at_both_ends(store: Store) -> None:
    store.cases.save_incidents([case()])
    for number in (0, 5, 5):
        store.witnesses.testify(case(), [says(name, number) for name in ("edge-a", "edge-b", "other")])
    said = store.witnesses.of_incident(case().id)
    assert said == (says("edge-a"), says("edge-b"), says("edge-a", 5), says("edge-b", 5))
    assert store.witnesses.of_incident("inc-other") == ()


def test_incident_that_is_not_stored_keeps_nothing(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        store.witnesses.testify(case(), [says("edge-a")])


def test_store_of_the_release_before_keeps_its_rows_and_gains_witnesses(empty: str) -> None:
    one = case()
    at = {"created_at": one.opened_at.replace(tzinfo=None), "updated_at": one.updated_at.replace(tzinfo=None)}
    row = {"id": one.id, "key": one.key, "state": one.state, "document": codec.loads(codec.dumps(one))}
    older.make(empty, "0002", ("incident", row | at))
    with open_store(empty) as moved:
        assert moved.cases.unresolved() == (one,)
        moved.witnesses.save([says("a")])
        assert moved.witnesses.load() == (says("a"),)
