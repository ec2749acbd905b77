"""``init``: the first files of a fleet, from flags or from a person's answers."""

import json
import sys
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import click

from hubctl.cli import output
from hubctl.errors import InputError
from hubctl.inputs import edit, start
from hubctl.inputs import schema as schemas

GENERATORS = ("git", "clusters", start.DECISIONS)
MODES = ("observe", "approve", "auto")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked for one answer.

    Attributes:
        answer: a field of ``start.Answers``.
        choices: empty: any text.
    """

    answer: str
    text: str
    choices: tuple[str, ...] = ()


QUESTIONS = (
    Question("remote", "Git URL or path of the repository that holds what is delivered"),
    Question("branch", "Branch that Argo CD reads"),
    Question("namespace", "Namespace of the models on the spokes"),
    Question("generator", "How Argo CD finds spokes", GENERATORS),
    Question("cluster_set", "ManagedClusterSet that the Placement selects from"),
    Question("mode", "What remediation may do by itself", MODES),
    Question("acm_host", "Host of ACM's cluster-proxy, through which the hub reaches predictors; empty: say it later"),
)
"""In the order in which they are asked."""

_DEFAULTS = {each.name: each.default for each in fields(start.Answers) if each.default is not MISSING}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--remote", help="Git URL or path; hubctl pushes there.")
@click.option("--branch", help="The branch that Argo CD reads  [default: main].")
@click.option("--namespace", help="Where the models live  [default: self-healing-platform].")
@click.option("--generator", type=click.Choice(GENERATORS), help="How Argo CD finds spokes  [default: git].")
@click.option("--cluster-set", help="ManagedClusterSet of a Placement; clusterDecisionResource needs one.")
@click.option("--mode", type=click.Choice(MODES), help="What remediation may do by itself  [default: approve].")
@click.option("--acm-host", help="Host of ACM's cluster-proxy user-server, to reach predictors through.")
@click.option("--yes", is_flag=True, help="Never ask; take the defaults.")
def init(folder: Path, *, yes: bool, **given: str | None) -> None:
    """Start a fleet in FOLDER: values-hub.yaml and folders for spokes, features and templates.

    On a terminal, and without --remote, it asks for what no flag says. Nothing is written before the last answer.

    \b
    Examples:
      hubctl init fleet --remote git@git.example.com:platform/fleet.git
      hubctl init fleet
    """
    start.refuse_existing(folder)
    answers = {key: value for key, value in given.items() if value is not None}
    if "remote" not in answers:
        if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise InputError(
                "nothing says where the fleet's repository is",
                where="--remote",
                hint="pass --remote URL, or run it on a terminal without --yes to be asked",
            )
        answers = asked(folder, answers)
    for path in start.start(folder, start.Answers(**answers)):
        click.echo(f"wrote {path}")
    for name, content in schemas.schemas().items():
        path = folder / "schemas" / name
        path.parent.mkdir(exist_ok=True)
        edit.write_text(path, json.dumps(content, indent=2) + "\n")
        click.echo(f"wrote {path}")
    output.say(f"next: hubctl -C {folder} clusters add NAME --platform openshift --version 4.18")
    output.say(f"  or: kubectl get managedclusters -o yaml | hubctl -C {folder} clusters import -f -")


def asked(folder: Path, given: dict[str, str]) -> dict[str, str]:
    """The given answers and those of the person at the terminal.

    Raises:
        Abort: that person does not want it after all.
    """
    answers = dict(given)
    for question in QUESTIONS:
        needless = question.answer == "cluster_set" and answers["generator"] != start.DECISIONS
        if question.answer not in answers and not needless:
            answers[question.answer] = _ask(question)
    click.confirm(f"Write these answers to {folder / 'values-hub.yaml'}?", default=True, abort=True, err=True)
    return answers


def _ask(question: Question) -> str:
    """One answer that the values file will take; asks again until it is."""

    def checked(value: Any) -> str:
        text = str(value)
        if question.choices and text not in question.choices:
            raise click.UsageError(f"found {text!r}, expected one of {', '.join(question.choices)}")
        if problem := start.refusal(question.answer, text):
            raise click.UsageError(problem.message)
        return text

    kind = click.Choice(question.choices) if question.choices else None
    default = {**_DEFAULTS, "cluster_set": "default"}.get(question.answer)
    told: str = click.prompt(
        question.text, default=default, show_default=bool(default), type=kind, value_proc=checked, err=True
    )
    return told
