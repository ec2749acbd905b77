"""The stop file and stored pauses."""

from datetime import timedelta
from pathlib import Path

import pytest

from hubctl.errors import GuardRefused, InputError, StoreUnavailable
from hubctl.model.holds import Pause, Reach, Stop
from hubctl.store import switch
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, minute


def pause(number: int = 1, until: int = 60) -> Pause:
    return Pause(f"pau-0000000{number}", "disk", "ana", minute(until), minute(number), minute(number), cluster="edge-a")


def test_stop_file_comes_back_as_it_was_thrown_and_is_gone_when_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "made" / "STOP"
    assert switch.read(path) is None
    stop = Stop(Reach.EVERYTHING, str(path), "why", "ana", NOW)
    switch.write(path, stop)
    assert switch.read(path) == stop
    assert [each.name for each in path.parent.iterdir()] == ["STOP"]
    switch.remove(path)
    switch.remove(path)
    assert switch.read(path) is None


def test_stop_file_that_is_touched_stops_actions(tmp_path: Path) -> None:
    (tmp_path / "STOP").touch()
    found = switch.read(tmp_path / "STOP")
    assert found is not None
    assert found.reach is Reach.ACTIONS


def test_stop_file_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "link"):
        found = switch.read(tmp_path / name)
        assert found is not None, name
        assert found.reach is Reach.EVERYTHING


def test_stop_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be changed"):
        switch.write(tmp_path / "file" / "STOP", Stop(Reach.ACTIONS, ""))


def test_pauses_in_force_are_those_that_neither_ran_out_nor_were_lifted(store: Store) -> None:
    first, short, third = pause(1), pause(2, until=5), pause(3)
    for one in (third, first, short):
        store.pauses.save(one)
    assert store.pauses.in_force(minute(4)) == (first, short, third)
    assert store.pauses.in_force(minute(5)) == (first, third)
    lifted = first.lifted(by="ben", note="done", now=minute(6))
    store.pauses.save(lifted, before=(first,))
    assert store.pauses.in_force(minute(7)) == (third,)
    assert store.pauses.every() == (third, short, lifted)


def test_pause_is_lifted_once_and_by_one(store: Store, second: Store) -> None:
    store.pauses.save(pause())
    seen = second.pauses.find("pau-0")
    lifted = seen.lifted(by="ben", note="", now=minute(2))
    store.pauses.save(lifted, before=(seen,))
    with pytest.raises(StoreUnavailable, match="another process was faster"):
        second.pauses.save(seen.lifted(by="eve", note="", now=minute(3)), before=(seen,))
    with pytest.raises(GuardRefused, match="was lifted"):
        lifted.lifted(by="eve", note="", now=minute(3))
    with pytest.raises(GuardRefused, match="ran out"):
        pause().lifted(by="eve", note="", now=NOW + timedelta(days=1))
    with pytest.raises(InputError, match="there is no pause"):
        store.pauses.find("pau-9")
