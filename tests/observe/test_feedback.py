import pytest

from hubctl.observe import feedback
from tests.observe.hubstub import work


def test_host_of_an_admitted_route_is_where_the_model_is() -> None:
    found = work("edge-a", "routes", "m", host="m-models.apps.edge-a.example", admitted="True")
    assert feedback.exposed([found], "edge-a", "models", "m") == ("https://m-models.apps.edge-a.example", "")


def test_route_wins_over_the_services_own_url() -> None:
    found = [
        work("edge-a", "inferenceservices", "m", url="https://other.example/"),
        work("edge-a", "routes", "m", host="m.example"),
    ]
    assert feedback.exposed(found, "edge-a", "models", "m")[0] == "https://m.example"
    assert feedback.exposed(found[:1], "edge-a", "models", "m")[0] == "https://other.example"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (work("edge-b", "routes", "m", host="m.example"), "access.feedback renders one"),
        (work("edge-a", "routes", "other", host="m.example"), "access.feedback renders one"),
        (work("edge-a", "routes", "m", host="m.example", admitted="False"), "is not admitted"),
        (work("edge-a", "inferenceservices", "m", ready="False"), "gives models/m no host yet"),
        (work("edge-a", "inferenceservices", "m", url="http://m-predictor.models.svc.cluster.local"), "expose it"),
        (work("edge-a", "inferenceservices", "m", url="ftp://m.example"), "expose it"),
        (work("edge-a", "inferenceservices", "m", url="https://[::1"), "expose it"),
        ({"metadata": {"namespace": "edge-a"}}, "access.feedback renders one"),
        ({"metadata": {"namespace": "edge-a"}, "status": None}, "access.feedback renders one"),
    ],
)
def test_why_there_is_no_host_is_said(found: dict[str, object], why: str) -> None:
    url, told = feedback.exposed([found], "edge-a", "models", "m")
    assert url == ""
    assert why in told


def test_work_that_is_being_deleted_says_nothing() -> None:
    found = work("edge-a", "routes", "m", host="m.example")
    found["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    assert feedback.exposed([found], "edge-a", "models", "m")[0] == ""
