"""``stop`` and ``start``: the kill switch, which needs nothing but a folder.

Apart from ``pause``, which needs the store.
"""

from datetime import UTC, datetime
from typing import Any

import click

from hubctl.cli import output
from hubctl.errors import InputError
from hubctl.model.holds import Reach, Stop
from hubctl.store import switch


@click.command()
@click.option("--reason", required=True, help="Why, for everybody who wonders.")
@click.option("--everything", is_flag=True, help="Publish and tell nothing either; without it, only actions stop.")
@click.option("--dry-run", is_flag=True, help="Say what would be stopped; stop nothing.")
@click.pass_obj
def stop(settings_of: Any, reason: str, everything: bool, dry_run: bool) -> None:
    """Throw the kill switch: a file that every hubctl with this state folder heeds before each effect.

    Needs no store, no Git and no cluster. Observation goes on; an action that has begun ends at its next safe point.
    Without the command, `touch STOP` in the state folder does the same.

    \b
    Examples:
      hubctl stop --reason "maintenance of the proxy"
      hubctl stop --everything --reason "wrong values on main"
    """
    path = settings_of().stop_file
    reach = Reach.EVERYTHING if everything else Reach.ACTIONS
    made = Stop(reach, str(path), said(reason, "--reason"), output.person(), datetime.now(UTC).replace(microsecond=0))
    if before := switch.read(path):
        output.say(f"it is on already: {before}", colour="yellow")
    if dry_run:
        output.say(f"would write {path}: {reach} {made}")
        return
    switch.write(path, made)
    output.say(f"{reach} {made}", colour="yellow")


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go on; change nothing.")
@click.pass_obj
def start(settings_of: Any, dry_run: bool) -> None:
    """Take the kill switch back; the next pass goes on with what still has a reason.

    A stop in the values, `hubctl.stopped`, and pauses stay; `hubctl status` shows them.

    \b
    Example:
      hubctl start
    """
    path = settings_of().stop_file
    before = switch.read(path)
    if before is None:
        output.say(f"there is no {path}; nothing to take back")
        return
    if dry_run:
        output.say(f"would remove {path}: {before.reach} {before}")
        return
    switch.remove(path)
    output.say(f"taken back: {before.reach} {before}", colour="green")


def said(text: str, option: str) -> str:
    """A text that says something, on one line.

    Raises:
        InputError: it is empty.
    """
    if not (words := " ".join(text.split())):
        raise InputError(f"{option} is empty", hint=f"say it in a few words: {option} '...'")
    return words
