"""Other people's lists of clusters are read for what they say, and their credentials not at all."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs import inventory
from hubctl.model.found import Found, minor, outdated


def managed(
    name: str = "edge",
    *,
    labels: dict[str, str] | None = None,
    claims: dict[str, str] | None = None,
    kubernetes: str = "v1.31.4",
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"hubAcceptsClient": True, **spec},
        "status": {
            "version": {"kubernetes": kubernetes},
            "clusterClaims": [{"name": key, "value": value} for key, value in (claims or {}).items()],
        },
    }


def one(**given: Any) -> Found:
    found = inventory.managed_clusters([managed(**given)])
    return found[0]


@pytest.mark.parametrize(
    ("claims", "labels", "platform", "version"),
    [
        ({"version.openshift.io": "4.18.9"}, {}, "openshift", "4.18"),
        ({"product.open-cluster-management.io": "ROSA", "version.openshift.io": "4.19.0"}, {}, "openshift", "4.19"),
        ({}, {"vendor": "OpenShift", "openshiftVersion": "4.20.1"}, "openshift", "4.20"),
        ({"product.open-cluster-management.io": "EKS"}, {}, "kubernetes", "1.31"),
        ({"kubeversion.open-cluster-management.io": "v1.33.1-gke.1"}, {"vendor": "Other"}, "kubernetes", "1.33"),
        ({"version.microshift.io": "4.18.2"}, {"vendor": "MicroShift"}, "kubernetes", "1.31"),
    ],
)
def test_platform_and_version_come_from_claims_or_labels(
    claims: dict[str, str], labels: dict[str, str], platform: str, version: str
) -> None:
    found = one(claims=claims, labels=labels)
    assert (found.platform, found.version, found.problem) == (platform, version, "")


@pytest.mark.parametrize(
    ("told", "topology"),
    [("SingleReplica", "sno"), ("HighlyAvailable", "ha"), ("External", "ha"), ("HighlyAvailableArbiter", "ha")],
)
def test_topology_is_that_of_the_control_plane(told: str, topology: str) -> None:
    assert one(claims={"controlplanetopology.openshift.io": told}).topology == topology


def test_topology_that_nothing_says_stays_open() -> None:
    assert one().topology == ""


def test_labels_that_change_with_each_update_are_left_out() -> None:
    labels = {
        "region": "eu", "name": "edge", "clusterID": "1", "openshiftVersion": "4.18.1", "openshiftVersion-major": "4",
        "feature.open-cluster-management.io/addon-x": "available", "cloud": "auto-detect",
        "cluster.open-cluster-management.io/clusterset": "factories",
    }  # fmt: skip
    assert one(labels=labels).labels == {"region": "eu", "cluster.open-cluster-management.io/clusterset": "factories"}


@pytest.mark.parametrize("claimed", ["", "a b", "x" * 64, "eu\nwest", "{{ secret }}"])
def test_claim_that_could_be_no_label_becomes_none(claimed: str) -> None:
    assert one(claims={"region.open-cluster-management.io": claimed, "version.openshift.io": "4.18.1"}).labels == {}


def test_cluster_of_unknown_product_is_noted() -> None:
    assert one().notes == ("no claim names its product; taken for Kubernetes",)


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        (managed(kubernetes=""), "has reported no version"),
        (managed(hubAcceptsClient=False), "not accepted"),
        (managed() | {"metadata": {"name": "edge", "deletionTimestamp": "2026-01-01T00:00:00Z"}}, "being deleted"),
        ({"kind": "ManagedCluster", "metadata": {"name": "x"}, "spec": {"hubAcceptsClient": "true"}}, "no version"),
    ],
)
def test_cluster_that_is_no_spoke_now_says_why(cluster: dict[str, Any], why: str) -> None:
    assert why in inventory.managed_clusters([cluster])[0].problem


def test_hub_is_left_out_by_its_label_and_not_by_its_name() -> None:
    every = [managed("local-cluster"), managed("boss", labels={"local-cluster": "true"})]
    assert [found.name for found in inventory.managed_clusters(every)] == ["local-cluster"]
    assert len(inventory.managed_clusters(every, with_hub=True)) == 2


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"kind": "List", "items": [managed("a"), managed("b")]}),
        yaml.safe_dump({"kind": "ManagedClusterList", "items": [managed("a"), managed("b")]}),
        yaml.safe_dump_all([managed("a"), managed("b")]) + "---\n",
        yaml.safe_dump_all([{"kind": "List", "items": [managed("a")]}, managed("b")]),
    ],
)
def test_list_documents_and_json_are_read_alike(text: str) -> None:
    assert [found.name for found in inventory.managed_clusters(inventory.objects(text, "f"))] == ["a", "b"]


@pytest.mark.parametrize("text", ["kind: Pod\nmetadata: {name: a}\n", "- 1\n- 2\n", "{a: [}", "kind: ManagedCluster\n"])
def test_anything_else_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputError) as caught:
        inventory.objects(text, "list.yaml")
    assert caught.value.where.startswith("list.yaml")


def test_version_without_quotes_keeps_its_zero() -> None:
    text = yaml.safe_dump(managed()).replace("v1.31.4", "1.30")
    assert inventory.managed_clusters(inventory.objects(text, "f"))[0].version == "1.30"


TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"


def kubeconfig(*servers: str) -> str:
    return yaml.safe_dump(
        {
            "kind": "Config",
            "clusters": [{"name": f"c{i}", "cluster": {"server": server}} for i, server in enumerate(servers)],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [
                {"name": f"edge-{i}", "context": {"cluster": f"c{i}", "user": "me"}} for i, _ in enumerate(servers)
            ],
        }
    )


def test_each_context_is_a_cluster_with_its_server() -> None:
    found = inventory.contexts(kubeconfig("https://a:6443", "https://b:6443"), "config")
    assert [(one.name, one.server) for one in found] == [("edge-0", "https://a:6443"), ("edge-1", "https://b:6443")]
    assert TOKEN not in repr(found)


def test_only_chosen_contexts_are_taken() -> None:
    found = inventory.contexts(kubeconfig("https://a", "https://b"), "config", ["edge-1"])
    assert [one.name for one in found] == ["edge-1"]


def test_second_context_of_a_server_is_the_same_cluster() -> None:
    found = inventory.contexts(kubeconfig("https://a", "https://a"), "config")
    assert found[1].problem == "is the same cluster as context edge-0; choose one with --context"


def test_server_with_a_password_is_refused_and_not_kept() -> None:
    found = inventory.contexts(kubeconfig("https://me:hunter22@a"), "config")
    assert "holds a user or password" in found[0].problem
    assert "hunter22" not in repr(found)


def test_unknown_context_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="found no context 'edge-9', expected one of edge-0") as caught:
        inventory.contexts(kubeconfig("https://a"), "config", ["edge-9"])
    assert caught.value.hint == "did you mean edge-0?"


@given(st.integers(0, 40), st.sampled_from(["\t", "{", "]", "'", '"', ":", "&", "*", "%", "`"]))
@settings(deadline=None)
def test_broken_kubeconfig_never_shows_a_line_of_itself(line: int, mark: str) -> None:
    lines = kubeconfig("https://a", "https://b").splitlines()
    at = line % len(lines)
    lines[at] = mark + lines[at]
    said = ""
    try:
        inventory.contexts("\n".join(lines), "config")
    except InputError as error:
        said = f"{error} {error.hint}"
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("version", "short"), [("v1.31.4-eks-1a2b", "1.31"), ("4.18.9", "4.18"), ("4.20", "4.20"), ("x", ""), ("", "")]
)
def test_version_is_cut_to_major_and_minor(version: str, short: str) -> None:
    assert minor(version) == short


@pytest.mark.parametrize(
    ("platform", "old", "new"),
    [("openshift", "4.17", "4.18"), ("openshift", "3.30", "5.0"), ("kubernetes", "1.27", "1.100")],
)
def test_version_below_the_supported_is_told(platform: str, old: str, new: str) -> None:
    assert f"{platform} {old} is older than" in outdated(platform, old)
    assert outdated(platform, new) == ""


def test_version_that_is_not_known_is_not_called_old() -> None:
    assert outdated("openshift", "") == outdated("", "1.1") == ""
