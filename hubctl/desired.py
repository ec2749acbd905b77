"""Desired: what the branch should hold: the fleet as rendered on a tip, or an action's overrides and what follows.

Nothing here asks anybody. Apart from ``outlet``, which knows where it goes.
"""

from collections.abc import Mapping
from dataclasses import replace

import hubctl
from hubctl.conform.check import Checker
from hubctl.errors import GuardRefused
from hubctl.inputs import load
from hubctl.model import digest, tree
from hubctl.model import incident as incidents
from hubctl.model import remediation as remediations
from hubctl.model.fleet import HubInputs
from hubctl.publish import branch
from hubctl.remediate import actions
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree

INCIDENT_TRAILER = "Hubctl-Incident"
"""Commit trailer that carries the incident's id."""


def inputs_on(sources: load.Sources, published: tree.Published) -> HubInputs:
    """The fleet as it is with the overrides of the published branch; in mode ``hydrated``, with the folder's own."""
    return load.reload(sources, published.overrides if sources.overrides is None else sources.overrides)


def as_delivered(inputs: HubInputs, found: Mapping[tuple[str, str], str] | None) -> HubInputs:
    """The fleet with the versions that wait for no promotion any more; models that are not delivered yet are left out.

    Without this, what an old version answers would be held against the new one.
    """
    if found is None:
        return inputs
    clusters = []
    for cluster in inputs.clusters:
        there = [model for model in cluster.models if (cluster.name, model.name) in found]
        models = (replace(model, version=found[cluster.name, model.name] or model.version) for model in there)
        clusters.append(replace(cluster, models=tuple(models)))
    return replace(inputs, clusters=tuple(clusters))


def wanted_fleet(
    sources: load.Sources,
    templates: Templates,
    published: tree.Published,
    message: str = "",
    *,
    checker: Checker | None = None,
) -> tuple[HubInputs, tree.Wanted]:
    """The fleet on this tip, and everything that the rendered folder should hold then; the checker sees each object."""
    inputs = inputs_on(sources, published)
    rendered = render_tree(inputs, templates, checker)
    gitops = sources.values.hubctl.gitops
    subject, _, body = message.partition("\n")
    wanted = tree.Wanted(
        files={f"{gitops.path}/{path}": data for path, data in rendered.files.items()},
        owned=(gitops.path,),
        subject=subject or f"Render {len(inputs.clusters)} spokes",
        body=body.strip(),
        trailers=provenance(inputs, templates),
    )
    return inputs, wanted


def wanted_override(
    sources: load.Sources,
    templates: Templates,
    published: tree.Published,
    files: Mapping[str, bytes],
    remediation: remediations.Remediation,
    incident: incidents.Incident,
    checker: Checker | None = None,
) -> tree.Wanted:
    """The overrides, and only the folders that follow from them: those of the spokes concerned.

    Raises:
        GuardRefused: a spoke no longer has the version that the action is to take back.
    """
    check_targets(inputs_on(sources, published), remediation)
    gitops = sources.values.hubctl.gitops
    after = tree.Published(published.commit, {**published.overrides, **files})
    inputs = inputs_on(sources, after)
    rendered = render_tree(inputs, templates, checker)
    folders = [f"{tree.SPOKES}/{name}" for name in remediation.clusters]
    wanted = {path: data for folder in folders for path, data in rendered.below(folder).items()}
    return tree.Wanted(
        files={f"{gitops.path}/{path}": data for path, data in wanted.items()}
        | {f"{gitops.overrides}/{name}": data for name, data in files.items()},
        owned=tuple(f"{gitops.path}/{folder}" for folder in folders),
        subject=subject_of(remediation),
        body=f"{incident.summary}\n\nTo undo it, `git revert` this commit; hubctl will not do it again.",
        trailers=(
            *provenance(inputs, templates),
            (actions.TRAILER, remediation.id),
            (INCIDENT_TRAILER, incident.id),
        ),
    )


def provenance(inputs: HubInputs, templates: Templates) -> tuple[tuple[str, str], ...]:
    """Trailers that say what a commit was rendered from; they alone never make one."""
    return ((digest.INPUTS_TRAILER, digest.of_inputs(inputs)), (digest.TEMPLATES_TRAILER, templates.digest))


def check_targets(inputs: HubInputs, remediation: remediations.Remediation) -> None:
    """Refuse an action whose reason is gone: the plan was made on an older tip.

    Raises:
        GuardRefused: naming the first spoke that moved on.
    """
    for target in remediation.targets:
        cluster = inputs.cluster(target.cluster)
        found = cluster.model(remediation.model) if cluster and remediation.model else None
        now_at = found.version if found else "gone"
        if cluster is None or (target.from_version and now_at != target.from_version):
            raise GuardRefused(
                f"{target.cluster} no longer has {remediation.model} {target.from_version} (now {now_at})",
                hint="the next pass decides anew on what is deployed then",
            )


def subject_of(remediation: remediations.Remediation) -> str:
    """One line for the commit and for people."""
    places = ", ".join(remediation.clusters)
    if remediation.action is remediations.Action.QUARANTINE:
        return f"Quarantine {places}"
    versions = sorted({target.to_version for target in remediation.targets})
    return f"Roll back {remediation.model} to {' and '.join(versions)} on {places}"


def publish_options(
    sources: load.Sources, *, confirmed: int | None = None, dry_run: bool = False
) -> branch.PublishOptions:
    """How the branch is written to, from the values."""
    gitops = sources.values.hubctl.gitops
    return branch.PublishOptions(
        overrides=gitops.overrides,
        path=gitops.path,
        removal_limit=gitops.max_removed_clusters,
        confirmed=confirmed,
        author_name=gitops.author.name,
        author_email=gitops.author.email,
        dry_run=dry_run,
        version=hubctl.__version__,
    )
