"""Notifications, heard by a real HTTP server."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.predictors import Answer, Asked, Listener, Loop
from tests.e2e.world import MODEL, SICK, World

POLICY = {"name": "tell", "on": "model-anomaly", "action": "notify"}


class Receiver:
    """A webhook that hears everything and answers as told."""

    def __init__(self, loop: Loop) -> None:
        self.status = 200
        self.listener = Listener(loop, self._answer)
        self.listener.open()

    def _answer(self, asked: Asked) -> Answer:
        del asked
        return Answer(self.status, b"{}")

    @property
    def heard(self) -> list[Asked]:
        return self.listener.asked


@pytest.fixture
def receiver(loop: Loop) -> Iterator[Receiver]:
    made = Receiver(loop)
    yield made
    made.listener.close()


@pytest.fixture
def telling(poised: World, receiver: Receiver) -> World:
    """A bad version waits to be found; its incident is to be told."""
    url = f"http://127.0.0.1:{receiver.listener.port}/hook/unguessable-4711"
    poised.environ["HOOK"] = url
    poised.edit_values(lambda hubctl: hubctl.update(notify={"webhooks": [{"name": "chat", "urlEnv": "HOOK"}]}))
    poised.set_policies(POLICY)
    return poised


def test_opening_and_end_of_an_incident_are_each_told_once(telling: World, receiver: Receiver) -> None:
    telling.reconcile()
    telling.new_window()
    telling.reconcile()
    assert [one.json["incident"]["state"] for one in receiver.heard] == ["open"]
    telling.roll_out("v1", *SICK, bad=False)
    telling.reconcile()
    telling.new_window()
    telling.reconcile()
    opened, resolved = receiver.heard
    assert (opened.method, resolved.json["incident"]["state"]) == ("POST", "resolved")
    assert opened.json["incident"]["id"] == resolved.json["incident"]["id"] == telling.incidents()[0]["id"]
    assert opened.json["incident"]["clusters"] == list(SICK)
    keys = {one.headers["idempotency-key"] for one in receiver.heard}
    assert keys == {one["id"] for one in telling.remediations()}
    assert len(keys) == 2


def test_receiver_that_fails_is_tried_a_bounded_number_of_times(telling: World, receiver: Receiver) -> None:
    telling.edit_values(lambda hubctl: hubctl["remediation"].update(maxAttempts=2))
    receiver.status = 500
    ran = telling.hubctl("reconcile", "-o", "json", expect=None)
    assert "unguessable" not in ran.out + ran.err
    assert [one["state"] for one in ran.json["remediations"]] == ["failed"]
    assert len(receiver.heard) == 3
    for _ in range(3):
        telling.new_window()
        ran = telling.inside("reconcile", "-o", "json", expect=None)
        assert "unguessable" not in ran.out + ran.err
    assert [one["state"] for one in telling.remediations()] == ["failed", "failed"]
    assert len(receiver.heard) == 6
    assert telling.open_keys() == [f"model-anomaly:{MODEL}@v2"]


def test_receiver_that_recovers_hears_it_in_the_next_pass(telling: World, receiver: Receiver) -> None:
    receiver.status = 503
    telling.reconcile()
    receiver.status = 204
    telling.new_window()
    telling.reconcile()
    assert [one["state"] for one in telling.remediations()] == ["failed", "applied"]
    assert json.loads(receiver.heard[-1].body)["incident"]["kind"] == "model-anomaly"


def test_notification_needs_no_approval_and_no_automatic_mode(telling: World, receiver: Receiver) -> None:
    telling.set_mode("observe")
    telling.reconcile()
    assert len(receiver.heard) == 1
