"""Changed inputs that make a running controller open its parts anew: what cannot be opened does not come into force."""

import socket
from typing import Any

import pytest

from tests.e2e.test_e2e_run import passes
from tests.e2e.world import World, until

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: hub, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: hub, context: {{cluster: hub, user: me}}}}]
users: [{{name: me, user: {{}}}}]
current-context: hub
"""

ELECTED = {"leaderElection": {"enabled": True}}
FLEET = {"source": "acm"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"fleet": FLEET}, "the hub's objects are to be read"),
        ({"controller": ELECTED}, "nothing says in which namespace the Lease is"),
        ({"controller": {"leaderElection": {"enabled": True, "namespace": "hub"}}}, "there is no cluster to ask"),
    ],
    ids=["fleet", "namespace", "cluster"],
)
def test_change_that_needs_a_cluster_which_is_not_there_keeps_the_good_inputs(
    healthy: World, changed: dict[str, Any], why: str
) -> None:
    with healthy.started("run", "--interval", "0.3s") as running:
        passes(healthy)
        healthy.edit_values(lambda hubctl: hubctl.update(changed))
        until(lambda: why in running.said, "the change to be refused")
        passes(healthy)
        assert "the last good ones stay" in running.said
        running.process.terminate()
        assert running.ended() == 0


def test_store_that_cannot_be_opened_now_keeps_the_one_that_is_open(healthy: World) -> None:
    kept = healthy.store.with_suffix(".kept")
    with healthy.started("run", "--interval", "0.3s") as running:
        passes(healthy)
        healthy.store.rename(kept)
        healthy.store.touch()
        healthy.edit_values(lambda hubctl: hubctl["observe"].update(deadline="6s"))
        until(lambda: "the last good ones stay" in running.said, "the change to be refused")
        passes(healthy)
        kept.replace(healthy.store)
        until(lambda: "the inputs are right again" in running.said, "the change to come into force")
        passes(healthy)
        running.process.terminate()
        assert running.ended() == 0


def test_hub_that_took_the_question_and_never_answers_keeps_no_process_from_ending(healthy: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = healthy.home / "kubeconfig"
        file.write_text(KUBECONFIG.format(port=silent.getsockname()[1]))
        asks = {"HUBCTL_KUBECONFIG": str(file), "HUBCTL_NAMESPACE": "hubctl"}
        with healthy.started("run", "--interval", "0.3s", **asks) as running:
            until(lambda: "the hub is not told" in running.said, "a pass that could not be told")
            running.process.terminate()
            assert running.ended() == 0
