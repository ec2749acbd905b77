"""Changed inputs that make a running controller open its parts anew: what cannot be opened does not come into force."""

from typing import Any

import pytest

from tests.e2e.test_e2e_run import passes
from tests.e2e.world import World, until

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
