"""Where each value of a spoke and of the hub stands: file, line and field, or the built-in default.

Follows the same order of precedence as ``merge``, on the documents that it was merged from. A place is text such as
``clusters/edge-a.yaml:12 spec.namespace``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubctl.inputs import load
from hubctl.inputs.document import Document, Trail, dotted, parse
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import InferenceService
from hubctl.model.storage import PvcStorage
from hubctl.settings import Settings

Places = tuple[str, ...]
"""Everything that a value was made from; one place unless it is put together."""

BUILT_IN = "built-in default of "
"""Begins the place of a value that no file sets; the key follows."""

_KSERVE: Trail = ("coordinationEngine", "kserve")
_HUMP = re.compile(r"(?<=[a-z])([A-Z]+)")
_CHART = (
    ("anomalyDetectorService", "anomalyDetectorModel", "anomaly-detector"),
    ("predictiveAnalyticsService", "predictiveAnalyticsModel", "predictive-analytics"),
)
"""Keys of upstream's chart: a Service, the name of its model, the name without that key."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The files of the inputs, with their lines.

    Attributes:
        spokes: by name.
        overrides: by file name.
        remote: variable that names the remote, empty when it is not set.
    """

    values: Document
    spokes: Mapping[str, Document]
    overrides: Mapping[str, Document]
    remote: str = ""


def read_documents(settings: Settings, inputs: HubInputs) -> Documents:
    """The files that the inputs were read from.

    Raises:
        InputError: a file cannot be read, or changed since.
    """
    path = settings.values_file
    folder = inputs.values.hubctl.gitops.overrides
    overrides = load.read_overrides(settings, folder)
    return Documents(
        values=parse(path.read_bytes(), path.name),
        spokes={one.name: parse((settings.directory / one.source).read_bytes(), one.source) for one in inputs.clusters},
        overrides={name: parse(overrides[name], f"{folder}/{name}") for name, _ in inputs.overrides},
        remote="HUBCTL_REMOTE" if settings.remote else "",
    )


def place(document: Document, *trail: str | int) -> Places:
    """The place of a key if the file has it, with a value; either spelling of a key counts."""
    found: list[str | int] = []
    value: Any = document.data
    for part in trail:
        spellings = (part, _HUMP.sub(lambda hump: f"_{hump[1].lower()}", part)) if isinstance(part, str) else (part,)
        chosen = next((one for one in spellings if _has(value, one)), None)
        if chosen is None:
            return ()
        value = value[chosen]
        found.append(chosen)
    return (document.where(tuple(found)),) if value is not None else ()


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


@dataclass(frozen=True, slots=True)
class HubOrigins:
    """Where the hub's values stand."""

    documents: Documents

    def gitops(self, key: str) -> Places:
        """A key of ``hubctl.gitops``."""
        found = place(self.documents.values, "hubctl", "gitops", key)
        if key == "repoURL":
            remote = (self.documents.remote,) if self.documents.remote else ()
            found = found or place(self.documents.values, "hubctl", "gitops", "remote") or remote
        return found or built_in("hubctl", "gitops", key)

    def kserve(self, *trail: str | int) -> Places:
        """A key of ``coordinationEngine.kserve``."""
        return place(self.documents.values, *_KSERVE, *trail) or built_in(*_KSERVE, *trail)

    def registered(self, model: str, key: str) -> Places:
        """``service`` or ``namespace`` of a registered model, whichever spelling names it; none without one."""
        values = self.documents.values
        kserve: Any = values.data
        for part in _KSERVE:
            kserve = kserve.get(part) or {}
        for index, entry in enumerate(kserve.get("models") or ()):
            if entry["name"] == model:
                return place(values, *_KSERVE, "models", index, key)
        if key != "service":
            return ()
        for name in kserve.get("services") or {}:
            if name.replace("_", "-") == model:
                return place(values, *_KSERVE, "services", name)
        for service, named, usual in _CHART:
            if (kserve.get(named) or kserve.get(_HUMP.sub(lambda h: f"_{h[1].lower()}", named)) or usual) == model:
                return place(values, *_KSERVE, service)
        return ()


@dataclass(frozen=True, slots=True)
class SpokeOrigins:
    """Where the values of one spoke stand."""

    documents: Documents
    inputs: HubInputs
    cluster: ManagedCluster

    @property
    def hub(self) -> HubOrigins:
        """The same of the hub."""
        return HubOrigins(self.documents)

    @property
    def document(self) -> Document:
        """The spoke's own file."""
        return self.documents.spokes[self.cluster.name]

    def spec(self, *trail: str | int) -> Places:
        """A key of the spoke's ``spec``."""
        return place(self.document, "spec", *trail) or built_in("spec", *trail)

    def name(self) -> Places:
        """The spoke's name."""
        return place(self.document, "metadata", "name")

    def destination(self) -> Places:
        """Argo CD's name of the cluster: by default the spoke's own."""
        return place(self.document, "spec", "destination", "name") or self.name()

    def namespace(self) -> Places:
        """Where models live that name no namespace."""
        return place(self.document, "spec", "namespace") or self.hub.kserve("namespace")

    def namespaces(self) -> Places:
        """What all namespaces of the spoke were taken from."""
        return joined(self.namespace(), *(self.model(model.name, "namespace") for model in self.cluster.models))

    def quarantined(self) -> Places:
        """The overrides that quarantine the spoke."""
        ours = [file for file, one in self.inputs.overrides if one.spec.cluster == self.cluster.name]
        found = [
            place(self.documents.overrides[file], "spec", "quarantine")
            for file, one in self.inputs.overrides
            if file in ours and one.spec.quarantine
        ]
        return joined(*found) or ("no override says so",)

    def overrides(self) -> Places:
        """The names of the overrides in force."""
        names = self.cluster.overridden_by
        found = [
            place(self.documents.overrides[file], "metadata", "name")
            for file, one in self.inputs.overrides
            if one.metadata.name in names and one.spec.cluster == self.cluster.name
        ]
        return joined(*found) or ("no override is in force",)

    def access_mode(self) -> Places:
        """The claim's access mode: by default, the one that the topology can have."""
        return place(self.document, "spec", "storage", "accessMode") or self.spec("topology")

    def model(self, model: str, key: str, *below: str) -> Places:
        """A key of a model: the spoke's own, an override's, the registry's, its profile's, or the default."""
        made: dict[str, Any] = {
            "version": lambda: self._pin(model, "version") or self._own(model, "version"),
            "pinnedBy": lambda: self._pin(model, "") or ("no override pins it",),
            "name": lambda: self._own(model, "name"),
            "namespace": lambda: self._named(model, "namespace") or self.namespace(),
            "service": lambda: self._named(model, "service") or self._own(model, "name"),
            "storageUri": lambda: self._storage_uri(model),
        }
        return made[key]() if key in made else self.profile(model, key, *below)

    def profile(self, model: str, *trail: str) -> Places:
        """A key of the model's profile, patched by the spoke."""
        patched = place(self.document, "spec", "overrides", "models", model, *trail) if trail[0] != "output" else ()
        fleet: Trail = ("hubctl", "models", model, *trail)
        return patched or place(self.documents.values, *fleet) or built_in(*fleet)

    def _own(self, model: str, key: str) -> Places:
        return place(self.document, "spec", "models", self._index(model), key)

    def _named(self, model: str, key: str) -> Places:
        return self._own(model, key) or self.hub.registered(model, key)

    def _index(self, model: str) -> int:
        return [entry["name"] for entry in self.document.data["spec"]["models"]].index(model)

    def _served(self, model: str) -> InferenceService:
        found = self.cluster.model(model)
        assert found is not None  # noqa: S101 - callers name a model of this spoke
        return found

    def _pin(self, model: str, key: str) -> Places:
        """The pin in force: like ``merge``, the last file that has not lapsed."""
        if not self._served(model).pinned_by:
            return ()
        written = self.document.data["spec"]["models"][self._index(model)]["version"]
        found: Places = ()
        for file, override in self.inputs.overrides:
            for index, pin in enumerate(override.spec.models if override.spec.cluster == self.cluster.name else ()):
                if pin.name == model and pin.instead_of in (None, written):
                    trail: Trail = ("spec", "models", index, key) if key else ("metadata", "name")
                    found = place(self.documents.overrides[file], *trail)
        return found

    def _storage_uri(self, model: str) -> Places:
        pvc = isinstance(self.cluster.storage, PvcStorage)
        path = self._served(model).profile.path
        parts = [self.spec("storage", "claim")] if pvc else [self.spec("storage", "bucket")]
        parts += [] if pvc else [place(self.document, "spec", "storage", "prefix")]
        parts += [self.profile(model, "path")]
        parts += [
            self.model(model, key) for key, mark in (("name", "{model}"), ("version", "{version}")) if mark in path
        ]
        return joined(*parts)


def built_in(*trail: str | int) -> Places:
    """The place of a default that this program brings."""
    return (f"{BUILT_IN}{dotted(trail)}",)


def joined(*places: Places) -> Places:
    """All of them, each once."""
    return tuple(dict.fromkeys(one for several in places for one in several))
