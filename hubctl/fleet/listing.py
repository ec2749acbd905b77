"""Every object of a kind; a refusal is an answer here, not an error."""

from collections.abc import Mapping
from typing import Any

from hubctl.fleet.cluster import Cluster
from hubctl.model.listed import Listed, Name
from hubctl.model.snapshot import Resource


def listed(server: Cluster, resource: Resource) -> Listed:
    """What the server answers for a kind.

    Raises:
        RemoteFailed: no answer came.
    """
    found: dict[Name, Mapping[str, Any]] = {}
    for answer in server.pages(resource.path, resource.query):
        if not answer.ok:
            return Listed(status=answer.status, message=answer.message)
        for each in answer.body.get("items") or ():
            meta = each["metadata"]
            found[str(meta.get("namespace", "")), str(meta["name"])] = each
    return Listed(found)
