"""Signed commits from the values file to the branch: those of a publish, and those of a remediation."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.e2e.world import SICK, World, git, marked
from tests.publish.remotes import needs
from tests.publish.sshgit import new_key

ALLOWED = "gpg.ssh.allowedSignersFile"


@pytest.fixture
def signing(poised: World) -> World:
    """A bad version is about to be rolled back; from now on commits are signed."""
    key = new_key(poised.fleet / "signing-key")
    line = f'hubctl@localhost namespaces="git" {key.with_suffix(".pub").read_text()}'
    (poised.home / "allowed").write_text(line)
    poised.edit_values(lambda hubctl: hubctl["gitops"].update(signing={"keyFile": "signing-key"}))
    return poised


def is_verified(world: World, commit: str) -> bool:
    args = ["-c", f"{ALLOWED}={world.home / 'allowed'}", "verify-commit", commit]
    return subprocess.run(["git", "-C", world.remote, *args], capture_output=True, check=False).returncode == 0


def test_rollback_is_signed_and_what_came_before_is_not(signing: World) -> None:
    before = signing.tip()
    signing.reconcile()
    (done,) = signing.remediations()
    assert (done["state"], done["commit"]) == ("applied", signing.tip())
    assert (is_verified(signing, signing.tip()), is_verified(signing, before)) == (True, False)
    assert done["id"] in signing.inside("why", SICK[0]).out
    signing.check_sound()


def test_missing_key_publishes_nothing_and_doctor_says_so(signing: World) -> None:
    before = signing.tip()
    (signing.fleet / "signing-key").unlink()
    signing.set_version("v3", "north")
    assert "hubctl.gitops.signing.keyFile" in signing.inside("publish", expect=3).err
    assert "signing-key" in signing.inside("doctor", "--no-poll", "-o", "json", expect=3).out
    assert signing.tip() == before


def test_action_that_cannot_be_signed_changes_nothing_and_is_tried_again(signing: World) -> None:
    before = signing.tip()
    (signing.fleet / "signing-key").rename(signing.home / "away")
    signing.reconcile()
    (done,) = signing.remediations()
    assert done["state"] == "approved"
    assert "cannot be signed" in done["detail"]
    assert signing.tip() == before
    (signing.home / "away").rename(signing.fleet / "signing-key")
    signing.reconcile()
    assert is_verified(signing, signing.tip())


def test_gpg_leaves_no_keyring_and_no_agent(healthy: World, tmp_path: Path) -> None:
    needs("gpg", "gnupg")
    # Short, because an agent's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="hubctl-") as folder:
        own = Path(folder) / "own"
        own.mkdir(mode=0o700)
        usual = ["gpg", "--homedir", str(own), "--batch", "--passphrase", "", "--pinentry-mode", "loopback"]
        subprocess.run([*usual, "--quick-generate-key", "hubctl"], check=True, capture_output=True)
        made = subprocess.run([*usual, "--export-secret-keys"], check=True, capture_output=True)
        (healthy.fleet / "key.gpg").write_bytes(made.stdout)
        healthy.edit_values(lambda hubctl: hubctl["gitops"].update(signing={"format": "gpg", "keyFile": "key.gpg"}))
        healthy.set_version("v2", "north")
        used = Path(folder) / "used"
        used.mkdir()
        healthy.hubctl("publish", TMPDIR=str(used), HUBCTL_E2E_GPG=str(tmp_path))
        subprocess.run(["gpgconf", "--homedir", str(own), "--kill", "all"], check=True)
        assert "BEGIN PGP SIGNATURE" in git(healthy.remote, "cat-file", "commit", "main")
        assert list(used.iterdir()) == []
        assert marked("HUBCTL_E2E_GPG", str(tmp_path)) == []
