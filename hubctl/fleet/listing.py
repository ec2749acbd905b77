"""Every object of a kind, listed in pages; a refusal is an answer here, not an error."""

from collections.abc import Mapping
from typing import Any

from hubctl.model.apiserver import ApiServer
from hubctl.model.listed import Listed, Name
from hubctl.model.snapshot import Resource

_PAGE = "500"


def listed(server: ApiServer, resource: Resource) -> Listed:
    """What the server answers for a kind.

    Raises:
        RemoteFailed: no answer came.
    """
    found: dict[Name, Mapping[str, Any]] = {}
    query = {"limit": _PAGE} | ({"labelSelector": resource.labels} if resource.labels else {})
    while True:
        answer = server.ask("GET", resource.path, query=query)
        if not answer.ok:
            return Listed(status=answer.status, message=answer.message)
        for each in answer.body.get("items") or ():
            meta = each["metadata"]
            found[str(meta.get("namespace", "")), str(meta["name"])] = each
        query["continue"] = str((answer.body.get("metadata") or {}).get("continue") or "")
        if not query["continue"]:
            return Listed(found)
