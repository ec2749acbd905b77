"""The controller: passes until told to stop, changed files, signals, and being alone on its state."""

import yaml

from tests.e2e.world import MODEL, World, until

NEW = "disk-anomaly"


def passes(world: World, model: str = MODEL, more: int = 2) -> None:
    """Wait for some more polls, and for as many passes, which are made beside them."""
    polls, made = world.predictors.polls("north", model), _ended(world)
    until(lambda: world.predictors.polls("north", model) >= polls + more, f"{more} more polls of {model}")
    until(lambda: _ended(world) >= made + more, f"{more} more passes")


def _ended(world: World) -> int:
    """Passes that came to an end, well or not, as all logs of this world say."""
    return sum(log.read_text().count('"event": "pass') for log in world.home.glob("log-*"))


def test_run_makes_passes_survives_broken_files_and_takes_up_what_is_new(healthy: World) -> None:
    values = healthy.fleet / "values-hub.yaml"
    good = values.read_text()
    with healthy.started("run", "--interval", "0.3s") as running:
        passes(healthy)
        values.write_text(good.replace("raiseAfter", "riseAfter"))
        passes(healthy, more=3)
        assert "values-hub.yaml" in running.said
        assert "Traceback" not in running.said

        found = yaml.safe_load(good)
        found["coordinationEngine"]["kserve"]["models"].append({"name": NEW})
        # First, or a quick pass asks for a model that is not there yet.
        healthy.predictors.serving["north", NEW] = "v1"
        found["hubctl"]["models"][NEW] = {"features": {"file": f"features/{{cluster}}/{MODEL}.json"}}
        values.write_text(yaml.safe_dump(found))
        cluster = yaml.safe_load(healthy.cluster_file("north").read_text())
        cluster["spec"]["models"].append({"name": NEW, "version": "v1"})
        healthy.cluster_file("north").write_text(yaml.safe_dump(cluster))
        passes(healthy, NEW)
        until(lambda: f"rendered/spokes/north/inferenceservice-{NEW}.yaml" in healthy.files(), "it to be published")
        until(lambda: healthy.status()["clusters"][1]["health"] == "healthy", "its first votes")

        running.process.terminate()
        assert running.ended() == 0
    assert healthy.status()["clusters"][1]["health"] == "healthy"


def test_run_finds_acts_and_closes_by_itself(poised: World) -> None:
    with poised.started("run", "--interval", "0.3s") as running:
        until(lambda: "applied" in poised.states().values(), "the rollback")
        poised.sync()
        until(lambda: "succeeded" in poised.states().values(), "its success")
        running.process.terminate()
        assert running.ended() == 0
    assert len(poised.actions()) == 1
    assert poised.open_keys() == []


def test_run_whose_fleet_goes_dark_blames_the_hub_acts_on_nothing_and_sees_it_again(poised: World) -> None:
    before = poised.tip()
    poised.predictors.down(*poised.spokes)
    with poised.started("run", "--interval", "0.3s") as running:
        until(lambda: poised.open_keys() == ["hub-unreachable"], "the hub to be blamed")
        until(lambda: "breaker_open" in running.said, "breakers to open")
        assert (poised.remediations(), poised.tip()) == ([], before)
        poised.predictors.up(*poised.spokes)
        until(lambda: "hub-unreachable" not in poised.open_keys(), "its sight")
        running.process.terminate()
        assert running.ended() == 0
    assert "Traceback" not in running.said


def test_run_goes_on_when_remote_and_store_come_back(healthy: World) -> None:
    away = healthy.home / "away.git"
    with healthy.started("run", "--interval", "0.3s") as running:
        passes(healthy)
        healthy.remote.rename(away)
        passes(healthy)
        assert "Traceback" not in running.said
        away.rename(healthy.remote)
        healthy.set_version("v2", "north")
        until(
            lambda: f"{MODEL}/v2" in healthy.file(f"rendered/spokes/north/inferenceservice-{MODEL}.yaml"), "a publish"
        )
        running.process.terminate()
        assert running.ended() == 0


def test_second_one_on_the_same_state_is_refused_while_readers_are_not(healthy: World) -> None:
    with healthy.started("run", "--interval", "0.3s") as running:
        passes(healthy)
        refused = healthy.hubctl("reconcile", expect=3)
        assert "another hubctl" in refused.err
        assert str(healthy.fleet / ".hubctl") in refused.err
        healthy.hubctl("run", "--interval", "0.3s", expect=3)
        healthy.hubctl("status")
        healthy.hubctl("reconcile", HUBCTL_STATE=str(healthy.home / "elsewhere"))
        running.kill()
    healthy.hubctl("reconcile")


def test_ctrl_c_ends_a_run_in_order_too(healthy: World) -> None:
    with healthy.started("run") as running:
        until(lambda: healthy.predictors.polls("north", MODEL) > 0, "the first pass")
        running.process.send_signal(2)
        assert running.ended() == 0
        assert "Traceback" not in running.said
