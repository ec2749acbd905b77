"""Ways to deliver that cannot work are refused before they are rendered."""

import pytest

from tests.inputs.inputfolder import VALUES, Folder

QUARANTINE = "remediation: {policies: [{name: q, on: spoke-anomaly, action: quarantine}]}"
PULL = "delivery: {model: pull, placement: {clusterSet: fleet}}"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("delivery: {generator: clusterDecisionResource}", "reads a Placement's decisions, expected placement"),
        ("delivery: {model: pull}", "clusters that a Placement selects, expected placement"),
        ("delivery: {clusterLabels: {a: b}}", "clusterLabels are for generator clusters, found generator git"),
        ("delivery: {generator: cluster}", "expected git, clusters or clusterDecisionResource"),
        ("delivery: {strategy: {type: RollingSync}}", "without a step Argo CD takes RollingSync for AllAtOnce"),
        ("delivery: {strategy: {steps: [{name: a}]}}", "steps are for type RollingSync, found AllAtOnce"),
        ("delivery: {strategy: {type: rollingsync}}", "expected AllAtOnce or RollingSync"),
        (
            "delivery: {applicationsSync: create-only, strategy: {type: RollingSync, steps: [{name: a}]}}",
            "expected applicationsSync sync or create-update, found create-only",
        ),
        (
            f"{PULL[:-1]}, applicationsSync: sync}}",
            "takes its workload along, expected applicationsSync create-update or create-only",
        ),
        (
            f"delivery: {{applicationsSync: create-update}}\n  {QUARANTINE}",
            "quarantine needs applicationsSync sync, found create-update and policy 'q'",
        ),
        ("delivery: {placement: {}}", "missing key 'clusterSet'"),
        (
            f"{PULL}\n  {QUARANTINE}",
            "quarantine needs delivery model push, found pull and policy 'q'",
        ),
    ],
)
def test_delivery_that_cannot_work_is_refused(folder: Folder, section: str, message: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  {section}\n")
    (problem,) = folder.problems()
    assert message in problem.message


def test_spoke_with_another_name_in_argo_cd_is_refused_where_names_find_it(folder: Folder) -> None:
    folder.change("clusters/edge-a.yaml", "  models:", "  destination: {name: other}\n  models:")
    assert folder.load().clusters[0].destination == "other"
    (problem,) = folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  delivery: {{generator: clusters}}\n").problems()
    assert problem.where == "clusters/edge-a.yaml:8 spec.destination.name"
    assert "expected the spoke's own name" in problem.message


def test_quarantine_that_does_nothing_is_warned_about(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  {PULL}\n")
    folder.write("overrides/q.yaml", "metadata: {name: q}\nspec: {cluster: edge-a, quarantine: true}\n")
    assert "edge-a: quarantine needs delivery model push" in folder.load().warnings
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{delivery: {{applicationsSync: create-update}}}}\n")
    assert "edge-a: quarantine needs hubctl.delivery.applicationsSync sync" in folder.load().warnings
