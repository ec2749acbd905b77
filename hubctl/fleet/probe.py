"""Ask clusters what they are: platform, version, topology, over the contexts of a kubeconfig.

Credentials are the kubeconfig's and stay in the client. A cluster that does not answer is no exception: what was found
says so.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubctl.errors import InputError, RemoteFailed
from hubctl.fleet import cluster
from hubctl.model.apiserver import ApiServer
from hubctl.model.found import Found, minor

AT_ONCE = 8
"""Clusters that are asked at the same time."""

_CONFIG = "config.openshift.io"


async def probe(
    kubeconfig: Path, found: Sequence[Found], seconds: float, advance: Callable[[], None] = lambda: None
) -> tuple[Found, ...]:
    """What was found, with what each cluster says of itself; one with a problem already is not asked.

    Args:
        kubeconfig: the file, which the client reads itself.
        found: ``key`` is the context.
        seconds: for one request.
        advance: called when a cluster was asked.
    """
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(one: Found) -> Found:
        async with turns:
            answered = one if one.problem else await asyncio.to_thread(_ask, kubeconfig, one, seconds)
        advance()
        return answered

    return tuple(await asyncio.gather(*(ask(one) for one in found)))


def _ask(kubeconfig: Path, found: Found, seconds: float) -> Found:
    """One cluster, asked three or four questions."""
    try:
        # Once: trying again would wait as long again for each cluster that is away.
        server = cluster.connect(kubeconfig, found.key, seconds=seconds, patient=False)
        return _described(found, server)
    except InputError as error:
        return replace(found, problem=error.message, silent=True)
    except RemoteFailed as error:
        # Only the class of what went wrong on the way; what a server said of a question is the message.
        why = f"did not answer: {type(error.__cause__).__name__}" if error.__cause__ else error.message
        return replace(found, problem=why, silent=True)


def _described(found: Found, server: ApiServer) -> Found:
    if _CONFIG not in {group.get("name") for group in server.get("/apis").get("groups", ())}:
        version = str(server.get("/version").get("gitVersion", ""))
        topology, notes = _by_nodes(server)
        return replace(
            found, platform="kubernetes", version=minor(version), topology=topology, notes=found.notes + notes
        )
    version = (_status(server, "clusterversions", "version").get("desired") or {}).get("version", "")
    plane = _status(server, "infrastructures", "cluster").get("controlPlaneTopology", "")
    topology, notes = ("sno" if plane == "SingleReplica" else "ha", ()) if plane else _by_nodes(server)
    return replace(found, platform="openshift", version=minor(version), topology=topology, notes=found.notes + notes)


def _status(server: ApiServer, plural: str, name: str) -> dict[str, Any]:
    """The status of one of OpenShift's own objects; empty when it is not there or may not be read."""
    answer = server.ask("GET", f"/apis/{_CONFIG}/v1/{plural}/{name}")
    if answer.status in (403, 404):
        return {}
    if not answer.ok:
        raise RemoteFailed(f"answered {answer.status}: {answer.message}", where=server.address)
    return dict(answer.body.get("status") or {})


def _by_nodes(server: ApiServer) -> tuple[str, tuple[str, ...]]:
    """A single node is ``sno``; where nodes may not be counted, nothing is said but a note."""
    answer = server.ask("GET", "/api/v1/nodes", query={"limit": "2"})
    if answer.status == 403:  # noqa: PLR2004 - Forbidden
        return "", ("its nodes may not be listed",)
    if not answer.ok:
        raise RemoteFailed(f"answered {answer.status}: {answer.message}", where=server.address)
    return ("sno" if len(answer.body.get("items") or ()) == 1 else "ha"), ()
