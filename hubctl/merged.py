"""Merged: the fleet as the published branch delivers it, while a pull request with other versions waits.

Apart from ``hub``, which knows what is wanted: what waits to be merged does not run yet, so votes, findings and actions
must go by what the branch says.
"""

from collections.abc import Mapping
from dataclasses import replace

from hubctl import hub
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.publish import branch, changes, delivered
from hubctl.publish.repository import Repository
from hubctl.render.templates import Templates, load_templates
from hubctl.settings import Settings


async def inputs_delivered(settings: Settings, sources: load.Sources, *, ask: bool = False) -> HubInputs:
    """The fleet as the branch delivers it: of what still waits to be merged, the versions that it would replace.

    Raises:
        InputError: an override is wrong.
        TemplateError: a template failed.
    """
    found = await hub.inputs_in_force(settings, sources, ask=ask)
    gitops = sources.values.hubctl.gitops
    if not gitops.publishing.by_pull_request or not gitops.remote or not settings.state.is_dir():
        return found
    return await not_merged(
        hub.open_repository(settings, sources), sources, load_templates(settings.directory / "templates"), found
    )


async def not_merged(
    repository: Repository, sources: load.Sources, templates: Templates, inputs: HubInputs
) -> HubInputs:
    """The inputs with the versions that the branch held at the last fetch."""

    def wanted_on(published: tree.Published) -> tree.Wanted:
        return hub.wanted_fleet(sources, templates, published)[1]

    seen = await branch.compared(repository, wanted_on, hub.publish_options(sources), ask=False)
    return as_delivered(sources, inputs, seen.found, await branch.replaced(repository, seen))


def as_delivered(
    sources: load.Sources, inputs: HubInputs, found: changes.Changes, old: Mapping[str, bytes]
) -> HubInputs:
    """The inputs with the versions that the branch holds; models that it does not hold yet are left out.

    Args:
        sources: name the folder of the spokes.
        inputs: as the files describe them.
        found: what a publish would change.
        old: bytes of what it would change or remove.
    """
    folder = f"{sources.values.hubctl.gitops.path}/{tree.SPOKES}"
    known = delivered.versions(found, old, folder)

    def on_branch(cluster: ManagedCluster) -> ManagedCluster:
        models = ((model, known.get((cluster.name, model.name), model.version)) for model in cluster.models)
        return replace(cluster, models=tuple(replace(model, version=at) for model, at in models if at))

    return replace(inputs, clusters=tuple(map(on_branch, inputs.clusters))) if known else inputs
