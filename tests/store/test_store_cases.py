from dataclasses import replace
from typing import Any

import pytest

from hubctl.errors import InputError, StoreUnavailable
from hubctl.model.incident import Reason, State, Verdict
from hubctl.store.cases import EVIDENCE_KEPT
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, case, decision, minute, observation


def test_unresolved_incidents_come_oldest_first(store: Store) -> None:
    acknowledged = case(1, opened_at=minute(2), state=State.ACKNOWLEDGED)
    store.cases.save_incidents([acknowledged, case(2), case(3, state=State.RESOLVED)])
    assert store.cases.unresolved() == (case(2), acknowledged)


def test_incidents_of_a_state_come_newest_first(store: Store) -> None:
    stored = [case(number, opened_at=minute(number)) for number in range(5)]
    store.cases.save_incidents([*stored, case(9, state=State.RESOLVED)])
    assert store.cases.incidents(State.OPEN, limit=2) == (stored[4], stored[3])
    assert len(store.cases.incidents()) == 6


def test_second_unresolved_incident_of_a_key_is_refused(store: Store) -> None:
    store.cases.save_incidents([case(1, key="k", state=State.ACKNOWLEDGED)])
    with pytest.raises(StoreUnavailable, match=r"(?i)unique") as caught:
        store.cases.save_incidents([case(2, key="k")])
    assert "another process wrote it first" in caught.value.hint


def test_key_is_free_again_once_its_incident_is_resolved(store: Store) -> None:
    first = case(1, key="k")
    store.cases.save_incidents([first])
    ended = first.moved(State.RESOLVED, by="hubctl", note="known good", now=minute(1))
    store.cases.save_incidents([case(2, key="k"), ended], before=[first])
    assert store.cases.unresolved() == (case(2, key="k"),)


def test_acknowledgement_is_not_overwritten_by_a_pass_that_did_not_see_it(store: Store, second: Store) -> None:
    store.cases.save_incidents([case()])
    (seen,) = store.cases.unresolved()
    acknowledged = seen.moved(State.ACKNOWLEDGED, by="ada", note="looking", now=minute(1))
    second.cases.save_incidents([acknowledged], before=[seen])
    with pytest.raises(StoreUnavailable, match="is no longer open"):
        store.cases.save_incidents([replace(seen, seen=2, updated_at=minute(2))], before=[seen])
    assert store.cases.unresolved() == (acknowledged,)


def test_incident_stored_already_is_not_inserted_again(store: Store) -> None:
    store.cases.save_incidents([case()])
    with pytest.raises(StoreUnavailable, match="incident inc-00000001 is there already"):
        store.cases.save_incidents([case(seen=2)])


def test_lost_race_saves_nothing_of_the_batch(store: Store) -> None:
    store.cases.save_incidents([case(1)])
    with pytest.raises(StoreUnavailable, match="another process was faster"):
        store.cases.save_incidents([case(2), case(1)])
    assert store.cases.unresolved() == (case(1),)


def test_incident_is_found_by_a_unique_prefix(store: Store) -> None:
    store.cases.save_incidents([case(0x1A), case(0x1AB), case(0x2C)])
    assert store.cases.incident("inc-000001") == case(0x1AB)
    assert store.cases.incident("inc-0000001a") == case(0x1A)


def test_ambiguous_prefix_names_the_ids(store: Store) -> None:
    store.cases.save_incidents([case(1), case(2)])
    with pytest.raises(InputError, match="could be more than one incident") as caught:
        store.cases.incident("inc-0")
    assert "inc-00000001, inc-00000002" in caught.value.hint


@pytest.mark.parametrize("prefix", ["inc-00000091", "", "%", "inc_"])
def test_missing_incident_names_near_ids(store: Store, prefix: str) -> None:
    store.cases.save_incidents([case(0x19)])
    with pytest.raises(InputError, match="there is no incident") as caught:
        store.cases.incident(prefix)
    assert "inc-00000019" in caught.value.hint


def test_first_incident_looked_for_in_an_empty_store_is_missing(store: Store) -> None:
    with pytest.raises(InputError) as caught:
        store.cases.incident("inc-1")
    assert caught.value.hint == "there is no incident yet"


def test_evidence_is_stored_once_however_often_it_is_saved(store: Store) -> None:
    store.cases.save_incidents([case()])
    store.cases.save_evidence(case().id, [observation(at=minute(1)), observation()])
    store.cases.save_evidence(case().id, [observation(), observation(cluster="edge-b")])
    kept = (observation(), observation(cluster="edge-b"), observation(at=minute(1)))
    assert store.cases.evidence(case().id) == kept


def test_long_incident_keeps_its_first_and_its_latest_evidence(store: Store) -> None:
    store.cases.save_incidents([case()])
    for start in range(0, EVIDENCE_KEPT + 60, 20):
        store.cases.save_evidence(case().id, [observation(at=minute(number)) for number in range(start, start + 20)])
    kept = [one.at for one in store.cases.evidence(case().id)]
    half = EVIDENCE_KEPT // 2
    assert kept == [minute(n) for n in (*range(half), *range(half + 60, EVIDENCE_KEPT + 60))]


def test_evidence_of_an_unknown_incident_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)foreign key"):
        store.cases.save_evidence("inc-ffffffff", [observation()])


def test_repeated_decisions_are_counted_although_a_pass_makes_two(store: Store) -> None:
    for number in range(3):
        refresh = decision(Verdict.REFRESH, Reason.STILL_PRESENT, at=minute(number))
        refrain = decision(Verdict.REFRAIN, Reason.COOLDOWN, at=minute(number), policy="p", detail=f"{number} min")
        store.cases.append_decisions([refresh, refrain])
    latest, first = store.cases.decisions()
    assert (first.verdict, first.count, first.at, first.last_at) == (Verdict.REFRESH, 3, NOW, minute(2))
    assert (latest.verdict, latest.count, latest.detail) == (Verdict.REFRAIN, 3, "2 min")


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": (Reason.COOLDOWN, Reason.RATE_LIMIT)},
        {"policy": "q"},
        {"action": "quarantine"},
        {"mode": "auto"},
        {"verdict": Verdict.ACT},
        {"incident": case(2)},
    ],
)
def test_decision_that_differs_is_appended(store: Store, changes: dict[str, Any]) -> None:
    base = decision(Verdict.REFRAIN, Reason.COOLDOWN, at=NOW, policy="p", action="notify", mode="approve")
    store.cases.append_decisions([base, replace(base, at=minute(1), **changes)])
    assert [record.count for record in store.cases.decisions()] == [1, 1]


def test_decision_that_returns_after_another_is_appended(store: Store) -> None:
    verdicts = (Verdict.REFRESH, Verdict.HOLD, Verdict.REFRESH)
    store.cases.append_decisions([decision(one, at=minute(number)) for number, one in enumerate(verdicts)])
    assert [record.verdict for record in store.cases.decisions()] == list(reversed(verdicts))


def test_decisions_of_one_incident_are_told_apart(store: Store) -> None:
    store.cases.append_decisions([decision(Verdict.OPEN, at=NOW), decision(Verdict.OPEN, at=NOW, incident=case(2))])
    assert [record.incident_id for record in store.cases.decisions(case(2).id)] == [case(2).id]
    assert len(store.cases.decisions(limit=1)) == 1
