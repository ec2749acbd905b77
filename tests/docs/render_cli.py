"""Writes the help of every command into docs/cli.md; run ``python -m tests.docs.render_cli`` after changing one."""

from collections.abc import Iterator

import click

from hubctl.cli.main import cli
from tests.docs.markdown import page

BEGIN = "<!-- The rest is written by `python -m tests.docs.render_cli`; do not edit it. -->\n"
_WIDTH = 100


def rendered() -> str:
    """The generated part of docs/cli.md."""
    return "\n".join(_part(context) for context in contexts())


def contexts() -> Iterator[click.Context]:
    """``hubctl`` and every command and subcommand of it, in the order of ``--help``."""
    return _below(click.Context(cli, info_name="hubctl", terminal_width=_WIDTH, help_option_names=["-h", "--help"]))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None, name
            yield from _below(click.Context(command, info_name=name, parent=context, terminal_width=_WIDTH))


def _part(context: click.Context) -> str:
    text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
    return f"### {context.command_path}\n\n```text\n{text}\n```\n"


def main() -> None:
    """Rewrite the generated part."""
    target = page("docs/cli.md")
    written, _, _ = target.text.partition(BEGIN)
    target.path.write_text(f"{written}{BEGIN}\n{rendered()}")


if __name__ == "__main__":
    main()
