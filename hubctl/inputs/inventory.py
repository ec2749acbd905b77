"""Lists of clusters that others keep, as clusters found: Open Cluster Management's ManagedClusters and kubeconfigs.

Pure. Of a kubeconfig only names and server URLs are read, its credentials are passed over; no message shows a line of
it. Scalars stay the text that they are written as, so a version never turns into a number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from hubctl.errors import InputError
from hubctl.inputs.explain import has_credentials, shown
from hubctl.model.found import Found, minor
from hubctl.model.spelling import nearest

HUB_LABEL = "local-cluster"
"""Label of the hub itself; its name says nothing."""

OPENSHIFT = frozenset({"OpenShift", "OpenShiftDedicated", "ROSA", "ARO"})
"""Products, as the claim ``product.open-cluster-management.io`` spells them, that are OpenShift."""

_KEPT_CLAIMS = (
    "platform.open-cluster-management.io",
    "product.open-cluster-management.io",
    "region.open-cluster-management.io",
)
_OF_THE_MOMENT = ("feature.open-cluster-management.io/", "openshiftVersion")
_REPEATED = frozenset({"name", "clusterID"})
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_UNDETECTED = "auto-detect"


def objects(text: str, name: str) -> list[dict[str, Any]]:
    """The ManagedClusters in JSON or YAML: single ones, several documents, or lists of them.

    Raises:
        InputError: it is no YAML, or holds something else.
    """
    found: list[dict[str, Any]] = []
    for document in _documents(text, name):
        items = document.get("items") if isinstance(document, dict) else None
        found += items if isinstance(items, list) else [document]
    for index, each in enumerate(found):
        kind = each.get("kind", "ManagedCluster") if isinstance(each, dict) else shown(each)
        if kind != "ManagedCluster" or not isinstance(each.get("metadata"), dict):
            raise InputError(
                f"found {kind}, expected a ManagedCluster",
                where=f"{name} item {index}",
                hint="pass the output of `kubectl get managedclusters -o yaml`",
            )
    return found


def managed_clusters(found: Iterable[Mapping[str, Any]], *, with_hub: bool = False) -> tuple[Found, ...]:
    """Every ManagedCluster that the hub has taken in and keeps, sorted by name.

    Args:
        found: objects as the API has them.
        with_hub: whether the hub itself counts too.
    """
    chosen = [each for each in found if with_hub or not is_hub(each)]
    return tuple(sorted(map(_managed_cluster, chosen), key=lambda one: one.name))


def claims_of(cluster: Mapping[str, Any]) -> dict[str, str]:
    """What the agent of a ManagedCluster claims; nothing while it claims nothing."""
    listed = _mapping(cluster, "status").get("clusterClaims")
    return {
        str(each.get("name")): str(each.get("value", ""))
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    }


def refusal(cluster: Mapping[str, Any]) -> str:
    """Why the hub does not keep a ManagedCluster; empty when it does."""
    if _mapping(cluster, "metadata").get("deletionTimestamp"):
        return "is being deleted on the hub"
    if str(_mapping(cluster, "spec").get("hubAcceptsClient", "")).lower() != "true":
        return "is not accepted by the hub yet: spec.hubAcceptsClient is not true"
    return ""


def is_hub(cluster: Mapping[str, Any]) -> bool:
    """Whether a ManagedCluster is the hub itself."""
    return str(_mapping(cluster["metadata"], "labels").get(HUB_LABEL, "")).lower() == "true"


def contexts(text: str, name: str, chosen: Sequence[str] = ()) -> tuple[Found, ...]:
    """The contexts of a kubeconfig, in its order: a name and a server each, nothing that proves anybody.

    Args:
        text: of the file.
        name: what errors call it.
        chosen: only these contexts; none: all of them.

    Raises:
        InputError: it is no kubeconfig, or has no such context.
    """
    documents = _documents(text, name)
    config = documents[0] if len(documents) == 1 else None
    if not isinstance(config, dict) or not isinstance(config.get("contexts"), list):
        raise InputError("this is no kubeconfig: found no list `contexts`", where=name, hint="pass a kubeconfig")
    servers = {key: str(about.get("server", "")) for key, about in _named(config, "clusters", "cluster")}
    listed = {key: str(about.get("cluster", "")) for key, about in _named(config, "contexts", "context")}
    for wanted in chosen:
        if wanted not in listed:
            known = ", ".join(listed) or "none"
            raise InputError(
                f"found no context {wanted!r}, expected one of {known}", where=name, hint=nearest(wanted, listed)
            )
    taken: dict[str, str] = {}
    return tuple(_context(key, servers.get(listed[key], ""), taken) for key in chosen or listed)


def _context(key: str, server: str, taken: dict[str, str]) -> Found:
    """One context; ``taken`` holds the contexts before it by server."""
    problem = ""
    if not server:
        problem = "names no cluster with a server"
    elif has_credentials(server) or "@" in server:
        server, problem = "", "the URL of its server holds a user or password; remove it there"
    elif server in taken:
        problem = f"is the same cluster as context {taken[server]}; choose one with --context"
    else:
        taken[server] = key
    return Found(key, f"context {key}", key=key, server=server, problem=problem)


def _managed_cluster(cluster: Mapping[str, Any]) -> Found:
    metadata = cluster["metadata"]
    name = str(metadata.get("name", ""))
    labels = {key: str(value) for key, value in _mapping(metadata, "labels").items()}
    status = _mapping(cluster, "status")
    claims = claims_of(cluster)
    platform, version, note = _platform(claims, labels, str(_mapping(status, "version").get("kubernetes", "")))
    return Found(
        name,
        f"ManagedCluster {name}",
        key=name,
        platform=platform if version else "",
        version=version,
        topology=_topology(claims, labels),
        labels=_labels(labels, claims),
        notes=(note,) if note and version else (),
        problem=_unready(cluster, version),
    )


def _platform(claims: Mapping[str, str], labels: Mapping[str, str], kubernetes: str) -> tuple[str, str, str]:
    """Platform, version without patch, and a note; the version is empty while the agent has not reported one."""
    openshift = claims.get("version.openshift.io") or labels.get("openshiftVersion", "")
    product, vendor = claims.get("product.open-cluster-management.io", ""), labels.get("vendor", "")
    microshift = "version.microshift.io" in claims or "MicroShift" in (product, vendor)
    if not microshift and (openshift or product in OPENSHIFT or vendor == "OpenShift"):
        return "openshift", minor(openshift), ""
    version = minor(claims.get("kubeversion.open-cluster-management.io") or kubernetes)
    note = "" if product or microshift else "no claim names its product; taken for Kubernetes"
    return "kubernetes", version, "MicroShift counts as Kubernetes" if microshift else note


def _topology(claims: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """``sno`` or ``ha``; empty when nothing says it."""
    if "version.microshift.io" in claims or labels.get("vendor") == "MicroShift":
        return "sno"
    told = claims.get("controlplanetopology.openshift.io", "")
    return {"": "", "SingleReplica": "sno"}.get(told, "ha")


def _labels(labels: Mapping[str, str], claims: Mapping[str, str]) -> dict[str, str]:
    """What people select clusters by; not what repeats the name or changes with each update."""
    kept = {
        key: value
        for key, value in labels.items()
        if not key.startswith(_OF_THE_MOMENT) and key not in _REPEATED and value != _UNDETECTED
    }
    # A spoke's own agent claims what it likes; only what could be a label is taken for one.
    claimed = {key: claims[key] for key in _KEPT_CLAIMS if _LABEL.fullmatch(claims.get(key, ""))}
    return dict(sorted({**claimed, **kept}.items()))


def _unready(cluster: Mapping[str, Any], version: str) -> str:
    """Why a ManagedCluster is no spoke, now; empty when it is one."""
    if refused := refusal(cluster):
        return refused
    return "" if version else "has reported no version yet: no claim of it, and none in status.version"


def _documents(text: str, name: str) -> list[Any]:
    """Each YAML document, all scalars as text.

    Raises:
        InputError: it is no YAML; the message says where and shows nothing of it.
    """
    try:
        return [each for each in yaml.load_all(text, Loader=yaml.CBaseLoader) if each]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError("this is not YAML", where=f"{name}:{line}", hint="check what wrote it") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InputError("this is not YAML", where=name, hint="check what wrote it") from None


def _named(config: Mapping[str, Any], key: str, inner: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and content of each entry of one of a kubeconfig's lists; like kubectl, the first of a name counts."""
    found: dict[str, Mapping[str, Any]] = {}
    listed = config.get(key)
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("name"):
            found.setdefault(str(each["name"]), _mapping(each, inner))
    return list(found.items())


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A mapping below a key, or an empty one."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}
