"""What the tests ask of an API server: define kinds, make namespaces, and say whether it would take a manifest.

Manifests are sent as the YAML that hubctl wrote, so that the server's own parser reads them.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import yaml

ESTABLISH_SECONDS = 90
FIELD_MANAGER = "argocd-controller"

How = Literal["create", "apply"]
"""As ``kubectl create`` or as a server-side apply, which is what our ApplicationSets ask of Argo CD."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's word on one manifest.

    Attributes:
        accepted: it would be stored.
        message: why not; empty when accepted.
        stored: the object as it would be stored; empty when refused.
    """

    accepted: bool
    message: str
    stored: dict[str, Any]


@dataclass(slots=True)
class Api:
    """An API server behind a client that may do everything."""

    client: httpx.Client
    _kinds: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    def define(self, definitions: Path, pattern: str = "*.yaml") -> None:
        """Installs the CRDs in a folder, or those whose file fits a pattern, and waits until their kinds are served.

        What is there already stays as it is.

        Server-side, because the annotation of a client-side apply cannot hold the ApplicationSet's.
        """
        names = []
        for file in sorted(definitions.glob(pattern)):
            text = file.read_text()
            names.append(yaml.load(text, Loader=yaml.CSafeLoader)["metadata"]["name"])
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names[-1]}"
            if self.client.get(path).status_code == httpx.codes.NOT_FOUND:
                _must(self._patch(path, text))
        until = time.monotonic() + ESTABLISH_SECONDS
        while not all(self._established(name) for name in names):
            if time.monotonic() > until:
                raise RuntimeError(f"not every CRD was established within {ESTABLISH_SECONDS} s: {', '.join(names)}")
            time.sleep(0.2)

    def define_loose(self, group: str, plural: str, kind: str) -> None:
        """Makes a cluster-scoped kind that takes any field and is served as v1; waits until it is."""
        name = f"{plural}.{group}"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": plural, "singular": kind.lower(), "kind": kind}
        body = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {"group": group, "names": names, "scope": "Cluster", "versions": [version]},
        }
        _must(self.client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=body))
        until = time.monotonic() + ESTABLISH_SECONDS
        while not self._established(name):
            if time.monotonic() > until:
                raise RuntimeError(f"{name} was not established within {ESTABLISH_SECONDS} s")
            time.sleep(0.2)

    def make_namespace(self, name: str) -> None:
        """Makes a namespace that may be there already."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        made = self.client.post("/api/v1/namespaces", json=body)
        if made.status_code != httpx.codes.CONFLICT:
            _must(made)
            self._made.append(name)

    def remove_namespaces(self) -> None:
        """Removes every namespace that was made, with what is in it; a namespace that was there stays."""
        while self._made:
            _must(self.client.delete(f"/api/v1/namespaces/{self._made.pop()}"))

    def ask(self, manifest: str, *, how: How = "create", validation: str = "Strict") -> Answer:
        """Whether the server would take a manifest, as a dry run with every validation of a real write.

        Args:
            manifest: one YAML document, sent as it is.
            how: the kind of write.
            validation: of fields; ``Strict`` refuses unknown and repeated ones, ``Ignore`` drops them.
        """
        parsed = yaml.load(manifest, Loader=yaml.CSafeLoader)
        collection = self._collection(parsed)
        if collection is None:
            kind = f"{parsed['apiVersion']} {parsed['kind']}"
            return Answer(accepted=False, message=f"no such kind is served: {kind}", stored={})
        options = {"dryRun": "All", "fieldValidation": validation, "fieldManager": FIELD_MANAGER}
        if how == "apply":
            answer = self._patch(f"{collection}/{parsed['metadata']['name']}", manifest, **options)
        else:
            headers = {"content-type": "application/yaml"}
            answer = self.client.post(collection, params=options, content=manifest, headers=headers)
        body = answer.json()
        if answer.is_success:
            return Answer(accepted=True, message="", stored=body)
        return Answer(accepted=False, message=body["message"], stored={})

    def store(self, manifest: str, **options: str) -> dict[str, Any]:
        """Really applies a manifest of a kind that is served, as Argo CD would; the object as it is stored."""
        parsed = yaml.load(manifest, Loader=yaml.CSafeLoader)
        answer = self._patch(f"{self._collection(parsed)}/{parsed['metadata']['name']}", manifest, **options)
        _must(answer)
        stored: dict[str, Any] = answer.json()
        return stored

    def live(self, manifest: str) -> dict[str, Any] | None:
        """The stored object of a manifest's kind, namespace and name; None where there is none."""
        parsed = yaml.load(manifest, Loader=yaml.CSafeLoader)
        answer = self.client.get(f"{self._collection(parsed)}/{parsed['metadata']['name']}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        _must(answer)
        found: dict[str, Any] = answer.json()
        return found

    def remove(self, manifest: str) -> bool:
        """Deletes the object of a manifest's kind, namespace and name; whether there was one."""
        parsed = yaml.load(manifest, Loader=yaml.CSafeLoader)
        answer = self.client.delete(f"{self._collection(parsed)}/{parsed['metadata']['name']}")
        return answer.is_success

    def _patch(self, path: str, manifest: str, **options: str) -> httpx.Response:
        headers = {"content-type": "application/apply-patch+yaml"}
        return self.client.patch(
            path, params={"fieldManager": FIELD_MANAGER} | options, content=manifest, headers=headers
        )

    def _established(self, name: str) -> bool:
        """Whether a CRD's kind can be written; also not before discovery lists it."""
        found = self.client.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}").json()
        conditions = found.get("status", {}).get("conditions") or []
        if not any((each["type"], each["status"]) == ("Established", "True") for each in conditions):
            return False
        spec = found["spec"]
        versions = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]
        return all(spec["names"]["kind"] in self._served(version) for version in versions)

    def _collection(self, manifest: dict[str, Any]) -> str | None:
        """The path that objects of this kind are posted to; None for a kind that is not served."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        if version not in self._kinds:
            self._kinds[version] = self._served(version)
        resource = self._kinds[version].get(kind)
        if resource is None:
            return None
        space = f"/namespaces/{manifest['metadata']['namespace']}" if resource["namespaced"] else ""
        return f"{_root(version)}{space}/{resource['name']}"

    def _served(self, version: str) -> dict[str, dict[str, Any]]:
        """Kind to resource, without subresources; empty while the version is not served."""
        answer = self.client.get(_root(version))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        _must(answer)
        return {each["kind"]: each for each in answer.json()["resources"] if "/" not in each["name"]}


def split(text: str) -> list[str]:
    """The YAML documents of a file, byte for byte."""
    return [part for part in re.split(r"^---$\n?", text, flags=re.MULTILINE) if part.strip()]


def lost(wanted: Any, stored: Any, path: str = "") -> list[str]:
    """Fields of what was sent that are not in what is stored."""
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        return [gone for key in wanted for gone in lost(wanted[key], stored.get(key), f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        return [gone for i, pair in enumerate(zip(wanted, stored, strict=True)) for gone in lost(*pair, f"{path}[{i}]")]
    return [] if wanted == stored else [f"{path}: sent {wanted!r}, stored {stored!r}"]


def added(wanted: Any, stored: Any, path: str = "", *, listed: bool = False) -> list[str]:
    """Fields of what is stored that were not sent, inside of lists."""
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        new = [f"{path}.{key}: {stored[key]!r}" for key in stored if listed and key not in wanted]
        return new + [
            more for key in wanted for more in added(wanted[key], stored[key], f"{path}.{key}", listed=listed)
        ]
    if isinstance(wanted, list) and isinstance(stored, list):
        pairs = enumerate(zip(wanted, stored, strict=True))
        return [more for i, pair in pairs for more in added(*pair, f"{path}[{i}]", listed=True)]
    return []


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _must(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
