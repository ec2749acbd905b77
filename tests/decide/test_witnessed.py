"""When incidents of the witnesses end: on what is known good, never on silence."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hubctl.decide.rules import decide
from hubctl.model.health import Finding, FindingKind
from hubctl.model.incident import Verdict
from hubctl.model.values import Remediation
from hubctl.model.witness import (
    Application,
    Klusterlet,
    Lease,
    Reach,
    Service,
    Sight,
    SpokeWitness,
    Trouble,
    Wanted,
)
from tests.aggregate.polls import minute
from tests.decide.scenes import ANOMALOUS, cell, finding, on_policies, opened, policies

WANTED = Wanted("v3", "pvc://c/m/v3", "v3")
GOOD = Service("m", WANTED, Sight.PRESENT, ready=True, same=True, current=True)
SYNCED = Application("hubctl-a", Sight.PRESENT, sync="Synced", health="Healthy")


def says(
    lease: Lease | None = Lease.FRESH,
    *,
    service: Service | None = GOOD,
    application: Application | None = SYNCED,
    route: Reach = Reach.UNKNOWN,
    trouble: str = "",
) -> SpokeWitness:
    troubles = (Trouble(FindingKind(trouble), minute(0), trouble),) if trouble else ()
    services = (service,) if service else ()
    return SpokeWitness("a", minute(1), Klusterlet(lease) if lease else None, services, application, route, troubles)


def found(kind: str) -> Finding:
    model = "m" if kind.startswith(("version", "service")) else ""
    return Finding(FindingKind(kind), f"{kind}:a", ("a",), kind, model, "v3" if model else "", deterministic=True)


def ends(kind: str, witnesses: Sequence[SpokeWitness]) -> bool:
    [decision] = decide([], [opened(found(kind))], [], Remediation(), now=minute(2), witnesses=witnesses)
    assert decision.verdict in (Verdict.HOLD, Verdict.RESOLVE)
    return decision.verdict is Verdict.RESOLVE


@pytest.mark.parametrize(
    ("kind", "witness", "over"),
    [
        ("agent-silent", says(), True),
        ("agent-silent", says(Lease.API_DOWN), True),
        ("agent-silent", says(Lease.STALE), False),
        ("agent-silent", says(Lease.UNREAD), False),
        ("agent-silent", says(Lease.UNREPORTED), False),
        ("agent-silent", says(Lease.ABSENT), True),
        ("agent-silent", says(None), False),
        ("spoke-down", says(), True),
        ("spoke-down", says(Lease.STALE, route=Reach.DEAD), False),
        ("spoke-down", says(Lease.STALE, route=Reach.UNKNOWN), False),
        ("spoke-down", says(Lease.STALE, route=Reach.ANSWERS), True),
        ("spoke-api", says(), True),
        ("spoke-api", says(Lease.API_DOWN), False),
        ("spoke-api", says(Lease.STALE), False),
        ("version-drift", says(), True),
        ("version-drift", says(service=replace(GOOD, same=False)), False),
        ("version-drift", says(service=Service("m", WANTED)), False),
        ("version-drift", says(service=None), True),
        ("service-not-ready", says(), True),
        ("service-not-ready", says(service=replace(GOOD, ready=None)), False),
        ("service-not-ready", says(service=replace(GOOD, stopped=True)), False),
        ("service-absent", says(), True),
        ("service-absent", says(service=Service("m", WANTED)), False),
        ("service-absent", says(service=Service("m", WANTED, Sight.ABSENT)), False),
        ("not-delivered", says(), True),
        ("not-delivered", says(trouble="not-delivered"), False),
        ("not-delivered", says(application=Application("x")), False),
        ("not-delivered", says(application=None), True),
        ("sync-failed", says(), True),
        ("sync-failed", says(application=replace(SYNCED, sync="Unknown")), False),
        ("application-degraded", says(), True),
        ("application-degraded", says(application=replace(SYNCED, health="")), False),
        ("application-degraded", says(trouble="application-degraded"), False),
    ],
)
def test_incident_of_witnesses_ends_when_they_know_it_is_good(kind: str, witness: SpokeWitness, *, over: bool) -> None:
    assert ends(kind, [witness]) is over


def test_incident_of_a_spoke_that_left_the_fleet_ends() -> None:
    assert ends("spoke-down", [replace(says(), cluster="b")])


def test_incident_stays_when_its_witnesses_are_not_heard_any_more() -> None:
    assert not ends("version-drift", [])


def test_dead_route_is_over_when_predictors_answer_whatever_klusterlets_say() -> None:
    incident = opened(found("spoke-route"))
    for outcome, verdict in (("ok", Verdict.RESOLVE), ("timeout", Verdict.HOLD)):
        [decision] = decide(
            [], [incident], [cell("a", outcome=outcome)], Remediation(), now=minute(1), witnesses=[says(Lease.STALE)]
        )
        assert decision.verdict is verdict


@pytest.mark.parametrize(("leases", "over"), [("ffs", True), ("fs", False), ("uuu", False), ("", True)])
def test_hub_is_in_sight_again_when_most_klusterlets_are_heard(leases: str, *, over: bool) -> None:
    kinds = {"f": Lease.FRESH, "s": Lease.STALE, "u": Lease.UNREAD}
    said = [replace(says(kinds[each]), cluster=f"s{number}") for number, each in enumerate(leases)]
    incident = opened(finding("hub-unreachable"))
    [decision] = decide([], [incident], [cell("s0"), cell("s1")], Remediation(), now=minute(1), witnesses=said)
    assert (decision.verdict is Verdict.RESOLVE) is over


@pytest.mark.parametrize("kind", ["agent-silent", "version-drift", "application-degraded", "not-delivered"])
def test_what_witnesses_say_of_a_spoke_keeps_no_version_from_being_blamed(kind: str) -> None:
    health = [cell(name, ANOMALOUS) for name in "ab"]
    rules = policies(("model-anomaly", "rollback-model"))
    decisions = decide([finding(), found(kind)], [], health, rules, now=minute(0), witnesses=[says()])
    acts = [one for one in on_policies(decisions) if one.incident.kind is FindingKind.MODEL_ANOMALY]
    assert [one.verdict for one in acts] == [Verdict.ACT]


@pytest.mark.parametrize(
    ("kind", "action"),
    [("spoke-route", "quarantine"), ("service-not-ready", "rollback-model"), ("agent-silent", "notify")],
)
def test_policy_may_name_what_witnesses_find(kind: str, action: str) -> None:
    [*_, decision] = decide([found(kind)], [], [], policies((kind, action)), now=minute(0), witnesses=[says()])
    assert (decision.verdict, decision.action) == (Verdict.ACT, action)


@pytest.mark.parametrize(
    ("kind", "action"),
    [("spoke-down", "quarantine"), ("spoke-api", "quarantine"), ("agent-silent", "quarantine"),
     ("version-drift", "rollback-model"), ("not-delivered", "quarantine"), ("spoke-route", "rollback-model")],
)  # fmt: skip
def test_policy_may_not_change_what_is_out_of_reach_or_not_to_blame(kind: str, action: str) -> None:
    with pytest.raises(ValueError, match=kind):
        policies((kind, action))
