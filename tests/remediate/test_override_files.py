"""The files that remediations leave in Git."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hubctl.errors import GuardRefused
from hubctl.model.remediation import Action, Override, State, Target
from hubctl.remediate.override import overrides_for, to_yaml
from tests.remediate.cases import incident, past

ROLLBACK = past(State.EXECUTING, "ba")


def test_rollback_leaves_one_file_per_spoke() -> None:
    files = overrides_for(ROLLBACK, incident())
    assert list(files) == ["a.m.rollback.yaml", "b.m.rollback.yaml"]
    [pin] = files["a.m.rollback.yaml"].spec.models
    assert (pin.name, pin.version, pin.instead_of) == ("m", "v1", "v2")


def test_pin_over_an_earlier_pin_names_the_version_of_the_cluster_file() -> None:
    again = Target("a", "v1", "v0", instead_of="v2")
    chained = overrides_for(replace(ROLLBACK, targets=(again,)), incident())
    [pin] = chained["a.m.rollback.yaml"].spec.models
    assert (pin.version, pin.instead_of) == ("v0", "v2")


def test_quarantine_is_written_as_such() -> None:
    files = overrides_for(past(State.EXECUTING, "d", action=Action.QUARANTINE), incident("spoke-anomaly", "d"))
    assert to_yaml(files["d.quarantine.yaml"]).decode().splitlines()[2:] == [
        "apiVersion: hubctl.io/v1alpha1",
        "kind: Override",
        "metadata:",
        "  name: d.quarantine",
        "  annotations:",
        "    hubctl.io/action-id: rem-past",
        "    hubctl.io/incident: inc-spoke-anomaly",
        "    hubctl.io/reason: spoke-anomaly on d",
        "spec:",
        "  cluster: d",
        "  quarantine: true",
    ]


def test_comment_says_what_made_it_and_how_to_undo_it() -> None:
    made_by, undo, *_ = to_yaml(overrides_for(ROLLBACK, incident())["a.m.rollback.yaml"]).decode().splitlines()
    assert made_by == "# Made by hubctl, remediation rem-past."
    assert undo.startswith("# To undo it, run git revert")


def test_notification_leaves_no_file() -> None:
    assert overrides_for(past(State.EXECUTING, "a", action=Action.NOTIFY), incident()) == {}


def test_rollback_without_a_version_is_refused() -> None:
    empty = replace(ROLLBACK, targets=(Target("a", "v2"),))
    with pytest.raises(GuardRefused, match="names no version of m for a"):
        overrides_for(empty, incident())


@given(st.text(max_size=80))
@example("next line \x85 and \u2028 separator: {a}")
def test_summary_is_data_whatever_it_holds(summary: str) -> None:
    override = overrides_for(ROLLBACK, incident(summary=summary))["a.m.rollback.yaml"]
    data = to_yaml(override)
    assert data == to_yaml(override)
    assert Override.model_validate(yaml.safe_load(data)) == override
