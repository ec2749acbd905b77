"""One head branch and one pull request, whatever happens; what a forge's own words matter for, on both."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from hubctl.errors import Fenced, GuardRefused, RemoteFailed
from hubctl.model.gitops import GitOps
from hubctl.publish import branch, proposal, pulls
from hubctl.publish.forge import Forge, forge_of
from hubctl.publish.pulls import Outcome
from tests.publish import forges
from tests.publish.forges import FakeForge, Fault
from tests.publish.remotes import NOW, OPTIONS, Remote, fleet, git, wanted

HEAD = "hubctl/fleet"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


BOTH = pytest.mark.parametrize("served", ["github", "gitlab"], indirect=True)


@pytest.fixture
def served(
    request: pytest.FixtureRequest, remote: Remote, authority: trustme.CA, tmp_path: Path
) -> Iterator[FakeForge]:
    """A forge for the remote, whose branch holds one spoke."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "token").write_text(forges.TOKEN + "\n")
    remote.commit({**fleet("a"), "README.md": b"ours\n"})
    with forges.serving(getattr(request, "param", "github"), remote.path, authority) as server:
        yield server


def forge(served: FakeForge, folder: Path, **more: object) -> Forge:
    section = served.settings()
    section["pullRequest"] |= more
    return forge_of(GitOps.model_validate({"remote": str(served.remote), "publishing": section}), folder)


async def propose(
    served: FakeForge,
    files: dict[str, bytes],
    *,
    options: branch.PublishOptions = OPTIONS,
    title: str = "",
    state: str = "state",
) -> pulls.Proposed:
    folder = served.remote.parent
    repository = Remote(served.remote).repository(state)
    plan = replace(wanted(files), subject=title or "Render the fleet")
    return await pulls.propose(repository, forge(served, folder), lambda _: plan, options, now=NOW, titled=bool(title))


def head(served: FakeForge) -> str:
    return git(served.remote, "rev-parse", HEAD)


@BOTH
async def test_change_is_one_commit_on_the_tip_and_one_open_pull_request(served: FakeForge, remote: Remote) -> None:
    made = await propose(served, fleet("a", "b"), title="Add b")
    [item] = served.open()
    assert (made.outcome, made.commit) == (Outcome.OPENED, head(served))
    assert made.pull is not None
    assert (made.pull.number, item.title, item.head, item.base) == (1, "Add b", HEAD, "main")
    assert git(served.remote, "rev-parse", f"{HEAD}^") == remote.tip()
    assert git(served.remote, "show", f"{HEAD}:README.md") == "ours"
    assert "1 added: `b`" in item.text
    assert f"{proposal.TRAILER}: sha256:" in item.text
    assert f"{proposal.TRAILER}: sha256:" in git(served.remote, "log", "-1", "--format=%(trailers)", HEAD)


@BOTH
async def test_same_again_pushes_and_writes_nothing(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    before, asked = head(served), len(served.writes)
    again = await propose(served, fleet("a", "b"), state="another")
    assert (again.outcome, again.commit, head(served)) == (Outcome.UNCHANGED, before, before)
    assert len(served.writes) == asked


@BOTH
async def test_other_change_replaces_commit_and_text_of_the_same_pull_request(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"), title="Add b")
    made = await propose(served, fleet("a", "b", "c"))
    [item] = served.items
    assert (made.outcome, item.title) == (Outcome.UPDATED, "Add b")
    assert git(served.remote, "rev-list", "--count", f"main..{HEAD}") == "1"
    assert "2 added: `b`, `c`" in item.text


async def test_new_title_is_written_though_nothing_else_changed(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    assert (await propose(served, fleet("a", "b"), title="Add b")).outcome is Outcome.UPDATED
    assert [item.title for item in served.items] == ["Add b"]
    assert git(served.remote, "log", "-1", "--format=%s", HEAD) == "Add b"


async def test_title_that_a_person_gave_it_stays_when_the_change_grows(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    served.items[0].title = "Please look at b first"
    await propose(served, fleet("a", "b", "c"))
    assert served.items[0].title == "Please look at b first"


async def test_nothing_to_change_opens_nothing(served: FakeForge) -> None:
    assert (await propose(served, fleet("a"))).outcome is Outcome.NOTHING
    assert served.items == []
    assert git(served.remote, "branch", "--list", HEAD) == ""


@BOTH
async def test_pull_request_with_nothing_left_to_change_is_closed_with_a_word(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    made = await propose(served, fleet("a"))
    [item] = served.items
    assert (made.outcome, item.state) == (Outcome.WITHDRAWN, "closed")
    assert "already holds" in item.comments[0]
    assert (await propose(served, fleet("a"))).outcome is Outcome.NOTHING


async def test_what_hubctl_closed_itself_is_nobodys_no(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    await propose(served, fleet("a"))
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.OPENED
    assert [item.state for item in served.items] == ["closed", "open"]


@BOTH
async def test_what_a_person_closed_is_not_proposed_again_until_it_changes(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    served.items[0].state = "closed"
    before, asked = head(served), len(served.writes)
    made = await propose(served, fleet("a", "b"))
    assert (made.outcome, made.commit, head(served), len(served.writes)) == (Outcome.DECLINED, "", before, asked)
    assert made.pull is not None
    assert made.pull.number == 1
    assert (await propose(served, fleet("a", "b", "c"))).outcome is Outcome.OPENED


async def test_no_survives_the_deletion_of_the_branch(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    served.items[0].state = "closed"
    git(served.remote, "branch", "-D", HEAD)
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.DECLINED


async def test_reopened_pull_request_is_gone_on_with(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    served.items[0].state = "closed"
    await propose(served, fleet("a", "b"))
    served.items[0].state = "open"
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.UNCHANGED
    assert (await propose(served, fleet("a", "c"))).outcome is Outcome.UPDATED


@pytest.mark.parametrize("squash", [False, True])
async def test_merged_one_is_followed_by_a_new_one(served: FakeForge, squash: bool) -> None:  # noqa: FBT001 - a case
    await propose(served, fleet("a", "b"))
    served.merge(served.items[0], squash=squash)
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.NOTHING
    assert (await propose(served, fleet("a", "b", "c"))).outcome is Outcome.OPENED
    assert [item.state for item in served.items] == ["merged", "open"]
    assert "1 added: `c`" in served.items[1].text


async def test_unrelated_commit_on_the_branch_leaves_the_pull_request_alone(served: FakeForge, remote: Remote) -> None:
    await propose(served, fleet("a", "b"))
    before = head(served)
    remote.commit({"README.md": b"theirs\n"})
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.UNCHANGED
    assert head(served) == before
    served.merge(served.items[0])
    assert remote.files() == {**fleet("a", "b"), "README.md": b"theirs\n"}


async def test_commit_that_moves_the_ground_makes_it_anew(served: FakeForge, remote: Remote) -> None:
    await propose(served, fleet("a", text="a: 2\n"))
    remote.commit(dict(fleet("a", text="a: 3\n")))
    assert (await propose(served, fleet("a", text="a: 2\n"))).outcome is Outcome.UPDATED
    assert git(served.remote, "rev-parse", f"{HEAD}^") == remote.tip()
    served.merge(served.items[0])
    assert remote.files() == {**fleet("a", text="a: 2\n"), "README.md": b"ours\n"}


def commit_on_head(remote: Remote, files: dict[str, bytes], *, amend: bool = False) -> str:
    """A person's commit on the head branch."""
    clone = remote.path.parent / "person"
    git(remote.path.parent, "clone", "--quiet", "--branch", HEAD, str(remote.path), str(clone))
    for path, data in files.items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_bytes(data)
    git(clone, "add", "-A")
    git(clone, "commit", "--quiet", *(["--amend", "--no-edit"] if amend else ["-m", "Mine"]))
    git(clone, "push", "--quiet", "--force", "origin", HEAD)
    return git(clone, "rev-parse", "HEAD")


@pytest.mark.parametrize("amend", [False, True])
async def test_commit_of_a_person_is_never_overwritten(served: FakeForge, remote: Remote, amend: bool) -> None:  # noqa: FBT001 - a case
    await propose(served, fleet("a", "b"))
    mine = commit_on_head(remote, {"rendered/spokes/b/model.yaml": b"mine\n"}, amend=amend)
    asked = len(served.writes)
    with pytest.raises(GuardRefused, match="hubctl did not write") as caught:
        await propose(served, fleet("a", "b", "c"))
    assert "A Person" in str(caught.value) or amend
    assert (head(served), len(served.writes)) == (mine, asked)
    assert (await propose(served, fleet("a"))).outcome is Outcome.NOTHING
    assert [item.state for item in served.items] == ["open"]


async def test_branch_brought_up_to_date_by_the_forge_is_still_ours(served: FakeForge, remote: Remote) -> None:
    await propose(served, fleet("a", "b"))
    remote.commit({"README.md": b"theirs\n"})
    clone = remote.path.parent / "button"
    git(remote.path.parent, "clone", "--quiet", "--branch", HEAD, str(remote.path), str(clone))
    git(clone, "merge", "--quiet", "--no-edit", "origin/main")
    git(clone, "push", "--quiet", "origin", HEAD)
    merged = head(served)
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.UNCHANGED
    assert head(served) == merged
    assert (await propose(served, fleet("a", "c"))).outcome is Outcome.UPDATED


async def test_merge_with_something_added_by_hand_is_a_persons(served: FakeForge, remote: Remote) -> None:
    await propose(served, fleet("a", "b"))
    remote.commit({"README.md": b"theirs\n"})
    clone = remote.path.parent / "button"
    git(remote.path.parent, "clone", "--quiet", "--branch", HEAD, str(remote.path), str(clone))
    git(clone, "merge", "--quiet", "--no-commit", "--no-ff", "origin/main")
    (clone / "notes.txt").write_text("mine")
    git(clone, "add", "-A")
    git(clone, "commit", "--quiet", "--no-edit")
    git(clone, "push", "--quiet", "origin", HEAD)
    with pytest.raises(GuardRefused):
        await propose(served, fleet("a", "c"))


async def test_branch_of_that_name_without_a_pull_request_is_not_overwritten_either(
    served: FakeForge, remote: Remote
) -> None:
    clone = remote.path.parent / "person"
    git(remote.path.parent, "clone", "--quiet", str(remote.path), str(clone))
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "Mine")
    git(clone, "push", "--quiet", "origin", f"HEAD:{HEAD}")
    with pytest.raises(GuardRefused, match="'Mine' by A Person"):
        await propose(served, fleet("a", "b"))


@BOTH
async def test_forks_branch_of_the_same_name_is_another_one(served: FakeForge) -> None:
    served.items.append(forges.Item(1, HEAD, "main", "Trust me", "", fork=True))
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.OPENED
    assert [(item.title, item.fork) for item in served.items] == [("Trust me", True), ("Render the fleet", False)]


async def test_brake_holds_before_anything_is_pushed(served: FakeForge, remote: Remote) -> None:
    remote.commit(dict(fleet("b", "c")))
    with pytest.raises(GuardRefused, match="2 spokes of 3 would go"):
        await propose(served, fleet("a"))
    assert served.writes == []
    assert git(served.remote, "branch", "--list", HEAD) == ""


async def test_dry_run_says_what_it_would_write_and_writes_nothing(served: FakeForge) -> None:
    made = await propose(served, fleet("a", "b"), options=replace(OPTIONS, dry_run=True), title="Add b")
    assert made.letter is not None
    assert (made.outcome, made.letter.title) == (Outcome.PLANNED, "Add b")
    assert "1 added: `b`" in made.letter.text
    assert served.writes == []
    assert git(served.remote, "branch", "--list", HEAD) == ""


@BOTH
async def test_text_of_a_large_change_fits_the_forge_and_keeps_its_end(served: FakeForge) -> None:
    big = {
        f"rendered/spokes/s{number:03}/m.yaml": b"{apiVersion: v1, kind: Map, metadata: {name: %s%d}}"
        % (b"m" * 90, number)
        for number in range(900)
    }
    big |= {path: data * 3 for path, data in fleet("a").items()}
    served.limit = 65_536
    await propose(served, big)
    [item] = served.items
    assert proposal.is_ours(item.text)
    if served.kind == "github":
        assert len(item.text) <= 65_536
        assert "entries are left out" in item.text


@BOTH
async def test_somebody_opens_it_first_and_it_is_taken_over(served: FakeForge) -> None:
    served.opening = lambda: served.add(HEAD, "main", "Theirs", "", [])
    assert (await propose(served, fleet("a", "b"))).outcome is Outcome.UPDATED
    assert len(served.items) == 1
    assert proposal.is_ours(served.items[0].text)


async def test_lost_answer_to_opening_makes_no_second_one(served: FakeForge) -> None:
    served.faults.append(("POST", Fault(hang_up=True, done=True)))
    made = await propose(served, fleet("a", "b"))
    assert (made.outcome, len(served.items)) == (Outcome.UPDATED, 1)


async def test_process_that_died_before_it_wrote_the_text_writes_it_next_time(served: FakeForge) -> None:
    await propose(served, fleet("a", "b"))
    served.faults = [(method, Fault(400)) for method in ("PATCH", "PUT")]
    with pytest.raises(RemoteFailed):
        await propose(served, fleet("a", "b", "c"))
    served.faults.clear()
    before = head(served)
    assert (await propose(served, fleet("a", "b", "c"))).outcome is Outcome.UPDATED
    assert head(served) == before
    assert "2 added" in served.items[0].text


@BOTH
async def test_labels_are_put_on_when_it_is_opened(served: FakeForge, remote: Remote, tmp_path: Path) -> None:
    to = forge(served, tmp_path, labels=["fleet", "kserve"])
    await pulls.propose(remote.repository(), to, lambda _: wanted(fleet("a", "b")), OPTIONS, now=NOW)
    assert served.items[0].labels == ["fleet", "kserve"]


async def test_branch_that_does_not_exist_yet_is_told_with_the_way_out(served: FakeForge) -> None:
    git(served.remote, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(RemoteFailed, match="main does not exist") as caught:
        await propose(served, fleet("a"))
    assert "README" in caught.value.hint


async def test_beaten_on_the_head_branch_by_another_hubctl_is_tried_again(served: FakeForge, remote: Remote) -> None:
    await propose(served, fleet("a", "b"))
    # Between fetch and push of ours, the other one pushes the same fleet from a state folder of its own.
    once = remote.path.parent / "once"
    other = remote.path.parent / "other.git"
    git(remote.path.parent, "clone", "--quiet", "--bare", str(remote.path), str(other))
    git(other, "update-ref", f"refs/heads/{HEAD}", "main")
    to = f"refs/heads/{HEAD}"
    remote.hook(
        "pre-receive",
        f"if mkdir {once} 2>/dev/null; then env -u GIT_QUARANTINE_PATH git update-ref {to} main; fi",
    )
    made = await propose(served, fleet("a", "c"))
    assert once.exists()
    assert (made.outcome, made.commit) == (Outcome.UPDATED, head(served))


async def test_branches_of_remediations_that_are_over_go_and_no_others(served: FakeForge, remote: Remote) -> None:
    repository, to = remote.repository(), forge(served, remote.path.parent)
    for name in ("rem-0a", "rem-0b"):
        plan = wanted(fleet("a", name))
        made = await pulls.propose(repository, to.of_action(name), lambda _, plan=plan: plan, OPTIONS, now=NOW)  # type: ignore[misc]
        assert made.outcome is Outcome.OPENED
    git(served.remote, "branch", f"{HEAD}-rem-notes", "main")
    await pulls.tidy(repository, to, frozenset({"rem-0b"}))
    assert [(item.head, item.state) for item in served.items] == [
        (f"{HEAD}-rem-0a", "closed"),
        (f"{HEAD}-rem-0b", "open"),
    ]
    left = git(served.remote, "for-each-ref", "--format=%(refname:short)", "refs/heads/hubctl").split()
    assert left == [f"{HEAD}-rem-0b", f"{HEAD}-rem-notes"]


def test_texts_of_both_ends_name_the_same_proposal() -> None:
    moves = {"a": ("", "1"), "b": ("2", "")}
    name = proposal.digest(moves)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", name)
    assert name == proposal.digest(dict(reversed(moves.items())))
    assert name != proposal.digest({**moves, "b": ("3", "")})
    assert proposal.names(f"x\r\n{proposal.TRAILER}: {name}\r\n", name)
    assert not proposal.names(proposal.withdrawn(f"{proposal.TRAILER}: {name}"), name)


async def test_process_that_may_not_write_changes_nothing_on_a_forge(served: FakeForge) -> None:
    async def nobody() -> None:
        raise Fenced("another one leads")

    before = len(served.writes)
    its = replace(forge(served, served.remote.parent), permit=nobody)
    with pytest.raises(Fenced):
        await its.open("title", "text")
    assert await its.find(is_open=True) == ()
    assert len(served.writes) == before
