"""Who leaves a list, a fleet or the hub loses an Application at most, and only where the documents say so."""

from pathlib import Path
from typing import Any

import pytest

from tests.argo.installation import Installation, Object, eventually
from tests.kube import variants
from tests.kube.variants import models, spoke

pytestmark = [pytest.mark.argo, pytest.mark.timeout(120, func_only=True)]

KEPT = [name for name, each in variants.DELIVERIES.items() if each.get("model") == "pull" or "applicationsSync" in each]
"""Where no Application is ever removed: in the pull model, and where the values say so."""

LOST = [name for name in variants.DELIVERIES if name not in KEPT]
LABELS = {"vendor": "OpenShift"}
QUARANTINE = b"""\
apiVersion: hubctl.io/v1alpha1
kind: Override
metadata: {name: east.quarantine}
spec: {cluster: east, quarantine: true}
"""


def begun(argo: Installation, name: str) -> dict[str, Object]:
    """The Applications of east and west, delivered in a way, to be lost."""
    delivery = variants.DELIVERIES[name]
    for cluster in ("east", "west"):
        argo.register(cluster, labels=LABELS)
    decide(argo, name, "east", "west")
    argo.begin(delivery, *(spoke(each, models=models("detector")) for each in ("east", "west")))
    argo.refresh()
    found = argo.applications()
    assert set(found) == {"hubctl-east", "hubctl-west"}
    return found


def decide(argo: Installation, name: str, *clusters: str) -> None:
    """What the Placement of a delivery selects."""
    delivery: dict[str, Any] = variants.DELIVERIES[name]
    placement = delivery.get("placement", {}).get("name", "hubctl-fleet")
    argo.decide(*clusters, placement=placement, config_map=delivery.get("configMap", "acm-placement"))


def left(argo: Installation, before: dict[str, Object]) -> set[str]:
    """Names of the Applications after one more look of the controller; each is the one that was there before."""
    argo.refresh()
    after = argo.applications()
    assert all(after[name]["metadata"]["uid"] == before[name]["metadata"]["uid"] for name in after)
    assert all(after[name]["spec"] == before[name]["spec"] for name in after)
    return {name.removeprefix("hubctl-") for name in after}


@pytest.mark.parametrize("name", LOST)
def test_spoke_removed_from_the_fleet_loses_its_application(generating: Installation, name: str) -> None:
    before = begun(generating, name)
    generating.hubctl("clusters", "remove", "east")
    generating.publish("--allow-removing", "1")
    assert left(generating, before) == {"west"}


@pytest.mark.parametrize("name", KEPT)
def test_spoke_removed_from_a_fleet_whose_applications_stay_keeps_its_own(generating: Installation, name: str) -> None:
    before = begun(generating, name)
    generating.hubctl("clusters", "remove", "east")
    generating.publish("--allow-removing", "1")
    assert left(generating, before) == {"east", "west"}


@pytest.mark.parametrize("name", LOST)
def test_quarantined_spoke_loses_its_application_and_gets_it_back(generating: Installation, name: str) -> None:
    before = begun(generating, name)
    generating.remote.commit({"overrides/east.quarantine.yaml": QUARANTINE})
    generating.publish()
    assert left(generating, before) == {"west"}
    generating.remote.commit({"overrides/east.quarantine.yaml": None})
    generating.publish()
    generating.refresh()
    assert generating.applications()["hubctl-east"]["spec"] == before["hubctl-east"]["spec"]


def test_spoke_dropped_from_a_decision_loses_its_application_only(generating: Installation) -> None:
    before = begun(generating, "decisions")
    # Nothing would tell Argo CD to look at the spoke when the Application goes.
    assert not any("finalizers" in each["metadata"] for each in before.values())
    decide(generating, "decisions", "west")
    assert left(generating, before) == {"west"}
    decide(generating, "decisions", "west", "east")
    generating.refresh()
    assert generating.applications()["hubctl-east"]["spec"] == before["hubctl-east"]["spec"]


def test_spoke_dropped_from_a_decision_keeps_its_application_when_it_pulls(generating: Installation) -> None:
    before = begun(generating, "pulled by decisions")
    decide(generating, "pulled by decisions")
    assert left(generating, before) == {"east", "west"}


def test_decisions_that_are_gone_altogether_take_nothing_along(generating: Installation) -> None:
    before = begun(generating, "decisions")
    generating.forget_decisions()
    generating.mark_for_refresh()
    assert "no clusterDecisionResources found" in eventually(lambda: generating.error("hubctl-kubernetes"), bool)
    assert generating.applications().keys() == before.keys()


def test_cluster_that_argo_cd_forgets_takes_only_its_own_application_along(generating: Installation) -> None:
    before = begun(generating, "clusters")
    generating.unregister("east")
    eventually(lambda: left(generating, before), lambda names: names == {"west"})


def test_cluster_that_argo_cd_forgets_keeps_an_application_made_from_git(generating: Installation) -> None:
    before = begun(generating, "git")
    generating.unregister("east")
    generating.mark_for_refresh()
    assert "east" in eventually(lambda: generating.error("hubctl-kubernetes"), bool)
    assert generating.applications().keys() == before.keys()


def test_remote_that_is_out_of_reach_takes_nothing_along(generating: Installation, tmp_path: Path) -> None:
    before = begun(generating, "git")
    generating.remote.path.rename(tmp_path / "away.git")
    generating.mark_for_refresh()
    assert "repository not found" in eventually(lambda: generating.error("hubctl-kubernetes"), bool)
    assert generating.applications().keys() == before.keys()


def test_spoke_that_changes_its_platform_changes_hands(generating: Installation) -> None:
    before = begun(generating, "git")
    east = spoke("east", platform="openshift", version="4.18", models=models("detector"))
    generating.begin({}, east, spoke("west", models=models("detector")))
    owner = eventually(lambda: owners(generating), lambda seen: seen.get("hubctl-east") == "hubctl-openshift")
    assert owner == {"hubctl-east": "hubctl-openshift", "hubctl-west": "hubctl-kubernetes"}
    assert set(generating.applications()) == set(before)


def owners(argo: Installation) -> dict[str, str]:
    """Application to the ApplicationSet that made it, after one more look."""
    argo.mark_for_refresh()
    return {name: each["metadata"]["ownerReferences"][0]["name"] for name, each in argo.applications().items()}


def test_hub_can_be_applied_again_only_by_force_once_argo_cd_was_asked_to_look(generating: Installation) -> None:
    """Taking off the mark of a webhook, the controller writes the list of generators whole, with its own defaults."""
    before = begun(generating, "decisions")
    with pytest.raises(RuntimeError, match=r"conflict with .*argocd-applicationset-controller.*spec.generators"):
        generating.apply_hub(force=False)
    generating.apply_hub()
    assert left(generating, before) == {"east", "west"}
