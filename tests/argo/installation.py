"""One installation of Argo CD on the hub, what ACM puts beside it, and a fleet that hubctl delivers through it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.kube import fleets
from tests.kube.api import Api, split
from tests.publish.httpsgit import HttpsGit
from tests.publish.remotes import Remote

Seen = TypeVar("Seen")
Object = dict[str, Any]

PROJECT, PLACEMENT = "hubctl-fleet", "hubctl-fleet"
PLACEMENTS = {
    "apiVersion": "cluster.open-cluster-management.io/v1beta1",
    "kind": "placementdecisions",
    "statusListKey": "decisions",
    "matchKey": "clusterName",
}
"""What a GitOpsCluster writes into the ConfigMap that the generator reads."""

REFRESH = "argocd.argoproj.io/application-set-refresh"
MERGE = {"content-type": "application/merge-patch+json"}


def eventually(look: Callable[[], Seen], wanted: Callable[[Seen], bool], *, seconds: float = 60) -> Seen:
    """What is seen once it is as wanted; fails with what was seen last."""
    until = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < until, f"not within {seconds} s: {seen}"
        time.sleep(0.1)
    return seen


@dataclass(frozen=True, slots=True)
class Installation:
    """A namespace of Argo CD, a folder of a fleet, and its remote.

    Attributes:
        api: the hub's API server.
        namespace: Argo CD's own, for ``argocdNamespace``.
        fleet: hubctl's directory.
        remote: where hubctl pushes.
        url: the same as Argo CD reads it.
        programs: holds ``kustomize``.
    """

    api: Api
    namespace: str
    fleet: Path
    remote: Remote
    url: str
    programs: Path

    @classmethod
    def made(cls, api: Api, home: Path, git: HttpsGit, programs: Path) -> "Installation":
        """Argo CD's settings with the repository that it may read, and a remote without commits."""
        name = f"argo-{home.name.replace('_', '-').lower()[:40]}"
        remote = Remote.made(git.root / f"{name}.git")
        made = cls(api, name, home / "fleet", remote, git.url(f"{name}.git"), programs)
        api.make_namespace(name)
        settings = {"app.kubernetes.io/part-of": "argocd"}
        made.put("ConfigMap", "argocd-cm", {"data": {}}, settings)
        made.put("ConfigMap", "argocd-rbac-cm", {"data": {}}, settings)
        made.put("Secret", "argocd-secret", {"stringData": {"server.secretkey": "throwaway"}}, settings)
        reader = {"type": "git", "url": made.url, "username": git.user, "password": git.password}
        made.put("Secret", "repository", {"stringData": reader}, {"argocd.argoproj.io/secret-type": "repository"})
        return made

    def put(self, kind: str, name: str, content: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        """Writes an object of the core group into the namespace."""
        metadata = {"name": name, "namespace": self.namespace, "labels": dict(labels)}
        self.api.store(json.dumps({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}))

    def write(self, delivery: Mapping[str, Any], *spokes: Mapping[str, Any]) -> None:
        """The fleet's files, with two models that spokes may serve, and the group that a delivery's steps name."""
        kserve = {"models": [{"name": "detector"}, {"name": "other"}]}
        ours = {"delivery": dict(delivery), "groups": [{"name": "gpu", "match": {"gpu": "yes"}}]}
        self.write_values({"coordinationEngine": {"kserve": kserve}, "hubctl": ours}, *spokes)

    def write_values(self, values: Mapping[str, Any], *spokes: Mapping[str, Any]) -> None:
        """The fleet's files, with any values; where to publish is filled in."""
        gitops = {"remote": str(self.remote.path), "repoURL": self.url, "argocdNamespace": self.namespace}
        fleets.write_fleet(self.fleet, {**values, "hubctl": {**values["hubctl"], "gitops": gitops}}, *spokes)

    def hubctl(self, *arguments: str) -> str:
        """Runs hubctl as a person would; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "hubctl", "-C", str(self.fleet), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.fleet.parent), "GIT_CONFIG_NOSYSTEM": "1"},
            cwd=fleets.ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def publish(self, *arguments: str) -> str:
        """Publishes the fleet; the branch's tip."""
        self.hubctl("publish", *arguments)
        return self.remote.tip()

    def apply_hub(self, change: Callable[[str], str] = str, *, force: bool = True) -> None:
        """Applies the rendered hub as `docs/operations.md` says, each object changed before."""
        self.hubctl("render", "--output", str(self.fleet.parent / "build"))
        for document in self.built(self.fleet.parent / "build" / "hub"):
            self.api.store(change(document), force=str(force).lower())

    def built(self, folder: Path) -> list[str]:
        """What kustomize makes of a folder."""
        done = subprocess.run(
            [self.programs / "kustomize", "build", folder], capture_output=True, text=True, check=True, timeout=60
        )
        return split(done.stdout)

    def begin(self, delivery: Mapping[str, Any], *spokes: Mapping[str, Any]) -> str:
        """A fleet published and its hub's objects applied; the branch's tip."""
        self.write(delivery, *spokes)
        tip = self.publish()
        self.apply_hub()
        return tip

    def register(
        self, cluster: str, access: Mapping[str, str] | None = None, *, labels: Mapping[str, str] | None = None
    ) -> None:
        """Makes a cluster known to Argo CD, as a GitOpsCluster does: by a Secret with the ManagedCluster's labels.

        Args:
            cluster: its name.
            access: more keys of the Secret; without any, nothing answers there, as in the pull model.
            labels: of the ManagedCluster.
        """
        marks = {
            **(labels or {}),
            "argocd.argoproj.io/secret-type": "cluster",
            "apps.open-cluster-management.io/acm-cluster": "true",
            "apps.open-cluster-management.io/cluster-name": cluster,
        }
        data = {"name": cluster, "server": f"https://{cluster}-control-plane", **(access or {})}
        self.put("Secret", f"{cluster}-application-manager-cluster-secret", {"stringData": data}, marks)

    def decide(self, *clusters: str, placement: str = PLACEMENT, config_map: str = "acm-placement") -> None:
        """What OCM's placement controller and the GitOpsCluster's write for a Placement."""
        self.put("ConfigMap", config_map, {"data": PLACEMENTS}, {})
        name, label = f"{placement}-decision-1", "cluster.open-cluster-management.io/placement"
        metadata = {"name": name, "namespace": self.namespace, "labels": {label: placement}}
        document = {"apiVersion": PLACEMENTS["apiVersion"], "kind": "PlacementDecision", "metadata": metadata}
        self.api.store(json.dumps(document))
        decisions = [{"clusterName": cluster, "reason": ""} for cluster in clusters]
        self._merge(f"{self._decisions}/{name}/status", {"status": {"decisions": decisions}})

    def unregister(self, cluster: str) -> None:
        """Makes Argo CD forget a cluster."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{cluster}-application-manager-cluster-secret"
        self.api.client.delete(path).raise_for_status()

    def forget_decisions(self) -> None:
        """No PlacementDecision is left, as when the Placement goes."""
        self.api.client.delete(self._decisions).raise_for_status()

    def sets(self) -> dict[str, Object]:
        """The ApplicationSets by their names."""
        return self._listed(self._of("applicationsets"))

    def applications(self) -> dict[str, Object]:
        """The Applications by their names."""
        return self._listed(self._of("applications"))

    def refresh(self) -> None:
        """Lets every ApplicationSet be reconciled, as a webhook does, and waits for the end of a pass begun after this.

        The controller takes the mark off at the end of a pass, also of one that was under way when the mark came. So
        the first mark may end with a pass that saw nothing new; the second one ends with a later pass.
        """
        for _ in range(2):
            self.mark_for_refresh()
            eventually(self.sets, lambda sets: not any(REFRESH in _annotations(each) for each in sets.values()))

    def mark_for_refresh(self) -> None:
        """The same without waiting, for what ends in an error: then the mark stays."""
        for name in self.sets():
            self._merge(f"{self._of('applicationsets')}/{name}", {"metadata": {"annotations": {REFRESH: "true"}}})

    def error(self, name: str) -> str:
        """Why an ApplicationSet could not be reconciled; empty while it could, or nobody looked."""
        conditions = self.sets()[name].get("status", {}).get("conditions", [])
        found = [each["message"] for each in conditions if (each["type"], each["status"]) == ("ErrorOccurred", "True")]
        return str(found[0]) if found else ""

    def _listed(self, path: str) -> dict[str, Object]:
        answer = self.api.client.get(path)
        answer.raise_for_status()
        return {each["metadata"]["name"]: each for each in answer.json()["items"]}

    def _merge(self, path: str, change: Mapping[str, Any]) -> httpx.Response:
        answer = self.api.client.patch(path, content=json.dumps(change), headers=MERGE)
        assert answer.is_success, answer.text
        return answer

    def _of(self, resource: str) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/{resource}"

    @property
    def _decisions(self) -> str:
        group = PLACEMENTS["apiVersion"]
        return f"/apis/{group}/namespaces/{self.namespace}/placementdecisions"


def _annotations(item: Object) -> Object:
    found: Object = item["metadata"].get("annotations", {})
    return found
