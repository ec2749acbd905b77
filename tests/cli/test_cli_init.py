"""``init`` asks a person at a terminal, and nobody else."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hubctl.cli import main
from tests.cli.terminal import Terminal

REMOTE = "https://git.example.com/platform/fleet.git"


def test_person_at_a_terminal_is_asked_until_each_answer_is_right(tmp_path: Path) -> None:
    with Terminal(tmp_path, "init", "fleet") as terminal:
        terminal.answer("Git URL", "https://me:hunter22@git.example.com/fleet.git")
        terminal.until("Error: found 'https://***@git.example.com/fleet.git'")
        terminal.answer("Git URL", REMOTE)
        terminal.answer("[main]", "")
        terminal.answer("Namespace", "Not_A_Label")
        terminal.until("expected 1 to 63 lower-case letters")
        terminal.answer("Namespace", "models")
        terminal.answer("(git, clusters, clusterDecisionResource) [git]", "all")
        terminal.until("expected one of git")
        terminal.answer("How Argo CD finds", "clusterDecisionResource")
        terminal.answer("ManagedClusterSet", "factories")
        terminal.answer("(observe, approve, auto) [approve]", "observe")
        terminal.answer("empty: say it later", "")
        terminal.answer("Write these answers", "y")
        assert terminal.ended() == 0
    found = yaml.safe_load((tmp_path / "fleet" / "values-hub.yaml").read_text())
    assert found["coordinationEngine"]["kserve"]["namespace"] == "models"
    assert found["hubctl"]["gitops"] == {"remote": REMOTE, "branch": "main", "path": "rendered"}
    assert found["hubctl"]["delivery"]["placement"] == {"clusterSet": "factories"}
    assert found["hubctl"]["remediation"]["mode"] == "observe"
    assert "observe" not in found["hubctl"]
    assert main.run(["-C", str(tmp_path / "fleet"), "validate"]) == 0


def test_flags_are_not_asked_for_again(tmp_path: Path) -> None:
    flags = ("--namespace", "models", "--branch", "x", "--generator", "git", "--mode", "auto")
    with Terminal(tmp_path, "init", "fleet", *flags) as terminal:
        terminal.answer("Git URL", REMOTE)
        terminal.answer("cluster-proxy", "proxy.example.com")
        assert "Namespace" not in terminal.until("Write these answers")
        terminal.press(b"\n")
        assert terminal.ended() == 0
    found = yaml.safe_load((tmp_path / "fleet" / "values-hub.yaml").read_text())
    assert found["hubctl"]["observe"]["route"] == {"type": "acm", "host": "proxy.example.com"}


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["ctrl-c", "ctrl-d"])
def test_nothing_is_written_when_a_person_stops(tmp_path: Path, key: bytes) -> None:
    with Terminal(tmp_path, "init", "fleet") as terminal:
        terminal.answer("Git URL", REMOTE)
        terminal.until("Branch that Argo CD reads [main]:")
        assert terminal.ended(key) == 130
    assert not (tmp_path / "fleet").exists()


def test_nothing_is_written_when_a_person_says_no(tmp_path: Path) -> None:
    with Terminal(tmp_path, "init", "fleet") as terminal:
        for question in ("Git URL", "Branch", "Namespace", "How Argo", "What remediation", "cluster-proxy"):
            terminal.answer(question, REMOTE if question == "Git URL" else "")
        terminal.answer("Write these answers", "n")
        assert terminal.ended() == 130
    assert not (tmp_path / "fleet").exists()


@pytest.mark.parametrize("words", [("--remote", REMOTE), ("--remote", REMOTE, "--yes")])
def test_remote_alone_is_enough_and_nothing_is_asked(tmp_path: Path, words: tuple[str, ...]) -> None:
    with Terminal(tmp_path, "init", "fleet", *words) as terminal:
        assert terminal.ended() == 0
        assert "?" not in terminal.shown


def test_yes_at_a_terminal_says_which_flag_is_missing(tmp_path: Path) -> None:
    with Terminal(tmp_path, "init", "fleet", "--yes") as terminal:
        assert terminal.ended() == 2
        assert "pass --remote URL" in terminal.shown


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hubctl", "init", str(tmp_path / "fleet")]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "--remote: nothing says where the fleet's repository is" in done.stderr


def test_folder_with_a_fleet_is_refused_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / "values-hub.yaml").write_text("mine: 1\n")
    with Terminal(tmp_path, "init", ".") as terminal:
        assert terminal.ended() == 2
        assert "exists" in terminal.shown
