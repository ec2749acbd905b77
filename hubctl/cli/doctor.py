"""``doctor``: check everything that hubctl depends on, and say what to do about what is wrong."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import discovery, hub, outlet, promotion
from hubctl.cli import output, shapes
from hubctl.conform import cache
from hubctl.conform.check import FETCH, Checker
from hubctl.errors import HubctlError
from hubctl.inputs import load
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import Observation, Outcome
from hubctl.observe.poll import Poller
from hubctl.publish import branch, pulls
from hubctl.reconcile import services
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings
from hubctl.store.schema import open_store

ADVICE = {
    Outcome.UNREACHABLE: "see whether the predictor runs and whether the route's host and port lead to it",
    Outcome.TIMEOUT: "see why it is slow, or raise hubctl.observe.deadline",
    Outcome.TLS: "set hubctl.observe.caFile to the CA of the spoke's certificate, or renew the certificate",
    Outcome.UNAUTHORIZED: "put a token that the predictor accepts into hubctl.observe.tokenFile",
    Outcome.FORBIDDEN: "grant the token its rights (access.token), or list the Service (hubctl.clusterProxy)",
    Outcome.NOT_FOUND: "see on the spoke whether the model is loaded: its name, its storageUri, the predictor's log",
    Outcome.NOT_READY: "wait for the model to load, or look at the predictor's log",
    Outcome.MALFORMED: "compare the model's output kind and features in hubctl.models with what it answers",
    Outcome.OK: "see that the model's features source gives rows",
}
"""What to do about a predictor that answered so; for ok: that answered, but was sent no rows."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found: ``ok``, ``warning`` or ``failed``, and what to do."""

    name: str
    state: str
    detail: str
    hint: str = ""


@click.command()
@click.option("--no-poll", is_flag=True, help="Leave the predictors alone.")
@output.format_option
@click.pass_obj
def doctor(settings_of: Any, no_poll: bool, shape: str) -> None:
    """Check inputs, templates, schemas, git, the branch, the store, tokens and every predictor; says how to repair.

    Changes nothing. Exits 3 when a check failed.

    \b
    Example:
      hubctl doctor -o json
    """
    checks = asyncio.run(examine(settings_of(), poll=not no_poll))
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
    if found.inventory is not None:
        checks.append(fleet(found, began))
    inputs: list[HubInputs] = []
    checks.append(await tried("remote", lambda: reach_remote(settings, found)))
    if found.values.hubctl.gitops.publishing.hydrates:
        checks.append(await tried("commit", lambda: find_commit(settings, found)))
    checks.append(await tried("forge", lambda: reach_forge(settings, found)))
    checks.append(await tried("signing", lambda: find_key(settings, found)))
    checks.append(await tried("templates", lambda: render(settings, found, inputs)))
    if inputs:
        checks.append(await schemas(settings, inputs[0]))
    checks.append(await tried("store", lambda: open_and_check(settings, found)))
    if poll and inputs:
        checks += await predictors(settings, found, inputs[0])
    return checks


async def tried(name: str, look: Callable[[], Awaitable[str]]) -> Check:
    """A check that fails with the error that the look raised."""
    try:
        return Check(name, "ok", await look())
    except HubctlError as error:
        more = f" (and {len(error.also)} more; run `hubctl validate`)" if error.also else ""
        return Check(name, "failed", f"{error}{more}", error.hint)


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


async def render(settings: Settings, sources: load.Sources, inputs: list[HubInputs]) -> str:
    """Render everything."""
    found = await outlet.inputs_in_force(settings, sources)
    inputs.append(found)
    made = render_tree(found, load_templates(settings.directory / "templates"))
    warned = f"; {output.count(len(found.warnings), 'warning')}: run `hubctl validate`" if found.warnings else ""
    return output.count(len(made.files), "file") + warned


async def schemas(settings: Settings, inputs: HubInputs) -> Check:
    """Whether every rendered object fits the cached schema of its kind; one without any is worth a warning."""
    checker: list[Checker] = []
    found = await tried("schemas", lambda: fit(settings, inputs, checker))
    if found.state == "ok" and checker[0].unchecked:
        return Check(found.name, "warning", checker[0].unchecked_told(), FETCH)
    return found


async def fit(settings: Settings, inputs: HubInputs, made: list[Checker]) -> str:
    """Check every rendered object."""
    checker = Checker(cache.validators_of(settings, inputs.values))
    made.append(checker)
    render_tree(inputs, load_templates(settings.directory / "templates"), checker)
    checker.refuse()
    return f"{output.count(checker.checked, 'object')} as the cached schemas have it"


async def open_and_check(settings: Settings, sources: load.Sources) -> str:
    """Open the store and look for damage."""
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        store.check()
        return f"{store.size().bytes / 1024:.0f} KiB"


async def predictors(settings: Settings, sources: load.Sources, inputs: HubInputs) -> list[Check]:
    """One poll of every predictor, a check a spoke."""
    wanted = services(inputs)
    with output.progress("polling", len(wanted)) as advance:
        async with Poller(
            sources.values.hubctl.observe, settings.directory, os.environ, seen=lambda _: advance()
        ) as poller:
            observations = await poller.poll(wanted)
    names = dict.fromkeys(seen.cluster for seen in observations)
    return [of_spoke(name, [seen for seen in observations if seen.cluster == name]) for name in names]


def of_spoke(name: str, observations: list[Observation]) -> Check:
    """What a spoke's predictors answered; rows that are missing are worth a warning, not a failure."""
    bad = [seen for seen in observations if seen.outcome is not Outcome.OK]
    mute = [seen for seen in observations if seen.outcome is Outcome.OK and not seen.instances]
    if not bad and not mute:
        return Check(f"spoke {name}", "ok", f"{output.count(len(observations), 'predictor')} answered")
    worst = (bad or mute)[0]
    told = "; ".join(f"{seen.model} {seen.outcome}, {shapes.reason_of(seen)}" for seen in (*bad, *mute))
    return Check(f"spoke {name}", "failed" if bad else "warning", told, ADVICE[worst.outcome])
