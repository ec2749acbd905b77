import gc
import subprocess
import sys
from pathlib import Path

import pytest

from hubctl.cli import main

HEAVY = ("alembic", "git", "httpx", "kubernetes", "rich", "sqlalchemy", "stamina", "structlog")
"""Libraries that cost each command that loads them a tenth of a second, some of them more."""


def loaded_by(*commands: str) -> set[str]:
    program = f"import sys; from hubctl.cli.main import run\nfor name in {commands!r}: run([name, '--help'])\n"
    program += f"print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_commands_that_talk_to_nobody_start_without_what_talks() -> None:
    assert loaded_by(*sorted(main.OFFLINE)) <= {"rich"}


def test_render_starts_with_nothing_heavy() -> None:
    assert loaded_by("render") == set()


@pytest.mark.parametrize("command", ["publish", "diff"])
def test_delivery_starts_without_sql_and_http(command: str) -> None:
    assert loaded_by(command) == {"git", "stamina"}


def test_garbage_is_collected_again_after_a_command_that_went_without(tmp_path: Path) -> None:
    assert main.run(["-C", str(tmp_path), "render"]) == 2
    assert gc.isenabled()


def test_garbage_is_looked_for_as_before_after_a_command_that_does_so_seldom(tmp_path: Path) -> None:
    before = gc.get_threshold()
    assert main.run(["-C", str(tmp_path), "run"]) == 2
    assert gc.get_threshold() == before != main.SELDOM


def test_bulk_commands_exist() -> None:
    assert main.COMMANDS.keys() >= main.BULK | main.OFFLINE | main.LASTING
