"""What is wrong with a hub, from what its API server answered: one check a fault, or one that says that all is well.

Conditions and their words are those of Open Cluster Management's API (cluster v1, v1beta1, v1beta2), of
multicloud-integrations' GitOpsCluster and of Argo CD.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from hubctl.diagnose import objects
from hubctl.diagnose.need import PLACEMENTS, Need
from hubctl.model.check import Check
from hubctl.model.listed import Listed, Name
from hubctl.model.snapshot import DECISIONS, MANAGED_CLUSTERS, Resource

_MOST = 5
"""Names shown of a longer list."""

_FEATURE = "feature.open-cluster-management.io/addon-"
_PLACEMENT = "cluster.open-cluster-management.io/placement"
_ENABLE = {
    "cluster-proxy": "enable the add-on cluster-proxy, and on the spoke see its pods",
    "managed-serviceaccount": "enable the add-on managed-serviceaccount, and on the spoke see its pods",
}


def examine(need: Need, seen: Mapping[Resource, Listed]) -> tuple[Check, ...]:
    """Every fault of the hub that keeps it from serving this fleet, worst first within each part."""
    if any(answer.status == HTTPStatus.UNAUTHORIZED for answer in seen.values()):
        hint = "log in again, or renew the token"
        return (Check("hub", "failed", "the hub does not accept the credentials", hint),)
    found = [
        *(_unreadable(resource, answer) for resource, answer in seen.items() if answer.status != HTTPStatus.OK),
        *_clusters(need, seen),
        *_addons(need, seen),
        *_missing(need, seen),
        *_unhealthy(need, seen),
        *_selected(need, seen),
        *objects.applications(need, _readable(seen)),
    ]
    return tuple(found) or (Check("hub", "ok", f"serves {len(need.spokes)} spokes"),)


def _unreadable(resource: Resource, answer: Listed) -> Check:
    """Why a kind cannot be listed."""
    name = f"hub {resource.plural}"
    if answer.status == HTTPStatus.NOT_FOUND:
        hint = f"install what brings {resource.group}, or take what needs it out of the values"
        return Check(name, "failed", f"the hub knows no {resource.kind} of {resource.group}/{resource.version}", hint)
    if answer.status == HTTPStatus.FORBIDDEN:
        hint = f"grant list on {resource.plural}.{resource.group}, as deploy/ does"
        return Check(name, "failed", answer.message, hint)
    return Check(name, "failed", answer.message or f"HTTP {answer.status}", "see whether the API server is well")


def _readable(seen: Mapping[Resource, Listed]) -> dict[Resource, Mapping[Name, Mapping[str, Any]]]:
    return {resource: answer.objects for resource, answer in seen.items() if answer.status == HTTPStatus.OK}


def _clusters(need: Need, seen: Mapping[Resource, Listed]) -> Iterator[Check]:
    """Spokes that the hub does not know, has not taken in, or hears nothing of."""
    known = _readable(seen).get(MANAGED_CLUSTERS)
    if known is None:
        return
    by_name = {name: cluster for (_, name), cluster in known.items()}
    if absent := [name for name in need.spokes if name not in by_name]:
        detail = f"the hub knows no ManagedCluster of this name: {_listed(absent)}"
        yield Check(
            "hub clusters", "failed", detail, "import the cluster into the hub, or correct its name in clusters/"
        )
    faults: dict[tuple[str, str], list[str]] = {}
    for name in need.spokes:
        if name in by_name and (fault := _cluster_fault(by_name[name])):
            faults.setdefault(fault, []).append(name)
    for (detail, hint), names in faults.items():
        yield Check("hub clusters", "failed", f"{detail}: {_listed(names)}", hint)


def _cluster_fault(cluster: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a ManagedCluster, and what to do."""
    said = objects.conditions(cluster)
    if cluster["metadata"].get("deletionTimestamp"):
        return "is being deleted on the hub", "take the spoke out of clusters/"
    if not (cluster.get("spec") or {}).get("hubAcceptsClient"):
        return "is not accepted by the hub", "accept it: set spec.hubAcceptsClient of the ManagedCluster to true"
    if said.get("ManagedClusterJoined", ("", ""))[0] != "True":
        return "has not joined the hub", "on the spoke see the klusterlet's log, and its bootstrap kubeconfig"
    available = said.get("ManagedClusterConditionAvailable", ("", ""))[0]
    if available == "False":
        return "has an API server that is not well", "see the API server of the spoke"
    if available != "True":
        return "has sent no sign of life lately", "see whether the spoke is up, and its klusterlet's log"
    return None


def _addons(need: Need, seen: Mapping[Resource, Listed]) -> Iterator[Check]:
    """Add-ons that are not there on a spoke that needs them."""
    known = _readable(seen).get(MANAGED_CLUSTERS) or {}
    labels = {name: cluster["metadata"].get("labels") or {} for (_, name), cluster in known.items()}
    for addon, spokes in need.addons.items():
        states: dict[str, list[str]] = {}
        for name in spokes:
            state = labels.get(name, {}).get(_FEATURE + addon, "absent") if name in labels else "available"
            if state != "available":
                states.setdefault(state, []).append(name)
        for state, names in states.items():
            yield Check(f"hub add-on {addon}", "failed", f"is {state} on {_listed(names)}", _ENABLE[addon])


def _missing(need: Need, seen: Mapping[Resource, Listed]) -> Iterator[Check]:
    """Objects that hubctl renders for the hub and that are not on it."""
    for resource, known in _readable(seen).items():
        wanted = need.objects.get(resource, ())
        if absent := [_shown(name) for name in wanted if name not in known]:
            hint = "publish, and see whether the rendered folder `hub` is applied: by Argo CD, or `kubectl apply -k`"
            yield Check(f"hub {resource.plural}", "failed", f"not on the hub: {_listed(absent)}", hint)


def _unhealthy(need: Need, seen: Mapping[Resource, Listed]) -> Iterator[Check]:
    """Objects that are there and say that they do not work."""
    for resource, known in _readable(seen).items():
        faults: dict[tuple[str, str], list[str]] = {}
        for name in need.objects.get(resource, ()):
            if name in known and (fault := objects.fault(resource, known[name])):
                faults.setdefault(fault, []).append(_shown(name))
        for (detail, hint), names in faults.items():
            yield Check(f"hub {resource.plural}", "failed", f"{_listed(names)}: {detail}", hint)


def _selected(need: Need, seen: Mapping[Resource, Listed]) -> Iterator[Check]:
    """Spokes that no decision of the rendered Placement names; all of its PlacementDecisions count."""
    readable = _readable(seen)
    if DECISIONS not in readable:
        return
    for namespace, name in need.objects.get(PLACEMENTS, ()):
        if (namespace, name) not in readable.get(PLACEMENTS, {}):
            continue
        chosen = {
            str(decision.get("clusterName"))
            for (where, _), found in readable[DECISIONS].items()
            if where == namespace and (found["metadata"].get("labels") or {}).get(_PLACEMENT) == name
            for decision in (found.get("status") or {}).get("decisions") or ()
        }
        if left := [spoke for spoke in need.spokes if spoke not in chosen]:
            hint = "see the Placement's clusterSets, predicates and tolerations, and the clusters' labels and taints"
            yield Check("hub placements", "failed", f"{namespace}/{name} does not select {_listed(left)}", hint)


def _shown(name: Name) -> str:
    return "/".join(part for part in name if part)


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more
