"""The rights that deploy/ gives on a real API server: hubctl works under exactly its token, and may do nothing more.

The table of rights in docs/install.md is what is compared: with the manifests, and with what the server allows.
"""

import asyncio
import base64
import inspect
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hubctl.errors import RemoteFailed
from hubctl.fleet.cluster import connect
from hubctl.fleet.hubapi import HubApi
from hubctl.model import snapshot, watching
from hubctl.model.values import HubctlSection, HubValues
from tests.e2e.predictors import Loop
from tests.e2e.world import MARK, MODEL, World, until
from tests.kube.api import Api
from tests.kube.deployed import (
    ARGO,
    EVERYWHERE,
    NAMESPACE,
    ROOT,
    SPOKE,
    USER,
    Installed,
    Right,
    built,
    documented,
    granted,
    of_rule,
    token_of,
)

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

KINDS = [kind for _, kind in inspect.getmembers(snapshot, lambda found: isinstance(found, snapshot.Resource))]
"""Every kind that a part of hubctl looks at on the hub."""

NEVER = [
    ("", "secrets", "", "list"), ("", "secrets", "", "watch"), ("", "secrets", "other", "get"),
    ("", "secrets", "hubctl-poller", "update"), ("", "secrets", "hubctl-poller", "delete"),
    ("", "pods", "", "create"), ("", "pods", "", "list"), ("", "pods/exec", "", "create"), ("", "pods/log", "", "get"),
    ("", "configmaps", "", "list"), ("", "configmaps", "other", "get"), ("", "configmaps", "hubctl-status", "delete"),
    ("", "serviceaccounts/token", "", "create"), ("", "serviceaccounts", "", "impersonate"),
    ("", "namespaces", "", "create"), ("", "nodes", "", "list"), ("", "nodes/proxy", "", "get"),
    ("", "services/proxy", "", "get"), ("apps", "deployments", "", "patch"), ("apps", "deployments", "", "get"),
    ("coordination.k8s.io", "leases", "other", "update"), ("coordination.k8s.io", "leases", "hubctl", "delete"),
    ("rbac.authorization.k8s.io", "roles", "", "create"), ("rbac.authorization.k8s.io", "roles", "", "escalate"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "", "create"),
    ("cluster.open-cluster-management.io", "managedclusters", "", "patch"),
    ("cluster.open-cluster-management.io", "managedclusters", "", "delete"),
    ("work.open-cluster-management.io", "manifestworks", "", "create"),
    ("work.open-cluster-management.io", "manifestworks", "", "delete"),
    ("authentication.open-cluster-management.io", "managedserviceaccounts", "", "create"),
    ("argoproj.io", "applications", "", "patch"), ("argoproj.io", "applications", "", "create"),
    ("argoproj.io", "applicationsets", "", "list"), ("serving.kserve.io", "inferenceservices", "", "list"),
    ("*", "*", "", "*"),
]  # fmt: skip
"""What hubctl may do nowhere: changing anything of others, reading what is not for it, giving itself more."""


def test_component_that_is_in_no_overlay_grants_what_its_rows_say(kustomize: Path, tmp_path: Path) -> None:
    """An overlay with every component, as somebody might write it."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    whole = tmp_path / "deploy" / "overlays" / "whole"
    whole.mkdir()
    names = sorted(path.name for path in (ROOT / "deploy" / "components").iterdir())
    asked = {"resources": ["../../base"], "components": [f"../../components/{name}" for name in names]}
    (whole / "kustomization.yaml").write_text(yaml.safe_dump(asked))
    found = granted(built(kustomize, whole))
    assert sorted(found) == sorted(documented("openshift-acm", names))


def test_table_of_rights_is_what_the_manifests_grant(installed: Installed) -> None:
    assert sorted(granted(installed.objects)) == sorted(installed.rights)


def rules_in(client: httpx.Client, namespace: str) -> set[Right]:
    """What the server says that a token may do in a namespace."""
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = client.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json=asked)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    status = answer.json()["status"]
    assert not status["incomplete"]
    return {right for rule in status["resourceRules"] for right in of_rule(rule, namespace)}


@pytest.fixture
def nobody(installed: Installed, api: Api) -> Iterator[httpx.Client]:
    """A ServiceAccount beside ours to which nothing is bound: what everybody may do."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": NAMESPACE}}
    api.store(yaml.safe_dump(account))
    headers = {"authorization": f"Bearer {token_of(api, 'nobody')}"}
    base = installed.client.base_url
    with httpx.Client(base_url=base, verify=installed.trusted, headers=headers, trust_env=False) as client:
        yield client


def test_server_allows_in_each_namespace_what_the_table_says_and_nothing_more(
    installed: Installed, nobody: httpx.Client
) -> None:
    for namespace in installed.places:
        expected = {replace(right, namespace=namespace) for right in installed.rights if applies(right, namespace)}
        everybody = rules_in(nobody, namespace)
        found = settled(lambda: rules_in(installed.client, namespace) - everybody, expected)  # noqa: B023 - called at once
        assert found == expected, namespace


def applies(right: Right, namespace: str) -> bool:
    return right.namespace in (EVERYWHERE, namespace)


def settled(ask: Any, expected: set[Right]) -> set[Right]:
    """An answer that is right, or the last one: the authorizer follows its objects with a watch."""
    end = time.monotonic() + 30
    while (found := ask()) != expected and time.monotonic() < end:
        time.sleep(0.1)
    return set(found)


def may(client: httpx.Client, right: Right) -> bool:
    """What the server says to one question."""
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "namespace": "" if right.namespace == EVERYWHERE else right.namespace,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "name": right.name,
        "verb": right.verb,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=review)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return bool(answer.json()["status"]["allowed"])


def test_every_right_of_the_table_is_there_when_it_is_asked_for(installed: Installed) -> None:
    who = installed.client.post(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        json={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    )
    assert who.json()["status"]["userInfo"]["username"] == USER
    until(lambda: all(may(installed.client, right) for right in installed.rights), "all rights in force")


def test_nothing_that_is_for_others_is_allowed_anywhere(installed: Installed) -> None:
    for namespace in (*installed.places, EVERYWHERE):
        for group, resource, name, verb in NEVER:
            assert not may(installed.client, Right(namespace, group, resource, name, verb)), (namespace, resource, verb)


def test_every_kind_that_hubctl_looks_at_can_be_read(installed: Installed) -> None:
    """For a kind that a part of hubctl newly looks at: a rule in its component, and its row in docs/install.md."""
    if installed.overlay == "files":
        return
    gitops = {"argocdNamespace": ARGO[installed.overlay]}
    values = HubValues(hubctl=HubctlSection.model_validate({"gitops": gitops}))
    where = Right(ARGO[installed.overlay], "argoproj.io", "applications", "", "watch")
    until(lambda: may(installed.client, where), "rights in force")
    kinds = watching.placed(KINDS, values)
    for kind in kinds:
        assert may(installed.client, Right(kind.namespace or EVERYWHERE, kind.group, kind.plural, "", "watch")), kind
    looking = HubApi(connect(installed.kubeconfig, None, patient=False), kinds)

    def unread() -> set[str]:
        return set(asyncio.run(looking.snapshot(datetime.now(UTC))).unread.values())

    # A kind that was defined just now may say for a moment that its storage is initializing.
    until(lambda: not any("initializing" in why for why in unread()), "every kind is served")
    assert unread() == set()
    assert set(asyncio.run(looking.snapshot(datetime.now(UTC))).objects) == set(KINDS)


def test_token_of_a_spoke_can_be_read_and_no_other_secret(installed: Installed, api: Api) -> None:
    for name in ("hubctl-poller", "cloud-credentials"):
        data = {"token": base64.b64encode(b"t").decode()}
        meta = {"name": name, "namespace": SPOKE}
        api.store(yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}))
    reading = HubApi(connect(installed.kubeconfig, None, patient=False), ())
    if installed.overlay == "files":
        with pytest.raises(RemoteFailed, match="forbidden"):
            asyncio.run(reading.secret(SPOKE, "hubctl-poller"))
    else:
        assert asyncio.run(reading.secret(SPOKE, "hubctl-poller")) == {"token": b"t"}
    with pytest.raises(RemoteFailed, match="forbidden"):
        asyncio.run(reading.secret(SPOKE, "cloud-credentials"))


def written(client: httpx.Client, method: str, path: str, body: dict[str, Any], form: str = "json") -> int:
    """The status that a write with this token gets; server-side applies are by hubctl."""
    query = {"fieldManager": "hubctl", "force": "true"} if form == "apply-patch+yaml" else {}
    headers = {"content-type": f"application/{form}"}
    answer = client.request(method, path, params=query, content=json.dumps(body), headers=headers)
    return answer.status_code


def test_hubctl_can_write_its_lease_and_its_status_and_nobody_elses(installed: Installed, api: Api) -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "hubctl"}}
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    api.client.delete(f"{leases}/hubctl")
    place = Right(NAMESPACE, "coordination.k8s.io", "leases", "hubctl", "update")
    until(lambda: may(installed.client, place), "rights in force")
    assert written(installed.client, "POST", leases, lease) == httpx.codes.CREATED
    held = installed.client.get(f"{leases}/hubctl").json()
    held["spec"] = {"holderIdentity": "hubctl-0", "leaseDurationSeconds": 60}
    assert written(installed.client, "PUT", f"{leases}/hubctl", held) == httpx.codes.OK
    other = {**lease, "metadata": {"name": "other"}}
    assert written(installed.client, "PUT", f"{leases}/other", other) == httpx.codes.FORBIDDEN
    for name, expected in (("hubctl-status", (200, 201)), ("hubctl-service-ca", (403,))):
        status = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"conditions": "[]"}}
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}"
        assert written(installed.client, "PATCH", path, status, "apply-patch+yaml") in expected


def test_events_can_be_written_beside_what_they_are_about_and_nowhere_else(installed: Installed) -> None:
    rights = {right.namespace for right in installed.rights if right.resource == "events"}
    assert (rights == {NAMESPACE}) == (installed.overlay == "files")
    until(
        lambda: all(may(installed.client, Right(place, "events.k8s.io", "events", "", "create")) for place in rights),
        "",
    )
    for place in installed.places:
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"told-{uuid.uuid4().hex[:8]}"},
            "eventTime": "2026-11-23T12:00:00.000000Z",
            "regarding": {
                "kind": "ManagedCluster",
                "name": SPOKE,
                **({} if place == "default" else {"namespace": place}),
            },
            "type": "Normal",
            "reason": "Seen",
            "action": "Look",
            "note": "text",
            "reportingController": "hubctl.io/hubctl",
            "reportingInstance": "hubctl-0",
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{place}/events"
        expected = httpx.codes.CREATED if place in rights else httpx.codes.FORBIDDEN
        assert written(installed.client, "POST", path, event) == expected, place


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A fleet that hubctl never saw."""
    before = os.environ.get(MARK)
    os.environ[MARK] = before or uuid.uuid4().hex
    loop = Loop()
    world = World.made(tmp_path_factory.mktemp("deployed"), loop)
    yield world
    world.predictors.close()
    loop.close()
    if before is None:
        del os.environ[MARK]


def asks_everything(section: dict[str, Any], overlay: str) -> None:
    """Values that make hubctl use every right that the overlay gives: election, discovery, witnesses."""
    section["controller"] = {"leaderElection": {"enabled": True, "namespace": NAMESPACE}}
    if overlay != "files":
        section["gitops"]["argocdNamespace"] = ARGO[overlay]
        section["fleet"] = {"source": "both"}
        section["witness"] = {"managedClusters": True, "feedback": True, "applications": True}


def test_controller_works_under_exactly_this_token(
    installed: Installed, fleet: World, api: Api, tmp_path: Path
) -> None:
    world = fleet.copied(tmp_path / "world")
    world.edit_values(lambda section: asks_everything(section, installed.overlay))
    statuses = f"/api/v1/namespaces/{NAMESPACE}/configmaps/hubctl-status"
    api.client.delete(statuses)
    world.environ |= {"KUBECONFIG": str(installed.kubeconfig), "POD_NAMESPACE": NAMESPACE, "POD_NAME": "hubctl-0"}
    world.environ["HUBCTL_NAMESPACE"] = NAMESPACE
    try:
        assert world.reconcile()["problems"] == []
        before = world.predictors.polls("north", MODEL)
        with world.started("run", "--interval", "0.3s") as running:
            until(lambda: world.predictors.polls("north", MODEL) > before + 1, "two more passes")
            running.process.terminate()
            assert running.ended() == 0
        assert "forbidden" not in running.said.lower()
        assert "failed" not in running.said
        lease = api.client.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/hubctl").json()
        assert lease["spec"]["leaseTransitions"] >= 2  # the pass by hand, and the controller
        assert api.client.get(statuses).is_success
    finally:
        world.predictors.close()
