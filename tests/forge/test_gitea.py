"""Pull requests on a real Gitea: opened once, brought up to date, closed, declined, merged, and refused with advice."""

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli.main import run
from hubctl.errors import GuardRefused, RemoteFailed
from hubctl.model.gitops import GitOps
from hubctl.publish import branch, proposal, pulls
from hubctl.publish.access import Access
from hubctl.publish.forge import AlreadyThereError, Forge, forge_of
from hubctl.publish.pulls import Outcome
from hubctl.publish.repository import Repository
from tests.forge.gitea import PERSON, ROBOT, Gitea
from tests.publish.remotes import NOW, OPTIONS, fleet, wanted

pytestmark = pytest.mark.forge
HEAD = "hubctl/fleet"


@dataclass
class Place:
    """One repository on the server, and a folder with the robot's token."""

    server: Gitea
    name: str
    folder: Path

    def gitops(self, **more: Any) -> GitOps:
        wanted = {"forge": "gitea", "apiUrl": self.server.api, **more}
        return GitOps.model_validate(
            {
                "remote": f"{self.server.url}/{self.name}.git",
                "credentials": {"tokenFile": "token", "caFile": str(self.server.authority)},
                "publishing": {"mode": "pull-request", "pullRequest": wanted},
            }
        )

    def forge(self, **more: Any) -> Forge:
        return forge_of(self.gitops(**more), self.folder)

    async def propose(self, files: dict[str, bytes], title: str = "", **more: Any) -> pulls.Proposed:
        gitops = self.gitops(**more)
        assert gitops.remote
        access = Access(gitops.credentials, self.folder)
        repository = Repository(self.folder / "state", gitops.remote, "main", access=access)
        plan = replace(wanted(files), subject=title or "Render the fleet")
        options: branch.PublishOptions = OPTIONS
        return await pulls.propose(repository, self.forge(**more), lambda _: plan, options, now=NOW, titled=bool(title))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.ask(method, f"/repos/{self.name}{path}", body)

    def pulls(self, state: str = "open") -> list[dict[str, Any]]:
        return self.server.pulls(self.name, state)

    def merge(self, number: int, how: str = "merge") -> None:
        self.ask("POST", f"/pulls/{number}/merge", {"Do": how})

    def file(self, path: str, ref: str = "main") -> bytes:
        return base64.b64decode(self.ask("GET", f"/contents/{path}?ref={ref}")["content"])


@pytest.fixture
def place(server: Gitea, tmp_path: Path) -> Place:
    (tmp_path / "token").write_text(server.tokens[ROBOT])
    files = {path: data.decode() for path, data in fleet("a").items()}
    return Place(server, server.repository(files=files), tmp_path)


async def test_change_is_opened_as_one_pull_request_by_the_robot(place: Place) -> None:
    made = await place.propose(fleet("a", "b"), "Add b")
    [found] = place.pulls()
    assert made.outcome is Outcome.OPENED
    assert made.pull is not None
    assert (made.pull.number, made.pull.url) == (found["number"], found["html_url"])
    assert (found["title"], found["user"]["login"], found["head"]["sha"]) == ("Add b", ROBOT, made.commit)
    assert "1 added: `b`" in found["body"]
    assert found["mergeable"]


async def test_same_again_leaves_the_pull_request_as_it_is(place: Place) -> None:
    await place.propose(fleet("a", "b"))
    [before] = place.pulls()
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.UNCHANGED
    [after] = place.pulls()
    assert (after["updated_at"], after["head"]["sha"]) == (before["updated_at"], before["head"]["sha"])


async def test_other_change_is_written_into_the_same_one(place: Place) -> None:
    await place.propose(fleet("a", "b"), "Add b")
    made = await place.propose(fleet("a", "b", "c"))
    [found] = place.pulls("all")
    assert (made.outcome, found["title"], found["head"]["sha"]) == (Outcome.UPDATED, "Add b", made.commit)
    assert "2 added: `b`, `c`" in found["body"]


async def test_nothing_left_to_change_closes_it_with_a_word_and_is_no_no(place: Place) -> None:
    await place.propose(fleet("a", "b"))
    assert (await place.propose(fleet("a"))).outcome is Outcome.WITHDRAWN
    [found] = place.pulls("all")
    comments = place.ask("GET", f"/issues/{found['number']}/comments")
    assert (found["state"], found["merged"]) == ("closed", False)
    assert "already holds" in comments[0]["body"]
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.OPENED


async def test_what_a_person_closed_is_not_proposed_again_until_it_changes_or_is_reopened(place: Place) -> None:
    first = await place.propose(fleet("a", "b"))
    assert first.pull is not None
    place.ask("PATCH", f"/pulls/{first.pull.number}", {"state": "closed"})
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.DECLINED
    place.ask("PATCH", f"/pulls/{first.pull.number}", {"state": "open"})
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.UNCHANGED
    place.ask("PATCH", f"/pulls/{first.pull.number}", {"state": "closed"})
    assert (await place.propose(fleet("a", "b", "c"))).outcome is Outcome.OPENED


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
async def test_merged_change_is_delivered_and_the_next_one_opens_anew(place: Place, how: str) -> None:
    first = await place.propose(fleet("a", "b"))
    assert first.pull is not None
    place.merge(first.pull.number, how)
    assert place.file("rendered/spokes/b/model.yaml") == fleet("b")["rendered/spokes/b/model.yaml"]
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.NOTHING
    second = await place.propose(fleet("a", "b", "c"))
    assert second.outcome is Outcome.OPENED
    assert second.pull is not None
    assert second.pull.number != first.pull.number


async def test_commit_of_a_person_on_the_branch_is_never_overwritten(place: Place) -> None:
    await place.propose(fleet("a", "b"))
    place.server.write(place.name, HEAD, "notes.txt", "mine")
    with pytest.raises(GuardRefused, match=f"by {PERSON}"):
        await place.propose(fleet("a", "b", "c"))
    assert place.file("notes.txt", HEAD) == b"mine"


async def test_button_that_updates_the_branch_leaves_it_ours(place: Place) -> None:
    first = await place.propose(fleet("a", "b"))
    assert first.pull is not None
    place.server.write(place.name, "main", "notes.txt", "theirs")
    place.ask("POST", f"/pulls/{first.pull.number}/update?style=merge")
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.UNCHANGED
    assert (await place.propose(fleet("a", "c"))).outcome is Outcome.UPDATED


async def test_labels_that_are_there_are_put_on(place: Place) -> None:
    place.ask("POST", "/labels", {"name": "fleet", "color": "#00aabb"})
    await place.propose(fleet("a", "b"), labels=["fleet"])
    [found] = place.pulls()
    assert [label["name"] for label in found["labels"]] == ["fleet"]


async def test_open_one_is_found_behind_a_page_of_others(place: Place) -> None:
    await place.propose(fleet("a", "b"))
    for number in range(6):
        place.ask("POST", "/branches", {"new_branch_name": f"b{number}", "old_branch_name": "main"})
        place.server.write(place.name, f"b{number}", "x.txt", str(number))
        place.ask("POST", "/pulls", {"head": f"b{number}", "base": "main", "title": f"Other {number}"})
    assert (await place.propose(fleet("a", "b"))).outcome is Outcome.UNCHANGED


async def test_opening_what_is_open_already_is_told_apart_from_other_refusals(place: Place) -> None:
    first = await place.propose(fleet("a", "b"))
    assert first.letter is not None
    with pytest.raises(AlreadyThereError, match="409"):
        await place.forge().open("Again", "")


@pytest.mark.parametrize(
    ("case", "where", "hint"),
    [
        ("wrong token", "tokenFile", "accepts"),
        ("scope", "tokenFile", "write:repository and write:issue"),
        ("repository", "repository", "may see it"),
    ],
)
async def test_refusal_says_what_to_mend(place: Place, case: str, where: str, hint: str) -> None:
    more = {"repository": f"{PERSON}/nowhere"} if case == "repository" else {}
    if case == "wrong token":
        (place.folder / "token").write_text("0" * 40)
    if case == "scope":
        (place.folder / "token").write_text(place.server.token(ROBOT, "read:user"))
    with pytest.raises(RemoteFailed) as caught:
        await place.forge(**more).check()
    assert caught.value.where.endswith(f".{where}")
    assert hint in caught.value.hint
    assert (place.folder / "token").read_text() not in str(caught.value) + caught.value.hint


async def test_text_as_large_as_the_limit_is_taken(place: Place) -> None:
    first = await place.propose(fleet("a", "b"))
    assert first.pull is not None
    text = "a" * 999_900 + f"\n{proposal.TRAILER}: sha256:{'0' * 64}\n"
    await place.forge().change(first.pull, "Large", text)
    assert len(place.pulls()[0]["body"]) >= 999_900


async def test_branch_of_a_remediation_that_is_over_is_closed_and_taken_away(place: Place) -> None:
    access = Access(place.gitops().credentials, place.folder)
    repository = Repository(place.folder / "state", f"{place.server.url}/{place.name}.git", "main", access=access)
    for action_id in ("rem-01", "rem-02"):
        plan = wanted(fleet("a", action_id))
        its = place.forge().of_action(action_id)
        await pulls.propose(repository, its, lambda _, plan=plan: plan, OPTIONS, now=NOW, titled=True)  # type: ignore[misc]
    await pulls.tidy(repository, place.forge(), frozenset({"rem-02"}))
    assert [found["head"]["ref"] for found in place.pulls()] == [f"{HEAD}-rem-02"]
    branches = {found["name"] for found in place.ask("GET", "/branches")}
    assert branches == {"main", f"{HEAD}-rem-02"}


def test_command_line_proposes_a_fleet_and_says_where(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    folder = place.folder / "fleet"
    run(["init", str(folder), "--remote", f"{place.server.url}/{place.name}.git"])
    run(
        ["-C", str(folder), "clusters", "add", "edge-a", "--model", "anomaly-detector@v1", "--url", "https://a.example"]
    )
    values = yaml.safe_load((folder / "values-hub.yaml").read_text())
    gitops = place.gitops().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    gitops["credentials"]["tokenFile"] = str(place.folder / "token")
    values["hubctl"]["gitops"] |= gitops
    del values["hubctl"]["remediation"]  # YAML's own word for true is a key in it
    (folder / "values-hub.yaml").write_text(yaml.safe_dump(values))
    capfd.readouterr()
    assert run(["-C", str(folder), "publish", "-m", "Add edge-a", "-o", "json", "--allow-removing", "1"]) == 0
    told = json.loads(capfd.readouterr().out)["pullRequest"]
    [found] = place.pulls()
    assert (told["outcome"], told["number"], told["url"]) == ("opened", found["number"], found["html_url"])
    assert "InferenceService" in found["body"]
    assert run(["-C", str(folder), "doctor", "--no-poll"]) == 0
    assert f"pull request {found['number']} is open" in capfd.readouterr().out
