"""Steps of a rolling sync: which spoke takes which, and what is refused or warned about."""

import pytest

from tests.inputs.inputfolder import SPOKE, VALUES, Folder

GROUPS = (
    "hubctl:\n  groups:\n    - {name: canary, match: {tier: store}}\n    - {name: gpu nodes, match: {gpu: 'yes'}}\n"
)
ROLLING = GROUPS + "  delivery:\n    strategy:\n      type: RollingSync\n      steps:\n"


def fleet(folder: Folder, steps: str, **labels: str) -> Folder:
    """A spoke for each keyword, with that label ``tier``; the names with an underscore are on Kubernetes."""
    (folder.root / "clusters" / "edge-a.yaml").unlink()
    for name, tier in labels.items():
        text = SPOKE.replace("  name: edge-a", f"  name: {name.strip('_')}\n  labels: {{tier: {tier}}}", 1)
        text = text.replace("platform: openshift", "platform: kubernetes") if name.endswith("_") else text
        folder.write(f"clusters/{name.strip('_')}.yaml", text)
    return folder.write(
        "values-hub.yaml", VALUES + ROLLING + "".join(f"        - {step}\n" for step in steps.split("; "))
    )


def taken(folder: Folder) -> dict[str, str]:
    return {cluster.name: cluster.step for cluster in folder.load().clusters}


def about_steps(folder: Folder) -> list[str]:
    return [warning for warning in folder.load().warnings if warning.startswith("step ")]


def test_spoke_takes_the_first_step_that_fits(folder: Folder) -> None:
    steps = "{group: canary}; {match: {tier: cloud}}; {name: rest}"
    assert taken(fleet(folder, steps, a="store", b="cloud", c="other")) == {"a": "canary", "b": "step-2", "c": "rest"}
    assert about_steps(folder) == []


@pytest.mark.parametrize(
    ("expression", "a"),
    [
        ("{key: tier, operator: In, values: [store, x]}", "first"),
        ("{key: tier, operator: NotIn, values: [store]}", "rest"),
        ("{key: other, operator: NotIn, values: [store]}", "first"),
        ("{key: other, operator: In, values: [store]}", "rest"),
    ],
)
def test_expression_fits_as_argo_cd_reads_it(folder: Folder, expression: str, a: str) -> None:
    step = f"{{name: first, group: canary, matchExpressions: [{expression}]}}; {{name: rest}}"
    assert taken(fleet(folder, step, a="store"))["a"] == a


def test_without_a_strategy_no_spoke_has_a_step(folder: Folder) -> None:
    assert taken(folder) == {"edge-a": ""}


def test_spoke_that_no_step_takes_is_refused_at_its_labels(folder: Folder) -> None:
    (problem,) = fleet(folder, "{group: canary}", a="store", b="cloud").problems()
    assert problem.where == "clusters/b.yaml:5 metadata.labels"
    assert "no step of hubctl.delivery.strategy takes b" in problem.message
    assert "- name: rest" in problem.hint


def test_group_that_is_not_there_is_refused_with_the_nearest(folder: Folder) -> None:
    (problem,) = fleet(folder, "{group: canari}; {name: rest}", a="store").problems()
    assert problem.where == "values-hub.yaml:15 hubctl.delivery.strategy.steps[0].group"
    assert "expected a group of hubctl.groups: canary, gpu nodes" in problem.message
    assert problem.hint == "did you mean canary?"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{group: canary}; {group: canary}", "expected each step once, found canary more than once"),
        ("{group: gpu nodes}; {name: rest}", "group 'gpu nodes' is no label's value, expected a name for its step"),
        ("{name: a/b}", "1 to 63 letters, digits"),
        ("{maxUpdate: 101%}", "a percentage such as 10%"),
        ("{maxUpdate: -1}", "greater than or equal to 0"),
        ("{maxupdate: 1}", "unknown key 'maxupdate'"),
        ("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}", "expected In or NotIn"),
        ("{matchExpressions: [{key: a, operator: In, values: []}]}", "at least 1 item"),
    ],
)
def test_step_that_cannot_work_is_refused(folder: Folder, steps: str, message: str) -> None:
    (problem,) = fleet(folder, steps, a="store").problems()
    assert message in problem.message


def test_misspelt_key_of_a_step_gets_a_suggestion(folder: Folder) -> None:
    (problem,) = fleet(folder, "{maxUpdates: 1}", a="store").problems()
    assert "did you mean maxUpdate?" in problem.hint


def test_step_of_no_spoke_is_warned_about(folder: Folder) -> None:
    steps = "{group: canary}; {name: rest}; {name: late, match: {tier: cloud}}"
    assert about_steps(fleet(folder, steps, a="store", b="cloud")) == [
        "step 'late' of hubctl.delivery.strategy takes no spoke"
    ]


def test_step_that_one_platform_skips_is_warned_about(folder: Folder) -> None:
    (warning,) = about_steps(fleet(folder, "{group: canary}; {name: rest}", a="store", b_="cloud"))
    assert warning.startswith(
        "step 'canary' has no spoke of platform kubernetes: its ApplicationSet goes on to step 'rest'"
    )


def test_last_step_that_one_platform_lacks_is_nothing_to_wait_for(folder: Folder) -> None:
    assert about_steps(fleet(folder, "{group: canary}; {name: rest}", a="store", b_="store", c="cloud")) == []
