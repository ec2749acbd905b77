"""``hubctl demo`` on real model servers, from the first publish to the last incident closed."""

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import STORY, git, marked

if TYPE_CHECKING:
    from tests.e2e.conftest import Story

pytestmark = [pytest.mark.servers, pytest.mark.timeout(330)]


def test_demo_tells_its_whole_story_and_exits_with_0(story: "Story") -> None:
    assert story.running.process.returncode == 0, story.running.said
    assert "Traceback" not in story.running.said


def test_demo_leaves_no_process_behind(story: "Story") -> None:
    assert story.running.process.returncode == 0
    assert marked(STORY, "1") == []


def test_demo_shows_the_rollback_and_its_remote_holds_it_in_one_commit(story: "Story") -> None:
    remote = story.home / "remote.git"
    commits = git(remote, "log", "--format=%H", "--grep=Hubctl-Action-Id:", "main").split()
    assert len(commits) == 1
    assert f"commit {commits[0]}" in story.running.said
    touched = git(remote, "show", "--format=", "--name-only", commits[0]).splitlines()
    assert any(path.startswith("overrides/") for path in touched)
    assert any(path.startswith("rendered/spokes/") and "inferenceservice" in path for path in touched)
    git(remote, "fsck", "--strict")


def test_every_publish_of_the_demo_is_in_its_remote(story: "Story") -> None:
    subjects = git(story.home / "remote.git", "log", "--format=%an: %s", "main").splitlines()
    assert sum(line.startswith("hubctl: ") for line in subjects) == 3
    assert sum(not line.startswith("hubctl: ") for line in subjects) == 2


def test_demo_says_where_its_metrics_come_from(story: "Story") -> None:
    found = shutil.which("prometheus")
    told = f"a real Prometheus, {found}" if found else "no prometheus on PATH"
    assert told in story.running.said
    assert (story.home / "prometheus" / "data").is_dir() == bool(found)
