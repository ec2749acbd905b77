"""Exit codes and messages when something is wrong; the harness itself looks for tracebacks and secrets in every run."""

import pytest

from tests.e2e.world import World


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["publish", "--nonsense"],
        ["poll", "-o", "xml"],
        ["poll", "--cluster", "nowhere"],
        ["poll", "--model", "nothing"],
        ["run", "--interval", "soon"],
        ["incidents", "show", "inc-nothing"],
        ["remediations", "show", "rem-nothing"],
        ["explain", "what"],
        ["schema", "nothing"],
        ["completion", "tcsh"],
        ["clusters", "show", "nort"],
        ["clusters", "add", "north"],
        ["clusters", "add", "Not A Name"],
        ["models", "set-version", "anomaly-detector", "v2", "--cluster", "nowhere"],
        ["models", "set-version", "anomaly-detctor", "v2"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_with_2_and_says_something(healthy: World, arguments: list[str]) -> None:
    ran = healthy.inside(*arguments, expect=2)
    assert ran.out == ""
    assert len(ran.err.splitlines()) >= 1


def test_misspelt_spoke_is_answered_with_the_right_ones(healthy: World) -> None:
    assert "north" in healthy.inside("clusters", "show", "nort", expect=2).err


@pytest.mark.parametrize(("command", "code"), [("publish", 3), ("reconcile", 3), ("diff", 2)])
def test_remote_that_is_gone_is_named_and_is_no_difference(fresh: World, command: str, code: int) -> None:
    gone = str(fresh.home / "gone.git")
    ran = fresh.hubctl(command, expect=code, HUBCTL_REMOTE=gone)
    assert "gone.git" in ran.err
    assert "hint" in ran.err


def test_pass_without_its_remote_still_observes(healthy: World) -> None:
    healthy.remote.rename(healthy.home / "away.git")
    healthy.new_window()
    made = healthy.inside("reconcile", "-o", "json", expect=3).json
    assert {one["outcome"] for one in made["observations"]} == {"ok"}
    assert made["problems"]


@pytest.mark.parametrize("command", ["status", "reconcile", "incidents list"])
def test_store_that_cannot_be_used_exits_with_3(fresh: World, command: str) -> None:
    (fresh.home / "file").write_text("no folder")
    ran = fresh.hubctl(*command.split(), expect=3, HUBCTL_STATE=str(fresh.home / "file"))
    assert "hint" in ran.err


def test_store_that_is_no_database_exits_with_3_and_is_left_alone(healthy: World) -> None:
    healthy.store.write_bytes(b"these are not the rows you look for" * 100)
    before = healthy.store.read_bytes()
    healthy.inside("status", expect=3)
    healthy.hubctl("reconcile", expect=3)
    assert healthy.store.read_bytes() == before


def test_missing_folder_and_missing_values_exit_with_2(fresh: World) -> None:
    fresh.inside("-C", str(fresh.home / "nowhere"), "status", expect=2)
    ran = fresh.hubctl("-C", str(fresh.home), "render", expect=2)
    assert "values-hub.yaml" in ran.err


def test_remote_with_a_password_in_its_url_is_refused_without_showing_it(fresh: World) -> None:
    fresh.edit_values(lambda hubctl: hubctl["gitops"].update(remote="https://me:hunter2@git.example.com/fleet.git"))
    ran = fresh.inside("publish", expect=2)
    assert "hunter2" not in ran.out + ran.err
    fresh.edit_values(lambda hubctl: hubctl["gitops"].update(remote="../remote.git"))
    ran = fresh.hubctl("publish", expect=None, HUBCTL_REMOTE="https://me:hunter2@127.0.0.1:9/fleet.git")
    assert ran.code in (2, 3)
    assert "hunter2" not in ran.out + ran.err


def test_new_spoke_with_an_unknown_model_leaves_no_file(fresh: World) -> None:
    fresh.inside("clusters", "add", "new", "--model", "nothing@v1", expect=2)
    assert not fresh.cluster_file("new").exists()
