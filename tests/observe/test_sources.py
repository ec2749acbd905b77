import asyncio
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hubctl.model.predictor import InferenceService, Window
from hubctl.model.values import Features, ModelProfile
from hubctl.observe import features, sources
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.sources import Files

Make = Callable[..., InferenceService]
ENVIRON = {"PATH": os.environ["PATH"]}


async def read(make: Make, folder: Path, source: Features | None) -> Window:
    return await sources.read_window(make("http://h", profile=ModelProfile(features=source)), folder, ENVIRON)


async def reason_of(make: Make, folder: Path, source: Features | None) -> Reason:
    with pytest.raises(NoWindow) as caught:
        await read(make, folder, source)
    return caught.value.reason


def python(code: str, *arguments: str, timeout: float = 10) -> Features:
    return Features(command=(sys.executable, "-c", code, *arguments), timeout=timeout)


async def test_file_is_found_by_spoke_and_model(service: Make, tmp_path: Path) -> None:
    (tmp_path / "edge-a").mkdir()
    (tmp_path / "edge-a" / "anomaly-detector.csv").write_text("1,2\n")
    window = await read(service, tmp_path, Features(file="{cluster}/{model}.csv"))
    assert window.instances == ((1.0, 2.0),)


async def test_missing_file_is_a_reason(service: Make, tmp_path: Path) -> None:
    assert await reason_of(service, tmp_path, Features(file="none.json")) == Reason.FEATURES_MISSING


async def test_model_without_features_is_a_reason(service: Make, tmp_path: Path) -> None:
    assert await reason_of(service, tmp_path, None) == Reason.NO_FEATURES


@pytest.mark.parametrize("name", ["../rows.json", "/etc/hostname", "link/rows.json"])
async def test_file_outside_the_folder_is_refused(service: Make, tmp_path: Path, name: str) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (tmp_path / "rows.json").write_text("[[1]]")
    (inputs / "link").symlink_to(tmp_path)
    assert await reason_of(service, inputs, Features(file=name)) == Reason.FEATURES_OUTSIDE


async def test_pipe_instead_of_a_file_does_not_block(service: Make, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.json")
    assert await reason_of(service, tmp_path, Features(file="rows.json")) == Reason.FEATURES_MISSING


async def test_file_beyond_the_bound_is_refused(service: Make, tmp_path: Path) -> None:
    with (tmp_path / "rows.json").open("wb") as file:
        file.truncate(sources.MAX_BYTES + 1)
    assert await reason_of(service, tmp_path, Features(file="rows.json")) == Reason.FEATURES_TOO_LARGE


async def test_bytes_that_are_no_text_are_refused(service: Make, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_bytes(b"\xff\xfe")
    assert await reason_of(service, tmp_path, Features(file="rows.json")) == Reason.FEATURES_INVALID


async def test_command_gets_names_as_arguments_and_no_shell(service: Make, tmp_path: Path) -> None:
    code = "import sys; assert sys.argv[1:] == ['edge-a/anomaly-detector', '$(x) {y};']; print('[[1]]')"
    window = await read(service, tmp_path, python(code, "{cluster}/{model}", "$(x) {y};"))
    assert window.instances == ((1.0,),)


async def test_failed_command_shows_what_it_said(service: Make, tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('no\\x1b such series' + 'x' * 100_000); sys.exit(7)"
    with pytest.raises(NoWindow, match="exited with 7: no such series") as caught:
        await read(service, tmp_path, python(code))
    assert caught.value.reason == Reason.FEATURES_COMMAND


async def test_command_that_does_not_exist_is_a_reason(service: Make, tmp_path: Path) -> None:
    assert await reason_of(service, tmp_path, Features(command=("no-such-program",))) == Reason.FEATURES_COMMAND


async def test_endless_output_is_cut_off(service: Make, tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('1' * 65536)"
    assert await reason_of(service, tmp_path, python(code)) == Reason.FEATURES_TOO_LARGE


async def test_late_command_ends_with_all_its_children(service: Make, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\nchild.wait()"
    )
    assert await reason_of(service, tmp_path, python(code, timeout=1.5)) == Reason.FEATURES_TIMEOUT
    await gone(int((tmp_path / "child").read_text()))


async def test_cancelled_poll_leaves_no_command_behind(service: Make, tmp_path: Path) -> None:
    code = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(read(service, tmp_path, python(code)))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(int((tmp_path / "pid").read_text()))


class Counted(ThreadPoolExecutor):
    """Threads, and how often work was given to them."""

    count = 0

    def submit(self, *work: Any, **named: Any) -> Any:
        self.count += 1
        return super().submit(*work, **named)


@pytest.fixture
async def threads() -> Counted:
    made = Counted(1)
    asyncio.get_running_loop().set_default_executor(made)
    return made


async def test_file_is_read_again_once_it_changed(service: Make, tmp_path: Path, threads: Counted) -> None:
    files, profile = Files(tmp_path, settled=-1), ModelProfile(features=Features(file="rows.csv"))
    asked, found = service("http://h", profile=profile), []
    for text in ("1,2\n-0.0,5e-324", None, "3,4", None, None):
        if text is not None:
            (tmp_path / "rows.csv").write_text(text)
        found.append(await sources.read_window(asked, tmp_path, ENVIRON, files))
    assert [one.instances for one in found] == [((1.0, 2.0), (0.0, 5e-324))] * 2 + [((3.0, 4.0),)] * 3
    assert found[0] == found[1] == features.parse("1,2\n0,5e-324")
    assert threads.count == 2
    (tmp_path / "rows.csv").unlink()
    assert await reason_of(service, tmp_path, Features(file="rows.csv")) == Reason.FEATURES_MISSING
    with pytest.raises(NoWindow, match="no such file"):
        await sources.read_window(asked, tmp_path, ENVIRON, files)


async def test_file_that_was_just_written_may_be_written_again(service: Make, tmp_path: Path, threads: Counted) -> None:
    (tmp_path / "rows.csv").write_text("1,2")
    files, asked = Files(tmp_path), service("http://h", profile=ModelProfile(features=Features(file="rows.csv")))
    for _ in range(3):
        await sources.read_window(asked, tmp_path, ENVIRON, files)
    assert threads.count == 3


async def test_kept_rows_are_bounded(service: Make, tmp_path: Path, threads: Counted) -> None:
    files = Files(tmp_path, most=2000, settled=-1)
    for _ in range(2):
        for name in ("a", "b", "c", "d"):
            (tmp_path / f"{name}.csv").touch()
            (tmp_path / f"{name}.csv").write_text("1,2")
            source = Features(file="{model}.csv")
            await files.window(source.file or "", service("http://h", name=name))
    assert (len(files._held), threads.count) == (3, 8)


async def gone(pid: int) -> None:
    """Returns once the process has ended; an orphan may stay a zombie until its new parent looks."""
    until = time.monotonic() + 5
    while state(pid) not in ("", "Z"):
        assert time.monotonic() < until, f"process {pid} is still alive"
        await asyncio.sleep(0.02)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
