"""deploy/ as kustomize builds it: the objects of an overlay, and what they let hubctl do."""

import ssl
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.docs import markdown
from tests.kube.api import Api

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("files", "kubernetes-ocm", "openshift-acm")
NAMESPACE = "hubctl"
USER = f"system:serviceaccount:{NAMESPACE}:hubctl"
EVERYWHERE = "every namespace"
WORKER = "hubctl-worker"
_SUBJECT = {"kind": "ServiceAccount", "name": "", "namespace": NAMESPACE}
SPOKE = "deployed-spoke"
"""Namespace of a ManagedCluster on the hub."""

ARGO = {"kubernetes-ocm": "argocd", "openshift-acm": "openshift-gitops"}
PROXY = {"kubernetes-ocm": "open-cluster-management-addon", "openshift-acm": "multicluster-engine"}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that may be done.

    Attributes:
        namespace: where, or ``EVERYWHERE``, which includes objects without a namespace.
        name: of the only object that it is for; empty for all.
    """

    namespace: str
    group: str
    resource: str
    name: str
    verb: str


def built(kustomize: Path, folder: Path) -> list[dict[str, Any]]:
    """What ``kubectl apply -k`` would send."""
    done = subprocess.run([kustomize / "kustomize", "build", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]


def granted(objects: list[dict[str, Any]], account: str = "hubctl") -> set[Right]:
    """The rights of a ServiceAccount, read from the objects; nobody but hubctl and its workers gets any."""
    roles = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one["rules"]
        for one in objects
        if one["kind"] in ("Role", "ClusterRole")
    }
    found: set[Right] = set()
    for one in objects:
        if one["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        names = [subject["name"] for subject in one["subjects"]]
        assert {"hubctl"} <= set(names) <= {"hubctl", WORKER}, one
        assert all(subject | {"name": ""} == _SUBJECT for subject in one["subjects"]), one
        if account not in names:
            continue
        namespace = one["metadata"].get("namespace", "")
        role = one["roleRef"]
        rules = roles[role["kind"], namespace if role["kind"] == "Role" else "", role["name"]]
        found |= {right for rule in rules for right in of_rule(rule, namespace or EVERYWHERE)}
    return found


def of_rule(rule: Mapping[str, Any], namespace: str) -> Iterator[Right]:
    """Every single right of a rule; rules about paths, which everybody has, are left out."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for name in rule.get("resourceNames") or ("",):
                for verb in rule["verbs"]:
                    yield Right(namespace, group, resource, name, verb)


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


def token_of(api: Api, account: str) -> str:
    """A token as the kubelet would ask for."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = api.client.post(path, json=asked)
    answer.raise_for_status()
    return str(answer.json()["status"]["token"])
