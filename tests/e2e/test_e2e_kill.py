"""Killed with SIGKILL at the worst moments, then run once more: nothing lost, nothing twice."""

import random
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.world import MODEL, SICK, World, until
from tests.effort import times

LIVES = times(4, 8)
HOLD = "touch {at}; while [ ! -e {go} ] && [ -e {at} ]; do sleep 0.02; done"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Path]:
    """A file that appears when the remote has come to its hook; without it, the hook ends."""
    path = tmp_path / "at"
    yield path
    path.unlink(missing_ok=True)


def hold(world: World, hook: str, at: Path) -> None:
    """Let the remote wait in that hook, once."""
    once = f"if mkdir {at}.once 2>/dev/null; then {HOLD.format(at=at, go=at.with_name('go'))}; fi; exit 0"
    world.hook(hook, once)


def sweep(world: World) -> None:
    """What SIGKILL of git in the remote leaves there; a real remote is another machine and does not die with us."""
    for lock in world.remote.rglob("*.lock"):
        lock.unlink()


def settled(world: World) -> None:
    """After one more pass everything agrees: the rollback was done once, and nothing is left to do."""
    world.new_window()
    world.hubctl("reconcile")
    (done,) = [one for one in world.remediations() if one["action"] == "rollback-model"]
    assert done["state"] == "applied", done
    assert world.actions() == [done["id"]]
    assert f"{MODEL}/v1" in world.file(f"rendered/spokes/{SICK[0]}/inferenceservice-{MODEL}.yaml")
    world.check_sound()


@pytest.mark.parametrize("whole", [True, False], ids=["with-git", "git-lives-on"])
@pytest.mark.parametrize("hook", ["update", "post-receive"])
def test_publish_killed_in_the_middle_of_its_push_is_done_once_by_the_next(
    fresh: World, at: Path, hook: str, *, whole: bool
) -> None:
    hold(fresh, hook, at)
    with fresh.started("publish") as running:
        until(at.exists, "the push to come to the hook")
        running.kill(group=whole)
        at.with_name("go").touch()
        fresh.hubctl("publish")
    assert fresh.count() == 1
    assert fresh.inside("diff", "-o", "json").json["files"] == {"added": [], "changed": [], "removed": []}
    fresh.check_sound()


@pytest.mark.parametrize("whole", [True, False], ids=["with-git", "git-lives-on"])
@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_reconcile_killed_in_the_middle_of_its_rollback_is_done_once_by_the_next(
    poised: World, at: Path, hook: str, *, whole: bool
) -> None:
    hold(poised, hook, at)
    with poised.started("reconcile") as running:
        until(at.exists, "the push to come to the hook")
        running.kill(group=whole)
        assert set(poised.states().values()) == {"executing"}
        at.with_name("go").touch()
        settled(poised)


def test_reconcile_killed_between_intent_and_effect_acts_once_in_the_next(poised: World) -> None:
    slow = poised.home / "bin"
    slow.mkdir()
    # Every fetch takes a moment, so that the test sees the intent before the effect begins.
    (slow / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" fetch "*) sleep 0.3;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    (slow / "git").chmod(0o755)
    path = f"{slow}:{poised.environment()['PATH']}"
    with poised.started("reconcile", PATH=path) as running:
        until(lambda: "executing" in poised.states().values(), "the intent to be stored")
        running.kill()
    assert poised.actions() == []
    settled(poised)


def test_reconcile_killed_at_any_moment_leaves_one_commit_an_action(poised: World, tmp_path: Path) -> None:
    chance = random.Random(4711)  # noqa: S311 - moments, not secrets

    def live_and_die(number: int) -> bool:
        world = poised.copied(tmp_path / f"life-{number}")
        with closing(world.predictors):
            with world.started("reconcile") as running:
                until(
                    lambda: world.predictors.polls("west", MODEL) or running.process.poll() is not None,
                    "the first poll",
                )
                time.sleep(0.4 * (number + chance.random()) / LIVES)
                running.kill()
            sweep(world)
            settled(world)
        return running.process.returncode == -signal.SIGKILL

    with ThreadPoolExecutor(2) as pool:
        killed = list(pool.map(live_and_die, range(LIVES)))
    assert sum(killed) >= LIVES // 2, "most lives must end before the pass does, or nothing is tested"


def test_reconcile_killed_again_and_again_ends_with_one_commit(poised: World) -> None:
    for number in range(6):
        with poised.started("reconcile") as running:
            time.sleep(0.5 + 0.15 * number)
            running.kill()
        sweep(poised)
    settled(poised)
    before = poised.tip()
    poised.reconcile()
    assert poised.tip() == before


def test_rollback_that_the_remote_refuses_is_told_and_tried_again(poised: World) -> None:
    before = poised.tip()
    poised.hook("pre-receive", "echo 'the branch is protected' >&2; exit 1")
    ran = poised.hubctl("reconcile", "-o", "json", expect=None)
    assert ran.code in (0, 3), ran
    (waiting,) = poised.remediations()
    assert (waiting["state"], poised.tip()) == ("approved", before)
    assert "protected" in waiting["detail"]
    poised.hook("pre-receive", "exit 0")
    settled(poised)


def test_rollback_that_the_remote_refuses_for_too_long_fails(poised: World) -> None:
    before = poised.tip()
    poised.edit_values(lambda values: values["remediation"].update(verifyWithin="100ms"))
    poised.hook("pre-receive", "exit 1")
    for _ in range(2):
        poised.hubctl("reconcile", expect=None)
    assert (poised.remediations()[0]["state"], poised.tip()) == ("failed", before)
