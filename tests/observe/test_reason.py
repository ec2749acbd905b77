import json
import re
from pathlib import Path

import pytest

import hubctl.observe
from hubctl.observe.reason import Reason


@pytest.mark.parametrize("reason", Reason)
def test_reason_is_a_stable_word_with_a_sentence_for_people(reason: Reason) -> None:
    assert re.fullmatch("[a-z0-9_]+", reason)
    assert reason.meaning[0].isupper()
    assert reason.meaning.endswith(".")


def test_reason_is_written_as_its_word() -> None:
    assert json.dumps([Reason.NO_ROUTE]) == '["no_route"]'
    assert f"{Reason.NO_ROUTE}" == "no_route"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_given_by_some_module(reason: Reason) -> None:
    folder = Path(hubctl.observe.__path__[0])
    rooms = (*folder.glob("*.py"), folder.parent / "rounds.py", *folder.parent.glob("shards/*.py"))
    others = (path for path in rooms if path.name != "reason.py")
    assert any(f"Reason.{reason.name}" in path.read_text() for path in others)
