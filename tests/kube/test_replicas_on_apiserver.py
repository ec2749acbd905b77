"""Two replicas of `hubctl run`: one store, one remote, one Lease on a real API server; and one effect."""

import json
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hubctl.store.schema import open_store
from tests.e2e.predictors import Loop
from tests.e2e.test_e2e_kill import hold
from tests.e2e.test_e2e_watched import address_of
from tests.e2e.world import MARK, Running, World, git, until
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
ELECTION = {
    "enabled": True,
    "namespace": "default",
    "leaseDuration": "3s",
    "renewDeadline": "2s",
    "retryPeriod": "1s",
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bad version is published and not looked at yet; the next pass rolls it back by itself."""
    before = os.environ.get(MARK)
    os.environ[MARK] = before or uuid.uuid4().hex
    loop = Loop()
    world = World.made(tmp_path_factory.mktemp("replicas"), loop)
    world.reconcile()
    world.set_mode("auto")
    world.roll_out("v2", "north", "west")
    world.inside("publish", "-m", "Deliver v2")
    yield world
    world.predictors.close()
    loop.close()
    if before is None:
        del os.environ[MARK]


@pytest.fixture
def world(story: World, api: Api, kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """The story's world with an election of its own."""
    made = story.copied(tmp_path / "world")
    name = f"fleet-{uuid.uuid4().hex[:8]}"

    def elect(hubctl: dict[str, Any]) -> None:
        hubctl["controller"] = {"leaderElection": {**ELECTION, "name": name}}
        hubctl["store"] = {"url": f"sqlite:///{made.store}"}

    made.edit_values(elect)
    made.environ = {"KUBECONFIG": str(kubeconfig), "LEASE": name}
    yield made
    made.predictors.close()
    api.client.delete(f"{LEASES}/{name}")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "at"
    yield path
    path.unlink(missing_ok=True)


class Replicas:
    """The replicas of a world, each with a state folder of its own."""

    def __init__(self, world: World, api: Api, stack: ExitStack) -> None:
        self._world = world
        self._api = api
        self._stack = stack

    def start(self, name: str, *options: str) -> Running:
        state = str(self._world.home / f"state-{name}")
        command = self._world.started("run", "--interval", "0.3s", *options, POD_NAME=name, HUBCTL_STATE=state)
        return self._stack.enter_context(command)

    @property
    def lease(self) -> dict[str, Any]:
        answer = self._api.client.get(f"{LEASES}/{self._world.environ['LEASE']}")
        spec: dict[str, Any] = answer.json()["spec"] if answer.status_code == httpx.codes.OK else {}
        return spec

    def edit(self, **spec: object) -> None:
        """What a person does with `kubectl edit lease`."""
        patch = {"content-type": "application/merge-patch+json"}
        path = f"{LEASES}/{self._world.environ['LEASE']}"
        self._api.client.patch(path, content=json.dumps({"spec": spec}), headers=patch).raise_for_status()

    @property
    def leader(self) -> str:
        return str(self.lease.get("holderIdentity") or "").partition("_")[0]


@pytest.fixture
def replicas(world: World, api: Api) -> Iterator[Replicas]:
    with ExitStack() as stack:
        yield Replicas(world, api, stack)


def sound(world: World) -> None:
    """One rollback was done, once; remote and store agree."""
    (done,) = [one for one in world.remediations() if one["action"] == "rollback-model"]
    assert world.actions() == [done["id"]]
    assert done["state"] in {"applied", "succeeded"}, done
    git(world.remote, "fsck", "--strict")


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_leader_killed_in_the_middle_of_its_rollback_is_followed_and_the_rollback_is_there_once(
    world: World, replicas: Replicas, at: Path, hook: str
) -> None:
    hold(world, hook, at)
    first = replicas.start("first")
    until(at.exists, "the push to come to the hook")
    second = replicas.start("second")
    until(lambda: "standing by" in second.said, "the second replica to wait")
    assert not (world.home / "state-second").exists(), "a replica that waits touches nothing"
    first.kill()
    at.with_name("go").touch()
    until(lambda: "applied" in world.states().values(), "the rollback")
    assert (replicas.leader, replicas.lease["leaseTransitions"]) == ("second", 2)
    until(lambda: second.said.count('"event": "pass"') >= 2, "a pass with nothing to do")
    sound(world)
    assert "Traceback" not in second.said


def test_leader_that_stalls_past_its_lease_does_nothing_afterwards(world: World, replicas: Replicas, at: Path) -> None:
    hold(world, "pre-receive", at)
    first = replicas.start("first")
    until(at.exists, "the push to come to the hook")
    os.kill(first.process.pid, signal.SIGSTOP)
    second = replicas.start("second")
    until(lambda: "applied" in world.states().values(), "the rollback of the second")
    tip = world.tip()
    at.with_name("go").touch()
    os.kill(first.process.pid, signal.SIGCONT)
    until(lambda: "this process may not act" in first.said, "the first to notice")
    until(lambda: "standing by" in first.said, "the first to wait again")
    sound(world)
    assert world.tip() == tip
    first.process.terminate()
    second.process.terminate()
    assert (first.ended(), second.ended()) == (0, 0)
    assert "Traceback" not in first.said + second.said


def test_effect_of_a_leader_that_just_lost_its_lease_is_refused_and_kept_for_the_next(
    world: World, replicas: Replicas, at: Path
) -> None:
    # So long that the leader itself does not look again.
    slow = {"leaseDuration": "90s", "renewDeadline": "60s", "retryPeriod": "45s"}
    world.edit_values(lambda hubctl: hubctl["controller"]["leaderElection"].update(slow))
    git_before_the_pass = world.home / "bin"
    git_before_the_pass.mkdir()
    wait = (
        f'case " $* " in *" ls-remote "*) touch {at}; while [ ! -e {at.with_name("go")} ]; do sleep 0.02; done;; esac'
    )
    (git_before_the_pass / "git").write_text(f'#!/bin/sh\n{wait}\nexec {shutil.which("git")} "$@"\n')
    (git_before_the_pass / "git").chmod(0o755)
    world.environ["PATH"] = f"{git_before_the_pass}:{os.environ['PATH']}"
    first = replicas.start("first")
    until(at.exists, "the pass")
    replicas.edit(holderIdentity="a-person")
    at.with_name("go").touch()
    until(lambda: "it is held by a-person now" in first.said, "the refusal")
    assert set(world.states().values()) == {"executing"}
    assert world.actions() == []
    world.edit_values(lambda hubctl: hubctl["controller"]["leaderElection"].update(ELECTION))
    assert "a-person leads, and it alone acts" in world.hubctl("reconcile", expect=4).err
    replicas.edit(holderIdentity="")
    world.hubctl("reconcile", HUBCTL_STATE=str(world.home / "state-person"))
    sound(world)
    assert world.inside("status", "-o", "json", expect=None).json["leader"]["epoch"] == 2
    first.process.terminate()
    assert first.ended() == 0


def test_leader_that_is_told_to_stop_hands_over_without_waiting_for_its_lease(world: World, replicas: Replicas) -> None:
    first = replicas.start("first")
    until(lambda: "applied" in world.states().values(), "the rollback")
    second = replicas.start("second")
    until(lambda: "standing by" in second.said, "the second replica to wait")
    first.process.terminate()
    assert first.ended() == 0
    until(lambda: replicas.leader == "second", "the second to lead")
    until(lambda: '"event": "pass"' in second.said, "its pass")
    sound(world)
    # A person has the Lease; the leader notices, and waits.
    replicas.edit(holderIdentity="a-person", leaseDurationSeconds=3600)
    until(lambda: second.said.count("standing by") >= 2, "the second to wait again")
    second.process.terminate()
    assert second.ended() == 0
    assert replicas.leader == "a-person"


def test_leader_that_the_store_refuses_while_its_lease_goes_on_claims_it_anew(world: World, replicas: Replicas) -> None:
    first = replicas.start("first")
    until(lambda: "applied" in world.states().values(), "the rollback")
    with open_store(f"sqlite:///{world.store}") as store:
        # As somebody does who runs one command with another Lease.
        store.terms.enter(7, "a-person", datetime.now(UTC))
    until(lambda: "a leader of epoch 1 may write no more" in first.said, "the refusal")
    passes = first.said.count('"event": "pass"')
    until(lambda: first.said.count('"event": "pass"') > passes, "a pass")
    assert (replicas.leader, replicas.lease["leaseTransitions"]) == ("first", 8)
    first.process.terminate()
    assert first.ended() == 0


def test_leader_that_cannot_open_its_store_gives_the_lease_back_and_goes_on_later(
    world: World, replicas: Replicas
) -> None:
    kept = world.store.with_suffix(".kept")
    world.store.rename(kept)
    world.store.touch()
    first = replicas.start("first")
    until(lambda: "the store cannot be opened" in first.said, "the refusal")
    until(lambda: replicas.leader == "", "the Lease to be given back")
    kept.replace(world.store)
    until(lambda: "applied" in world.states().values(), "the rollback")
    first.process.terminate()
    assert first.ended() == 0
    sound(world)


def test_failure_of_a_leader_whose_time_is_over_is_not_told_on_the_hub(
    world: World, replicas: Replicas, at: Path, api: Api
) -> None:
    world.commit(world.clone("person"), "overrides/bad.override.yaml", "- no override")
    gate = world.home / "bin" / "git"
    gate.parent.mkdir()
    wait = f"touch {at}; while [ ! -e {at.with_name('go')} ]; do sleep 0.02; done"
    gate.write_text(f'#!/bin/sh\ncase " $* " in *" ls-remote "*) {wait};; esac\nexec {shutil.which("git")} "$@"\n')
    gate.chmod(0o755)
    world.environ |= {"PATH": f"{gate.parent}:{os.environ['PATH']}", "HUBCTL_NAMESPACE": "default"}
    told = "/api/v1/namespaces/default/configmaps/hubctl-status"
    first = replicas.start("first", "--listen", "127.0.0.1:0")
    metrics = f"{address_of(first)}/metrics"
    until(at.exists, "the pass")
    assert "hubctl_leading 1.0" in httpx.get(metrics).text
    replicas.edit(holderIdentity="a-person")
    until(lambda: "hubctl_leading 0.0" in httpx.get(metrics).text, "it to be seen in the middle of the pass")
    at.with_name("go").touch()
    until(lambda: "standing by" in first.said, "the pass to end")
    assert api.client.get(told).status_code == httpx.codes.NOT_FOUND
    replicas.edit(holderIdentity="")
    until(lambda: api.client.get(told).is_success, "its own failures to be told once it leads again")
    first.process.terminate()
    assert first.ended() == 0
    api.client.delete(told)
