"""Checks between files: a spoke's models are registered, names agree, nothing is said twice.

Pure. Apart from the models, which see one file each.
"""

from collections.abc import Sequence

from hubctl.errors import InputError
from hubctl.inputs import settle
from hubctl.inputs.document import Document, Trail
from hubctl.model import access, platform, serving
from hubctl.model.cluster import Spoke
from hubctl.model.features import Features
from hubctl.model.runtime import runtime_misfit
from hubctl.model.spelling import nearest
from hubctl.model.values import HubctlSection, HubValues, ModelProfile


def check(values: HubValues, spokes: Sequence[tuple[Document, Spoke]]) -> list[InputError]:
    """Every problem between the values and what is said of each spoke."""
    found: list[InputError] = []
    for document, spoke in spokes:
        found += _models(values, document, spoke)
        found += _patches(values, document, spoke)
        found += _profiles(values, document, spoke)
        found += _destination(values, document, spoke)
        found += _surroundings(values, document, spoke)
        for name, patch in spoke.spec.overrides.models.items():
            trail = ("spec", "overrides", "models", name, "features")
            found += _recipe(values.hubctl, document, patch.features, trail)
    return found


def folders(section: HubctlSection, document: Document) -> list[InputError]:
    """The rendered folder is replaced as a whole, so overrides may not lie in it, nor it in them."""
    path, overrides = section.gitops.path, section.gitops.overrides
    if not f"{overrides}/".startswith(f"{path}/") and not f"{path}/".startswith(f"{overrides}/"):
        return []
    return [
        InputError(
            f"found {overrides!r}, expected a folder apart from gitops.path, which is {path!r}",
            where=document.where(("hubctl", "gitops", "overrides")),
            hint="use overrides, beside the rendered folder",
        )
    ]


def served(values: HubValues, document: Document) -> list[InputError]:
    """Groups name registered models, each once."""
    known = [model.name for model in values.kserve.registry]
    found = []
    for index, group in enumerate(values.hubctl.groups):
        seen: set[str] = set()
        for number, model in enumerate(group.serve):
            where = document.where(("hubctl", "groups", index, "serve", number, "name"))
            if model.name in seen:
                found.append(InputError(f"found {model.name!r} again, expected each model once", where=where))
            elif model.name not in known:
                hint = nearest(model.name, known) or f"run `hubctl models register {model.name}`"
                expected = ", ".join(known) or "none"
                message = f"found {model.name!r}, expected a registered model: {expected}"
                found.append(InputError(message, where=where, hint=hint))
            seen.add(model.name)
    return found


def names(spokes: Sequence[tuple[Document, Spoke]]) -> list[InputError]:
    """A file is called after its spoke, and no two files describe one."""
    found = []
    first: dict[str, str] = {}
    for document, spoke in spokes:
        name, file = spoke.metadata.name, document.name.rpartition("/")[2]
        stem = file.rpartition(".")[0]
        where = document.where(("metadata", "name"))
        if name in first:
            found.append(
                InputError(f"found {name!r}, expected each spoke once: {first[name]} describes it too", where=where)
            )
        elif name != stem:
            hint = f"rename the file to clusters/{name}.yaml, or set metadata.name to {stem}"
            found.append(InputError(f"found {name!r}, expected the file's name {stem!r}", where=where, hint=hint))
        first.setdefault(name, document.name)
    return found


def _models(values: HubValues, document: Document, spoke: Spoke) -> list[InputError]:
    """A spoke serves registered models, each once."""
    registered = [model.name for model in values.kserve.registry]
    found = []
    seen: dict[str, Trail] = {}
    for index, model in enumerate(spoke.spec.models):
        trail: Trail = ("spec", "models", index, "name")
        where = document.where(trail)
        if model.name in seen:
            line = document.line(seen[model.name])
            found.append(
                InputError(f"found {model.name!r} again, expected each model once: also on line {line}", where=where)
            )
        elif model.name not in registered:
            hint = nearest(model.name, registered) or f"run `hubctl models register {model.name}`"
            known = ", ".join(registered) or "none"
            found.append(
                InputError(f"found {model.name!r}, expected a registered model: {known}", where=where, hint=hint)
            )
        seen.setdefault(model.name, trail)
    return found


def _patches(values: HubValues, document: Document, spoke: Spoke) -> list[InputError]:
    """A spoke patches only models that it serves."""
    named = [model.name for model in settle.models_of(values, spoke)]
    return [
        InputError(
            f"found {name!r}, expected a model of this spoke: {', '.join(named) or 'none'}",
            where=document.where(("spec", "overrides", "models", name)),
            hint=nearest(name, named) or "add it to spec.models or remove the patch",
        )
        for name in spoke.spec.overrides.models
        if name not in named
    ]


def _profiles(values: HubValues, document: Document, spoke: Spoke) -> list[InputError]:
    """What fleet, groups and spoke say of a model fits together once it is merged."""
    found = []
    groups = _counting(values, spoke)
    said = settle.settings_of(values, spoke)
    mode = said.deployment_mode or serving.DEFAULT_MODE
    stored = said.storage.type if said.storage else "pvc"
    for index, model in enumerate(settle.models_of(values, spoke)):
        patched = model.name in spoke.spec.overrides.models
        profile = settle.profile_of(values, spoke, model.name)
        trail: Trail = ("spec", "overrides", "models", model.name) if patched else ("spec", "models", index, "name")
        hint = f"set both here, or under hubctl.models.{model.name} in values-hub.yaml{groups}"
        wrong = [_replicas(profile), serving.misfit(profile), serving.mode_misfit(profile, mode)]
        if runtime := values.hubctl.runtimes.get(profile.runtime or ""):
            wrong.append(runtime_misfit(profile, runtime, stored))
        found += [InputError(f"{model.name}: {text}", where=document.where(trail), hint=hint) for text in wrong if text]
    return found


def _surroundings(values: HubValues, document: Document, spoke: Spoke) -> list[InputError]:
    """What is around the predictors fits the spoke's platform."""
    said = settle.settings_of(values, spoke)
    mode = said.deployment_mode or serving.DEFAULT_MODE
    found = []
    if wrong := platform.exposure_misfit(said.expose, spoke.spec.platform, mode):
        hint = "" if spoke.spec.expose else f"set it here{_counting(values, spoke)}"
        found.append(InputError(wrong, where=document.where(("spec", "expose")), hint=hint))
    if wrong := access.hub_misfit(said.access, spoke.metadata.name):
        hint = f"take it back here with access: {{}}{_counting(values, spoke)}"
        found.append(InputError(wrong, where=document.where(("spec", "access")), hint=hint))
    return found


def _counting(values: HubValues, spoke: Spoke) -> str:
    """For the end of a hint: the groups that have a say, if any."""
    names = [group.name for group in settle.groups_of(values, spoke)]
    return f"; these groups count here: {', '.join(names)}" if names else ""


def _destination(values: HubValues, document: Document, spoke: Spoke) -> list[InputError]:
    """A generator that goes by Argo CD's names finds a spoke's folder by that name."""
    destination, generator = spoke.spec.destination, values.hubctl.delivery.generator
    if destination is None or destination.name == spoke.metadata.name or not values.hubctl.delivery.by_name:
        return []
    message = f"found {destination.name!r}, expected the spoke's own name with generator {generator}"
    hint = "call the spoke as Argo CD calls its cluster, or use hubctl.delivery.generator git"
    return [InputError(message, where=document.where(("spec", "destination", "name")), hint=hint)]


def _replicas(profile: ModelProfile) -> str:
    if profile.min_replicas <= profile.max_replicas:
        return ""
    return (
        f"gets minReplicas {profile.min_replicas} and maxReplicas {profile.max_replicas}, "
        "expected at least as many at most"
    )


def recipes(section: HubctlSection, document: Document) -> list[InputError]:
    """Recipes of the values name sources that there are, and tell spokes apart where one source knows them all."""
    found: list[InputError] = []
    for name, profile in section.models.items():
        found += _recipe(section, document, profile.features, ("hubctl", "models", name, "features"))
    for index, group in enumerate(section.groups):
        for name, patch in group.models.items():
            found += _recipe(section, document, patch.features, ("hubctl", "groups", index, "models", name, "features"))
    return found


def _recipe(section: HubctlSection, document: Document, features: Features | None, trail: Trail) -> list[InputError]:
    if features is None or features.prometheus is None:
        return []
    recipe, below = features.prometheus, (*trail, "prometheus")
    endpoint = section.prometheus.named(recipe.source)
    if endpoint is None:
        known = list(section.prometheus.sources)
        wanted = repr(recipe.source) if recipe.source else "no source, and no default"
        return [
            InputError(
                f"found {wanted}, expected one of hubctl.prometheus.sources: {', '.join(known) or 'none'}",
                where=document.where((*below, "source")),
                hint=nearest(recipe.source or "", known) or "add it under hubctl.prometheus.sources in values-hub.yaml",
            )
        ]
    if endpoint.source.scope == "spoke":
        return []
    return [
        InputError(
            f"found a query that does not tell spokes apart, expected `by ($cluster)` in it: {metric.query[:80]}",
            where=document.where((*below, "metrics", index, "query")),
            hint="such as avg by ($cluster) (up{$selector}); $cluster becomes the source's clusterLabel",
        )
        for index, metric in enumerate(recipe.metrics)
        if not metric.by_cluster
    ]
