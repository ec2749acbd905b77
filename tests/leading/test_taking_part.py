"""Who takes part in an election, under which name, and which values make no election."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hubctl import leading
from hubctl.errors import InputError
from hubctl.model.controlling import LeaderElection

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_NAME": "hubctl-0"}


def test_election_is_for_pods_unless_the_values_say_otherwise() -> None:
    assert leading.takes_part(LeaderElection(), POD)
    assert not leading.takes_part(LeaderElection(), {})
    assert not leading.takes_part(LeaderElection(enabled=False), POD)
    assert leading.takes_part(LeaderElection(enabled=True), {})


def test_identity_begins_with_the_pods_name_and_is_this_process_only() -> None:
    name, _, process = leading.identity(POD).partition("_")
    assert (name, len(process)) == ("hubctl-0", 8)
    assert leading.identity(POD) == leading.identity(POD)
    assert "_" in leading.identity({})


@pytest.mark.parametrize(
    ("wanted", "environ", "told", "found"),
    [
        ("values", {"POD_NAMESPACE": "env"}, "file\n", "values"),
        (None, {"POD_NAMESPACE": "env"}, "file\n", "env"),
        (None, {}, "file\n", "file"),
    ],
)
def test_namespace_is_of_the_values_the_variable_or_the_pod(
    tmp_path: Path, wanted: str | None, environ: dict[str, str], told: str, found: str
) -> None:
    (tmp_path / "namespace").write_text(told)
    made = leading.candidate_of(LeaderElection(namespace=wanted), environ, tmp_path / "namespace")
    assert (made.namespace, made.lease, made.lease_duration) == (found, f"{found}/hubctl", 60)


def test_namespace_that_nothing_names_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in which namespace"):
        leading.candidate_of(LeaderElection(), {}, tmp_path / "none")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"leaseDuration": "40s"}, "expected leaseDuration above renewDeadline, found 40s and 40s"),
        ({"retryPeriod": "35s"}, "expected renewDeadline above 1.2 times retryPeriod, found 40s and 35s"),
        ({"retryPeriod": "500ms"}, "expected whole seconds"),
        ({"leaseDuration": "60.5s"}, "expected whole seconds"),
        ({"name": "Not_A_Name"}, "pattern"),
    ],
)
def test_election_that_the_library_would_not_hold_is_refused_with_the_file(
    said: dict[str, object], expected: str
) -> None:
    with pytest.raises(ValidationError, match=expected):
        LeaderElection.model_validate(said)
