"""A second API server that plays a spoke: no Argo CD of its own, and a token by which the hub's comes in."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kube.api import Api

AGENTS, ACCOUNT = "open-cluster-management-agent-addon", "application-manager"
"""Where ACM's ManagedServiceAccount of that name has its account on a spoke."""

DAY = 86400


@dataclass(frozen=True, slots=True)
class Cluster:
    """A spoke's API server.

    Attributes:
        access: ``server`` and ``config`` of an Argo CD cluster Secret.
    """

    api: Api
    access: dict[str, str]

    @classmethod
    def made(cls, api: Api, folder: Path) -> "Cluster":
        """A cluster with the hub's account, which may do everything.

        Args:
            api: its API server.
            folder: holds what ``apiserver.running`` wrote.
        """
        api.make_namespace(AGENTS)
        account = {"name": ACCOUNT, "namespace": AGENTS}
        api.store(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}))
        group = "rbac.authorization.k8s.io"
        binding = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", **account}],
        }
        api.store(json.dumps(binding))
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": DAY}}
        answer = api.client.post(f"/api/v1/namespaces/{AGENTS}/serviceaccounts/{ACCOUNT}/token", json=asked)
        answer.raise_for_status()
        authority = base64.b64encode((folder / "ca.pem").read_bytes()).decode()
        config = {"bearerToken": answer.json()["status"]["token"], "tlsClientConfig": {"caData": authority}}
        return cls(api, {"server": str(api.client.base_url).rstrip("/"), "config": json.dumps(config)})

    def change(self, path: str, content: object) -> None:
        """A change by somebody on the spoke, as a merge patch."""
        headers = {"content-type": "application/merge-patch+json"}
        answer = self.api.client.patch(path, content=json.dumps(content), headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
