"""The Lease on a real API server: terms and their epochs, whatever happens to the Lease or to the server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hubctl.errors import Fenced
from hubctl.fleet.cluster import connect
from hubctl.fleet.election import Election
from hubctl.fleet.lease import Candidate
from tests.kube.api import Api
from tests.kube.proxying import Way

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


@asynccontextmanager
async def standing(kubeconfig: Path, name: str, identity: str) -> AsyncIterator[Election]:
    candidate = Candidate("default", name, identity, lease_duration=3, renew_deadline=2, retry_period=1)
    election = Election(connect(kubeconfig, None, seconds=1, patient=False), candidate)
    election.begin()
    try:
        yield election
    finally:
        await election.resign()


async def won(election: Election) -> Election:
    async with asyncio.timeout(30):
        await election.won.wait()
    return election


async def over(election: Election) -> None:
    async with asyncio.timeout(30):
        await election.over.wait()


def lease(api: Api, name: str) -> dict[str, Any]:
    answer = api.client.get(f"{LEASES}/{name}")
    answer.raise_for_status()
    spec: dict[str, Any] = answer.json()["spec"]
    return spec


def edit(api: Api, name: str, **spec: object) -> None:
    """What a person does with `kubectl edit`."""
    patch = {"content-type": "application/merge-patch+json"}
    api.client.patch(f"{LEASES}/{name}", content=json.dumps({"spec": spec}), headers=patch).raise_for_status()


def way_around(kubeconfig: Path, written: Path) -> Way:
    """A way to the server, and a kubeconfig that goes it."""
    found = yaml.safe_load(kubeconfig.read_text())
    server = httpx.URL(found["clusters"][0]["cluster"]["server"])
    way = Way(server.port or 443)
    found["clusters"][0]["cluster"]["server"] = str(server.copy_with(host="127.0.0.1", port=way.port))
    written.write_text(yaml.safe_dump(found))
    return way


@pytest.fixture
def leases(api: Api) -> Iterator[Api]:
    yield api
    api.client.delete(LEASES)


async def test_epoch_grows_with_every_term_and_a_lease_given_back_is_taken_at_once(
    leases: Api, kubeconfig: Path
) -> None:
    async with standing(kubeconfig, "turns", "a") as first:
        await won(first)
        assert (first.epoch, lease(leases, "turns")["holderIdentity"]) == (1, "a")
        await first.confirm()
        async with standing(kubeconfig, "turns", "b") as second:
            with pytest.raises(Fenced):
                second.check()
            edit(leases, "turns", leaseDurationSeconds=3600)  # so that it cannot be by waiting
            await first.resign()
            assert lease(leases, "turns")["holderIdentity"] == ""
            await won(second)
            assert (second.epoch, second.holder) == (2, "b")
            with pytest.raises(Fenced):
                await first.confirm()
    async with standing(kubeconfig, "turns", "b") as again:
        assert (await won(again)).epoch == 3, "the same holder, another term"


async def test_lease_that_a_person_changed_ends_the_term_and_the_next_one_has_a_later_epoch(
    leases: Api, kubeconfig: Path
) -> None:
    names = ("given", "emptied", "counted", "removed")
    async with AsyncExitStack() as stack:
        leaders = {
            name: await stack.enter_async_context(standing(kubeconfig, f"person-{name}", "mine")) for name in names
        }
        for leader in leaders.values():
            await won(leader)
        edit(leases, "person-given", holderIdentity="somebody")
        edit(leases, "person-emptied", holderIdentity="")
        edit(leases, "person-counted", leaseTransitions=7)
        leases.client.delete(f"{LEASES}/person-removed").raise_for_status()
        for leader in leaders.values():
            with pytest.raises(Fenced, match="Lease default/person-"):
                await leader.confirm()
            await over(leader)
        again = {
            name: await stack.enter_async_context(standing(kubeconfig, f"person-{name}", "mine")) for name in names
        }
        assert [(await won(again[name])).epoch for name in names] == [2, 2, 8, 1]
        # What was done under the one that is gone had epoch 1 too; the store knows, and has the term moved on.
        await again["removed"].raise_to(2)
        await again["removed"].confirm()
        await asyncio.sleep(1.5)
        again["removed"].check()
        assert lease(leases, "person-removed")["leaseTransitions"] == 2


@pytest.fixture
def guest(server_folder: Path, kubeconfig: Path, tmp_path: Path) -> Path:
    """A kubeconfig of somebody who may do nothing."""
    assert (server_folder / "guest.pem").is_file()
    (tmp_path / "guest").write_text(kubeconfig.read_text().replace("admin.pem", "guest.pem"))
    return tmp_path / "guest"


async def test_account_without_the_right_to_leases_is_told_so(guest: Path) -> None:
    async with standing(guest, "forbidden", "guest") as election:
        async with asyncio.timeout(30):
            while not election.problem:  # noqa: ASYNC110 - another thread finds it
                await asyncio.sleep(0.05)
        assert 'User "guest" cannot get resource "leases"' in election.problem
        assert not election.won.is_set()


async def test_leader_that_cannot_reach_the_api_acts_no_more_and_another_one_does(
    leases: Api, kubeconfig: Path, tmp_path: Path
) -> None:
    del leases  # Asked for only to be cleared afterwards.
    way = way_around(kubeconfig, tmp_path / "kubeconfig")
    try:
        async with standing(tmp_path / "kubeconfig", "away", "cut") as cut, AsyncExitStack() as stack:
            await won(cut)
            way.cut()
            with pytest.raises(Fenced, match="cannot be read"):
                await cut.confirm()
            other = await stack.enter_async_context(standing(kubeconfig, "away", "other"))
            await over(cut)
            with pytest.raises(Fenced):
                cut.check()
            await won(other)
            way.mend()
            with pytest.raises(Fenced):
                await cut.confirm()
            assert other.epoch == cut.epoch + 1
            await cut.resign()
            await other.confirm()
    finally:
        way.close()
