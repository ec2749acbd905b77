"""deploy/ as kustomize builds it: the objects of an overlay, and what they let hubctl do."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("files", "kubernetes-ocm", "openshift-acm")
NAMESPACE = "hubctl"
USER = f"system:serviceaccount:{NAMESPACE}:hubctl"
EVERYWHERE = "every namespace"


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


def granted(objects: list[dict[str, Any]]) -> set[Right]:
    """The rights of hubctl's ServiceAccount, read from the objects."""
    roles = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one["rules"]
        for one in objects
        if one["kind"] in ("Role", "ClusterRole")
    }
    found: set[Right] = set()
    for one in objects:
        if one["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        assert one["subjects"] == [{"kind": "ServiceAccount", "name": "hubctl", "namespace": NAMESPACE}], one
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
