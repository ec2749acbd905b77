"""Ask an API server whether it would take objects: a dry run with strict field validation, nothing is stored.

First as a create; an object that is there already is asked again as the server-side apply that Argo CD does. A
namespace that is missing hides everything else about an object: where it would be made by the time, the object is asked
for in ``default`` instead.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import yaml

from hubctl.errors import RemoteFailed
from hubctl.model.apiserver import Answer, ApiServer

AT_ONCE = 8
"""Requests under way together: below what an API server queues for one person."""

STAND_IN = "default"
"""A namespace that every cluster has."""

FIELD_MANAGER = "argocd-controller"
_OPTIONS = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": FIELD_MANAGER}
_TIRED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED)
_NO_RIGHT = " cannot "
"""Part of what RBAC says; an admission plugin that refuses answers 403 as well, in other words."""


class Verdict(StrEnum):
    """What became of one question."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object as it was rendered: where, its text and its content."""

    path: str
    text: str
    content: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        """Where it is to live; empty when it does not say."""
        return str(self.content["metadata"].get("namespace") or "")


@dataclass(frozen=True, slots=True)
class Result:
    """The server's word on one object.

    Attributes:
        how: ``create`` or ``apply``.
        note: what was asked instead of the object itself; may be empty.
    """

    manifest: Manifest
    verdict: Verdict
    how: str = "create"
    message: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """The object's."""
        return str(self.manifest.content["metadata"].get("name", ""))


@dataclass(slots=True)
class Asker:
    """Asks one cluster.

    Attributes:
        made: namespaces that will be there by the time; None: any.
    """

    cluster: ApiServer
    made: frozenset[str] | None
    _kinds: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def ask_all(self, manifests: Sequence[Manifest], seen: Callable[[], None]) -> tuple[Result, ...]:
        """The server's word on each, in order.

        Raises:
            RemoteFailed: the server cannot be reached at all.
        """
        for version in sorted({str(one.content["apiVersion"]) for one in manifests}):
            self._kinds[version] = self._served(version)

        def one(manifest: Manifest) -> Result:
            try:
                return self.ask(manifest)
            except RemoteFailed as error:
                return Result(manifest, Verdict.FAILED, message=str(error))
            finally:
                seen()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return tuple(pool.map(one, manifests))

    def ask(self, manifest: Manifest) -> Result:
        """The server's word on one object.

        Raises:
            RemoteFailed: no answer came.
        """
        version, kind = str(manifest.content["apiVersion"]), str(manifest.content["kind"])
        resource = self._kinds[version].get(kind)
        if resource is None:
            return Result(manifest, Verdict.REFUSED, message=f"the cluster serves no {kind} of {version}")
        answer = self._create(manifest, resource, manifest.namespace)
        how, note = "create", ""
        if _lacks_namespace(answer):
            missing = manifest.namespace
            if self.made is not None and missing not in self.made:
                return Result(manifest, Verdict.REFUSED, message=f"there is no namespace {missing}, nor is it rendered")
            note = f"asked in {STAND_IN}: there is no namespace {missing} yet"
            answer = self._create(_moved(manifest), resource, STAND_IN)
        if answer.status == HTTPStatus.CONFLICT and answer.body.get("reason") == "AlreadyExists":
            how = "apply"
            answer = self._apply(_moved(manifest) if note else manifest, resource)
        return Result(manifest, _verdict(answer), how, "" if answer.ok else answer.message, note)

    def _create(self, manifest: Manifest, resource: Mapping[str, Any], namespace: str) -> Answer:
        path = _collection(str(manifest.content["apiVersion"]), resource, namespace)
        return self.cluster.ask("POST", path, query=_OPTIONS, body=manifest.text, form="application/yaml")

    def _apply(self, manifest: Manifest, resource: Mapping[str, Any]) -> Answer:
        path = _collection(str(manifest.content["apiVersion"]), resource, manifest.namespace)
        return self.cluster.ask(
            "PATCH",
            f"{path}/{manifest.content['metadata']['name']}",
            query={**_OPTIONS, "force": "true"},
            body=manifest.text,
            form="application/apply-patch+yaml",
        )

    def _served(self, version: str) -> dict[str, Mapping[str, Any]]:
        """Kind to resource; empty while the version is not served."""
        answer = self.cluster.ask("GET", _root(version))
        if answer.status == HTTPStatus.NOT_FOUND:
            return {}
        if not answer.ok:
            raise RemoteFailed(answer.message, where=self.cluster.address, hint="see whether you are logged in")
        return {each["kind"]: each for each in answer.body["resources"] if "/" not in each["name"]}


def documents(path: str, text: str, contents: Sequence[Mapping[str, Any]]) -> Iterator[Manifest]:
    """The objects of a rendered file, each with its text as it stands there, so that the server's parser sees it.

    Args:
        path: in the rendered tree.
        text: of the whole file.
        contents: its documents, parsed.
    """
    lines = text.splitlines(keepends=True)
    begun = (event for event in yaml.parse(text, Loader=yaml.CSafeLoader) if isinstance(event, yaml.DocumentStartEvent))
    starts = [event.start_mark.line for event in begun if event.start_mark]
    for start, end, content in zip(starts, [*starts[1:], len(lines)], contents, strict=True):
        yield Manifest(path, "".join(lines[start:end]), content)


def _moved(manifest: Manifest) -> Manifest:
    """The object as one of the stand-in namespace."""
    metadata = {**manifest.content["metadata"], "namespace": STAND_IN}
    content = {**manifest.content, "metadata": metadata}
    return Manifest(manifest.path, json.dumps(content, default=str), content)


def _lacks_namespace(answer: Answer) -> bool:
    details = answer.body.get("details") or {}
    return answer.status == HTTPStatus.NOT_FOUND and details.get("kind") == "namespaces"


def _verdict(answer: Answer) -> Verdict:
    if answer.ok:
        return Verdict.ACCEPTED
    denied = answer.status == HTTPStatus.FORBIDDEN and _NO_RIGHT in answer.message
    if denied or answer.status in _TIRED or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.FAILED
    return Verdict.REFUSED


def _collection(version: str, resource: Mapping[str, Any], namespace: str) -> str:
    space = f"/namespaces/{namespace or STAND_IN}" if resource["namespaced"] else ""
    return f"{_root(version)}{space}/{resource['name']}"


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
