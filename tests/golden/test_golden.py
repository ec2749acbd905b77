"""Golden trees: ``<case>/`` holds inputs, ``<case>/expected/`` what they render to; ``make golden`` writes it anew.

The repository's own samples are the case ``samples``; their inputs stand at the root.
"""

import os
import shutil
from pathlib import Path

import pytest

from hubctl.inputs import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = {"samples": ROOT, "rollback": HERE / "rollback", "acm": HERE / "acm"}


@pytest.mark.parametrize("case", CASES)
def test_inputs_render_to_exactly_the_golden_tree(case: str, tmp_path: Path) -> None:
    inputs = load_inputs(Settings(directory=CASES[case], state=tmp_path))
    files = render_tree(inputs, load_templates(None)).files
    expected = HERE / case / "expected"
    if os.environ.get("HUBCTL_REFRESH_GOLDEN"):
        write(expected, files)
    golden = {str(path.relative_to(expected)): path.read_bytes() for path in expected.rglob("*") if path.is_file()}
    assert sorted(files) == sorted(golden)
    for path, data in files.items():
        assert data.decode() == golden[path].decode(), path


def write(expected: Path, files: object) -> None:
    assert isinstance(files, dict)
    shutil.rmtree(expected, ignore_errors=True)
    for path, data in files.items():
        (expected / path).parent.mkdir(parents=True, exist_ok=True)
        (expected / path).write_bytes(data)
