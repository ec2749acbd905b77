"""Promotion: publishing in the mode of the values; for ``hydrated``, from inputs that are one commit to the byte.

Apart from ``hub`` and ``reconcile``, because the command line and a pass do the same here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from hubctl import desired, outlet
from hubctl.conform.check import Checker
from hubctl.errors import PublishConflict
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.publish import branch, dry, hydrate, pulls
from hubctl.render.templates import Templates, load_templates
from hubctl.settings import Settings


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish came to.

    Attributes:
        inputs: what was rendered.
        commit: None when nothing changed, and where a pull request stands for it.
        hydrated: what was hydrated, in that mode.
        source: id of the inputs' commit that it was hydrated from; empty in other modes.
        proposed: what became of the pull request, in that mode.
    """

    inputs: HubInputs
    commit: branch.Commit | None
    hydrated: hydrate.Hydrated | None = None
    source: str = ""
    proposed: pulls.Proposed | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody else moves the branch that Argo CD reads."""
        return self.hydrated is not None or self.proposed is not None


async def publish(
    settings: Settings,
    outlet: outlet.Outlet,
    read: tuple[load.Sources, Templates],
    *,
    options: Callable[[load.Sources], branch.PublishOptions],
    message: str = "",
    now: datetime,
    check: Callable[[], None] = lambda: None,
) -> Published:
    """The rendered fleet, published as the values say.

    Args:
        settings: where the inputs are.
        outlet: where to, of these sources.
        read: sources and templates as they were read; in mode ``hydrated`` both are read again.
        options: how to publish, for some sources.
        message: subject and body of the commit.
        now: aware; the commit's date.
        check: called once more when all is rendered and nothing is pushed yet; may raise.

    Raises:
        InputError: the inputs are wrong, or in mode ``hydrated`` no commit.
        ManifestRefused: an object does not fit its cached schema.
        GuardRefused: too many spokes would go, or the branch is not to be written to.
        PublishConflict: beaten each time, or the inputs changed while they were read.
        RemoteFailed: the remote refused or did not answer.
    """
    sources, templates = read
    source: dry.Dry | None = None
    if sources.values.hubctl.gitops.publishing.hydrates:
        source, sources, templates = await asyncio.to_thread(_at_one_commit, settings, sources)
    if source is not None:
        message = message or f"{source.sha[:7]}: {source.subject}"
    latest: list[HubInputs] = []

    def wanted_on(published: tree.Published) -> tree.Wanted:
        checker = Checker(outlet.validators)
        inputs, wanted = desired.wanted_fleet(sources, templates, published, message, checker=checker)
        latest.append(inputs)
        checker.refuse(required=sources.values.hubctl.schemas.required)
        check()
        return wanted

    if outlet.forge is not None:
        proposed = await pulls.propose(
            outlet.repository, outlet.forge, wanted_on, options(sources), now=now, titled=bool(message)
        )
        return Published(latest[-1], None, proposed=proposed)
    if source is None:
        commit = await branch.publish(outlet.repository, wanted_on, options(sources), now=now)
        return Published(latest[-1], commit)
    target = _target(settings, sources, source)
    made = await hydrate.hydrate(outlet.repository, wanted_on, options(sources), target, now=now)
    return Published(latest[-1], made.commit, made, source.sha)


def source_of(settings: Settings, sources: load.Sources) -> dry.Dry:
    """The commit that the inputs are.

    Raises:
        InputError: they are none.
    """
    gitops = sources.values.hubctl.gitops
    return dry.read(settings.directory, gitops.overrides, gitops.publishing.hydrated.repo_url)


def _target(settings: Settings, sources: load.Sources, source: dry.Dry) -> hydrate.Target:
    gitops = sources.values.hubctl.gitops
    publishing = gitops.publishing
    is_older = partial(dry.is_older, settings.directory, source.sha)
    return hydrate.Target(publishing.proposed(gitops.branch), publishing.hydrated.metadata, source, is_older)


def _at_one_commit(settings: Settings, sources: load.Sources) -> tuple[dry.Dry, load.Sources, Templates]:
    """Inputs and templates, read while the folder stood at one commit."""
    before = source_of(settings, sources)
    fresh = load.read_sources(settings)
    templates = load_templates(settings.directory / "templates")
    if source_of(settings, fresh) != before:
        raise PublishConflict(
            f"the inputs moved away from commit {before.sha[:12]} while they were read",
            hint="run `hubctl publish` again when nothing else writes to their folder",
        )
    return before, fresh, templates
