"""docs/concepts.md against the nouns: every word that hubctl may say is explained, and no other is."""

import re
from enum import StrEnum

import pytest

from hubctl.aggregate import blame, evidence
from hubctl.model import health, incident, predictor, remediation
from hubctl.observe import reason
from tests.docs import markdown

PAGE = markdown.page("docs/concepts.md")

TABLES: dict[str, type[StrEnum]] = {
    "Outcomes of a poll": predictor.Outcome,
    "Conditions": health.Condition,
    "Reasons of a condition": health.HealthReason,
    "Kinds of findings": health.FindingKind,
    "States of an incident": incident.State,
    "Verdicts": incident.Verdict,
    "Reasons of a decision": incident.Reason,
    "Actions": remediation.Action,
    "States of a remediation": remediation.State,
}


@pytest.mark.parametrize("heading", TABLES)
def test_every_word_is_explained_and_no_other(heading: str) -> None:
    assert [str(word) for word in TABLES[heading]] == PAGE.words(heading)


def test_every_reason_of_an_observation_is_explained_in_its_own_words() -> None:
    expected = {str(word): word.meaning for word in reason.Reason}
    assert expected == {row[0]: row[1] for row in PAGE.rows("Reasons of an outcome")}


def moves(heading: str) -> dict[str, set[str]]:
    """State: the states that the documentation says may come next."""
    return {row[0]: set(re.findall(r"[a-z]+", row[2])) for row in PAGE.rows(heading)}


def test_every_move_of_a_remediation_is_documented() -> None:
    expected = {str(state): set(map(str, remediation.MOVES.get(state, ()))) for state in remediation.State}
    assert expected == moves("States of a remediation")


def test_every_move_of_an_incident_is_documented() -> None:
    expected = {str(state): set(map(str, incident.MOVES[state])) for state in incident.State}
    assert expected == moves("States of an incident")


def test_every_kind_of_finding_says_how_its_incident_ends() -> None:
    named = " ".join(PAGE.words("How an incident ends"))
    assert set(health.FindingKind) == set(re.findall(r"[a-z-]+", named))


def test_numbers_of_the_confidence_are_documented() -> None:
    text = PAGE.section("Confidence")
    for number in (blame._BASE, evidence.RHO_VERSION, evidence.RHO_SPOKE, blame._RHO_VOTES, blame._CONTRAST):
        assert str(number) in text
