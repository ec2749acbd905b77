"""Facts: what is known of a spoke, one by one, and who says each: its file, the hub, a group, an override, a default.

Pure. Only what people look up in a list; where every value of a rendered file comes from, ``render --explain`` finds
out by trying.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubctl.inputs import load, settle
from hubctl.model.cluster import ManagedCluster, Spoke
from hubctl.model.inventory import Member

DEFAULT = "default"
_SETTINGS = {
    "namespace": "namespace",
    "storage": "storage",
    "route": "route",
    "deployment_mode": "deploymentMode",
    "kserve_version": "kserveVersion",
    "expose": "expose",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a spoke.

    Attributes:
        name: such as ``platform``, ``labels.tier`` or ``models.anomaly-detector``.
        value: for people.
        origin: ``clusters/edge-a.yaml``, ``ManagedCluster edge-a``, ``group edge``, ``override pin`` or ``default``.
    """

    name: str
    value: str
    origin: str


def facts(sources: load.Sources, cluster: ManagedCluster) -> tuple[Fact, ...]:
    """What is known of a spoke of these sources, in the order of a cluster file."""
    spoke = next(spoke for _, spoke in sources.spokes if spoke.metadata.name == cluster.name)
    member = sources.inventory.member(cluster.name) if sources.inventory else None
    said = _Said(cluster.source, spoke, member, _written(sources, cluster))
    return (
        *(said.fact(key, getattr(cluster, key)) for key in ("platform", "version", "topology")),
        *(said.label(key, value) for key, value in cluster.labels.items()),
        *_settings(sources, cluster, spoke),
        *_models(sources, cluster, spoke),
    )


def kinds(found: tuple[Fact, ...]) -> str:
    """Who says anything of a spoke, by kind, each once: ``ManagedCluster, file, group``."""
    words = ("file" if one.origin.startswith("clusters/") else one.origin.partition(" ")[0] for one in found)
    return ", ".join(word for word in dict.fromkeys(words) if word != DEFAULT)


@dataclass(frozen=True, slots=True)
class _Said:
    """Who says what of a spoke itself."""

    source: str
    spoke: Spoke
    member: Member | None
    written: dict[str, Any] | None

    def fact(self, key: str, value: str) -> Fact:
        """Platform, version or topology."""
        if self._in_file(key):
            return Fact(key, value, self.source)
        told = self.member.origin if self.member and getattr(self.member, key) else DEFAULT
        return Fact(key, value, told)

    def label(self, key: str, value: str) -> Fact:
        """A label of it."""
        own = self.spoke.metadata.labels
        if self.written is not None:
            own = (self.written.get("metadata") or {}).get("labels") or {}
        hub = self.member and key in self.member.labels and key not in own
        return Fact(f"labels.{key}", value, self.member.origin if hub and self.member else self.source)

    def _in_file(self, key: str) -> bool:
        if self.written is not None:
            return key in (self.written.get("spec") or {})
        return key in self.spoke.spec.model_fields_set and self.member is None


def _written(sources: load.Sources, cluster: ManagedCluster) -> dict[str, Any] | None:
    """What a cluster file itself holds, where it refines what the hub says."""
    return next((document.data for document in sources.files if document.name == cluster.source), None)


def _settings(sources: load.Sources, cluster: ManagedCluster, spoke: Spoke) -> Iterator[Fact]:
    groups = settle.groups_of(sources.values, spoke)
    said = settle.settings_of(sources.values, spoke)
    for field, name in _SETTINGS.items():
        if getattr(spoke.spec, field) is not None:
            origin = cluster.source
        else:
            origin = next((f"group {one.name}" for one in reversed(groups) if getattr(one, field) is not None), DEFAULT)
        value = getattr(cluster, field, None) or getattr(said, field, None)
        if value is not None:
            yield Fact(name, str(getattr(value, "type", value)), origin)


def _models(sources: load.Sources, cluster: ManagedCluster, spoke: Spoke) -> Iterator[Fact]:
    groups = settle.groups_of(sources.values, spoke)
    own = {model.name for model in spoke.spec.models}
    for model in cluster.models:
        serving = [one.name for one in groups if model.name in {each.name for each in one.serve}]
        origin = cluster.source if model.name in own or not serving else f"group {serving[-1]}"
        yield Fact(f"models.{model.name}", model.version, f"override {model.pinned_by}" if model.pinned_by else origin)
