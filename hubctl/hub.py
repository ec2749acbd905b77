"""Hub: the open parts of one hubctl process, and what it wants of the branch.

Opened at the edge (command line, controller), handed to ``reconcile``; apart from it so that ``reconcile`` is only the
order of a pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hubctl
from hubctl.conform.cache import Cache
from hubctl.conform.check import Checker, Validators
from hubctl.errors import GuardRefused, InputError, RemoteFailed
from hubctl.inputs import load
from hubctl.model import digest, tree
from hubctl.model import incident as incidents
from hubctl.model import remediation as remediations
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import Observation
from hubctl.model.values import HubValues
from hubctl.publish import branch
from hubctl.publish.access import Access
from hubctl.publish.repository import Repository
from hubctl.publish.signing import Signer
from hubctl.publish.versions import versions
from hubctl.remediate import actions
from hubctl.render.templates import Templates, load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

if TYPE_CHECKING:  # publish and diff start without HTTP and SQL, which only a whole pass needs
    from hubctl.observe.poll import Poller
    from hubctl.store.schema import Store

INCIDENT_TRAILER = "Hubctl-Incident"
"""Commit trailer that carries the incident's id."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What a pass works with.

    Attributes:
        sources: values and spokes as the folder holds them, before overrides.
        repository: the only door to Git.
        store: health, incidents, remediations and the audit trail.
        poller: the only door to predictors.
        validators: of the cached schemas, compiled once.
    """

    settings: Settings
    environ: Mapping[str, str]
    sources: load.Sources
    templates: Templates
    repository: Repository
    store: Store
    poller: Poller
    validators: Validators

    def ports(self, now: datetime) -> actions.Ports:
        """The doors that actions may use in the pass of ``now``."""
        return actions.Ports(
            publish=partial(self.publish_overrides, now=now),
            find=self.find_action,
            webhooks=self.sources.values.hubctl.notify.webhooks,
            environ=self.environ,
            directory=self.settings.directory,
        )

    async def find_action(self, action_id: str) -> str:
        """The commit on the branch that carries this action, empty when there is none."""
        await self.repository.fetch()
        return await self.repository.find(actions.TRAILER, action_id)

    async def publish_overrides(
        self,
        remediation: remediations.Remediation,
        incident: incidents.Incident,
        files: Mapping[str, bytes],
        *,
        now: datetime,
    ) -> str:
        """Overrides and the spokes re-rendered with them, as one commit; its id, empty when nothing changes.

        Raises:
            GuardRefused: the branch moved on and no longer holds what the action is to change.
            ManifestRefused: an object of the spokes concerned does not fit its schema.
            PublishConflict: the branch kept moving.
            RemoteFailed: the remote did not take it.
        """
        if self.sources.overrides is not None:
            raise GuardRefused(
                "publishing mode hydrated takes no change that is not in a commit of the inputs",
                hint="commit the override to the inputs, or set hubctl.gitops.publishing.mode to commit",
            )

        def wanted_on(published: tree.Published) -> tree.Wanted:
            checker = Checker(self.validators)
            wanted = wanted_override(self.sources, self.templates, published, files, remediation, incident, checker)
            # What is wrong elsewhere does not keep an action from the spokes that it is for.
            checker.refuse(only=remediation.clusters)
            return wanted

        made = await branch.publish(self.repository, wanted_on, publish_options(self.sources), now=now)
        return made.id if made else ""


def inputs_on(sources: load.Sources, published: tree.Published) -> HubInputs:
    """The fleet as it is with the overrides of the published branch; in mode ``hydrated``, with the folder's own."""
    return load.reload(sources, published.overrides if sources.overrides is None else sources.overrides)


async def inputs_in_force(settings: Settings, sources: load.Sources, *, ask: bool = False) -> HubInputs:
    """The fleet with the overrides of the branch: as of now if ``ask``, else as of the last fetch.

    Without a remote, before the first fetch and when the remote does not answer, the folder's own overrides count.

    Raises:
        InputError: an override is wrong.
    """
    folder = sources.values.hubctl.gitops.overrides
    here = tree.Published(overrides=load.read_overrides(settings, folder))
    if not sources.values.hubctl.gitops.remote or not (ask or settings.state.is_dir()):
        return inputs_on(sources, here)
    try:
        if sources.overrides is not None:
            return as_delivered(inputs_on(sources, here), await delivered(settings, sources, ask=ask))
        repository = open_repository(settings, sources)
        published = await (branch.published if ask else branch.remembered)(repository, folder)
    except RemoteFailed as error:
        known = inputs_on(sources, here)
        return replace(known, warnings=(*known.warnings, f"the branch cannot be read now: {error}"))
    return inputs_on(sources, published if published.commit else here)


async def delivered(settings: Settings, sources: load.Sources, *, ask: bool) -> dict[tuple[str, str], str] | None:
    """(Spoke, model) to the version that the branch which Argo CD reads names.

    Without ``ask`` that is the branch as it was fetched last, None if it never was.

    Raises:
        RemoteFailed: the remote did not answer.
    """
    gitops = sources.values.hubctl.gitops
    repository = _open(settings, sources, gitops.branch)
    tip = await (repository.fetch() if ask else repository.known())
    if not tip and not ask:
        return None
    folder = f"{gitops.path}/{tree.SPOKES}"
    return versions(await repository.read(tip, [folder]), folder)


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


def remote_of(settings: Settings, sources: load.Sources) -> str:
    """Where hubctl pushes; a relative path is relative to the folder of the inputs.

    Raises:
        InputError: nothing says where.
    """
    remote = sources.values.hubctl.gitops.remote
    if not remote:
        raise InputError(
            "nothing says where to publish",
            where="values-hub.yaml hubctl.gitops.remote",
            hint="set hubctl.gitops.remote to a Git URL or path, or HUBCTL_REMOTE for this run",
        )
    if ":" in remote or Path(remote).is_absolute():
        return remote
    return str((settings.directory / remote).resolve())


def open_repository(settings: Settings, sources: load.Sources) -> Repository:
    """The cache of the branch that is published to, in the state folder; nothing is fetched yet."""
    gitops = sources.values.hubctl.gitops
    proposed = gitops.publishing.proposed(gitops.branch)
    base = gitops.branch if gitops.publishing.hydrates else ""
    return _open(settings, sources, proposed, base)


def _open(settings: Settings, sources: load.Sources, branch_name: str, base: str = "") -> Repository:
    access = Access(sources.values.hubctl.gitops.credentials, settings.directory)
    signer = signer_of(settings, sources)
    remote = remote_of(settings, sources)
    return Repository(settings.state, remote, branch_name, base=base, access=access, signer=signer)


def schemas_folder(settings: Settings, values: HubValues) -> Path:
    """Where the schemas are cached: as this run says, as the values say, or in the state folder."""
    said = values.hubctl.schemas.folder
    return settings.schemas or (settings.directory / said if said else settings.state / "schemas")


def validators_of(settings: Settings, values: HubValues) -> Validators:
    """Validators of the cached schemas; none is compiled yet.

    Raises:
        InputError: the cache cannot be read.
    """
    cache = Cache(schemas_folder(settings, values))
    return Validators(cache, cache.digest)


def signer_of(settings: Settings, sources: load.Sources) -> Signer | None:
    """What signs commits; None when the values name no key."""
    signing = sources.values.hubctl.gitops.signing
    return Signer(signing, settings.directory) if signing else None


def store_url(settings: Settings, sources: load.Sources, environ: Mapping[str, str]) -> str:
    """The store's URL: from the values, from the variable that they name, or SQLite in the state folder.

    Raises:
        InputError: the variable is not set.
    """
    store = sources.values.hubctl.store
    if store.url_env and not environ.get(store.url_env):
        raise InputError(
            f"the variable {store.url_env} is not set",
            where="values-hub.yaml hubctl.store.urlEnv",
            hint=f"export {store.url_env} with the store's SQLAlchemy URL",
        )
    return environ.get(store.url_env or "") or store.url or f"sqlite:///{settings.state / 'hubctl.db'}"


@asynccontextmanager
async def open_hub(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    sources: load.Sources | None = None,
    seen: Callable[[Observation], None] | None = None,
) -> AsyncIterator[Hub]:
    """Everything that a pass needs, closed again at the end.

    Args:
        settings: where this run looks and writes.
        environ: holds the variables that the values name.
        sources: what the files say, if they have been read already.
        seen: called with each observation as it is made, for progress.

    Raises:
        InputError: the inputs are wrong.
        TemplateError: a template cannot be parsed.
        StoreUnavailable: the store cannot be opened.
    """
    from hubctl.observe.poll import Poller  # noqa: PLC0415 - as above
    from hubctl.store.schema import open_store  # noqa: PLC0415 - as above

    sources = sources or load.read_sources(settings)
    templates = load_templates(settings.directory / "templates")
    repository = open_repository(settings, sources)
    validators = validators_of(settings, sources.values)
    store = open_store(store_url(settings, sources, environ))
    async with Poller(sources.values.hubctl.observe, settings.directory, environ, seen=seen) as poller:
        try:
            yield Hub(settings, environ, sources, templates, repository, store, poller, validators)
        finally:
            store.close()
