import subprocess
import sys
from pathlib import Path

import pytest

from hubctl.errors import StoreUnavailable
from hubctl.store import lock

HOLDER = """
import sys, pathlib
from hubctl.store import lock
with lock.hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_holder_is_refused_and_told_which_file(tmp_path: Path) -> None:
    with lock.hold(tmp_path / "state"), pytest.raises(StoreUnavailable) as caught, lock.hold(tmp_path / "state"):
        pass
    assert "another hubctl is at work" in caught.value.message
    assert str(tmp_path / "state" / "hubctl.lock") in caught.value.hint


def test_folder_is_free_after_a_holder_that_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock.hold(tmp_path):
        raise KeyError
    with lock.hold(tmp_path):
        assert (tmp_path / lock.LOCK).exists()


def test_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreUnavailable, match="another hubctl"), lock.hold(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with lock.hold(tmp_path):
        assert (tmp_path / lock.LOCK).exists()


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be locked"), lock.hold(tmp_path / "state"):
        pass
