"""Clusters that do not answer, and credential plugins that fail, say so and show nothing of themselves."""

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.fleet.probe import probe
from hubctl.model.found import Found

SECRET = "plugin-secret-4711"


def kubeconfig(folder: Path, server: str, user: dict[str, Any]) -> Path:
    path = folder / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "edge", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def closed() -> str:
    """An address of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return f"https://127.0.0.1:{bound.getsockname()[1]}"


EDGE = Found("edge", "context edge", key="edge")


async def test_cluster_that_nobody_listens_for_is_silent(tmp_path: Path) -> None:
    asked = []
    found = await probe(
        kubeconfig(tmp_path, closed(), {"token": SECRET}), [EDGE], 2, advance=lambda: asked.append(True)
    )
    assert found[0].silent
    assert found[0].problem == "did not answer: NewConnectionError"
    assert asked == [True]


async def test_context_that_is_not_there_is_told(tmp_path: Path) -> None:
    away = Found("away", "context away", key="away")
    found = await probe(kubeconfig(tmp_path, closed(), {}), [away], 2)
    assert found[0].problem.startswith("the kubeconfig cannot be used: Invalid kube-config file")
    assert "away" in found[0].problem


async def test_cluster_with_a_problem_is_not_asked(tmp_path: Path) -> None:
    wrong = Found("edge", "context edge", key="edge", problem="is the same cluster as context a")
    assert await probe(tmp_path / "none", [wrong], 2) == (wrong,)


async def test_output_of_a_failing_plugin_is_not_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = f"import sys; sys.stderr.write('{SECRET}'); sys.exit(3)"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", script],
        "interactiveMode": "Never",
    }
    found = await probe(kubeconfig(tmp_path, closed(), {"exec": plugin}), [EDGE], 2)
    assert found[0].silent
    assert SECRET not in repr(found) + "".join(capfd.readouterr())
