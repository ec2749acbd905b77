"""A controller that is watched: probes and metrics of the real process."""

import json
import re

import httpx

from tests.e2e.world import SECRET, Running, World, until


def address_of(running: Running) -> str:
    """Where it says that it listens."""
    until(lambda: '"listening"' in running.said, "it to listen")
    [line] = [line for line in running.said.splitlines() if '"listening"' in line]
    return f"http://{json.loads(line)['address']}"


def test_run_is_watched_from_its_first_pass_to_its_end(healthy: World) -> None:
    values = healthy.fleet / "values-hub.yaml"
    with healthy.started("run", "--interval", "0.3s", "--listen", "127.0.0.1:0") as running:
        at = address_of(running)

        def value(name: str) -> float:
            found = re.search(rf"^{re.escape(name)} (\S+)$", httpx.get(f"{at}/metrics").text, re.MULTILINE)
            return float(found[1]) if found else -1

        until(lambda: value('hubctl_passes_total{result="done"}') >= 2, "two passes")
        until(lambda: value('hubctl_observations_total{outcome="ok"}') >= 16, "two rounds")
        assert value("hubctl_rounds_total") >= 2
        assert value("hubctl_schedule_lag_seconds_count") >= 16
        assert value('hubctl_predictors{condition="healthy"}') == 8
        assert value("hubctl_spokes") == 4
        assert value("hubctl_store_bytes") > 0
        assert httpx.get(f"{at}/healthz").json() == {"alive": True}
        ready = httpx.get(f"{at}/readyz")
        assert ready.json() == {
            "ready": True,
            "checks": {"configuration": "ok", "store": "ok", "leadership": "leading"},
        }

        (healthy.fleet / ".hubctl" / "STOP").touch()
        until(lambda: value('hubctl_stopped{reach="actions"}') == 1, "the switch to be seen")
        assert '"stopped"' in running.said
        values.write_text(values.read_text().replace("raiseAfter", "riseAfter"))
        until(lambda: value("hubctl_configuration_valid") == 0, "the wrong file to be seen")
        assert httpx.get(f"{at}/readyz").status_code == 200

        with httpx.Client() as connected:
            connected.get(f"{at}/healthz")
            running.process.terminate()
            assert running.ended() == 0
        assert SECRET not in running.said


def test_run_listens_nowhere_unless_asked_and_says_what_is_no_address(healthy: World) -> None:
    assert "is no address" in healthy.inside("run", "--listen", "8080", expect=2).err
    with healthy.started("run", "--interval", "0.3s") as running:
        until(lambda: '"pass"' in running.said, "a pass")
        assert "listening" not in running.said
        running.process.terminate()
        assert running.ended() == 0
