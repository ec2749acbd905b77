"""The house's own contracts: direction of imports, sizes, names, docstrings, one error boundary."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "hubctl").rglob("*.py"))
GRAB_BAGS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "tools"}


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_imports_go_in_one_direction_and_the_core_is_pure() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_says_in_its_docstring_what_it_owns() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert names(silent) == []


def test_no_module_is_a_grab_bag_or_longer_than_a_person_reads() -> None:
    assert [path.name for path in MODULES if path.stem in GRAB_BAGS] == []
    assert [path.name for path in MODULES if len(path.read_text().splitlines()) > 350] == []


def test_pure_modules_never_ask_for_the_time() -> None:
    pure = ["model", "aggregate", "decide"]
    asked = re.compile(r"\b(datetime\.now|datetime\.utcnow|time\.time|monotonic)\(")
    found = [path for path in MODULES if path.relative_to(ROOT).parts[1] in pure and asked.search(path.read_text())]
    assert names(found) == []


@pytest.mark.parametrize("word", ["yaml.load(", "verify=False", "shell=True", "mock.patch"])
def test_code_that_is_never_right_here_stands_nowhere(word: str) -> None:
    found = [path for path in MODULES if word in path.read_text()]
    assert names(found) == []


def test_lock_files_pin_by_hash_and_name_no_host() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index-url|--find-links", text), lock.name
