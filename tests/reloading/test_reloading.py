"""Inputs from a repository at the start and later on: wrong ones are told once and never come into force."""

from pathlib import Path

import pytest
import structlog

from hubctl.errors import InputError, RemoteFailed
from hubctl.reloading import Reloader
from hubctl.settings import Settings, read_settings
from tests.publish.remotes import Remote, plain_git

GOOD = b"hubctl:\n  observe: {interval: 30s}\n  gitops: {remote: https://git.example.com/fleet.git}\n"
BAD = GOOD.replace(b"observe", b"observ")


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_git(monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote.made(tmp_path / "inputs.git")


def settings(remote: Remote) -> Settings:
    state = str(remote.path.parent / "state")
    return read_settings(None, {"HUBCTL_STATE": state, "HUBCTL_CONFIG_REPO": str(remote.path)})


async def test_first_commit_that_is_wrong_is_an_error_as_there_is_no_other(remote: Remote) -> None:
    remote.commit({"values-hub.yaml": BAD, "clusters/.keep": b""})
    with pytest.raises(InputError, match=r"values-hub\.yaml:2"):
        await Reloader(settings(remote), {}).first()


async def test_repository_that_is_away_is_no_error_once_a_commit_is_here(remote: Remote) -> None:
    good = remote.commit({"values-hub.yaml": GOOD, "clusters/.keep": b""})
    await Reloader(settings(remote), {}).first()
    remote.path.rename(remote.path.with_suffix(".away"))
    assert (await Reloader(settings(remote), {}).first())[0].commit == good
    nothing = read_settings(None, {"HUBCTL_STATE": str(remote.path.parent / "new"), "HUBCTL_CONFIG_REPO": "/none"})
    with pytest.raises(RemoteFailed, match="/none"):
        await Reloader(nothing, {}).first()


async def test_run_that_starts_on_a_wrong_commit_takes_the_last_good_one_of_the_run_before(remote: Remote) -> None:
    good = remote.commit({"values-hub.yaml": GOOD, "clusters/.keep": b""})
    before, sources = await Reloader(settings(remote), {}).first()
    assert (before.commit, sources.values.hubctl.observe.interval) == (good, 30)
    remote.commit({"values-hub.yaml": BAD})
    with structlog.testing.capture_logs() as said:
        after, sources = await Reloader(settings(remote), {}).first()
    assert (after.commit, after.directory, sources.values.hubctl.observe.interval) == (good, before.directory, 30)
    assert ["values-hub.yaml:2" in line["error"] for line in said] == [True]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (GOOD.replace(b"remote:", b"repoURL:"), "nothing says where to publish"),
        (GOOD + b"  store: {urlEnv: NOT_SET}\n", "the variable NOT_SET is not set"),
        (GOOD.replace(b".git}", b".git, branch: a..b}"), "is no branch name"),
    ],
    ids=["remote", "store", "branch"],
)
async def test_commit_that_could_not_be_opened_does_not_come_into_force(
    remote: Remote, bad: bytes, problem: str
) -> None:
    good = remote.commit({"values-hub.yaml": GOOD, "clusters/.keep": b""})
    await Reloader(settings(remote), {}).first()
    remote.commit({"values-hub.yaml": bad})
    with structlog.testing.capture_logs() as said:
        after, _ = await Reloader(settings(remote), {}).first()
    assert (after.commit, [problem in line["error"] for line in said]) == (good, [True])


async def test_other_commands_find_what_was_checked_out_unless_a_folder_is_named(remote: Remote) -> None:
    commit = remote.commit({"values-hub.yaml": GOOD, "clusters/.keep": b""})
    assert settings(remote).commit == ""
    await Reloader(settings(remote), {}).first()
    found = settings(remote)
    assert (found.commit, found.values_file.read_bytes()) == (commit, GOOD)
    here = str(remote.path.parent)
    assert read_settings(here, {"HUBCTL_CONFIG_REPO": "elsewhere"}).config is None
