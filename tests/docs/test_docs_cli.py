"""docs/cli.md is the command line's own help, and every command that the documentation shows can be parsed."""

import contextlib
import inspect
import io
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from pydantic import BaseModel

from hubctl import errors
from hubctl.cli import difference, main, origins, shapes
from hubctl.model.health import FindingKind
from hubctl.model.incident import Incident, State
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import ModelProfile
from tests.docs import markdown, render_cli

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = markdown.page("docs/cli.md")


def shown_commands() -> Iterator[tuple[str, str]]:
    """Every ``hubctl …`` that the documentation shows, with its page.

    In a block it is a whole command line; in a sentence it may leave its arguments out, so only its help is asked for.
    """
    for page in markdown.pages():
        lines = [line.removeprefix("$ ") for block in page.blocks("console") for line in block.splitlines()]
        lines += [f"{part} --help" for span in page.spans() for part in span.split("&&") if "COMMAND" not in part]
        for line in lines:
            for part in re.split(r"&&|\|\||[|;]", line):
                if part.strip().startswith("hubctl "):
                    yield page.path.name, part.strip()


def parse(arguments: list[str]) -> None:
    """Parse a command line down to its last command, without running anything.

    Raises:
        UsageError: there is no such command or option, or an argument is missing.
    """
    context = main.cli.make_context("hubctl", arguments)
    command: click.Command = main.cli
    while isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command, context = found, found.make_context(found.name, rest, parent=context)


def test_help_in_the_documentation_is_current() -> None:
    _, begin, generated = PAGE.text.partition(render_cli.BEGIN)
    assert begin, "docs/cli.md has lost its generated part"
    assert render_cli.rendered() == generated.lstrip("\n"), "run `python -m tests.docs.render_cli`"


def test_help_has_no_leftover_marks() -> None:
    assert "\\b" not in render_cli.rendered()


def test_every_command_has_a_heading() -> None:
    expected = [context.command_path for context in render_cli.contexts()]
    assert expected == re.findall(r"^### (hubctl.*)$", PAGE.text, re.MULTILINE)


def test_every_command_and_option_has_help() -> None:
    for context in render_cli.contexts():
        assert context.command.help, context.command_path


def test_every_command_but_groups_shows_an_example() -> None:
    missing = [
        context.command_path
        for context in render_cli.contexts()
        if not isinstance(context.command, click.Group) and "Example" not in (context.command.help or "")
    ]
    assert missing == []


def test_readme_lists_every_command() -> None:
    assert set(main.COMMANDS) == set(markdown.page("README.md").words("Commands"))


def test_every_shown_command_exists_with_its_options(subtests: pytest.Subtests) -> None:
    found = sorted(set(shown_commands()))
    assert len(found) > len(main.COMMANDS)
    for page, line in found:
        quiet = contextlib.redirect_stdout(io.StringIO())
        with subtests.test(page=page, line=line), contextlib.suppress(click.exceptions.Exit), quiet:
            parse(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("wrong", ["hubctl plan", "hubctl diff --short", "hubctl clusters drop x", "hubctl explain"])
def test_a_command_that_does_not_exist_would_be_noticed(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(shlex.split(wrong)[1:])


def test_every_error_class_is_documented_with_its_exit_code() -> None:
    classes = {
        name: str(found.exit_code)
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.HubctlError)
    }
    assert classes == {row[0]: row[1] for row in PAGE.rows("Errors")}


def test_every_exit_code_of_the_help_is_documented() -> None:
    assert set(re.findall(r"(\d) \w", main.EPILOG)) <= set(PAGE.words("Exit codes"))


def test_keys_of_poll_json_are_documented() -> None:
    seen = Observation("edge-a", "m", "v1", NOW, Outcome.OK)
    assert list(shapes.observation_data(seen)) == PAGE.words("poll -o json")


def test_keys_of_diff_json_are_documented() -> None:
    documented: dict[str, type[BaseModel]] = {
        "diff -o json": difference.DiffData,
        "An object in diff": difference.ObjectData,
        "A field in diff": difference.FieldData,
    }
    for heading, model in documented.items():
        assert [field.alias for field in model.model_fields.values()] == PAGE.words(heading)


def test_keys_of_explanation_json_are_documented() -> None:
    documented: dict[str, type[BaseModel]] = {
        "render --explain -o json": origins.ExplanationData,
        "An object in render --explain": origins.ObjectData,
        "A value in render --explain": origins.ValueData,
        "An input in render --explain": origins.OriginData,
    }
    for heading, model in documented.items():
        assert [field.alias for field in model.model_fields.values()] == PAGE.words(heading)


def test_keys_of_status_json_are_documented() -> None:
    incident = Incident("inc-1", "k", FindingKind.HUB_UNREACHABLE, State.OPEN, "s", (), NOW, NOW)
    service = InferenceService("edge-a", "m", "v1", "ns", "m-predictor", ModelProfile())
    documented: dict[str, Any] = {
        "A model in status": shapes.model_data(service, None),
        "An incident": shapes.incident_data(incident),
    }
    for heading, data in documented.items():
        assert list(data) == PAGE.words(heading)
