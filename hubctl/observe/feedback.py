"""Where a spoke says that a model is reached from outside, as feedback of a ManifestWork brought it to the hub.

Pure. ``access.feedback`` asks for these values: of OpenShift's Route ``host`` and ``admitted``, of the InferenceService
``url``. Any work in the spoke's namespace that reads them will do.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

_INSIDE = (".svc", ".svc.cluster.local", ".local")
"""Ends of hosts that lead somewhere inside of the spoke only."""


def exposed(works: Iterable[Mapping[str, Any]], cluster: str, namespace: str, model: str) -> tuple[str, str]:
    """The URL without a slash at its end, or nothing and why there is none.

    Args:
        works: ManifestWorks of the hub, whole.
        cluster: whose works count.
        namespace: of the model on the spoke.
        model: its InferenceService, whose name OpenShift AI's Route has too.
    """
    read = dict(_values(works, cluster, namespace, model))
    if not read:
        return "", f"no ManifestWork of {cluster} gives feedback on {namespace}/{model}; access.feedback renders one"
    route = read.get("routes", {})
    if route.get("host") and route.get("admitted") == "False":
        return "", f"the Route {namespace}/{model} is not admitted by the spoke's router"
    if route.get("host"):
        return f"https://{route['host']}", ""
    url = read.get("inferenceservices", {}).get("url", "")
    if not url:
        return "", f"the spoke gives {namespace}/{model} no host yet: neither a Route nor a URL of the InferenceService"
    if not _is_outside(url):
        return "", f"{namespace}/{model} is reached inside of its spoke only; expose it (spec.expose)"
    return url.rstrip("/"), ""


def _values(
    works: Iterable[Mapping[str, Any]], cluster: str, namespace: str, name: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Plural and fed back values of the objects of that name."""
    for work in works:
        about = work.get("metadata") or {}
        if about.get("namespace") != cluster or about.get("deletionTimestamp"):
            continue
        status = (work.get("status") or {}).get("resourceStatus") or {}
        for manifest in status.get("manifests") or ():
            meta = manifest.get("resourceMeta") or {}
            if (meta.get("namespace"), meta.get("name")) != (namespace, name):
                continue
            told = (manifest.get("statusFeedback") or {}).get("values") or ()
            found = {str(one.get("name")): str((one.get("fieldValue") or {}).get("string") or "") for one in told}
            if found:
                yield str(meta.get("resource")), found


def _is_outside(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in host and not host.endswith(_INSIDE)
