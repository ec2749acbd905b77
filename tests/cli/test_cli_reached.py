"""What doctor says of a spoke: the route that answered, and each that did not with what repairs it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hubctl.cli import reached
from hubctl.model.check import Check
from hubctl.model.predictor import Observation, Outcome, Tried
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Snapshot
from hubctl.observe.reason import Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TUNNEL = Tried("acm", Outcome.UNREACHABLE, Reason.TUNNEL, "502: proxy to anp-proxy-server failed")


def seen(model: str = "m", outcome: Outcome = Outcome.OK, **more: Any) -> Observation:
    about: dict[str, Any] = {"instances": 1, "route": "route"} | more
    return Observation("edge-a", model, "v1", NOW, outcome, **about)


def test_spoke_that_answered_names_its_route() -> None:
    assert reached.of_spoke("edge-a", [seen(), seen("n")]) == [
        Check("spoke edge-a", "ok", "2 predictors answered over route")
    ]


def test_route_that_did_not_lead_there_is_a_warning_with_its_own_repair() -> None:
    _, other = reached.of_spoke("edge-a", [seen(tried=(TUNNEL,)), seen("n", tried=(TUNNEL,))])
    assert (other.name, other.state) == ("route edge-a acm", "warning")
    assert other.detail == "tunnel: 502: proxy to anp-proxy-server failed"
    assert other.hint == "see whether the spoke is up and its add-on cluster-proxy is available"


def test_when_nothing_answered_every_route_has_failed() -> None:
    lost = seen(outcome=Outcome.TLS, reason=Reason.UNKNOWN_CA, detail="x", tried=(TUNNEL,), instances=0)
    main, other = reached.of_spoke("edge-a", [lost])
    assert (main.state, other.state) == ("failed", "failed")
    assert main.detail == "m tls over route, unknown_ca: x"
    assert "caFile" in main.hint


def test_model_that_answers_badly_is_no_fault_of_the_other_route() -> None:
    absent = seen(outcome=Outcome.NOT_FOUND, reason=Reason.MODEL_ABSENT, tried=(TUNNEL,), instances=0)
    main, other = reached.of_spoke("edge-a", [absent])
    assert (main.state, other.state) == ("failed", "warning")


@pytest.mark.parametrize("reason", reached.REPAIRS)
def test_repair_of_a_reason_is_more_than_that_of_its_outcome(reason: Reason) -> None:
    assert reached.repair(Outcome.UNREACHABLE, str(reason)) == reached.REPAIRS[reason]
    assert reached.REPAIRS[reason] not in reached.ADVICE.values()


def test_hub_says_what_it_has_or_each_kind_that_cannot_be_read() -> None:
    [good] = reached.of_hub(Snapshot(NOW, {SERVICE_ACCOUNTS: ({}, {})}))
    assert (good.name, good.state, good.detail) == ("hub", "ok", "2 ManagedServiceAccounts")
    [bad] = reached.of_hub(Snapshot(NOW, unread={FEEDBACK_WORKS: "forbidden"}))
    assert (bad.name, bad.state, bad.detail) == ("hub manifestworks", "failed", "forbidden")
    assert bad.hint
