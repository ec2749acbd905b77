"""Findings from what the hub's objects say beside the polls: the table of route and lease, drift, delivery."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.aggregate import Aggregation, Said, aggregate
from hubctl.model.health import Condition, Finding, FindingKind
from hubctl.model.values import Aggregate
from hubctl.model.witness import Application, Klusterlet, Lease, Service, Sight, SpokeWitness, Wanted
from hubctl.model.witnessing import Witness
from tests.aggregate.polls import BAD, GOOD, POLICY, minute, seen

RULES = Witness()
DEAD = "unreachable"
WANTED = Wanted("v3", "pvc://claim/m/v3", "v3")
FINE = Service("m", WANTED, Sight.PRESENT, ready=True, served=WANTED.artifact, version="v3", same=True, current=True)
DRIFTED = replace(FINE, served="pvc://claim/m/v2", version="v2", same=False, current=False)
SYNCED = Application("hubctl-a", Sight.PRESENT, sync="Synced", health="Healthy", revision="tip", phase="Succeeded")


def says(
    lease: Lease | None = Lease.FRESH,
    *,
    cluster: str = "a",
    services: tuple[Service, ...] = (),
    application: Application | None = None,
) -> SpokeWitness:
    """What the hub's objects say of one spoke."""
    return SpokeWitness(cluster, minute(0), Klusterlet(lease) if lease else None, services, application)


def rounds(
    polls: dict[str, str],
    said: Sequence[Sequence[SpokeWitness]],
    *,
    every: float = 1,
    version: str = "v3",
    policy: Aggregate = POLICY,
    rules: Witness = RULES,
) -> Aggregation:
    """The same answers of model m on each spoke, once for each item of ``said``."""
    made = Aggregation((), ())
    for number, witnesses in enumerate(said):
        now = minute(number * every)
        observed = [seen(kind, number * every, cluster=name, version=version) for name, kind in polls.items()]
        now_said = tuple(replace(one, at=now) for one in witnesses)
        testimony = Said(now_said, made.witnesses, rules, tip="tip")
        made = aggregate(observed, made.health, policy, now=now, testimony=testimony)
    return made


def free(findings: Sequence[Finding]) -> list[str]:
    """Keys of what nothing wider explains."""
    return [finding.key for finding in findings if not finding.inhibited_by]


def others(*names: str) -> list[SpokeWitness]:
    """Spokes that are well."""
    return [says(cluster=name) for name in names]


WELL = {"b": GOOD, "c": GOOD, "d": GOOD}


@pytest.mark.parametrize(
    ("answer", "lease", "expected"),
    [
        (GOOD, Lease.FRESH, []),
        (GOOD, Lease.STALE, ["agent-silent:a"]),
        (GOOD, Lease.API_DOWN, ["spoke-api:a"]),
        (GOOD, Lease.UNREPORTED, []),
        (GOOD, Lease.ABSENT, []),
        (DEAD, Lease.FRESH, ["spoke-route:a"]),
        (DEAD, Lease.STALE, ["spoke-down:a"]),
        (DEAD, Lease.API_DOWN, ["spoke-api:a"]),
        (DEAD, Lease.UNREPORTED, ["spoke-unreachable:a"]),
        (DEAD, Lease.ABSENT, ["spoke-unreachable:a"]),
        (DEAD, None, ["spoke-unreachable:a"]),
        (GOOD, None, []),
    ],
)
def test_route_and_lease_together_say_what_is_wrong(answer: str, lease: Lease | None, expected: list[str]) -> None:
    said = [says(lease), *others("b", "c", "d")]
    found = rounds({"a": answer, **WELL}, [said] * 9).findings
    assert free(found) == expected
    assert all(finding.deterministic and finding.confidence == 1 for finding in found)


def test_without_witnesses_everything_is_as_it_was() -> None:
    polls = [seen(DEAD, number, cluster="a") for number in range(3)]
    assert free(aggregate(polls, [], POLICY, now=minute(2)).findings) == ["spoke-unreachable:a"]


def test_dead_route_is_not_blamed_before_a_dead_klusterlet_would_show() -> None:
    said = [says(), *others("b", "c", "d")]
    assert free(rounds({"a": DEAD, **WELL}, [said] * 7).findings) == ["spoke-unreachable:a"]
    assert free(rounds({"a": DEAD, **WELL}, [said] * 8).findings) == ["spoke-route:a"]


def test_grace_of_the_values_replaces_the_hubs() -> None:
    said = [says(), *others("b", "c", "d")]
    found = rounds({"a": DEAD, **WELL}, [said] * 3, rules=Witness(lease_grace=0)).findings
    assert free(found) == ["spoke-route:a"]


def test_spoke_that_is_down_explains_all_that_is_said_of_it() -> None:
    failed = replace(SYNCED, sync="OutOfSync", errors=("SyncError: no route to host",))
    said = [says(Lease.STALE, application=failed), *others("b", "c", "d")]
    found = rounds({"a": "tls", **WELL}, [said] * 12).findings
    assert free(found) == ["spoke-down:a"]
    assert {one.kind for one in found} == {
        FindingKind.SPOKE_DOWN,
        FindingKind.SPOKE_UNREACHABLE,
        FindingKind.PREDICTOR_FAULT,
        FindingKind.SYNC_FAILED,
        FindingKind.NOT_DELIVERED,
    }


def test_silent_klusterlet_of_a_spoke_without_predictors_is_told() -> None:
    assert free(rounds(WELL, [[says(Lease.STALE), *others("b", "c", "d")]]).findings) == ["agent-silent:a"]


def test_one_poll_without_an_answer_settles_nothing_about_a_silent_klusterlet() -> None:
    said = [says(Lease.STALE), *others("b", "c", "d")]
    assert rounds({"a": DEAD, **WELL}, [said]).findings == ()


@pytest.mark.parametrize("answer", ["unauthorized", "forbidden", "not_ready"])
def test_answer_that_a_proxy_may_have_given_proves_no_living_spoke(answer: str) -> None:
    said = [says(Lease.STALE), *others("b", "c", "d")]
    assert "agent-silent:a" not in free(rounds({"a": answer, **WELL}, [said] * 4).findings)


def test_many_silent_klusterlets_are_the_hubs() -> None:
    said = [says(Lease.STALE, cluster="a"), says(Lease.STALE, cluster="b"), *others("c", "d")]
    found = rounds({"a": GOOD, **WELL}, [said]).findings
    assert free(found) == ["hub-unreachable"]
    assert found[-1].summary == "the klusterlets of 2 of 4 spokes are silent at once"


def test_hub_that_cannot_be_read_is_blamed_itself() -> None:
    said = [says(Lease.UNREAD, cluster=name) for name in "abcd"]
    assert free(rounds({"a": BAD, **WELL}, [said] * 4).findings) == ["hub-unreachable"]


def test_version_drift_is_told_once_it_has_lasted() -> None:
    said = [says(services=(DRIFTED,)), *others("b", "c", "d")]
    assert rounds({"a": GOOD, **WELL}, [said] * 10).findings == ()
    [found] = rounds({"a": GOOD, **WELL}, [said] * 11).findings
    assert (found.key, found.model, found.version) == ("version-drift:a/m", "m", "v3")
    assert found.summary == "Git says m v3, a serves v2"


def test_drift_to_something_else_begins_anew() -> None:
    other = replace(DRIFTED, served="pvc://claim/m/v1", version="v1")
    said = [[says(services=(DRIFTED,))]] * 9 + [[says(services=(other,))]] * 9
    assert rounds({"a": GOOD}, said).findings == ()


def test_look_that_shows_nothing_neither_tells_of_a_drift_nor_ends_it() -> None:
    blind = [says(services=(Service("m", WANTED),))]
    drifts = [[says(services=(DRIFTED,))]] * 11
    assert rounds({"a": GOOD}, [*drifts, blind]).findings == ()
    assert free(rounds({"a": GOOD}, [*drifts, blind, drifts[0]]).findings) == ["version-drift:a/m"]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (Service("m", WANTED, Sight.ABSENT), ["service-absent:a/m"]),
        (replace(FINE, ready=False, current=None), ["service-not-ready:a/m"]),
        (replace(FINE, stopped=True, current=None), ["service-not-ready:a/m"]),
        (replace(FINE, ready=None, current=None), []),
        (Service("m", WANTED), []),
        (FINE, []),
    ],
)
def test_service_is_told_of_when_it_is_known_to_be_wrong(service: Service, expected: list[str]) -> None:
    assert free(rounds({"a": GOOD}, [[says(services=(service,))]] * 11).findings) == expected


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (SYNCED, []),
        (replace(SYNCED, sync="OutOfSync"), ["not-delivered:a"]),
        (replace(SYNCED, sync="OutOfSync", waits=True), []),
        (replace(SYNCED, revision="older"), ["not-delivered:a"]),
        (Application("hubctl-a", Sight.ABSENT, detail="none"), ["not-delivered:a"]),
        (replace(SYNCED, sync="OutOfSync", phase="Failed"), ["sync-failed:a"]),
        (replace(SYNCED, phase="Failed"), []),
        (replace(SYNCED, sync="Unknown", errors=("ComparisonError: x",)), ["sync-failed:a"]),
        (replace(SYNCED, sync="Unknown"), []),
        (replace(SYNCED, health="Degraded"), ["application-degraded:a"]),
        (replace(SYNCED, health="Progressing"), []),
        (Application("hubctl-a"), []),
    ],
)
def test_argo_cd_is_told_of_when_it_is_known_to_be_stuck(application: Application, expected: list[str]) -> None:
    said = [says(application=application)]
    assert rounds({"a": GOOD}, [said] * 10).findings == ()
    assert free(rounds({"a": GOOD}, [said] * 11).findings) == expected


def test_argo_cd_that_follows_is_not_late_however_often_the_branch_moves() -> None:
    said = [[says(application=replace(SYNCED, revision=f"older-{number}"))] for number in range(30)]
    assert rounds({"a": GOOD}, said).findings == ()


def test_what_is_not_delivered_explains_what_is_not_served() -> None:
    late = replace(SYNCED, sync="OutOfSync")
    found = rounds({"a": GOOD}, [[says(services=(DRIFTED,), application=late)]] * 11).findings
    assert free(found) == ["not-delivered:a"]
    assert [one.inhibited_by for one in found] == ["", "not-delivered:a"]


def test_service_that_is_not_ready_explains_a_degraded_application() -> None:
    broken = replace(FINE, ready=False, detail="ModelLoadFailed")
    degraded = replace(SYNCED, health="Degraded")
    found = rounds({"a": GOOD}, [[says(services=(broken,), application=degraded)]] * 11).findings
    assert free(found) == ["service-not-ready:a/m"]
    assert found[-1].summary == "m on a is not ready: ModelLoadFailed"


def test_votes_count_as_soon_as_the_version_is_known_to_be_served() -> None:
    patient = Aggregate(settle=3600)
    assert rounds({"a": GOOD}, [[says()]] * 4, policy=patient).health[0].reason == "settling"
    [health] = rounds({"a": GOOD}, [[says(services=(FINE,))]] * 4, policy=patient).health
    assert health.condition is Condition.HEALTHY


@pytest.mark.parametrize("answer", [GOOD, BAD, "forecast"])
def test_answers_of_another_version_say_nothing_of_this_one(answer: str) -> None:
    made = rounds({"a": answer}, [[says(services=(DRIFTED,))]] * 6)
    assert (made.health[0].condition, made.health[0].reason) == (Condition.UNKNOWN, "not-served")
    assert made.health[0].votes == ()


def test_clock_that_steps_back_makes_no_trouble_younger() -> None:
    before = rounds({"a": GOOD}, [[says(services=(DRIFTED,))]] * 11)
    testimony = Said((says(services=(DRIFTED,)),), before.witnesses, RULES)
    after = aggregate([], before.health, POLICY, now=minute(-30), testimony=testimony)
    assert [trouble.since for trouble in after.witnesses[0].troubles] == [minute(0)]


SERVICES = st.sampled_from([FINE, DRIFTED, Service("m", WANTED), Service("m", WANTED, Sight.ABSENT)])
APPLICATIONS = st.sampled_from([None, SYNCED, replace(SYNCED, sync="OutOfSync"), Application("x")])
LEASES = st.sampled_from([*Lease, None])
CLAIMS = st.builds(lambda lease, service, application: (lease, service, application), LEASES, SERVICES, APPLICATIONS)
POLLS = st.sampled_from([GOOD, BAD, DEAD, "timeout", "not_found", "forbidden"])


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from("abcde"), st.tuples(POLLS, CLAIMS), min_size=1), st.randoms())
def test_order_of_witnesses_does_not_matter(fleet: dict[str, tuple[str, tuple]], chance: random.Random) -> None:  # type: ignore[type-arg]
    polls = {name: poll for name, (poll, _) in fleet.items()}
    said = [
        says(lease, cluster=name, services=(service,), application=application)
        for name, (_, (lease, service, application)) in fleet.items()
    ]
    straight = rounds(polls, [said] * 4, every=5)
    chance.shuffle(said)
    items = list(polls.items())
    chance.shuffle(items)
    again = rounds(dict(items), [said] * 4, every=5)
    assert (again.findings, again.witnesses) == (straight.findings, straight.witnesses)


UNKNOWN = says(None, services=(Service("m", WANTED),), application=Application("hubctl-a"))
SILENT = st.sampled_from(
    [UNKNOWN, *(replace(UNKNOWN, klusterlet=Klusterlet(one)) for one in (Lease.UNREPORTED, Lease.UNREAD))]
)
LOUD = CLAIMS.map(lambda said: says(said[0], services=(said[1],), application=said[2]))
WITNESSED = {"spoke-down", "spoke-api", "spoke-route", "agent-silent", "sync-failed", "not-delivered"} | {
    "application-degraded", "version-drift", "service-absent", "service-not-ready"
}  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(LOUD, max_size=6), SILENT, POLLS)
def test_unknown_witness_makes_no_finding_of_its_own_whatever_was_before(
    before: list[SpokeWitness], silent: SpokeWitness, poll: str
) -> None:
    found = rounds({"a": poll}, [*([one] for one in before), [silent]], every=20).findings
    assert not WITNESSED.intersection(one.kind for one in found)
