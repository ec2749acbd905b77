"""A pass over a tree with an object that its kind's schema refuses, and a cache that is renewed while hubctl runs."""

import yaml

from tests.conform.crds import definition, obj
from tests.e2e.world import MODEL, SICK, World, until

ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
SERVICE = ("InferenceService", "serving.kserve.io", "v1beta1")


def pull(world: World, kind: str, group: str, version: str, field: str) -> None:
    """A schema of the kind whose spec has one field and no other."""
    made = definition(obj(**{field: ANYTHING}), version=version)
    made["spec"] |= {"group": group, "names": {"kind": kind, "plural": "x"}}
    (world.home / "crd.yaml").write_text(yaml.safe_dump(made))
    world.inside("schemas", "pull", "--from", str(world.home / "crd.yaml"))


def test_pass_that_may_not_publish_an_object_still_observes(healthy: World) -> None:
    before = healthy.tip()
    pull(healthy, *SERVICE, "predictors")
    healthy.set_version("v2", *SICK)
    healthy.new_window()
    made = healthy.reconcile(expect=2)
    assert healthy.tip() == before
    assert {one["outcome"] for one in made["observations"]} == {"ok"}
    assert any("spec.predictor: unknown field" in str(problem) for problem in made["problems"])


def test_mistake_in_the_hubs_objects_does_not_stop_a_rollback(pending: World) -> None:
    pull(pending, "AppProject", "argoproj.io", "v1alpha1", "descriptions")
    (waiting,) = pending.remediations()
    pending.inside("remediations", "approve", waiting["id"])
    pending.reconcile(expect=2)
    assert pending.actions() == [waiting["id"]]


def test_rollback_of_an_object_that_its_schema_refuses_fails_with_the_reason(pending: World) -> None:
    before = pending.tip()
    pull(pending, *SERVICE, "predictors")
    (waiting,) = pending.remediations()
    pending.inside("remediations", "approve", waiting["id"])
    pending.reconcile(expect=2)
    (done,) = pending.remediations()
    assert (done["state"], pending.tip()) == ("failed", before)
    assert "spec.predictor" in done["detail"]


def test_running_hubctl_takes_up_schemas_that_are_pulled_meanwhile(healthy: World) -> None:
    pull(healthy, *SERVICE, "predictors")
    healthy.set_version("v2", *SICK)
    before = healthy.tip()
    with healthy.started("run", "--interval", "1s") as running:
        until(lambda: "spec.predictor: unknown field" in running.said, "refused")
        assert healthy.tip() == before
        pull(healthy, *SERVICE, "predictor")
        until(lambda: healthy.tip() != before, "published")
    assert f"{MODEL}/v2" in healthy.file(f"rendered/spokes/{SICK[0]}/inferenceservice-{MODEL}.yaml")
