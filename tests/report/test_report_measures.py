"""What a pass gives to metrics."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hubctl import metrics
from hubctl.errors import GuardRefused, Held, HubctlError, InputError, PublishConflict, RemoteFailed, StoreUnavailable
from hubctl.hub import open_hub
from hubctl.metrics import Metric, Sample
from hubctl.model.fleet import HubInputs
from hubctl.model.health import Condition, Finding, FindingKind
from hubctl.model.holds import Holds, Reach, Stop
from hubctl.model.incident import Decision, Reason, State, Verdict
from hubctl.model.predictor import Outcome
from hubctl.model.reporting import Metrics
from hubctl.model.snapshot import MANAGED_CLUSTERS, Snapshot
from hubctl.model.values import HubctlSection, HubValues
from hubctl.passes import Pass
from hubctl.report import measures
from hubctl.report.reporter import Reporter
from hubctl.settings import Settings
from tests.store.storednouns import NOW, case, observation, predictor_health, remedy

FAILURES: list[HubctlError] = [RemoteFailed("a"), PublishConflict("b"), GuardRefused("c"), Held("d")]


def wide(spokes: int, *, per_spoke: bool = False) -> Pass:
    """A pass over many spokes, each with a predictor."""
    values = HubValues(hubctl=HubctlSection(metrics=Metrics(per_spoke=per_spoke)))
    names = [f"edge-{number}" for number in range(spokes)]
    return Pass(
        NOW,
        inputs=HubInputs(values, ()),
        observations=tuple(observation(cluster=name) for name in names),
        health=tuple(predictor_health(cluster=name) for name in names),
    )


def values_of(made: Pass, metric: Metric) -> dict[tuple[str, ...], float]:
    """The values of one metric, by labels."""
    return {one.labels: one.value for one in measures.of_pass(made, 1.5, 0.0) if one.metric is metric}


def test_number_of_series_does_not_grow_with_the_fleet_unless_asked_for() -> None:
    few, many = (len(measures.of_pass(wide(spokes), 1, 1)) for spokes in (1, 500))
    assert few == many
    assert len(measures.of_pass(wide(500, per_spoke=True), 1, 1)) == many + 500


def test_every_sample_has_a_value_for_each_label_of_its_metric() -> None:
    for made in (wide(3, per_spoke=True), Pass(NOW, problems=tuple(FAILURES))):
        for one in measures.of_pass(made, 1, 1):
            assert len(one.labels) == len(one.metric.labels), one


def test_predictors_and_polls_are_counted_by_condition_and_outcome() -> None:
    seen = (observation(), observation(outcome=Outcome.TIMEOUT), observation(outcome=Outcome.TIMEOUT))
    made = Pass(NOW, observations=seen, health=(predictor_health(), predictor_health(condition=Condition.UNKNOWN)))
    assert values_of(made, metrics.OBSERVATIONS) == {("ok",): 1, ("timeout",): 2}
    assert values_of(made, metrics.PREDICTORS) == {("healthy",): 1, ("unknown",): 1, ("anomalous",): 0}


def test_open_incidents_are_those_that_the_pass_leaves_unresolved() -> None:
    first, second = case(1), case(2)
    over = first.moved(State.RESOLVED, by="hubctl", note="", now=NOW)
    new = replace(case(3), kind=FindingKind.SPOKE_ANOMALY)
    decisions = (
        Decision(NOW, Verdict.RESOLVE, over, (Reason.KNOWN_GOOD,)),
        Decision(NOW, Verdict.OPEN, new, (Reason.FOUND,)),
    )
    found = values_of(Pass(NOW, unresolved=(first, second), decisions=decisions), metrics.INCIDENTS)
    assert {kind: count for kind, count in found.items() if count} == {("model-anomaly",): 1, ("spoke-anomaly",): 1}


def test_explained_findings_and_moved_remediations_are_counted_once() -> None:
    finding = Finding(FindingKind.SPOKE_ANOMALY, "k", (), "s")
    made = Pass(
        NOW,
        findings=(finding, replace(finding, inhibited_by="hub-unreachable")),
        stored=(remedy(1), remedy(2)),
        remediations=(replace(remedy(1), state=remedy(1).state.APPROVED),),
    )
    assert values_of(made, metrics.FINDINGS)["spoke-anomaly",] == 1
    counts = values_of(made, metrics.REMEDIATIONS)
    assert (counts["approved",], counts["pending",], sum(counts.values())) == (1, 1, 2)


def test_failures_are_told_by_class_and_a_persons_stop_is_none() -> None:
    made = Pass(NOW, problems=tuple(FAILURES))
    assert values_of(made, metrics.PASSES) == {("partial",): 1}
    assert values_of(made, metrics.GIT_FAILURES) == {(): 2}
    expected = Counter({("RemoteFailed",): 1, ("PublishConflict",): 1, ("GuardRefused",): 1})
    assert values_of(made, metrics.PROBLEMS) == expected
    assert values_of(Pass(NOW, problems=(Held("x"),)), metrics.PASSES) == {("done",): 1}


def test_stops_and_unread_kinds_are_shown() -> None:
    made = Pass(
        NOW, holds=Holds((Stop(Reach.ACTIONS, "STOP"),)), snapshot=Snapshot(NOW, unread={MANAGED_CLUSTERS: "403"})
    )
    assert values_of(made, metrics.STOPPED) == {("actions",): 1, ("everything",): 0}
    assert values_of(made, metrics.UNREAD_KINDS) == {(): 1}


@pytest.mark.parametrize(("error", "git"), [(InputError("x"), 0), (RemoteFailed("x"), 1)])
def test_pass_that_died_is_counted_as_failed(error: HubctlError, git: int) -> None:
    samples = {one.metric.name: one for one in measures.of_failure(error, 2.0)}
    assert samples["hubctl_passes_total"] == Sample(metrics.PASSES, 1, ("failed",))
    assert samples["hubctl_git_failures_total"].value == git


async def test_process_is_ready_while_its_store_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "values-hub.yaml").write_text("hubctl: {gitops: {remote: nowhere.git}}\n")
    (tmp_path / "clusters").mkdir()
    reporter = Reporter.fresh()
    assert not reporter.pulse.ready
    async with open_hub(Settings(tmp_path, tmp_path / "state"), {}) as opened:
        reporter.opened()
        reporter.read()
        assert reporter.pulse.ready
        await reporter.failed(InputError("x"), opened, 1, NOW)
        reporter.read(InputError("x"))
        assert reporter.pulse.ready, "the last good files stay in force"
        await reporter.failed(StoreUnavailable("full"), opened, 1, NOW)
        assert not reporter.pulse.ready
        await reporter.passed(Pass(NOW), opened, 1.0)
        assert reporter.pulse.ready
    text = reporter.registry.text().decode()
    assert "hubctl_configuration_valid 0.0" in text
    assert "hubctl_store_bytes 0.0" not in text
