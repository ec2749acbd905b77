"""Schemas from a cluster: custom kinds from their CRDs, the server's own from ``/openapi/v3``."""

from collections.abc import Callable, Iterator
from typing import Any

from hubctl.conform.kinds import Kind, Wanted, of_definition, of_openapi
from hubctl.errors import RemoteFailed
from hubctl.model.apiserver import ApiServer

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PAGE = 20
"""CRDs asked for at once; one can have megabytes."""

_FORBIDDEN = (401, 403)


def version_of(cluster: ApiServer) -> str:
    """Such as ``v1.33.4``.

    Raises:
        RemoteFailed: the cluster did not say.
    """
    return str(cluster.get("/version").get("gitVersion", ""))


def pull(cluster: ApiServer, wanted: Wanted | None, seen: Callable[[], None] = lambda: None) -> Iterator[Kind]:
    """The kinds that a cluster serves.

    Who may not list CRDs gets custom kinds from OpenAPI too, which the server keeps for everybody who is logged in.

    Args:
        cluster: to ask.
        wanted: only these; None: every one.
        seen: called with each document that was read.

    Raises:
        RemoteFailed: the cluster did not answer, or refused.
    """
    custom: set[str] = set()
    for definition in _definitions(cluster):
        seen()
        for kind in of_definition(definition, wanted):
            custom.add(kind.api_version)
            yield kind
    for version, address in sorted(_documents(cluster).items()):
        if version in custom or (wanted is not None and version not in {one for one, _ in wanted}):
            continue
        yield from of_openapi(cluster.get(address), wanted)
        seen()


def _definitions(cluster: ApiServer) -> Iterator[dict[str, Any]]:
    query = {"limit": str(PAGE)}
    while True:
        answer = cluster.ask("GET", DEFINITIONS, query=query)
        if answer.status in _FORBIDDEN:
            return
        if not answer.ok:
            raise RemoteFailed(f"{DEFINITIONS}: {answer.message}", where=cluster.address, hint="try again later")
        yield from answer.body.get("items", ())
        query["continue"] = answer.body.get("metadata", {}).get("continue", "")
        if not query["continue"]:
            return


def _documents(cluster: ApiServer) -> dict[str, str]:
    """API version, such as ``apps/v1``, to the path of its OpenAPI document."""
    found = {}
    for path, said in cluster.get("/openapi/v3").get("paths", {}).items():
        root, _, version = path.partition("/")
        if root in {"api", "apis"} and version:
            found[version] = said["serverRelativeURL"]
    return found
