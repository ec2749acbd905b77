import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubctl.demo.receiver import Receiver
from hubctl.errors import (
    Fenced,
    GuardRefused,
    Held,
    HubctlError,
    PublishConflict,
    RemoteFailed,
    StoreUnavailable,
)
from hubctl.model.health import FindingKind
from hubctl.model.incident import Incident
from hubctl.model.incident import State as IncidentState
from hubctl.model.remediation import Action, Remediation, State, Target
from hubctl.model.values import Webhook
from hubctl.remediate import actions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INCIDENT = Incident(
    id="inc-00000001",
    key="model-anomaly:m@v2",
    kind=FindingKind.MODEL_ANOMALY,
    state=IncidentState.OPEN,
    summary="m v2 is bad",
    clusters=("a",),
    opened_at=NOW,
    updated_at=NOW,
    model="m",
    version="v2",
)


class Branch:
    """A branch that a test can make refuse, and that may take a commit all the same."""

    def __init__(self, *, refuses: HubctlError | None = None, takes: bool = True, blind_after: bool = False) -> None:
        self.refuses, self.takes, self.blind_after = refuses, takes, blind_after
        self.commits: dict[str, Mapping[str, bytes]] = {}
        self.tried = False

    async def publish(
        self, remediation: Remediation, _incident: Incident, files: Mapping[str, bytes]
    ) -> actions.Effect:
        self.tried = True
        if self.takes:
            self.commits[remediation.id] = files
        if self.refuses:
            raise self.refuses
        return actions.Effect(f"commit-of-{remediation.id}" if self.takes else "")

    async def find(self, action_id: str) -> str:
        if self.tried and self.blind_after:
            raise RemoteFailed("the remote is gone")
        return f"commit-of-{action_id}" if action_id in self.commits else ""


def rollback() -> Remediation:
    target = Target("a", from_version="v2", to_version="v1")
    return Remediation(
        "rem-1", INCIDENT.id, "p", Action.ROLLBACK_MODEL, (target,), State.EXECUTING, NOW, NOW, model="m"
    )


def notification() -> Remediation:
    return Remediation("rem-2", INCIDENT.id, "p", Action.NOTIFY, (), State.EXECUTING, NOW, NOW)


def ports(branch: Branch, *webhooks: Webhook, environ: Mapping[str, str] | None = None) -> actions.Ports:
    return actions.Ports(branch.publish, branch.find, webhooks, environ or {}, Path())


async def test_rollback_publishes_one_override_per_spoke() -> None:
    branch = Branch()
    outcome = await actions.carry_out(rollback(), INCIDENT, ports(branch))
    assert (outcome.state, outcome.commit) == (State.APPLIED, "commit-of-rem-1")
    assert list(branch.commits["rem-1"]) == ["a.m.rollback.yaml"]


async def test_action_that_is_held_in_the_last_moment_stays_approved() -> None:
    def held(_: Remediation) -> None:
        raise Held("held: stopped by ana")

    branch = Branch()
    for action in (rollback(), notification()):
        outcome = await actions.carry_out(action, INCIDENT, replace(ports(branch), check=held))
        assert (outcome.state, outcome.detail) == (State.APPROVED, "held: stopped by ana")
    assert not branch.tried
    outcome = await actions.carry_out(rollback(), INCIDENT, ports(Branch(refuses=Held("held"), takes=False)))
    assert outcome.state is State.APPROVED


async def test_action_stays_begun_when_nobody_can_say_whether_it_is_held() -> None:
    with pytest.raises(StoreUnavailable):
        await actions.carry_out(rollback(), INCIDENT, ports(Branch(refuses=StoreUnavailable("full"), takes=False)))


async def test_action_that_is_on_the_branch_already_is_not_published_again() -> None:
    branch = Branch()
    branch.commits["rem-1"] = {}
    outcome = await actions.carry_out(rollback(), INCIDENT, ports(branch))
    assert (outcome.state, outcome.commit, branch.tried) == (State.APPLIED, "commit-of-rem-1", False)


@pytest.mark.parametrize(
    ("branch", "state"),
    [
        (Branch(refuses=PublishConflict("beaten"), takes=False), State.APPROVED),
        (Branch(refuses=RemoteFailed("a hook refused"), takes=False), State.APPROVED),
        (Branch(refuses=RemoteFailed("the answer was lost")), State.APPLIED),
        (Branch(refuses=RemoteFailed("the answer was lost"), blind_after=True), State.EXECUTING),
        (Branch(refuses=GuardRefused("the spoke moved on"), takes=False), State.FAILED),
        (Branch(takes=False), State.FAILED),
    ],
)
async def test_what_a_failed_publish_comes_to_is_read_from_the_branch(branch: Branch, state: State) -> None:
    assert (await actions.carry_out(rollback(), INCIDENT, ports(branch))).state is state


@pytest.mark.parametrize(
    ("effect", "state", "detail"),
    [
        (actions.Effect(waits="https://f/1"), State.EXECUTING, "waits to be merged: https://f/1"),
        (actions.Effect(declined="https://f/1"), State.REJECTED, "somebody closed its pull request: https://f/1"),
    ],
)
async def test_action_in_a_pull_request_is_neither_done_nor_lost(
    effect: actions.Effect, state: State, detail: str
) -> None:
    async def publish(*_: object) -> actions.Effect:
        return effect

    outcome = await actions.carry_out(rollback(), INCIDENT, replace(ports(Branch()), publish=publish))
    assert (outcome.state, outcome.commit, outcome.detail) == (state, "", detail)


async def test_webhook_hears_the_incident_with_the_actions_id() -> None:
    async with Receiver() as receiver:
        hook = Webhook(name="pager", url=receiver.url)
        outcome = await actions.carry_out(notification(), INCIDENT, ports(Branch(), hook))
        [heard] = receiver.take()
    assert (outcome.state, outcome.detail) == (State.APPLIED, "told pager")
    assert (heard["actionId"], heard["incident"]["id"], heard["incident"]["clusters"]) == ("rem-2", INCIDENT.id, ["a"])


async def test_one_deaf_webhook_does_not_keep_the_others_from_hearing() -> None:
    async with Receiver() as receiver:
        deaf = Webhook(name="deaf", url="http://127.0.0.1:9/", timeout=1)
        outcome = await actions.carry_out(
            notification(), INCIDENT, ports(Branch(), deaf, Webhook(name="pager", url=receiver.url))
        )
        assert len(receiver.take()) == 1
    assert outcome.state is State.FAILED
    assert outcome.detail.startswith("deaf: ConnectError")


async def test_server_error_is_tried_again_and_a_refusal_is_not() -> None:
    seen: list[bytes] = []
    statuses = {b"/flaky": [503, 503, 204], b"/strict": [400, 204]}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        path = head.split()[1]
        writer.write(f"HTTP/1.1 {statuses[path].pop(0)} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        flaky = await actions.notify(notification(), INCIDENT, ports(Branch(), Webhook(name="f", url=f"{base}/flaky")))
        strict = await actions.notify(
            notification(), INCIDENT, ports(Branch(), Webhook(name="s", url=f"{base}/strict"))
        )
    assert (flaky.state, strict.state, strict.detail) == (State.APPLIED, State.FAILED, "s: HTTPStatusError 400")
    assert all(b"idempotency-key: rem-2" in head.lower() for head in seen)
    assert len(seen) == 4


async def test_secret_address_of_a_webhook_never_stands_in_a_detail() -> None:
    hook = Webhook(name="chat", url_env="CHAT_URL")
    unset = await actions.notify(notification(), INCIDENT, ports(Branch(), hook))
    secret = {"CHAT_URL": "http://127.0.0.1:9/secret-path"}
    refused = await actions.notify(notification(), INCIDENT, ports(Branch(), hook, environ=secret))
    assert unset.detail == "chat: the variable CHAT_URL is not set"
    assert "secret-path" not in json.dumps(refused.detail)


async def test_without_webhooks_a_notification_is_recorded_only() -> None:
    outcome = await actions.carry_out(notification(), INCIDENT, ports(Branch()))
    assert (outcome.state, "recorded only" in outcome.detail) == (State.APPLIED, True)


async def nobody() -> None:
    raise Fenced("another one leads")


async def test_replica_that_no_longer_leads_tells_no_webhook_and_decides_nothing() -> None:
    async with Receiver() as receiver:
        asked = ports(Branch(), Webhook(name="a", url=receiver.url), Webhook(name="b", url=receiver.url))
        with pytest.raises(Fenced):
            await actions.carry_out(notification(), INCIDENT, replace(asked, permit=nobody))
        assert receiver.take() == []


async def test_push_that_is_fenced_leaves_its_intent_for_the_next_leader() -> None:
    with pytest.raises(Fenced):
        await actions.carry_out(rollback(), INCIDENT, ports(Branch(refuses=Fenced("too late"), takes=False)))


@pytest.mark.parametrize("refuses", [GuardRefused("a no longer has m v2"), None])
async def test_push_that_a_dead_leaders_git_ended_meanwhile_is_no_failure(refuses: HubctlError | None) -> None:
    class Late(Branch):
        async def publish(
            self, remediation: Remediation, _incident: Incident, files: Mapping[str, bytes]
        ) -> actions.Effect:
            self.commits[remediation.id] = files
            if refuses:
                raise refuses
            return actions.Effect()

    outcome = await actions.carry_out(rollback(), INCIDENT, ports(Late()))
    assert (outcome.state, outcome.commit) == (State.APPLIED, "commit-of-rem-1")


@pytest.mark.parametrize("token", [b"\xff\xfe", "geheim-\u2713".encode()], ids=["bytes", "letters"])
async def test_token_file_that_holds_no_token_fails_the_notice_and_no_more(tmp_path: Path, token: bytes) -> None:
    (tmp_path / "token").write_bytes(token)
    hook = Webhook(name="pager", url="http://127.0.0.1:9/", token_file="token")
    outcome = await actions.notify(notification(), INCIDENT, replace(ports(Branch(), hook), directory=tmp_path))
    assert outcome.state is State.FAILED
    assert outcome.detail.startswith("pager: Unicode")
