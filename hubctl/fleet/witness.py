"""A snapshot of the hub read into witnesses: klusterlets, InferenceServices by feedback, Argo CD Applications. Pure.

What an object does not say, or what cannot be believed now, is unknown and says why. Formats: Open Cluster Management's
ManagedCluster and ManifestWork as its agents write their status, Argo CD's Application.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hubctl.model import credential
from hubctl.model import snapshot as kinds
from hubctl.model.snapshot import Resource, Snapshot
from hubctl.model.watching import Heard
from hubctl.model.witness import Application, Klusterlet, Lease, Service, Sight, SpokeWitness, Wanted
from hubctl.model.witnessing import Witness

_AVAILABLE = "ManagedClusterConditionAvailable"
_LEASES = {"True": Lease.FRESH, "False": Lease.API_DOWN, "Unknown": Lease.STALE}
_LEASE_SECONDS, _LEASES_MISSED = 60, 5
"""Open Cluster Management's default, and how many of them the hub waits before it calls the condition unknown."""

_ERRORS = frozenset({"ComparisonError", "SyncError", "InvalidSpecError", "UnknownError"})
"""Conditions of an Application that keep it from being delivered; the others are warnings, or about its deletion."""

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Expected:
    """What the hub should have about one spoke.

    Attributes:
        services: model, namespace and what Git delivers of it.
        work: name of the ManifestWork that reads them back; empty when the spoke asks for none.
        application: namespace and name, as our ApplicationSets make it; None when nothing is delivered to the spoke.
        folder: that it delivers, by which one of another name is known.
        pull: Argo CD on the spoke syncs, and the hub's Application only repeats what that says.
        rolling: it is synced when its step comes.
    """

    cluster: str
    services: tuple[tuple[str, str, Wanted], ...] = ()
    work: str = ""
    application: tuple[str, str] | None = None
    folder: str = ""
    pull: bool = False
    rolling: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """A snapshot, found by name, and what of it is believed; ``applications`` are those of the spokes, by spoke."""

    found: Mapping[Resource, Mapping[tuple[str, str], Mapping[str, Any]]]
    unread: Mapping[Resource, str]
    heard: Heard
    rules: Witness
    now: datetime
    applications: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def why(self, kind: Resource) -> str:
        """Why a kind says nothing; empty when it was read."""
        return "" if kind in self.found else self.unread.get(kind, "it was not looked for")


def read(
    seen: Snapshot | None, expected: Iterable[Expected], heard: Heard, rules: Witness, *, now: datetime
) -> tuple[SpokeWitness, ...]:
    """What the hub's objects say of each spoke, by name; nothing when nobody is heard.

    Args:
        seen: the look at the hub; one that is missing or older than ``stale_after`` says nothing.
        expected: one for each spoke of the fleet.
        heard: which witnesses are.
        rules: when they are believed.
        now: the pass's time.
    """
    if heard == Heard():
        return ()
    spokes = sorted(expected, key=lambda one: one.cluster)
    look = _look(seen, heard, rules, now)
    look = replace(look, applications=_by_spoke(spokes, look.found.get(kinds.SPOKE_APPLICATIONS, {})))
    return tuple(_spoke(one, look) for one in spokes)


def _look(seen: Snapshot | None, heard: Heard, rules: Witness, now: datetime) -> _Look:
    if seen is None or (now - seen.at).total_seconds() > rules.stale_after:
        why = "the hub was not looked at" if seen is None else f"the hub was looked at last at {seen.at:%H:%M:%S}"
        wanted = (kinds.MANAGED_CLUSTERS, kinds.FEEDBACK_WORKS, kinds.SPOKE_APPLICATIONS)
        return _Look({}, dict.fromkeys(wanted, why), heard, rules, now)
    found = {kind: {_name(each): each for each in objects} for kind, objects in seen.objects.items()}
    return _Look(found, seen.unread, heard, rules, now)


def _spoke(one: Expected, look: _Look) -> SpokeWitness:
    klusterlet = _klusterlet(one.cluster, look) if look.heard.managed_clusters else None
    doubt = _doubt(klusterlet)
    return SpokeWitness(
        cluster=one.cluster,
        at=look.now,
        klusterlet=klusterlet,
        services=_services(one, look, doubt),
        application=_application(one, look, doubt if one.pull else "") if one.application else None,
    )


def _klusterlet(cluster: str, look: _Look) -> Klusterlet:
    if why := look.why(kinds.MANAGED_CLUSTERS):
        return Klusterlet(Lease.UNREAD, detail=f"ManagedClusters cannot be read: {why}")
    managed = look.found[kinds.MANAGED_CLUSTERS].get(("", cluster))
    if managed is None:
        return Klusterlet(Lease.ABSENT, detail="the hub has no ManagedCluster of this name")
    spec = _map(managed.get("spec"))
    seconds = spec.get("leaseDurationSeconds") or _LEASE_SECONDS
    found = _condition(_map(managed.get("status")).get("conditions"), _AVAILABLE)
    return Klusterlet(
        lease=_LEASES.get(str(found.get("status")), Lease.UNREPORTED),
        since=_time(found.get("lastTransitionTime")),
        grace=float(seconds * _LEASES_MISSED),
        taints=tuple(sorted(str(taint.get("key")) for taint in spec.get("taints") or ())),
        deleting="deletionTimestamp" in _map(managed.get("metadata")),
        detail=_cut(found.get("message") or found.get("reason") or "its klusterlet has not reported yet"),
    )


def _doubt(klusterlet: Klusterlet | None) -> str:
    """Why what a spoke's agents wrote is not believed; empty when it is."""
    if klusterlet is None or klusterlet.lease is Lease.FRESH:
        return ""
    return f"its klusterlet is {klusterlet.lease}"


def _services(one: Expected, look: _Look, doubt: str) -> tuple[Service, ...]:
    """Each model, as the spoke's ManifestWork has it."""
    why, manifests = doubt, {}
    if not look.heard.feedback or not one.work:
        why = "no feedback is asked for"
    elif missing := look.why(kinds.FEEDBACK_WORKS):
        why = f"ManifestWorks cannot be read: {missing}"
    else:
        work = look.found[kinds.FEEDBACK_WORKS].get((one.cluster, one.work))
        why = why or _unbelievable(work)
        manifests = _manifests(work or {})
    return tuple(
        Service(model, wanted, detail=why) if why else _service(model, wanted, manifests.get((namespace, model)))
        for model, namespace, wanted in one.services
    )


def _unbelievable(work: Mapping[str, Any] | None) -> str:
    """Why a ManifestWork says nothing yet; empty when it does."""
    if work is None:
        return "the hub has no ManifestWork that reads it back: apply rendered/hub"
    applied = _condition(_map(work.get("status")).get("conditions"), "Applied")
    if applied.get("observedGeneration", 0) < _map(work.get("metadata")).get("generation", 0):
        return "the spoke's agent has not seen the ManifestWork yet"
    return ""


def _manifests(work: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The status of each InferenceService of a ManifestWork, by namespace and name."""
    listed = _map(_map(work.get("status")).get("resourceStatus")).get("manifests") or ()
    found = {}
    for each in listed:
        meta = _map(each.get("resourceMeta"))
        if (meta.get("group"), meta.get("resource")) == ("serving.kserve.io", "inferenceservices"):
            found[str(meta.get("namespace")), str(meta.get("name"))] = each
    return found


def _service(model: str, wanted: Wanted, manifest: Mapping[str, Any] | None) -> Service:
    if manifest is None:
        return Service(model, wanted, detail="the ManifestWork does not tell of it")
    available = _condition(manifest.get("conditions"), "Available")
    if available.get("status") == "False":
        return Service(model, wanted, Sight.ABSENT, detail=_cut(available.get("message")))
    # The agent leaves old values in place while it cannot read the object.
    if available.get("status") != "True":
        return Service(model, wanted, detail=_cut(available.get("message") or "the agent has not read it yet"))
    if _condition(manifest.get("conditions"), "StatusFeedbackSynced").get("status") != "True":
        return Service(model, wanted, detail="the agent could not read all of its feedback")
    said = _values(manifest)
    ready = {"True": True, "False": False}.get(said.get("ready", ""))
    stopped = said.get("stopped") == "True"
    served, version = said.get("storageUri") or said.get("image") or "", said.get("version", "")
    same = _same(wanted, served, version)
    settled = (
        said.get("generation") == said.get("observedGeneration") and said.get("transition", "UpToDate") == "UpToDate"
    )
    return Service(
        model=model,
        wanted=wanted,
        sight=Sight.PRESENT,
        ready=ready,
        stopped=stopped,
        url=said.get("url", ""),
        model_state=said.get("modelState", ""),
        served=served,
        version=version,
        same=same,
        current=True if same and ready and settled and not stopped else (False if same is False else None),
        detail=_cut(said.get("failure") or said.get("reason")) if not ready else "",
    )


def _same(wanted: Wanted, served: str, version: str) -> bool | None:
    """Whether what is on the spoke is what Git has, by all that both tell; None when they tell nothing in common."""
    pairs = [pair for pair in ((wanted.artifact, served), (wanted.label, version)) if all(pair)]
    return all(mine == theirs for mine, theirs in pairs) if pairs else None


def _values(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Feedback by name, each value as text."""
    said = {}
    for value in _map(manifest.get("statusFeedback")).get("values") or ():
        field = _map(value.get("fieldValue"))
        found = next((field[key] for key in ("string", "integer", "boolean") if key in field), None)
        if found is not None:
            said[str(value.get("name"))] = str(found)
    return said


def _application(one: Expected, look: _Look, doubt: str) -> Application:
    assert one.application is not None  # noqa: S101 - the caller asks
    namespace, name = one.application
    if not look.heard.applications:
        return Application(name, detail="Applications are not read")
    if why := look.why(kinds.SPOKE_APPLICATIONS):
        return Application(name, detail=f"Applications cannot be read: {why}")
    found = look.applications.get(one.cluster)
    # A hub without any of them has Argo CD elsewhere, or a template of a person's own makes them in another way.
    if found is None and not look.applications:
        return Application(name, detail=f"no Application of the fleet is in {namespace}: is Argo CD elsewhere?")
    if found is None:
        return Application(name, Sight.ABSENT, detail=f"Argo CD has no Application {name} in {namespace}")
    status = _map(found.get("status"))
    doubt = doubt or _outdated(status, look)
    if doubt or not status.get("sync"):
        return Application(name, detail=doubt or "Argo CD has not compared it yet")
    return _compared(_name(found)[1], status, rolling=one.rolling)


def _by_spoke(
    spokes: Sequence[Expected], listed: Mapping[tuple[str, str], Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The Application of each spoke that has one: by its usual name, else by the folder that it delivers."""
    folders = {
        (space, str(_map(_map(each.get("spec")).get("source")).get("path"))): each
        for (space, _), each in sorted(listed.items(), reverse=True)
    }
    made = {}
    for one in spokes:
        if one.application and (found := listed.get(one.application) or folders.get((one.application[0], one.folder))):
            made[one.cluster] = found
    return made


def _compared(name: str, status: Mapping[str, Any], *, rolling: bool) -> Application:
    sync, operation = _map(status.get("sync")), _map(status.get("operationState"))
    errors = (each for each in status.get("conditions") or () if each.get("type") in _ERRORS)
    state = str(sync.get("status") or "")
    return Application(
        name=name,
        sight=Sight.PRESENT,
        sync=state,
        health=str(_map(status.get("health")).get("status") or ""),
        revision=str(sync.get("revision") or ""),
        phase=str(operation.get("phase") or ""),
        errors=tuple(sorted(_cut(f"{each['type']}: {each.get('message', '')}") for each in errors)),
        waits=rolling and state == "OutOfSync",
        detail=_cut(operation.get("message")),
    )


def _outdated(status: Mapping[str, Any], look: _Look) -> str:
    """Why an Application's state is too old to say anything; empty when it is not, or does not tell its age."""
    compared = _time(status.get("reconciledAt"))
    if compared is None or (look.now - compared).total_seconds() <= look.rules.reconciled_within:
        return ""
    return f"Argo CD compared it last at {compared:%Y-%m-%d %H:%M}"


def _name(each: Mapping[str, Any]) -> tuple[str, str]:
    metadata = _map(each.get("metadata"))
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _condition(conditions: Sequence[Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    return next((each for each in conditions or () if each.get("type") == name), {})


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _cut(text: object) -> str:
    return " ".join(credential.masked(str(text or "")).split())[:_SHOWN]
