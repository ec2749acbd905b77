"""Publishing while others write to the same branch."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hubctl.errors import PublishConflict
from hubctl.model import tree
from hubctl.publish import branch
from tests.publish.remotes import NOW, OPTIONS, Remote, fleet, git, publish, wanted


class Meddled:
    """A rendering during which, in its first runs, somebody else acts."""

    def __init__(self, files: dict[str, bytes], act: Callable[[], object], times: int = 1) -> None:
        self.files = files
        self.act = act
        self.times = times
        self.tips: list[str] = []

    def __call__(self, tip: tree.Published) -> tree.Wanted:
        self.tips.append(tip.commit)
        if len(self.tips) <= self.times:
            self.act()
        return wanted({**self.files, **{f"rendered/{name}": data for name, data in tip.overrides.items()}})


async def test_lost_race_is_rendered_again_on_the_new_tip(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a"))
    first = remote.tip()
    meddled = Meddled(fleet("a", "b"), lambda: remote.commit({"overrides/x.yaml": b"x"}))
    commit = await branch.publish(remote.repository(), meddled, OPTIONS, now=NOW)
    assert commit is not None
    assert meddled.tips == [first, commit.parent]
    assert remote.files() == {**fleet("a", "b"), "overrides/x.yaml": b"x", "rendered/x.yaml": b"x"}
    assert remote.count() == 3


async def test_race_for_a_branch_that_did_not_exist_is_rendered_again(remote: Remote) -> None:
    meddled = Meddled(fleet("a"), lambda: remote.commit({"README.md": b"x"}))
    await branch.publish(remote.repository(), meddled, OPTIONS, now=NOW)
    assert remote.files() == {**fleet("a"), "README.md": b"x"}


async def test_beaten_each_time_is_a_conflict_with_advice(remote: Remote) -> None:
    remote.commit({"a": b""})
    meddled = Meddled(fleet("a"), lambda: remote.commit({}), times=99)
    with pytest.raises(PublishConflict, match="each of 3 tries") as caught:
        await branch.publish(remote.repository(), meddled, OPTIONS, now=NOW)
    assert "who else writes" in caught.value.hint
    assert len(meddled.tips) == 3
    assert set(remote.files()) == {"a"}


async def test_branch_deleted_meanwhile_is_made_anew_without_its_old_history(remote: Remote) -> None:
    remote.commit({"a": b""})
    meddled = Meddled(fleet("a"), lambda: git(remote.path, "update-ref", "-d", "refs/heads/main"))
    await branch.publish(remote.repository(), meddled, OPTIONS, now=NOW)
    assert meddled.tips[1] == ""
    assert (remote.count(), remote.files()) == (1, fleet("a"))


async def test_branch_rewound_meanwhile_stays_rewound(remote: Remote) -> None:
    good = remote.commit({"keep": b""})
    remote.commit({"mistake": b""})
    meddled = Meddled(fleet("a"), lambda: git(remote.path, "update-ref", "refs/heads/main", good))
    await branch.publish(remote.repository(), meddled, OPTIONS, now=NOW)
    assert meddled.tips[1] == good
    assert remote.files() == {**fleet("a"), "keep": b""}


async def test_commit_that_was_forced_off_the_branch_is_no_longer_found(remote: Remote) -> None:
    base = remote.commit({"keep": b""})
    repository = remote.repository()
    plan = wanted(fleet("a"), ("Hubctl-Action-Id", "act-1"))
    await branch.publish(repository, lambda _: plan, OPTIONS, now=NOW)
    assert await repository.history.find("Hubctl-Action-Id", "act-1") == remote.tip()
    git(remote.path, "update-ref", "refs/heads/main", base)
    assert await repository.fetch() == base
    assert await repository.history.find("Hubctl-Action-Id", "act-1") == ""


async def test_commit_forced_off_the_branch_between_passes_is_published_again(remote: Remote) -> None:
    base = remote.commit({"keep": b""})
    repository = remote.repository()
    await publish(repository, fleet("a"))
    git(remote.path, "update-ref", "refs/heads/main", base)
    await publish(repository, fleet("a"))
    assert remote.files() == {**fleet("a"), "keep": b""}


async def test_push_whose_commit_is_already_contained_is_a_success(remote: Remote) -> None:
    repository = remote.repository()
    commit = await publish(repository, fleet("a"))
    remote.commit({"more": b""})
    assert commit is not None
    assert await repository.push(commit.id, "")


async def test_two_tasks_of_one_process_take_turns(remote: Remote) -> None:
    repository = remote.repository()
    under_way: list[int] = []

    def slow(_: tree.Published) -> tree.Wanted:
        under_way.append(1)
        assert len(under_way) == 1
        time.sleep(0.1)
        under_way.clear()
        return wanted(fleet("a"))

    done = await asyncio.gather(*(branch.publish(repository, slow, OPTIONS, now=NOW) for _ in range(3)))
    assert [commit is not None for commit in done].count(True) == 1


async def test_lock_that_is_never_free_is_named(remote: Remote) -> None:
    async with remote.repository().turn:
        with pytest.raises(PublishConflict, match=r"repository\.lock") as caught:
            await publish(remote.repository(patience=0.2), fleet("a"))
    assert "HUBCTL_STATE" in caught.value.hint
    assert await publish(remote.repository(patience=0.2), fleet("a")) is not None


async def test_cancelled_publish_gives_its_turn_back(remote: Remote) -> None:
    repository = remote.repository()
    async with remote.repository().turn:
        waiting = asyncio.create_task(publish(repository, fleet("a")))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await publish(repository, fleet("a")) is not None


@pytest.mark.parametrize("states", [("one", "one"), ("one", "two")])
def test_processes_that_publish_at_once_both_land(remote: Remote, states: tuple[str, str]) -> None:
    program = Path(__file__).with_name("publisher.py")
    running = [
        subprocess.Popen([sys.executable, program, remote.path.parent / state, remote.path, f"p{number}", "3"])
        for number, state in enumerate(states)
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    names = {f"p{number}-{turn}" for number in (0, 1) for turn in range(3)}
    assert remote.files() == {
        path: name.encode() for name in names for path in (f"overrides/{name}.yaml", f"rendered/spokes/{name}/x.yaml")
    }
    assert remote.count() == 6
