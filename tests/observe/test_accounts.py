from collections.abc import Callable
from dataclasses import replace

import pytest

from hubctl.model.snapshot import SERVICE_ACCOUNTS, Snapshot
from hubctl.observe.accounts import Accounts, NoToken
from hubctl.observe.reason import Reason
from tests.observe.hubstub import NOW, HubStub, account, accounts

Holding = Callable[..., HubStub]


@pytest.fixture
def hub() -> HubStub:
    return HubStub(secrets={("edge-a", "poller"): {"token": b"first\n", "ca.crt": b"CA"}})


@pytest.fixture
def known(hub: HubStub) -> Accounts:
    made = Accounts(hub)
    made.begin(accounts(account()))
    return made


async def test_secret_that_the_status_names_is_read_once(hub: HubStub, known: Accounts) -> None:
    held = [await known.held("edge-a", "poller") for _ in range(3)]
    assert {(one.token, one.ca) for one in held} == {("first", "CA")}
    assert hub.asked == ["edge-a/poller"]


async def test_secret_of_another_name_is_followed(hub: HubStub, known: Accounts) -> None:
    hub.secrets["edge-a", "other"] = {"token": b"its-own"}
    known.begin(accounts(account(refers_to="other")))
    assert (await known.held("edge-a", "poller")).token == "its-own"


async def test_rotation_is_seen_by_its_time(hub: HubStub, known: Accounts) -> None:
    await known.held("edge-a", "poller")
    hub.secrets["edge-a", "poller"]["token"] = b"second"
    known.begin(accounts(account()))
    assert (await known.held("edge-a", "poller")).token == "first"
    known.begin(accounts(account(at="t2")))
    assert (await known.held("edge-a", "poller")).token == "second"


async def test_refused_token_is_read_again_once_a_round_for_all_models(hub: HubStub, known: Accounts) -> None:
    await known.held("edge-a", "poller")
    hub.secrets["edge-a", "poller"]["token"] = b"second"
    assert (await known.again("edge-a", "poller", "first")).token == "second"
    assert (await known.again("edge-a", "poller", "first")).token == "second"
    assert (await known.again("edge-a", "poller", "second")).token == "second"
    assert len(hub.asked) == 2
    known.begin(accounts(account()))
    await known.again("edge-a", "poller", "second")
    assert len(hub.asked) == 3


async def test_what_was_read_is_kept_while_the_api_says_nothing(hub: HubStub, known: Accounts) -> None:
    await known.held("edge-a", "poller")
    known.begin(Snapshot(NOW, unread={SERVICE_ACCOUNTS: "forbidden"}))
    assert (await known.held("edge-a", "poller")).token == "first"
    hub.secrets.clear()
    known.begin(accounts(account(at="t2")))
    assert (await known.held("edge-a", "poller")).token == "first"


@pytest.mark.parametrize(
    ("snapshot", "reason", "detail"),
    [
        (None, Reason.HUB_API, "cannot list ManagedServiceAccounts: not asked"),
        (Snapshot(NOW, unread={SERVICE_ACCOUNTS: "forbidden"}), Reason.HUB_API, "forbidden"),
        (accounts(), Reason.TOKEN_MISSING, "no ManagedServiceAccount poller in namespace edge-a"),
        (accounts(account("edge-b")), Reason.TOKEN_MISSING, "no ManagedServiceAccount poller"),
        (accounts(account(refers_to="")), Reason.TOKEN_MISSING, "has no token yet: no agent yet"),
        (accounts(account(refers_to="gone")), Reason.HUB_API, "secrets gone not found"),
        (accounts(account(refers_to="empty")), Reason.TOKEN_MISSING, "expected the key token"),
        (accounts(account(refers_to="odd")), Reason.TOKEN_INVALID, "expected one bearer token"),
    ],
)
async def test_why_there_is_no_token_is_said(
    hub: HubStub, snapshot: Snapshot | None, reason: Reason, detail: str
) -> None:
    hub.secrets["edge-a", "empty"] = {"ca.crt": b"CA"}
    hub.secrets["edge-a", "odd"] = {"token": b"s3cret\nX-Evil: yes"}
    known = Accounts(hub)
    known.begin(snapshot)
    with pytest.raises(NoToken) as caught:
        await known.held("edge-a", "poller")
    assert caught.value.reason is reason
    assert detail in caught.value.detail
    assert "s3cret" not in str(caught.value)


async def test_token_does_not_stand_in_what_is_logged(known: Accounts) -> None:
    held = await known.held("edge-a", "poller")
    assert "first" not in repr(held)
    assert "first" not in repr(replace(held, stamp=("other", "")))
