"""deploy/ on a real API server: taken whole, hubctl works under exactly its token, and may do nothing more.

The table of rights in docs/install.md is what is compared: with the manifests, and with what the server allows.
"""

import asyncio
import base64
import copy
import inspect
import json
import os
import shutil
import ssl
import time
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
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
from tests.docs import markdown
from tests.e2e.predictors import Loop
from tests.e2e.world import MARK, MODEL, World, until
from tests.kube import parts
from tests.kube.api import Api, lost
from tests.kube.deployed import EVERYWHERE, NAMESPACE, OVERLAYS, ROOT, USER, Right, built, granted, of_rule

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

SPOKE = "deployed-spoke"
"""Namespace of a ManagedCluster on the hub."""

ARGO = {"kubernetes-ocm": "argocd", "openshift-acm": "openshift-gitops"}
PROXY = {"kubernetes-ocm": "open-cluster-management-addon", "openshift-acm": "multicluster-engine"}

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


@pytest.fixture(scope="session")
def kustomize(request: pytest.FixtureRequest) -> Path:
    (folder,) = parts.built(ROOT / "tests" / "kube" / "kustomize.sh", request.config)
    return folder


@dataclass(frozen=True, slots=True)
class Installed:
    """An overlay on the server, and a way in as hubctl's Pod has it."""

    overlay: str
    objects: list[dict[str, Any]]
    kubeconfig: Path
    client: httpx.Client
    trusted: ssl.SSLContext

    @property
    def rights(self) -> set[Right]:
        return documented(self.overlay, components(self.overlay))

    @property
    def places(self) -> list[str]:
        """Namespaces to look into: hubctl's own, those of others with something for it, and some with nothing."""
        named = {right.namespace for right in self.rights} - {EVERYWHERE}
        return sorted({*named, NAMESPACE, SPOKE, "default", "kube-system", "kube-public"})


def components(overlay: str) -> list[str]:
    """Those that an overlay takes."""
    read = yaml.safe_load((ROOT / "deploy" / "overlays" / overlay / "kustomization.yaml").read_text())
    return [Path(path).name for path in read["components"]]


def documented(overlay: str, used: Collection[str]) -> set[Right]:
    """The rights that docs/install.md lists for some components, in the namespaces of an overlay."""
    found = set()
    for component, where, group, resources, names, verbs, _ in markdown.page("docs/install.md").rows("What it may do"):
        if component not in ("base", *used):
            continue
        places = {"Argo CD": ARGO.get(overlay, ""), "cluster-proxy": PROXY.get(overlay, "")}
        rule = {
            "apiGroups": ["" if one == "core" else one for one in group.replace("`", "").split(", ")],
            "resources": resources.replace("`", "").split(", "),
            "resourceNames": [] if names == "-" else names.replace("`", "").split(", "),
            "verbs": verbs.replace("`", "").split(", "),
        }
        found |= set(of_rule(rule, places.get(where, where)))
    return found


@pytest.fixture(scope="module", params=OVERLAYS)
def installed(
    request: pytest.FixtureRequest,
    api: Api,
    kubeconfig: Path,
    server_folder: Path,
    kustomize: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installed]:
    """Applied for real; what gives rights is gone afterwards, so that no overlay lends some to the next."""
    objects = built(kustomize, ROOT / "deploy" / "overlays" / request.param)
    for one in objects:
        api.make_namespace(one["metadata"].get("namespace", NAMESPACE))
    api.make_namespace(SPOKE)
    for one in objects:
        api.store(yaml.safe_dump(one), fieldValidation="Strict", force="true")
    token = token_of(api, "hubctl")
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    file = tmp_path_factory.mktemp("token") / "kubeconfig"
    file.write_text(json.dumps(config))
    trusted = ssl.create_default_context(cafile=server_folder / "ca.pem")
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=api.client.base_url, verify=trusted, headers=headers, trust_env=False) as client:
        yield Installed(request.param, objects, file, client, trusted)
    for one in objects:
        if one["apiVersion"].startswith("rbac."):
            assert api.remove(yaml.safe_dump(one))


def token_of(api: Api, account: str) -> str:
    """A token as the kubelet would ask for."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = api.client.post(path, json=asked)
    answer.raise_for_status()
    return str(answer.json()["status"]["token"])


def test_every_object_is_taken_strictly(installed: Installed, api: Api) -> None:
    for one in installed.objects:
        answer = api.ask(yaml.safe_dump(one), how="apply")
        assert answer.accepted, (one["kind"], answer.message)
        assert not lost({key: one[key] for key in ("spec", "data", "rules") if key in one}, answer.stored)


def pod_of(installed: Installed) -> dict[str, Any]:
    (deployment,) = [one for one in installed.objects if one["kind"] == "Deployment"]
    template = copy.deepcopy(deployment["spec"]["template"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "generateName": "hubctl-", "namespace": NAMESPACE},
        "spec": template["spec"],
    }


def would_run(api: Api, pod: dict[str, Any]) -> httpx.Response:
    return api.client.post(f"/api/v1/namespaces/{NAMESPACE}/pods", params={"dryRun": "All"}, json=pod)


def test_pod_is_let_in_where_pod_security_is_restricted(installed: Installed, api: Api) -> None:
    answer = would_run(api, pod_of(installed))
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert "warning" not in answer.headers


def test_pod_security_is_really_asked(installed: Installed, api: Api) -> None:
    pod = pod_of(installed)
    del pod["spec"]["containers"][0]["securityContext"]["capabilities"]
    answer = would_run(api, pod)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "unrestricted capabilities" in answer.json()["message"]


def test_container_can_write_to_volumes_only(installed: Installed) -> None:
    spec = pod_of(installed)["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")} == {
        "/tmp",  # noqa: S108 - of the container
        "/var/lib/hubctl",
    }
    assert "runAsUser" not in json.dumps(spec)  # OpenShift chooses one


def test_two_replicas_share_a_database_and_one_has_a_file(installed: Installed) -> None:
    (deployment,) = [one for one in installed.objects if one["kind"] == "Deployment"]
    environment = {one["name"] for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (deployment["spec"]["replicas"] == 2) == ("HUBCTL_STORE_URL" in environment)


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
    seen = asyncio.run(looking.snapshot(datetime.now(UTC)))
    assert seen.unread == {}
    assert set(seen.objects) == set(KINDS)


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


def test_controller_works_under_exactly_this_token(installed: Installed, fleet: World, tmp_path: Path) -> None:
    world = fleet.copied(tmp_path / "world")
    world.environ |= {"KUBECONFIG": str(installed.kubeconfig), "POD_NAMESPACE": NAMESPACE, "POD_NAME": "hubctl-0"}
    try:
        assert world.reconcile()["problems"] == []
        before = world.predictors.polls("north", MODEL)
        with world.started("run", "--interval", "0.3s") as running:
            until(lambda: world.predictors.polls("north", MODEL) > before + 1, "two more passes")
            running.process.terminate()
            assert running.ended() == 0
        assert "forbidden" not in running.said.lower()
        assert "failed" not in running.said
    finally:
        world.predictors.close()
