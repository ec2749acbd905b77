"""Values, spokes and overrides to HubInputs: defaults filled in, patches and pins merged.

Pure, and apart from reading, so that a publish that lost a race can merge the overrides of the new tip without
reading a file again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hubctl.inputs import settle
from hubctl.model.cluster import ManagedCluster, Spoke
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import InferenceService
from hubctl.model.prometheus import Endpoint
from hubctl.model.registry import RegisteredModel
from hubctl.model.remediation import Override, PinnedModel
from hubctl.model.route import Route, ServiceRoute, UrlRoute, settled
from hubctl.model.served import SpokeModel
from hubctl.model.serving import DEFAULT_PORT, is_raw, spelled
from hubctl.model.spelling import nearest
from hubctl.model.values import HubValues, ModelProfile, SpokeSettings


@dataclass(slots=True)
class _Merged:
    """What the overrides in force say of one spoke."""

    versions: dict[str, tuple[str, str]] = field(default_factory=dict)
    quarantined_by: list[str] = field(default_factory=list)

    @property
    def files(self) -> frozenset[str]:
        return frozenset((*self.quarantined_by, *(file for _, file in self.versions.values())))


def assemble(
    values: HubValues, spokes: Sequence[tuple[str, Spoke]], overrides: Sequence[tuple[str, Override]]
) -> HubInputs:
    """The fleet, whatever the order of spokes and overrides.

    Args:
        values: both of our sections of the hub's values.
        spokes: file and content of every cluster file; each name once.
        overrides: file name and content; of two pins of one model the later file name wins.
    """
    clusters, ordered, warnings = clusters_of(values, spokes, overrides)
    return HubInputs(
        values=values,
        clusters=clusters,
        overrides=ordered,
        warnings=(
            *warnings,
            *unused(values, clusters),
            *unused_runtimes(values, clusters),
            *settle.idle(values, [spoke for _, spoke in spokes]),
            *in_clear(values, clusters),
            *still_reached(values, clusters),
        ),
    )


def clusters_of(
    values: HubValues, spokes: Sequence[tuple[str, Spoke]], overrides: Sequence[tuple[str, Override]]
) -> tuple[tuple[ManagedCluster, ...], tuple[tuple[str, Override], ...], list[str]]:
    """The spokes with defaults and overrides, by name; the overrides by file name; warnings about these.

    Args:
        values: as :func:`assemble` takes them, like the others.
        spokes: file and content.
        overrides: file name and content.
    """
    by_name = {spoke.metadata.name: (source, spoke) for source, spoke in spokes}
    ordered = tuple(sorted(overrides, key=lambda item: item[0]))
    merged: dict[str, _Merged] = {name: _Merged() for name in by_name}
    warnings: list[str] = []
    for file, override in ordered:
        warnings += _merge(values, file, override, by_name, merged)
    names = {file: override.metadata.name for file, override in ordered}
    clusters = tuple(
        _cluster(values, source, spoke, merged[name], names) for name, (source, spoke) in sorted(by_name.items())
    )
    return clusters, ordered, warnings


def _merge(
    values: HubValues,
    file: str,
    override: Override,
    spokes: Mapping[str, tuple[str, Spoke]],
    merged: Mapping[str, _Merged],
) -> list[str]:
    """Add one override to what is merged of its spoke; returns warnings."""
    name = override.spec.cluster
    if name not in spokes:
        return [f"override {file}: there is no spoke {name!r}; {nearest(name, spokes) or 'the file can be deleted'}"]
    if override.spec.quarantine:
        merged[name].quarantined_by.append(file)
    source, spoke = spokes[name]
    served = {model.name: model for model in settle.models_of(values, spoke)}
    warnings = []
    for pin in override.spec.models:
        # A lapsed pin must not shadow an earlier one that is in force.
        if warning := _lapsed(file, pin, served, source):
            warnings.append(warning)
            continue
        if earlier := merged[name].versions.get(pin.name):
            warnings.append(
                f"override {file} pins {pin.name} on {name} to {pin.version}; it wins over {earlier[1]}, which says "
                f"{earlier[0]}"
            )
        merged[name].versions[pin.name] = (pin.version, file)
    return warnings


def _lapsed(file: str, pin: PinnedModel, served: Mapping[str, SpokeModel], source: str) -> str:
    """Why a pin does not apply; empty when it does."""
    model = served.get(pin.name)
    if model is None:
        return f"override {file}: {source} lists no model {pin.name!r}; {nearest(pin.name, served)}".rstrip("; ")
    if pin.instead_of not in (None, model.version):
        return (
            f"override {file} has lapsed: it replaces {pin.name} {pin.instead_of}, and {source} now says "
            f"{model.version}; the file can be deleted"
        )
    return ""


def _cluster(values: HubValues, source: str, spoke: Spoke, merged: _Merged, names: Mapping[str, str]) -> ManagedCluster:
    """One spoke with defaults and overrides."""
    spec, name = spoke.spec, spoke.metadata.name
    said = settle.settings_of(values, spoke)
    groups = tuple(group.name for group in settle.groups_of(values, spoke))
    mode = said.deployment_mode or settle.DEFAULTS["deployment_mode"]
    return ManagedCluster(
        name=name,
        platform=spec.platform,
        version=spec.version,
        topology=spec.topology,
        destination=spec.destination.name if spec.destination else name,
        namespace=said.namespace or values.kserve.namespace,
        storage=said.storage or settle.DEFAULTS["storage"],
        models=_services(values, spoke, said, merged, names),
        source=source,
        labels=dict(sorted(spoke.metadata.labels.items())),
        quarantined=bool(merged.quarantined_by),
        overridden_by=tuple(sorted({names[file] for file in merged.files})),
        deployment_mode=spelled(mode, said.kserve_version),
        expose=said.expose,
        network_policy=said.network_policy,
        monitoring=said.monitoring or settle.DEFAULTS["monitoring"],
        access=said.access,
        groups=groups,
        step=values.hubctl.delivery.strategy.step_of(spoke.metadata.labels, groups),
    )


def _services(
    values: HubValues, spoke: Spoke, said: SpokeSettings, merged: _Merged, names: Mapping[str, str]
) -> tuple[InferenceService, ...]:
    """The models of a spoke, by name."""
    registry = {model.name: model for model in values.kserve.registry}
    mode = said.deployment_mode or settle.DEFAULTS["deployment_mode"]
    found = []
    for model in sorted(settle.models_of(values, spoke), key=lambda model: model.name):
        # An unregistered name is refused when files are read; here it only gets the default Service.
        registered = registry.get(model.name, RegisteredModel(name=model.name))
        version, pin = merged.versions.get(model.name, (model.version, ""))
        profile = settle.profile_of(values, spoke, model.name)
        route = settled(
            model.route or said.route or values.hubctl.observe.route,
            auth=said.expose is not None and said.expose.auth,
            raw=is_raw(mode),
            port=profile.container.port if profile.container else DEFAULT_PORT,
        )
        found.append(
            InferenceService(
                cluster=spoke.metadata.name,
                name=model.name,
                version=version,
                namespace=model.namespace or registered.namespace or said.namespace or values.kserve.namespace,
                service=model.service or registered.service or f"{model.name}-predictor",
                profile=profile,
                route=route,
                pinned_by=names.get(pin, ""),
                account=values.hubctl.observe.account(said.access),
                metrics=_asked(values, profile),
            )
        )
    return tuple(found)


def _asked(values: HubValues, profile: ModelProfile) -> Endpoint | None:
    """Where the model's recipe is asked; None without one."""
    recipe = profile.features.prometheus if profile.features else None
    return values.hubctl.prometheus.named(recipe.source) if recipe else None


def unused(values: HubValues, clusters: Sequence[ManagedCluster]) -> list[str]:
    """Warnings about names in the values that nothing uses: typos are silent otherwise."""
    registered = [model.name for model in values.kserve.registry]
    served = {model.name for cluster in clusters for model in cluster.models}
    found = [f"model {name!r} is registered but no spoke serves it" for name in registered if name not in served]
    if not clusters:
        # An empty fleet has its own warning.
        found = []
    named = [(f"hubctl.models.{name}", name) for name in sorted(values.hubctl.models)]
    named += [
        (f"hubctl.groups {group.name!r}", name) for group in values.hubctl.groups for name in sorted(group.models)
    ]
    named += [
        (f"hubctl.remediation policy {policy.name!r}", name)
        for policy in values.hubctl.remediation.policies
        for name in policy.models
    ]
    return found + [
        f"{place}: no model {name!r} is registered; {nearest(name, registered)}".rstrip("; ")
        for place, name in named
        if name not in registered
    ]


def unused_runtimes(values: HubValues, clusters: Sequence[ManagedCluster]) -> list[str]:
    """Warnings about runtimes that no model names: a misspelt one would be looked for on the spoke."""
    named = {model.profile.runtime for cluster in clusters for model in cluster.models}
    return [
        f"hubctl.runtimes.{name}: no model of a spoke has this runtime"
        for name in values.hubctl.runtimes
        if clusters and name not in named
    ]


def in_clear(values: HubValues, clusters: Sequence[ManagedCluster]) -> list[str]:
    """Warnings about spokes and sources that would get the bearer token over plain HTTP."""
    fleets = bool(values.hubctl.observe.token_file or values.hubctl.observe.token_env)
    names = {
        cluster.name
        for cluster in clusters
        for model in cluster.models
        if (fleets or model.account) and any(map(_is_clear, model.routes))
    }
    clear = [
        f"hubctl.prometheus.sources.{name}: its url is http, so the bearer token travels in clear; use https"
        for name, source in values.hubctl.prometheus.sources.items()
        if source.has_token and source.url.startswith("http://")
    ]
    told = "its route is http, so the bearer token travels in clear; use https"
    return [*clear, *(f"{name}: {told}" for name in sorted(names))]


def _is_clear(route: Route) -> bool:
    """Whether what is sent leaves the hub unencrypted; the cluster-proxy is always reached by TLS."""
    if isinstance(route, UrlRoute):
        return route.url.startswith("http://")
    return isinstance(route, ServiceRoute) and route.scheme == "http"


def still_reached(values: HubValues, clusters: Sequence[ManagedCluster]) -> list[str]:
    """Warnings about quarantines that do nothing, where no Application is ever removed."""
    delivery = values.hubctl.delivery
    if delivery.chosen_sync == "sync":
        return []
    needed = "delivery model push" if delivery.model == "pull" else "hubctl.delivery.applicationsSync sync"
    return [f"{cluster.name}: quarantine needs {needed}" for cluster in clusters if cluster.quarantined]
