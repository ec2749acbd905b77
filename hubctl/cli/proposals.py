"""What came of a pull request, for people and as data; and which spokes a publish touches."""

from collections.abc import Iterable
from typing import Any

import click

from hubctl.cli import output, shapes
from hubctl.errors import GuardRefused
from hubctl.model.remediation import WAITS, Remediation
from hubctl.publish import changes
from hubctl.publish.pulls import Outcome, Proposed
from hubctl.publish.review import plain
from hubctl.store.records import PassRecord

SENTENCES = {
    Outcome.NOTHING: "nothing to publish: the branch already holds this fleet",
    Outcome.PLANNED: "would propose {count}",
    Outcome.OPENED: "opened {pull}: {count}",
    Outcome.UPDATED: "brought {pull} up to date: {count}",
    Outcome.UNCHANGED: "{pull} is open and says so already: {count}",
    Outcome.DECLINED: "not proposed again: somebody closed {pull}, which was for just this",
    Outcome.WITHDRAWN: "closed {pull}: the branch already holds this fleet",
}


def show(made: Proposed, shape: str, *, dry_run: bool) -> None:
    """Print it.

    Raises:
        GuardRefused: a person said no to just this.
    """
    if shape != "table":
        data = {"commit": made.commit, "dryRun": dry_run, "pullRequest": proposal_data(made)}
        output.show(shape, {**data, **shapes.changes_data(made.changes)}, (), ())
    elif made.outcome is not Outcome.DECLINED:
        output.say(sentence(made), colour="green" if made.commit else None)
        if dry_run and made.letter:
            click.echo(f"{plain(made.letter.title)}\n\n{made.letter.text}", nl=False)
        else:
            list_spokes(made.changes)
    if made.outcome is Outcome.DECLINED:
        raise GuardRefused(
            sentence(made), hint="reopen that pull request, or change the inputs: another change opens a new one"
        )


def sentence(made: Proposed) -> str:
    """What came of it, in one line."""
    files = len(made.changes.writes) + len(made.changes.removed)
    pull = f"pull request {made.pull.number} ({plain(made.pull.url)})" if made.pull else ""
    return SENTENCES[made.outcome].format(pull=pull, count=output.count(files, "file"))


def proposal_data(made: Proposed) -> dict[str, Any]:
    """A pull request as plain data; number and url are null while there is none."""
    letter = made.letter
    return {
        "outcome": str(made.outcome),
        "number": made.pull.number if made.pull else None,
        "url": made.pull.url if made.pull else None,
        "title": letter.title if letter else None,
        "text": letter.text if letter and made.outcome is Outcome.PLANNED else None,
    }


def waiting(executing: Iterable[Remediation], last: PassRecord | None) -> list[dict[str, str | None]]:
    """Pull requests that the last pass left open: the fleet's, whose ``remediation`` is null, and those of actions."""
    told: list[tuple[str | None, str]] = [(None, last.summary if last else "")]
    told += [(item.id, item.detail) for item in executing]
    found = ((name, text.partition(WAITS)[2]) for name, text in told)
    return [{"remediation": name, "url": url} for name, url in found if url]


def list_spokes(found: changes.Changes) -> None:
    """A table of the spokes that change, if there are any."""
    if rows := spoke_rows(found):
        output.table(("spoke", "change"), rows)


def spoke_rows(found: changes.Changes) -> list[tuple[str, str]]:
    """A row for each spoke that changes."""
    words = (("added", found.spokes.added), ("changed", found.spokes.changed), ("removed", found.spokes.removed))
    return sorted((name, word) for word, names in words for name in names)
