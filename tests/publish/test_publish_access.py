"""What git is told about credentials: which files, for which remote, and nothing of what is in them."""

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubctl.model.gitops import Credentials, GitOps
from hubctl.publish.access import Access
from tests.publish.remotes import needs

KEYS = Credentials(ssh_key_file="a key 100%", known_hosts_file="it's known", password_file="p", username_file="u")
SSH = "ssh://git@git.example.com/fleet.git"


def ssh_reads(access: Access) -> dict[str, str]:
    """The settings that ssh itself understands from our command."""
    needs("ssh", "openssh-client")
    command = access.environment(SSH, "ssh -o BatchMode=yes")["GIT_SSH_COMMAND"]
    done = subprocess.run(["sh", "-c", f"{command} -G git.example.com"], capture_output=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.decode().splitlines() if " " in line)


def test_ssh_understands_every_path(tmp_path: Path) -> None:
    found = ssh_reads(Access(KEYS, tmp_path))
    assert Path(found["userknownhostsfile"].strip('"')) == tmp_path / "it's known"
    assert Path(found["identityfile"].strip('"').replace("%%", "%")) == tmp_path / "a key 100%"
    assert (found["stricthostkeychecking"], found["identitiesonly"], found["batchmode"]) == ("true", "yes", "yes")


@pytest.mark.parametrize("remote", [SSH, "git@git.example.com:fleet.git", "host:fleet.git"])
def test_password_is_not_for_ssh_and_keys_are(remote: str) -> None:
    assert Access(KEYS).options(remote) == ()
    assert set(Access(KEYS).environment(remote, "ssh")) == {"GIT_SSH_COMMAND"}


@pytest.mark.parametrize("remote", ["http://git.example.com/x.git", "/srv/x.git", "../x.git", "git://h/x.git"])
def test_what_is_neither_https_nor_ssh_gets_nothing(remote: str) -> None:
    access = Access(KEYS)
    assert (access.options(remote), access.environment(remote, "ssh"), access.check(remote)) == ((), {}, ())


def test_password_is_for_its_server_only(tmp_path: Path) -> None:
    checks, drops, helper = Access(KEYS, tmp_path).options("https://git.example.com:8443/a/b.git")
    assert checks == "http.https://git.example.com:8443.sslVerify=true"
    assert drops == "credential.helper="
    assert helper.startswith("credential.https://git.example.com:8443.helper=!f() {")


def test_without_credentials_git_decides_for_itself() -> None:
    for remote in (SSH, "https://git.example.com/x.git"):
        assert (Access().options(remote), Access().environment(remote, "ssh")) == ((), {})
        assert Access().hint("fatal: Authentication failed") == ""


@pytest.mark.parametrize(
    "keys",
    [
        {"tokenFile": "a", "tokenEnv": "B"},
        {"passwordFile": "a"},
        {"usernameFile": "a"},
        {"tokenEnv": "a; rm -rf /"},
        {"token": "s3cret"},
    ],
)
def test_combination_that_cannot_work_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate(keys)


def test_password_over_plain_http_is_refused() -> None:
    with pytest.raises(ValidationError, match="in clear"):
        GitOps(remote="http://git.example.com/x.git", credentials=Credentials(token_file="t"))
