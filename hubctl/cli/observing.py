"""``poll``, ``reconcile`` and ``run``: one look, one pass, passes for ever."""

import asyncio
import os
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
import structlog

from hubctl import controller, discovery, engines, hub, leading, looping, outlet
from hubctl.cli import delivery, output, proposals, rendering, shapes
from hubctl.cli.pausing import sentences
from hubctl.errors import InputError
from hubctl.inputs import load
from hubctl.model.fleet import HubInputs, services
from hubctl.model.incident import Decision, Reason, Verdict
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.remediation import State
from hubctl.model.scaling import PROCESS
from hubctl.observe.poll import Poller
from hubctl.passes import Pass
from hubctl.reconcile import reconcile as one_pass
from hubctl.settings import Settings, following


@click.command()
@click.option("--cluster", help="Only this spoke.")
@click.option("--model", help="Only this model.")
@output.format_option
@click.pass_obj
def poll(settings_of: Any, cluster: str | None, model: str | None, shape: str) -> None:
    """Poll predictors once and print what they answered; stores nothing, decides nothing.

    \b
    Examples:
      hubctl poll --cluster edge-factory
      hubctl poll -o json | jq '.observations[] | select(.outcome != "ok")'
    """
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ)
    inputs = asyncio.run(outlet.inputs_in_force(settings, sources, ask=True))
    rendering.warn(inputs)
    if rendering.switched_off(inputs.values):
        return
    engines.fits(inputs, flag=PROCESS)
    chosen = chosen_services(inputs, cluster, model)
    with output.progress("polling", len(chosen)) as advance:
        observations = looping.run(poll_once(settings, sources, chosen, lambda _: advance()))
    output.show(
        shape,
        {"observations": [shapes.observation_data(seen) for seen in observations]},
        ("cluster", "model", "version", "outcome", "anomalies", "latency", "reason"),
        [shapes.observation_row(seen) for seen in observations],
    )


@click.command()
@click.option("--dry-run", is_flag=True, help="Publish, store and carry out nothing; say what a pass would do.")
@output.format_option
@click.pass_obj
def reconcile(settings_of: Any, dry_run: bool, shape: str) -> None:
    """Run one full pass: render, publish, poll, aggregate, decide, remediate.

    Exits 3 when a remote part failed and 4 when a guard refused to publish; the rest of the pass is done all the same.

    \b
    Example:
      hubctl reconcile --dry-run
    """
    settings = settings_of()
    sources = load.read_sources(settings)
    if rendering.switched_off(sources.values):
        return
    # Where the hub says which spokes there are, only the pass itself finds out how many it polls.
    total = len(services(load.reload(sources, {}))) if sources.is_whole else None
    made = looping.run(run_pass(settings, sources, total=total, dry_run=dry_run))
    rendering.warn(made.fleet)
    if shape == "table":
        print_pass(made)
    else:
        output.show(
            shape,
            {
                **shapes.pass_data(made),
                "pullRequest": proposals.proposal_data(made.proposed) if made.proposed else None,
            },
            (),
            (),
        )
    if made.problems:
        raise made.problems[0]


@click.command()
@click.option(
    "--interval", metavar="DURATION", help="Between two passes and rounds of polls [default: hubctl.observe.interval]."
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    envvar="HUBCTL_LISTEN",
    help="Answer /healthz, /readyz and /metrics there, or off [default: :8080 in a pod, else off].",
)
@click.option(
    "--engine",
    metavar="URL",
    envvar="HUBCTL_ENGINE",
    default="",
    help="Poll on a Dask cluster, dask:// or tls://HOST:PORT, or in this process [default: hubctl.engine.url].",
)
@click.option("--config-repo", metavar="URL", help="Git repository of the inputs [default: $HUBCTL_CONFIG_REPO].")
@click.option("--config-branch", metavar="NAME", help="Its branch [default: $HUBCTL_CONFIG_BRANCH or main].")
@click.option(
    "--config-path", metavar="PATH", help="Folder of the values file in it [default: $HUBCTL_CONFIG_PATH or .]."
)
@click.pass_obj
def run(
    settings_of: Any,
    interval: str | None,
    listen: str | None,
    engine: str,
    config_repo: str | None,
    config_branch: str | None,
    config_path: str | None,
) -> None:
    """Run passes until SIGTERM or Ctrl-C; the pass under way is finished first.

    Values and clusters are read again before each pass, from the folder, or from the newest commit of --config-repo.
    A change that is wrong keeps the last good one in force.

    \b
    Examples:
      hubctl run --interval 30s --listen 127.0.0.1:8080
      hubctl run --config-repo https://git.example.com/platform/fleet.git --config-path production
    """
    settings = replace(settings_of(), engine=engine)
    url = config_repo or (settings.config.url if settings.config else "")
    if url:
        settings = following(settings, url, config_branch, config_path, os.environ)
    elif config_branch or config_path:
        raise InputError("nothing says of which repository", hint="pass --config-repo URL, or set HUBCTL_CONFIG_REPO")
    log_to_standard_error()
    where = listen or (":8080" if "KUBERNETES_SERVICE_HOST" in os.environ else "off")
    looping.run(controller.run(settings, os.environ, interval=interval, listen=where))


def log_to_standard_error() -> None:
    """Standard output is for data; logs are lines for people on a terminal and JSON for machines elsewhere."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=True) if terminal else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def chosen_services(inputs: HubInputs, cluster: str | None, model: str | None) -> tuple[InferenceService, ...]:
    """The predictors that the flags name.

    Raises:
        InputError: there is no such spoke, or no such model.
    """
    if cluster is not None and inputs.cluster(cluster) is None:
        raise rendering.unknown_spoke(cluster, inputs)
    chosen = tuple(
        service for service in services(inputs) if cluster in (None, service.cluster) and model in (None, service.name)
    )
    if model is not None and not chosen:
        names = ", ".join(sorted({service.name for service in services(inputs)})) or "none"
        raise InputError(f"no spoke serves a model {model!r}; expected one of {names}", hint="run `hubctl models list`")
    return chosen


async def poll_once(
    settings: Settings, sources: load.Sources, chosen: tuple[InferenceService, ...], seen: Any
) -> tuple[Observation, ...]:
    """One round over these predictors."""
    api = hub.open_api(settings, sources)
    snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    async with Poller(sources.values.hubctl.observe, settings.directory, os.environ, seen=seen, api=api) as poller:
        return await poller.poll(chosen, snapshot)


async def run_pass(settings: Settings, sources: load.Sources, *, total: int | None, dry_run: bool) -> Pass:
    """One pass, over ``total`` predictors if that is known; alone on its state folder unless it changes nothing."""
    with output.progress("polling", total) as advance:
        if dry_run:
            async with hub.open_hub(settings, os.environ, sources=sources, seen=lambda _: advance()) as opened:
                return await one_pass(opened, datetime.now(UTC), dry_run=True)
        async with (
            leading.turn(settings, sources.values.hubctl.controller.leader_election, os.environ) as term,
            hub.open_hub(settings, os.environ, sources=sources, seen=lambda _: advance(), term=term) as opened,
        ):
            now = datetime.now(UTC)
            await leading.claim(opened.store, term, now)
            return await one_pass(opened, now)


def print_pass(made: Pass) -> None:
    """A pass for a person: what was published, seen, concluded and done."""
    if made.proposed:
        output.say(proposals.sentence(made.proposed))
    else:
        output.say(delivery.sentence(made.commit, made.dry_run))
    outcomes: dict[str, int] = defaultdict(int)
    for seen in made.observations:
        outcomes[str(seen.outcome)] += 1
    counted = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    output.say(f"polled {len(made.observations)} predictors: {counted or 'none'}")
    if made.waiting:
        output.say(f"{output.count(len(made.waiting), 'spoke')} not asked, for they did not answer for a while")
    for found in sorted(made.findings, key=lambda one: bool(one.inhibited_by)):
        note = f" (explained by {found.inhibited_by})" if found.inhibited_by else ""
        click.echo(f"finding  {found.summary}{note}")
    for decision in worth_telling(made.decisions):
        what = f"{decision.verdict} {decision.action}".strip()
        detail = f"; {decision.detail}" if decision.detail else ""
        click.echo(f"decided  {decision.incident.id} {what}: {', '.join(decision.reasons)}{detail}")
    for line in sentences(made.holds.stops, made.holds.pauses):
        output.say(line, colour="yellow")
    for item in made.remediations:
        where = f" on {', '.join(item.clusters)}" if item.clusters else ""
        click.echo(
            f"action   {item.id} {item.action}{where}: {item.state}" + (f", {item.detail}" if item.detail else "")
        )
    if any(item.state is State.PENDING for item in made.remediations):
        output.say("approve with `hubctl remediations approve ID`", colour="yellow")


def worth_telling(decisions: tuple[Decision, ...]) -> list[Decision]:
    """Decisions without those that a guard's refusal replaced, and without "it has been told already"."""
    refused = {(one.incident.id, one.policy, one.action) for one in decisions if one.verdict is Verdict.REFRAIN}
    return [
        one
        for one in decisions
        if (one.verdict is not Verdict.ACT or (one.incident.id, one.policy, one.action) not in refused)
        and (one.verdict is not Verdict.REFRAIN or one.reasons != (Reason.NOTHING_TO_CHANGE,))
    ]
