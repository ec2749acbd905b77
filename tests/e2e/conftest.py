"""Worlds to begin in, each made once a run and copied for a test, and the check that nothing outlives the run."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.predictors import Loop
from tests.e2e.world import MARK, SICK, STORY, Running, World, marked


@pytest.fixture(scope="session", autouse=True)
def no_process_outlives_the_run() -> Iterator[None]:
    """Every process that the tests start, and theirs, carries a mark; none may be left."""
    os.environ[MARK] = uuid.uuid4().hex
    yield
    end = time.monotonic() + 5
    while left := marked(MARK, os.environ[MARK]):
        assert time.monotonic() < end, f"left running: {left}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def loop(no_process_outlives_the_run: None) -> Iterator[Loop]:
    del no_process_outlives_the_run  # Asked for only to be there before the first process.
    made = Loop()
    yield made
    made.close()


@dataclass(frozen=True, slots=True)
class Story:
    """``hubctl demo`` at work in a folder."""

    home: Path
    running: Running


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory, no_process_outlives_the_run: None) -> Iterator[Story]:
    """The demo, played to its end."""
    del no_process_outlives_the_run
    folder = tmp_path_factory.mktemp("story")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "HUBCTL_"))}
    command = [sys.executable, "-m", "hubctl", "demo", "--folder", str(folder / "demo")]
    with (folder / "said").open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=environ | {MARK: os.environ[MARK]} | {STORY: "1"},
        )
    running = Running(process, folder / "said")
    try:
        running.ended(300)
        yield Story(folder / "demo", running)
    finally:
        running.kill()


@pytest.fixture(scope="session")
def began_fresh(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[World]:
    world = World.made(tmp_path_factory.mktemp("fresh"), loop)
    yield world
    world.predictors.close()


@pytest.fixture(scope="session")
def began_healthy(tmp_path_factory: pytest.TempPathFactory, began_fresh: World) -> Iterator[World]:
    world = began_fresh.copied(tmp_path_factory.mktemp("healthy"))
    world.reconcile()
    yield world
    world.predictors.close()


@pytest.fixture(scope="session")
def began_poised(tmp_path_factory: pytest.TempPathFactory, began_healthy: World) -> Iterator[World]:
    world = began_healthy.copied(tmp_path_factory.mktemp("poised"))
    world.set_mode("auto")
    world.roll_out("v2", *SICK)
    world.inside("publish", "-m", "Deliver v2")
    yield world
    world.predictors.close()


@pytest.fixture(scope="session")
def began_pending(tmp_path_factory: pytest.TempPathFactory, began_poised: World) -> Iterator[World]:
    world = began_poised.copied(tmp_path_factory.mktemp("pending"))
    world.set_mode("approve")
    world.reconcile()
    yield world
    world.predictors.close()


@pytest.fixture(scope="session")
def began_rolled_back(tmp_path_factory: pytest.TempPathFactory, began_poised: World) -> Iterator[World]:
    world = began_poised.copied(tmp_path_factory.mktemp("rolled-back"))
    world.reconcile()
    yield world
    world.predictors.close()


def _copy(of: World, folder: Path) -> Iterator[World]:
    world = of.copied(folder / "world")
    yield world
    world.predictors.close()


@pytest.fixture
def fresh(began_fresh: World, tmp_path: Path) -> Iterator[World]:
    """Files of a fleet, a remote without commits; hubctl has never run."""
    yield from _copy(began_fresh, tmp_path)


@pytest.fixture
def healthy(began_healthy: World, tmp_path: Path) -> Iterator[World]:
    """Published and seen to be good, every model at v1; mode approve."""
    yield from _copy(began_healthy, tmp_path)


@pytest.fixture
def poised(began_poised: World, tmp_path: Path) -> Iterator[World]:
    """A bad v2 is published to two of four spokes and served there, and not looked at yet; mode auto."""
    yield from _copy(began_poised, tmp_path)


@pytest.fixture
def pending(began_pending: World, tmp_path: Path) -> Iterator[World]:
    """The bad v2 was found; a rollback waits for approval."""
    yield from _copy(began_pending, tmp_path)


@pytest.fixture
def rolled_back(began_rolled_back: World, tmp_path: Path) -> Iterator[World]:
    """The bad v2 was found and rolled back on the branch; the spokes still serve it."""
    yield from _copy(began_rolled_back, tmp_path)
