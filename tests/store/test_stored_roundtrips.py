"""Whatever a noun holds, it comes back from a real file as it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.errors import StoreUnavailable
from hubctl.model.health import PredictorHealth
from hubctl.model.incident import Decision, Incident
from hubctl.model.predictor import Observation
from hubctl.model.remediation import Remediation
from hubctl.model.witness import SpokeWitness
from hubctl.store import codec
from hubctl.store.journal import Journal
from hubctl.store.schema import Store, open_store
from tests.store.storednouns import (
    DECISIONS,
    HEALTHS,
    INCIDENTS,
    NOW,
    OBSERVATIONS,
    REMEDIATIONS,
    WITNESSES,
    case,
    observation,
    predictor_health,
)

SLOW_DISK = settings(deadline=None, max_examples=25)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples of a property; each example undoes its own writes."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('shelf') / 'hubctl.db'}"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        opened = stack.enter_context(open_store(url))
        opened.cases.save_incidents([case()])
        yield opened


class Undone(Exception):  # noqa: N818 - not an error: ends an example
    """Rolls an example's transaction back."""


@contextmanager
def undone(shelf: Store) -> Iterator[None]:
    with suppress(Undone), shelf.transaction():
        yield
        raise Undone


@SLOW_DISK
@given(st.lists(HEALTHS, max_size=5, unique_by=lambda one: (one.cluster, one.model)))
def test_health_comes_back_sorted(shelf: Store, health: list[PredictorHealth]) -> None:
    shelf.journal.record(health, now=NOW)
    assert Journal(shelf.database).load_health() == shelf.journal.load_health()
    assert shelf.journal.load_health() == tuple(sorted(health, key=lambda one: (one.cluster, one.model)))


@SLOW_DISK
@given(OBSERVATIONS)
def test_observation_comes_back_as_evidence_and_as_recent(shelf: Store, seen: Observation) -> None:
    with undone(shelf):
        shelf.cases.save_evidence(case().id, [seen])
        shelf.journal.record([], [seen], now=NOW)
        assert shelf.cases.evidence(case().id) == (seen,) == shelf.journal.recent({(seen.cluster, seen.model)}, 1)


@SLOW_DISK
@given(INCIDENTS)
def test_incident_comes_back(shelf: Store, found: Incident) -> None:
    with undone(shelf):
        shelf.cases.save_incidents([found])
        assert shelf.cases.incident(found.id) == found


@SLOW_DISK
@given(REMEDIATIONS)
def test_remediation_comes_back(shelf: Store, remedy: Remediation) -> None:
    with undone(shelf):
        shelf.remedies.save_remediations([remedy])
        assert shelf.remedies.remediation(remedy.id) == remedy


@SLOW_DISK
@given(DECISIONS)
def test_decision_comes_back_as_a_record_of_one(shelf: Store, decision: Decision) -> None:
    with undone(shelf):
        shelf.cases.append_decisions([decision])
        (record,) = shelf.cases.decisions(decision.incident.id)
        assert (record.at, record.last_at, record.count) == (decision.at, decision.at, 1)
        assert (record.incident_id, record.incident_key) == (decision.incident.id, decision.incident.key)
        # PostgreSQL holds no NUL, in whatever somebody's server said.
        assert record.detail == decision.detail.replace("\0", "\ufffd")
        for name in ("verdict", "reasons", "policy", "action", "mode"):
            assert getattr(record, name) == getattr(decision, name)


@SLOW_DISK
@given(st.lists(WITNESSES, max_size=4, unique_by=lambda one: one.cluster))
def test_witnesses_come_back_sorted(shelf: Store, witnesses: list[SpokeWitness]) -> None:
    shelf.witnesses.save(witnesses)
    assert shelf.witnesses.load() == tuple(sorted(witnesses, key=lambda one: one.cluster))


@given(HEALTHS)
def test_noun_survives_json_text(health: PredictorHealth) -> None:
    assert codec.decoder(PredictorHealth)(codec.dumps(health)) == health


def test_infinite_number_survives_json_that_knows_none() -> None:
    seen = observation(latency_ms=float("inf"))
    text = codec.dumps(seen)
    assert '"Infinity"' in text
    assert codec.decoder(Observation)(text) == seen


def test_field_of_another_release_is_ignored_and_an_absent_one_takes_its_default() -> None:
    text = codec.dumps(codec.loads(codec.dumps(predictor_health())) | {"mood": "good"})
    shorter = text.replace('"good_streak":0,', "")
    assert shorter != text
    assert codec.decoder(PredictorHealth)(shorter) == predictor_health()


def test_naive_datetime_is_refused(shelf: Store) -> None:
    with pytest.raises(StoreUnavailable, match="expected a datetime with a time zone"):
        shelf.journal.begin_pass(NOW.replace(tzinfo=None))
