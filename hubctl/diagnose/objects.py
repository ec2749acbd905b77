"""What single objects of the hub say of themselves: their conditions, put into a fault and its repair."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hubctl.diagnose.need import (
    APPLICATION_SETS,
    BINDINGS,
    GITOPS_CLUSTERS,
    PERMISSIONS,
    PLACEMENTS,
    Need,
)
from hubctl.model.check import Check
from hubctl.model.listed import Name
from hubctl.model.snapshot import APPLICATIONS, SERVICE_ACCOUNTS, WORKS, Resource

Fault = tuple[str, str]
"""What is wrong, and what to do."""

_MOST = 200
"""Characters shown of a message."""

_NOT_YET = ("Missing", "Unknown", "Degraded")


def conditions(found: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Type of each condition to its status and its message, else its reason."""
    listed = (found.get("status") or {}).get("conditions") or ()
    return {
        str(one.get("type")): (str(one.get("status", "")), str(one.get("message") or one.get("reason") or ""))
        for one in listed
    }


def fault(resource: Resource, found: Mapping[str, Any]) -> Fault | None:
    """What is wrong with an object by its own word; None when it says that it is well, or says nothing yet."""
    reader = _READERS.get(resource)
    return reader(found) if reader else None


def applications(need: Need, seen: Mapping[Resource, Mapping[Name, Mapping[str, Any]]]) -> Iterator[Check]:
    """Spokes without the Application that should deliver to them, and Applications that do not."""
    known = seen.get(APPLICATIONS)
    if known is None or APPLICATION_SETS not in need.objects:
        return
    for spoke, name in need.applications.items():
        found = known.get((need.namespace, name))
        if found is None:
            hint = "see the conditions of the ApplicationSet, and whether Argo CD knows the cluster"
            yield Check(f"hub delivery {spoke}", "failed", f"there is no Application {need.namespace}/{name}", hint)
        elif trouble := _application(found):
            yield Check(f"hub delivery {spoke}", "failed", f"Application {name} {trouble[0]}", trouble[1])


def _application(found: Mapping[str, Any]) -> Fault | None:
    status = found.get("status") or {}
    for one in status.get("conditions") or ():
        if str(one.get("type", "")).endswith("Error"):
            return (
                f"{one['type']}: {_cut(one.get('message'))}",
                "repair what Argo CD names, then refresh the Application",
            )
    operation = status.get("operationState") or {}
    if operation.get("phase") in ("Failed", "Error"):
        return f"failed to sync: {_cut(operation.get('message'))}", "repair what Argo CD names, then sync again"
    health = str((status.get("health") or {}).get("status", ""))
    if health in _NOT_YET:
        return f"is {health}", "see which of its resources are not well: `kubectl get` them on the spoke"
    return None


def _negative(kind: str, hint: str) -> Callable[[Mapping[str, Any]], Fault | None]:
    """A reader of a condition that should be True."""

    def read(found: Mapping[str, Any]) -> Fault | None:
        status, message = conditions(found).get(kind, ("", ""))
        return (f"{kind} is {status}: {_cut(message)}", hint) if status in ("False", "Unknown") else None

    return read


def _placement(found: Mapping[str, Any]) -> Fault | None:
    said = conditions(found)
    if said.get("PlacementMisconfigured", ("", ""))[0] == "True":
        return f"is misconfigured: {_cut(said['PlacementMisconfigured'][1])}", "correct hubctl.delivery.placement"
    status, message = said.get("PlacementSatisfied", ("", ""))
    if status == "False":
        return f"selects too few: {_cut(message)}", "bind the cluster set, and put the clusters into it"
    return None


def _gitops(found: Mapping[str, Any]) -> Fault | None:
    status = found.get("status") or {}
    ready, told = conditions(found).get("Ready", ("", ""))
    if status.get("phase") == "failed" or ready == "False":
        return (
            f"failed: {_cut(told or status.get('message'))}",
            "repair what it names; until then Argo CD knows no cluster",
        )
    return None


def _account(found: Mapping[str, Any]) -> Fault | None:
    said = conditions(found)
    if said.get("TokenReported", ("", ""))[0] == "False" or said.get("SecretCreated", ("", ""))[0] == "False":
        detail = said.get("TokenReported", ("", ""))[1] or said.get("SecretCreated", ("", ""))[1]
        return f"has no token: {_cut(detail)}", "see the add-on managed-serviceaccount on the spoke"
    if not ((found.get("status") or {}).get("tokenSecretRef") or {}).get("name"):
        return "has no token yet", "wait a minute, then see the add-on managed-serviceaccount on the spoke"
    return None


def _application_set(found: Mapping[str, Any]) -> Fault | None:
    status, message = conditions(found).get("ErrorOccurred", ("", ""))
    if status != "True":
        return None
    if "placementdecisions" in message and "forbidden" in message:
        return _cut(message), "let Argo CD's ApplicationSet controller list placementdecisions: GitOpsCluster does that"
    return _cut(message), "repair what the ApplicationSet controller names"


_READERS: dict[Resource, Callable[[Mapping[str, Any]], Fault | None]] = {
    PLACEMENTS: _placement,
    BINDINGS: _negative("Bound", "make the ManagedClusterSet, or correct hubctl.delivery.placement.clusterSet"),
    GITOPS_CLUSTERS: _gitops,
    SERVICE_ACCOUNTS: _account,
    PERMISSIONS: _negative("AppliedRBACManifestWork", "see the conditions of its ManifestWork in the same namespace"),
    WORKS: _negative("Applied", "see the conditions of its manifests: `kubectl get manifestwork -o yaml`"),
    APPLICATION_SETS: _application_set,
}
"""Who reads what a kind says of itself."""


def _cut(text: object) -> str:
    told = " ".join(str(text or "").split())
    return told if len(told) <= _MOST else told[: _MOST - 1] + "…"
