"""What a snapshot of the hub is read to say; whatever is missing, broken or old says nothing, and why."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.fleet.witness import Expected, read
from hubctl.model import snapshot as kinds
from hubctl.model.snapshot import Snapshot
from hubctl.model.watching import Heard
from hubctl.model.witness import Application, Klusterlet, Lease, Service, Sight, SpokeWitness, Wanted
from hubctl.model.witnessing import Witness
from tests.aggregate.polls import minute
from tests.fleet import hubobjects as hub

ALL = Heard(managed_clusters=True, feedback=True, applications=True)
NOW = minute(0)
WANTED = Wanted("v3", artifact="pvc://model-storage-pvc/m/v3", label="v3")
SPOKE = Expected(
    "a", (("m", hub.NAMESPACE, WANTED),), "hubctl-fleet-feedback", (hub.ARGOCD, "hubctl-a"), "rendered/spokes/a"
)
OTHER = Expected("b", application=(hub.ARGOCD, "hubctl-b"), folder="rendered/spokes/b")


def look(*objects: dict[str, Any], age: float = 0) -> Snapshot:
    """A look that found these, and no other of their kinds."""
    of_kind = {"ManagedCluster": kinds.MANAGED_CLUSTERS, "ManifestWork": kinds.FEEDBACK_WORKS}
    sorted_in: dict[kinds.Resource, list[Any]] = {
        kinds.MANAGED_CLUSTERS: [],
        kinds.FEEDBACK_WORKS: [],
        kinds.SPOKE_APPLICATIONS: [],
    }
    for each in objects:
        sorted_in[of_kind.get(each["kind"], kinds.SPOKE_APPLICATIONS)].append(each)
    return Snapshot(minute(-age), {kind: tuple(found) for kind, found in sorted_in.items()})


def witness(*objects: dict[str, Any], spoke: Expected = SPOKE, age: float = 0) -> SpokeWitness:
    [found] = read(look(*objects, age=age), [spoke], ALL, Witness(), now=NOW)
    return found


def klusterlet(*objects: dict[str, Any]) -> Klusterlet:
    found = witness(*objects).klusterlet
    assert found is not None
    return found


def service(*manifests: dict[str, Any], available: str = "True", **work: Any) -> Service:
    [found] = witness(hub.managed_cluster("a", available), hub.work("a", *manifests, **work)).services
    return found


def application(found: dict[str, Any], *others: dict[str, Any], spoke: Expected = SPOKE) -> Application:
    made = witness(hub.managed_cluster("a"), found, *others, spoke=spoke).application
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("available", "lease"),
    [("True", Lease.FRESH), ("False", Lease.API_DOWN), ("Unknown", Lease.STALE), ("", Lease.UNREPORTED)],
)
def test_lease_is_what_the_condition_says(available: str, lease: Lease) -> None:
    assert klusterlet(hub.managed_cluster("a", available)).lease is lease


def test_klusterlet_tells_since_when_taints_and_departure() -> None:
    managed = hub.managed_cluster("a", "Unknown", taints=("z", "cluster.open-cluster-management.io/unreachable"))
    managed["metadata"]["deletionTimestamp"] = hub.SINCE
    managed["spec"]["leaseDurationSeconds"] = 20
    found = klusterlet(managed)
    assert (found.since, found.deleting, found.grace) == (minute(-60), True, 100)
    assert found.taints == ("cluster.open-cluster-management.io/unreachable", "z")


def test_spoke_without_a_managed_cluster_has_no_lease() -> None:
    assert klusterlet(hub.managed_cluster("b")).lease is Lease.ABSENT


def test_kind_that_could_not_be_read_says_why_and_nothing_else() -> None:
    seen = Snapshot(NOW, {}, dict.fromkeys((kinds.MANAGED_CLUSTERS, kinds.FEEDBACK_WORKS), "403: no"))
    [found] = read(seen, [SPOKE], ALL, Witness(), now=NOW)
    assert found.lease is Lease.UNREAD
    assert found.klusterlet
    assert found.application
    assert "403: no" in found.klusterlet.detail
    assert (found.services[0].sight, found.application.sight) == (Sight.UNKNOWN, Sight.UNKNOWN)


@pytest.mark.parametrize("seen", [None, look(hub.managed_cluster("a"), age=6)])
def test_look_that_is_old_or_missing_says_nothing(seen: Snapshot | None) -> None:
    [found] = read(seen, [SPOKE], ALL, Witness(), now=NOW)
    assert (found.lease, found.services[0].sight) == (Lease.UNREAD, Sight.UNKNOWN)


def test_nobody_heard_is_no_witness() -> None:
    assert read(look(hub.managed_cluster("a")), [SPOKE], Heard(), Witness(), now=NOW) == ()


def test_served_version_that_is_gits_is_current() -> None:
    found = service(hub.manifest("m", **hub.serving("v3")))
    assert (found.sight, found.ready, found.same, found.current) == (Sight.PRESENT, True, True, True)
    assert (found.url, found.model_state, found.served) == ("https://m.example.com", "Loaded", WANTED.artifact)


def test_other_version_is_not_gits() -> None:
    found = service(hub.manifest("m", **hub.serving("v2")))
    assert (found.same, found.current, found.version) == (False, False, "v2")


def test_same_files_under_another_label_are_not_gits() -> None:
    assert service(hub.manifest("m", **hub.serving("v2", WANTED.artifact))).same is False


@pytest.mark.parametrize(
    "changes",
    [
        {"ready": "False"},
        {"ready": None},
        {"stopped": "True"},
        {"transition": "InProgress"},
        {"generation": 3},
        {"observedGeneration": None},
    ],
)
def test_version_on_its_way_is_the_same_but_not_known_to_be_served(changes: dict[str, object]) -> None:
    found = service(hub.manifest("m", **hub.serving("v3", **changes)))
    assert (found.same, found.current) == (True, None)


def test_what_both_do_not_tell_is_not_compared() -> None:
    said = hub.manifest("m", **hub.serving("v3", version=None, storageUri=None))
    assert (service(said).same, service(said).current) == (None, None)


def test_service_that_is_gone_is_absent_whatever_its_last_values_were() -> None:
    assert service(hub.manifest("m", available="False", **hub.serving("v3"))).sight is Sight.ABSENT


@pytest.mark.parametrize(
    "found",
    [
        hub.work("a"),
        hub.work("a", hub.manifest("other", **hub.serving("v3"))),
        hub.work("a", hub.manifest("m", available="Unknown", **hub.serving("v3"))),
        hub.work("a", hub.manifest("m", synced="False", **hub.serving("v3"))),
        hub.work("a", hub.manifest("m", **hub.serving("v3")), observed=0),
        hub.work("b", hub.manifest("m", **hub.serving("v3"))),
    ],
)
def test_feedback_that_the_agent_did_not_finish_is_unknown(found: dict[str, Any]) -> None:
    [seen] = witness(hub.managed_cluster("a"), found).services
    assert (seen.sight, seen.same, seen.ready) == (Sight.UNKNOWN, None, None)
    assert seen.detail


@pytest.mark.parametrize("available", ["False", "Unknown", ""])
def test_feedback_is_not_believed_while_the_klusterlet_is_not_well(available: str) -> None:
    found = service(hub.manifest("m", **hub.serving("v2")), available=available)
    assert (found.sight, found.same) == (Sight.UNKNOWN, None)


def test_feedback_is_believed_where_nobody_asks_for_leases() -> None:
    seen = look(hub.work("a", hub.manifest("m", **hub.serving("v3"))))
    [found] = read(seen, [SPOKE], Heard(feedback=True), Witness(), now=NOW)
    assert found.services[0].current is True


def test_argo_cd_tells_sync_health_revision_and_phase() -> None:
    found = application(hub.application("a", "OutOfSync", health="Degraded", phase="Failed", errors=("SyncError",)))
    assert (found.sync, found.health, found.revision, found.phase) == ("OutOfSync", "Degraded", "c0ffee", "Failed")
    assert found.errors == ("SyncError: SyncError happened",)


def test_warnings_of_argo_cd_are_no_errors() -> None:
    assert application(hub.application("a", errors=("OrphanedResourceWarning", "DeletionError"))).errors == ()


def applications(*objects: dict[str, Any]) -> list[Application | None]:
    """Those of both spokes."""
    return [one.application for one in read(look(*objects), [SPOKE, OTHER], ALL, Witness(), now=NOW)]


def test_missing_application_is_absent_where_argo_cd_has_others_of_the_fleet() -> None:
    missing, found = applications(hub.managed_cluster("a"), hub.application("b"))
    assert missing
    assert found
    assert (missing.sight, found.sight) == (Sight.ABSENT, Sight.PRESENT)


def test_application_of_another_name_is_known_by_its_folder() -> None:
    renamed = hub.application("a", "OutOfSync")
    renamed["metadata"]["name"] = "fleet-a"
    found = application(renamed)
    assert (found.name, found.sync) == ("fleet-a", "OutOfSync")


def test_application_of_another_namespace_is_nobodys() -> None:
    elsewhere = hub.application("a")
    elsewhere["metadata"]["namespace"] = "other"
    assert application(elsewhere).sight is Sight.UNKNOWN


def test_hub_without_applications_of_ours_says_nothing() -> None:
    found = witness(hub.managed_cluster("a")).application
    assert found
    assert (found.sight, "elsewhere" in found.detail) == (Sight.UNKNOWN, True)


def test_application_that_argo_cd_forgot_says_nothing() -> None:
    assert application(hub.application("a", reconciled=minute(-61))).sight is Sight.UNKNOWN
    assert application(hub.application("a", reconciled=minute(-59))).sight is Sight.PRESENT


def test_pulled_application_is_believed_only_while_the_klusterlet_is_well() -> None:
    pulled = replace(SPOKE, pull=True)
    found = witness(hub.managed_cluster("a", "Unknown"), hub.application("a"), spoke=pulled).application
    assert found
    assert found.sight is Sight.UNKNOWN
    assert application(hub.application("a"), spoke=pulled).sight is Sight.PRESENT


def test_application_that_waits_for_its_step_is_not_late() -> None:
    rolling = replace(SPOKE, rolling=True)
    assert application(hub.application("a", "OutOfSync"), spoke=rolling).waits
    assert not application(hub.application("a", "OutOfSync")).waits


def test_secret_in_argo_cds_words_is_veiled() -> None:
    found = hub.application("a", errors=("ComparisonError",))
    found["status"]["conditions"][0]["message"] = "cannot fetch https://me:hunter2@git.example.com/fleet.git"
    assert "hunter2" not in application(found).errors[0]


def shuffled(objects: list[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.permutations(objects)


FLEET: list[dict[str, Any]] = [
    *(hub.managed_cluster(name, said) for name, said in (("a", "True"), ("b", "Unknown"), ("c", "False"))),
    *(hub.work(name, hub.manifest("m", **hub.serving("v2"))) for name in "abc"),
    *(hub.application(name) for name in "abc"),
]


@given(shuffled(FLEET), st.permutations("abc"))
def test_order_of_objects_and_spokes_does_not_matter(objects: list[dict[str, Any]], names: Iterable[str]) -> None:
    spokes = [replace(SPOKE, cluster=name, application=(hub.ARGOCD, f"hubctl-{name}")) for name in names]
    found = read(look(*objects), spokes, ALL, Witness(), now=NOW)
    assert found == read(look(*FLEET), sorted(spokes, key=lambda one: one.cluster), ALL, Witness(), now=NOW)


JUNK = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=5), inner)
)


@given(st.dictionaries(st.sampled_from(["spec", "status"]), JUNK))
def test_object_of_another_form_is_unknown_and_no_error(body: dict[str, Any]) -> None:
    named = {"metadata": {"name": "a"}}
    assert klusterlet({"kind": "ManagedCluster", **named, **body}).lease is Lease.UNREPORTED
