"""Which witnesses a fleet hears, and what Git says for them to be compared with."""

from dataclasses import replace
from typing import Any

import pytest

from hubctl import testimony
from hubctl.inputs import load
from hubctl.model import snapshot as kinds
from hubctl.model.access import Access
from hubctl.model.fleet import HubInputs
from hubctl.model.snapshot import Snapshot
from hubctl.model.values import HubValues
from hubctl.model.watching import Heard, heard, resources_of
from hubctl.model.witness import SpokeWitness
from hubctl.settings import Settings
from tests.aggregate.polls import minute
from tests.fleet import hubobjects as hub
from tests.kube import fleets, variants

FEEDBACK = {"groups": [{"name": "all", "match": {}, "access": {"feedback": True}}]}
ALL = Heard(managed_clusters=True, feedback=True, applications=True)
OWN = "spoke/inferenceservice.each-model.yaml.j2"


def values(**section: Any) -> HubValues:
    return HubValues.model_validate({"hubctl": section})


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, Heard()),
        (FEEDBACK, ALL),
        ({"groups": [{"name": "t", "match": {}, "access": {"token": {}}}]}, Heard()),
        ({**FEEDBACK, "witness": {"applications": False}}, replace(ALL, applications=False)),
        ({"witness": {"managedClusters": True}}, Heard(managed_clusters=True)),
    ],
)
def test_feedback_makes_hubctl_hear_everybody_unless_told_otherwise(section: dict[str, Any], expected: Heard) -> None:
    assert heard(values(**section)) == expected


def test_one_spoke_that_is_read_back_is_enough() -> None:
    assert heard(values(), [None, Access(feedback=True)]) == ALL
    assert heard(values(), [None, Access()]) == Heard()


def test_hub_is_asked_for_the_kinds_that_are_heard_and_for_no_other() -> None:
    assert resources_of(values()) == ()
    assert resources_of(values(**FEEDBACK)) == (
        kinds.MANAGED_CLUSTERS, kinds.FEEDBACK_WORKS, kinds.SPOKE_APPLICATIONS
    )  # fmt: skip
    assert resources_of(values(witness={"applications": True})) == (kinds.SPOKE_APPLICATIONS,)


def test_nobody_is_heard_while_the_integration_is_switched_off() -> None:
    off = HubValues.model_validate({"kserve": {"enabled": False}, "hubctl": FEEDBACK})
    assert resources_of(off) == ()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> HubInputs:
    """A fleet in which every variant of the templates stands at least once."""
    folder = tmp_path_factory.mktemp("variants")
    fleets.write_fleet(folder, variants.VALUES, *variants.SPOKES)
    return load.load_inputs(Settings(directory=folder, state=folder / "state"))


def said(inputs: HubInputs, cluster: str, *, own: tuple[str, ...] = (), **change: Any) -> SpokeWitness:
    """What is said of one spoke of which the hub has a ManagedCluster and nothing else."""
    found = inputs.cluster(cluster)
    assert found
    changed = replace(inputs, clusters=(replace(found, **change),))
    seen = Snapshot(minute(0), {kinds.MANAGED_CLUSTERS: (hub.managed_cluster(cluster),), kinds.FEEDBACK_WORKS: ()})
    [one] = testimony.of_fleet(seen, changed, own, now=minute(0))
    return one


@pytest.mark.parametrize(
    ("cluster", "model", "artifact"),
    [
        ("formats", "sklearn", "pvc://model-storage-pvc/sklearn/v1"),
        ("servers", "own", "quay.io/fleet/own:v1"),
        ("servers", "car", "oci://quay.io/fleet/car:v1"),
        ("repositories", "huggingface", "hf://fleet/huggingface:v1"),
    ],
)
def test_git_says_what_the_template_renders(inputs: HubInputs, cluster: str, model: str, artifact: str) -> None:
    service = said(inputs, cluster).service(model)
    assert service
    assert (service.wanted.version, service.wanted.label, service.wanted.artifact) == ("v1", "v1", artifact)


@pytest.mark.parametrize(("own", "quarantined"), [((OWN,), False), ((), True)])
def test_what_git_does_not_say_by_itself_is_not_compared(
    inputs: HubInputs, own: tuple[str, ...], *, quarantined: bool
) -> None:
    service = said(inputs, "formats", own=own, quarantined=quarantined).service("sklearn")
    assert service
    assert (service.wanted.label, service.wanted.artifact) == ("", "")


def test_application_is_expected_for_every_spoke_that_is_delivered_to(inputs: HubInputs) -> None:
    assert said(inputs, "formats").application is not None
    assert said(inputs, "formats", quarantined=True).application is None


def test_spoke_that_is_not_read_back_says_so(inputs: HubInputs) -> None:
    details = {one.detail for one in said(inputs, "formats", access=None).services}
    assert details == {"no feedback is asked for"}
