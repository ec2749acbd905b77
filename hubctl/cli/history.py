"""``history``: when a spoke's predictors changed their condition or version.

Apart from ``status``, which is about now, and from ``explain``, which is about one incident.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from hubctl import hub
from hubctl.cli import output
from hubctl.errors import InputError
from hubctl.inputs import load
from hubctl.model.base import parse_duration
from hubctl.store.records import TransitionRecord
from hubctl.store.schema import Store, open_store

COLUMNS = ("at", "model", "condition", "before", "reason", "version")


@click.command()
@click.argument("cluster")
@click.option("--model", default="", help="Of this model only.")
@click.option("--since", default="24h", show_default=True, help="How far back, as 90m or 48h.")
@output.format_option
@click.pass_obj
def history(settings_of: Any, cluster: str, model: str, since: str, shape: str) -> None:
    """Show when predictors of a spoke changed their condition or version, oldest first.

    The store keeps this for as long as hubctl.store.keep.transitions says.

    \b
    Example:
      hubctl history edge-store --since 48h
    """
    settings = settings_of()
    try:
        begins = datetime.now(UTC) - timedelta(seconds=parse_duration(since))
    except (ValueError, OverflowError) as error:
        raise InputError(f"--since {since}: {error}", hint="write it as 90m, 24h or 720h") from error
    with open_store(hub.store_url(settings, load.read_sources(settings), os.environ)) as store:
        found = store.transitions.of(cluster, model, since=begins)
        if not found:
            _refuse_unknown(store, cluster, model)
    data = {"cluster": cluster, "since": begins, "transitions": [_data(one) for one in found]}
    output.show(shape, data, COLUMNS, [_row(one) for one in found])


def _refuse_unknown(store: Store, cluster: str, model: str) -> None:
    """Tell a spoke where nothing happened from one that nobody polls.

    Raises:
        InputError: nothing is remembered of it.
    """
    health = store.journal.load_health()
    spokes = {one.cluster for one in health}
    models = {one.model for one in health if one.cluster == cluster}
    if cluster in spokes and (not model or model in models):
        return
    wanted, names, what = (model, models, f"model of {cluster}") if cluster in spokes else (cluster, spokes, "spoke")
    hint = f"use a known one, such as {', '.join(sorted(names)[:3])}" if names else "run `hubctl reconcile` first"
    raise InputError(f"nothing is remembered of the {what} {wanted!r}", hint=hint)


def _data(one: TransitionRecord) -> dict[str, Any]:
    return {
        "at": one.at,
        "model": one.model,
        "before": {"condition": one.condition_before, "version": one.version_before},
        "after": {"condition": one.condition, "version": one.version},
        "reason": one.reason,
    }


def _row(one: TransitionRecord) -> tuple[object, ...]:
    version = one.version if one.version == one.version_before else f"{one.version_before} → {one.version}"
    return output.plain(one.at), one.model, one.condition, one.condition_before, one.reason, version
