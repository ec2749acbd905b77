"""Ask clusters what they are: platform, version, topology, over the contexts of a kubeconfig.

Credentials are the kubeconfig's and stay in the client. A cluster that does not answer is no exception: what was found
says so.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

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

    with _quiet():
        return tuple(await asyncio.gather(*(ask(one) for one in found)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps off the screen what the client logs where nobody set logging up: the output of credential plugins."""
    root, nowhere = logging.getLogger(), logging.NullHandler()
    root.addHandler(nowhere)
    try:
        yield
    finally:
        root.removeHandler(nowhere)


def _ask(kubeconfig: Path, found: Found, seconds: float) -> Found:
    """One cluster, asked three or four questions."""
    from kubernetes import client, config  # noqa: PLC0415 - takes a second, and few commands need it
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - as above
    from kubernetes.config.config_exception import ConfigException  # noqa: PLC0415 - as above
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

    settings = client.Configuration()
    try:
        load: Any = config.load_kube_config
        load(str(kubeconfig), context=found.key, client_configuration=settings)
        # Once: the default is to try three times more, each with a time limit of its own.
        settings.retries = False
        with client.ApiClient(settings) as api:
            return _described(found, api, seconds)
    except ApiException as error:
        return replace(found, problem=f"answered {error.status} {error.reason}", silent=True)
    except (HTTPError, ConfigException, OSError, ValueError) as error:
        # Only its class: the text of an error may hold what a credential plugin printed.
        return replace(found, problem=f"did not answer: {type(error).__name__}", silent=True)


def _described(found: Found, api: Any, seconds: float) -> Found:
    from kubernetes import client  # noqa: PLC0415 - as above

    groups = client.ApisApi(api).get_api_versions(_request_timeout=seconds).groups
    if _CONFIG not in {group.name for group in groups}:
        told = client.VersionApi(api).get_code(_request_timeout=seconds)
        topology, notes = _by_nodes(api, seconds)
        return replace(
            found, platform="kubernetes", version=minor(told.git_version), topology=topology, notes=found.notes + notes
        )
    version = _status(api, "clusterversions", "version", seconds).get("desired", {}).get("version", "")
    plane = _status(api, "infrastructures", "cluster", seconds).get("controlPlaneTopology", "")
    topology, notes = ("sno" if plane == "SingleReplica" else "ha", ()) if plane else _by_nodes(api, seconds)
    return replace(found, platform="openshift", version=minor(version), topology=topology, notes=found.notes + notes)


def _status(api: Any, plural: str, name: str, seconds: float) -> dict[str, Any]:
    """The status of one of OpenShift's own objects; empty when it is not there or may not be read."""
    from kubernetes import client  # noqa: PLC0415 - as above
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - as above

    try:
        found: Any = client.CustomObjectsApi(api).get_cluster_custom_object(
            _CONFIG, "v1", plural, name, _request_timeout=seconds
        )
    except ApiException as error:
        if error.status in (403, 404):
            return {}
        raise
    return dict(found.get("status") or {})


def _by_nodes(api: Any, seconds: float) -> tuple[str, tuple[str, ...]]:
    """A single node is ``sno``; where nodes may not be counted, nothing is said but a note."""
    from kubernetes import client  # noqa: PLC0415 - as above
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 - as above

    try:
        count = len(client.CoreV1Api(api).list_node(limit=2, _request_timeout=seconds).items)
    except ApiException as error:
        if error.status != 403:  # noqa: PLR2004 - Forbidden
            raise
        return "", ("its nodes may not be listed",)
    return ("sno" if count == 1 else "ha"), ()
