"""Standing: hubctl's own conditions in a ConfigMap of its namespace, written when something changed and not before."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import yaml

from hubctl.errors import RemoteFailed
from hubctl.model import condition
from hubctl.model.apiserver import Answer, ApiServer
from hubctl.model.condition import StateCondition
from hubctl.model.notice import Subject

NAME = "hubctl-status"
MANAGER = "hubctl"
"""Field manager of what is applied."""

_KEY = "conditions"
_NOT_FOUND = 404


async def write(server: ApiServer, namespace: str, now_so: Sequence[StateCondition], now: datetime) -> Subject:
    """Make the ConfigMap say these conditions, with the times of their changes; the object that says it.

    It is read first, in every pass: another process may have written it, or a person removed it.

    Raises:
        RemoteFailed: it can be neither read nor written.
    """
    return await asyncio.to_thread(_write, server, namespace, tuple(now_so), now)


def _write(server: ApiServer, namespace: str, now_so: tuple[StateCondition, ...], now: datetime) -> Subject:
    path = f"/api/v1/namespaces/{namespace}/configmaps/{NAME}"
    found = server.ask("GET", path)
    if found.status != _NOT_FOUND and not found.ok:
        raise _refused(found, path)
    data = (found.body.get("data") or {}) if found.ok else {}
    wanted = {one.type: one for one in condition.turned(now_so, _read(data.get(_KEY)), now)}
    said = {one.type: one.status for one in wanted.values()}
    said |= {_KEY: yaml.safe_dump([one.data() for one in wanted.values()], sort_keys=False, width=1000)}
    if said == data:
        return _subject(namespace, found)
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "hubctl"}},
        "data": said,
    }
    query = {"fieldManager": MANAGER, "force": "true"}
    made = server.ask("PATCH", path, query=query, body=json.dumps(body), form="application/apply-patch+yaml")
    if not made.ok:
        raise _refused(made, path)
    return _subject(namespace, made)


def _read(text: Any) -> tuple[StateCondition, ...]:
    try:
        return condition.read(yaml.safe_load(text) if isinstance(text, str) else None)
    except yaml.YAMLError:
        return ()


def _subject(namespace: str, answer: Answer) -> Subject:
    uid = str((answer.body.get("metadata") or {}).get("uid") or "")
    return Subject("v1", "ConfigMap", NAME, namespace, uid)


def _refused(answer: Answer, path: str) -> RemoteFailed:
    return RemoteFailed(f"{path}: {answer.message}", hint="see whether hubctl may get, create and patch it")
