"""Where a delivered value comes from, when a remediation's override on the branch has a part in it."""

from typing import Any

from tests.e2e.world import MODEL, SICK, World


def origins(world: World, asked: str) -> list[dict[str, Any]]:
    (found,) = world.inside("render", "--explain", asked, "-o", "json").json["objects"]
    (value,) = found["fields"]
    named: list[dict[str, Any]] = value["origins"]
    return named


def test_version_that_was_rolled_back_is_the_overrides_on_the_branch(rolled_back: World) -> None:
    assert not (rolled_back.fleet / "overrides").exists()
    asked = f'spokes/{SICK[0]}/inferenceservice-{MODEL}.yaml:metadata.labels["app.kubernetes.io/version"]'
    pinned, *others = origins(rolled_back, asked)
    assert (pinned["role"], pinned["branch"], pinned["field"]) == ("value", "main", "spec.models[0].version")
    assert pinned["file"].startswith(f"overrides/{SICK[0]}.")
    assert {(one["file"], one["field"]) for one in others} == {
        (f"clusters/{SICK[0]}.yaml", "spec.models[0].version"),
        (pinned["file"], "spec.models[0].insteadOf"),
    }
    shown = rolled_back.inside("render", "--explain", asked).out
    assert "on branch main" in shown


def test_spoke_that_was_left_alone_names_its_file(rolled_back: World) -> None:
    asked = f'spokes/south/inferenceservice-{MODEL}.yaml:metadata.labels["app.kubernetes.io/version"]'
    (only,) = origins(rolled_back, asked)
    assert (only["file"], only["branch"]) == ("clusters/south.yaml", "")
