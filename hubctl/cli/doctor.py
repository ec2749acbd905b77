"""``doctor``: check everything that hubctl depends on, and say what to do about what is wrong."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import discovery, hub, looping, outlet, promotion
from hubctl.cli import features, output, reached
from hubctl.cli.hubdoctor import hub_checks
from hubctl.conform import cache
from hubctl.conform.check import FETCH, Checker
from hubctl.errors import HubctlError
from hubctl.inputs import load
from hubctl.model.check import Check
from hubctl.model.fleet import HubInputs, services
from hubctl.publish import branch, pulls
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings
from hubctl.store.schema import open_store

Rendered = tuple[HubInputs, Mapping[str, bytes], Checker | HubctlError]
"""The inputs, what was rendered from them, and what looked at each object, or why nothing could."""


@click.command()
@click.option("--no-poll", is_flag=True, help="Leave the predictors alone.")
@output.format_option
@click.pass_obj
def doctor(settings_of: Any, no_poll: bool, shape: str) -> None:
    """Check inputs, templates, schemas, git, the branch, the store, the hub and every predictor; says how to repair.

    Changes nothing. Exits 3 when a check failed.

    \b
    Example:
      hubctl doctor -o json
    """
    checks = looping.run(examine(settings_of(), poll=not no_poll))
    output.show(
        shape,
        {"checks": [{"name": c.name, "state": c.state, "detail": c.detail, "hint": c.hint} for c in checks]},
        ("check", "state", "found", "what to do"),
        [(check.name, check.state, check.detail, check.hint) for check in checks],
    )
    if any(check.state == "failed" for check in checks):
        raise click.exceptions.Exit(3)


async def examine(settings: Settings, *, poll: bool) -> list[Check]:
    """Every check; those that need the inputs only when these are right."""
    checks, began = [git_program()], datetime.now(UTC)
    sources: list[load.Sources] = []
    checks.append(await tried("inputs", lambda: read(settings, sources)))
    if not sources:
        return checks
    [found] = sources
    made: list[Rendered] = []
    if found.inventory is not None:
        checks.append(fleet(found, began))
    checks.append(await tried("remote", lambda: reach_remote(settings, found)))
    if found.values.hubctl.gitops.publishing.hydrates:
        checks.append(await tried("commit", lambda: find_commit(settings, found)))
    checks.append(await tried("forge", lambda: reach_forge(settings, found)))
    checks.append(await tried("signing", lambda: find_key(settings, found)))
    checks.append(await tried("templates", lambda: render(settings, found, made)))
    if made:
        checks.append(await schemas(made[0][2]))
    checks.append(await tried("store", lambda: open_and_check(settings, found)))
    if made:
        checks += await hub_checks(settings, *made[0][:2])
    if made and any(service.metrics for service in services(made[0][0])):
        checks += await tried_sources(settings, found, made[0][0])
    if poll and made:
        checks += await reached.checks(settings, found, made[0][0], frozenset(check.name for check in checks))
    return checks


async def tried(name: str, look: Callable[[], Awaitable[str]]) -> Check:
    """A check that fails with the error that the look raised."""
    try:
        return Check(name, "ok", await look())
    except HubctlError as error:
        more = f" (and {len(error.also)} more; run `hubctl validate`)" if error.also else ""
        return Check(name, "failed", f"{error}{more}", error.hint)


async def tried_sources(settings: Settings, sources: load.Sources, inputs: HubInputs) -> list[Check]:
    """A check for each source of metrics that some model's recipe names."""
    wanted = [service for service in services(inputs) if service.metrics]
    try:
        api = hub.open_api(settings, sources)
        snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    except HubctlError:  # the hub has a check of its own
        api, snapshot = None, None
    return features.source_checks(await features.windows(settings, sources, wanted, snapshot, api=api))


def git_program() -> Check:
    """Whether git is there."""
    found = shutil.which("git")
    hint = "" if found else "install git 2.30 or later"
    return Check("git", "ok" if found else "failed", found or "no git on PATH", hint)


async def read(settings: Settings, sources: list[load.Sources]) -> str:
    """Read values and clusters."""
    found = await asyncio.to_thread(discovery.read_sources, settings, os.environ)
    sources.append(found)
    told = f" and on the hub, fleet.source {found.values.hubctl.fleet.source}" if found.inventory else ""
    return f"{output.count(len(found.spokes), 'spoke')} in {settings.directory}{told}"


def fleet(sources: load.Sources, began: datetime) -> Check:
    """What the hub names; a warning when the look since then was not believed or had no answer."""
    inventory = sources.inventory
    assert inventory is not None, "the fleet comes from files"  # noqa: S101 - asked before
    told = f"{output.count(len(inventory.members), 'spoke')}, {len(inventory.left_out)} left out"
    missing = [one.name for one in inventory.members if one.missing_since]
    if inventory.at < began:
        age = output.ago(inventory.at, began)
        hint = "`hubctl clusters list` says why; `hubctl clusters confirm` lets spokes go that are meant to"
        return Check("fleet", "warning", f"{told}, as the hub named them {age} ago", hint)
    if missing:
        hint = f"each is kept for {sources.values.hubctl.fleet.forget_after:.0f} s after it went missing"
        return Check("fleet", "warning", f"{told}; missing on the hub: {', '.join(missing)}", hint)
    return Check("fleet", "ok", told)


async def reach_remote(settings: Settings, sources: load.Sources) -> str:
    """Fetch the branch."""
    gitops = sources.values.hubctl.gitops
    name = gitops.publishing.proposed(gitops.branch)
    published = await branch.published(outlet.open_repository(settings, sources), gitops.overrides)
    if not published.commit:
        return f"reachable; branch {name} does not exist yet, the first publish makes it"
    return f"branch {name} at {published.commit[:12]}, {output.count(len(published.overrides), 'override')}"


async def find_commit(settings: Settings, sources: load.Sources) -> str:
    """Find the commit that the inputs are."""
    source = promotion.source_of(settings, sources)
    return f"the inputs are commit {source.sha[:12]}, {source.subject}"


async def reach_forge(settings: Settings, sources: load.Sources) -> str:
    """Ask the forge for the repository and its pull request."""
    forge = outlet.open_forge(settings, sources)
    if forge is None:
        return "hubctl commits to the branch itself"
    await forge.check()
    pull = await pulls.open_one(forge)
    about = f"pull request {pull.number} is open: {pull.url}" if pull else "no pull request is open"
    return f"{forge.ends.repository} is there for the token; {about}"


async def find_key(settings: Settings, sources: load.Sources) -> str:
    """Read the key that commits are signed with."""
    signer = outlet.signer_of(settings, sources)
    if signer is None:
        return "commits are not signed"
    signer.check()
    return f"commits are signed with the {signer.signing.format} key in {signer.signing.key_file}"


async def render(settings: Settings, sources: load.Sources, made: list[Rendered]) -> str:
    """Render everything, and let the schemas see each object, if they can be read."""
    found = await outlet.inputs_in_force(settings, sources)
    templates = load_templates(settings.directory / "templates")
    seen: Checker | HubctlError
    try:
        seen = Checker(cache.validators_of(settings, found.values))
    except HubctlError as error:
        seen = error
    files = render_tree(found, templates, seen if isinstance(seen, Checker) else None).files
    made.append((found, files, seen))
    warned = f"; {output.count(len(found.warnings), 'warning')}: run `hubctl validate`" if found.warnings else ""
    return output.count(len(files), "file") + warned


async def schemas(seen: Checker | HubctlError) -> Check:
    """Whether every rendered object fits the cached schema of its kind; one without any is worth a warning."""
    found = await tried("schemas", lambda: fit(seen))
    if found.state == "ok" and isinstance(seen, Checker) and seen.unchecked:
        return Check(found.name, "warning", seen.unchecked_told(), FETCH)
    return found


async def fit(seen: Checker | HubctlError) -> str:
    """What the checker saw, or why there is none."""
    if isinstance(seen, HubctlError):
        raise seen
    seen.refuse()
    return f"{output.count(seen.checked, 'object')} as the cached schemas have it"


async def open_and_check(settings: Settings, sources: load.Sources) -> str:
    """Open the store and look for damage."""
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        store.check()
        return f"{store.size().bytes / 1024:.0f} KiB"
