"""Signed commits, verified by git itself with keys of the test's own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Signing
from hubctl.publish.repository import Repository
from hubctl.publish.signing import Signer
from tests.publish.remotes import Remote, fleet, git, needs, publish
from tests.publish.sshgit import new_key

MAIL = "hubctl@localhost"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An SSH key in a folder with a space, and ``allowed``, which says that it is hubctl's."""
    (tmp_path / "my keys").mkdir()
    made = new_key(tmp_path / "my keys" / "key")
    allow(tmp_path / "allowed", made)
    return made


def allow(file: Path, key: Path) -> None:
    file.write_text(f'{MAIL} namespaces="git" {key.with_suffix(".pub").read_text()}')


def signing(remote: Remote, key: Path, form: str = "ssh") -> Repository:
    """A repository whose commits are signed."""
    signer = Signer(Signing.model_validate({"format": form, "keyFile": key.name}), key.parent)
    return Repository(remote.path.parent / "signed", str(remote.path), "main", signer=signer)


def verified(remote: Remote, commit: str, allowed: Path) -> bool:
    """Whether git accepts an SSH signature."""
    args = ["-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit]
    return subprocess.run(["git", "-C", remote.path, *args], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
async def test_every_commit_is_signed(tmp_path: Path, key: Path, object_format: str) -> None:
    remote = Remote.made(tmp_path / object_format, object_format)
    for spokes in (("a",), ("a", "b")):
        commit = await publish(signing(remote, key), fleet(*spokes))
        assert commit is not None
        assert commit.id == remote.tip()
        assert verified(remote, commit.id, tmp_path / "allowed")
    assert remote.count() == 2
    assert remote.files() == fleet("a", "b")
    git(remote.path, "fsck", "--strict")


async def test_signature_is_the_only_difference(tmp_path: Path, key: Path) -> None:
    shown = []
    for name in ("signed", "plain"):
        remote = Remote.made(tmp_path / f"{name}-remote")
        first = remote.repository(f"{name}-first")
        await publish(first, fleet("a"))
        await publish(signing(remote, key) if name == "signed" else first, fleet("a", "b"))
        text = git(remote.path, "cat-file", "commit", "main")
        head, _, message = text.partition("\n\n")
        kept = [line for line in head.splitlines() if not line.startswith(("gpgsig", " "))]
        shown.append((kept, message))
    assert shown[0] == shown[1]
    assert len(shown[0][0]) == 4


async def test_key_of_somebody_else_does_not_verify(remote: Remote, key: Path, tmp_path: Path) -> None:
    commit = await publish(signing(remote, key), fleet("a"))
    assert commit is not None
    allow(tmp_path / "others", new_key(tmp_path / "other"))
    assert not verified(remote, commit.id, tmp_path / "others")
    assert not verified(remote, remote.commit({"by-hand": b""}), tmp_path / "allowed")


async def test_signed_commit_is_found_by_its_trailer_and_no_change_makes_none(remote: Remote, key: Path) -> None:
    repository = signing(remote, key)
    await publish(repository, fleet("a"))
    assert await publish(repository, fleet("a")) is None
    assert await repository.history.find("Hubctl-Version", "1.2.3") == remote.tip()


async def test_settings_of_a_person_do_not_choose_the_key(
    remote: Remote, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_key(tmp_path / "persons")
    settings = f"[gpg]\nformat = openpgp\n[user]\nsigningKey = {other}\n[i18n]\ncommitEncoding = latin1\n"
    (tmp_path / "gitconfig").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    commit = await publish(signing(remote, key), fleet("a"))
    assert commit is not None
    assert verified(remote, commit.id, tmp_path / "allowed")
    assert "encoding" not in git(remote.path, "cat-file", "commit", "main").partition("\n\n")[0]


@pytest.mark.parametrize("form", ["ssh", "gpg"])
@pytest.mark.parametrize("content", [None, "no key s3cret\n"])
async def test_unusable_key_publishes_nothing(remote: Remote, tmp_path: Path, content: str | None, form: str) -> None:
    needs(form.replace("ssh", "ssh-keygen"), {"gpg": "gnupg", "ssh": "openssh-client"}[form])
    path = tmp_path / "broken"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(RemoteFailed, match="cannot be signed") as caught:
        await publish(signing(remote, path, form), fleet("a"))
    assert caught.value.where == "values-hub.yaml hubctl.gitops.signing.keyFile"
    assert "s3cret" not in str(caught.value)
    assert remote.object_count() == 0


async def test_key_with_a_passphrase_is_refused_and_nobody_is_asked(remote: Remote, key: Path) -> None:
    change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "passphrase", "-f", str(key)]
    done = subprocess.run(change, capture_output=True, check=False)  # noqa: ASYNC221 - nothing else runs
    assert done.returncode == 0
    with pytest.raises(RemoteFailed, match="cannot be signed"):
        await publish(signing(remote, key), fleet("a"))
    assert remote.object_count() == 0


@pytest.fixture
def gpg_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An exported OpenPGP secret key; the test's own keyring, in GNUPGHOME, holds the key too."""
    needs("gpg", "gnupg")
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    usual = ["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
    subprocess.run([*usual, "--quick-generate-key", f"hubctl <{MAIL}>", "ed25519"], check=True, capture_output=True)
    exported = subprocess.run([*usual, "--armor", "--export-secret-keys"], check=True, capture_output=True).stdout
    (home / "exported.asc").write_bytes(exported)
    yield home / "exported.asc"
    subprocess.run(["gpgconf", "--kill", "all"], check=True)


async def test_commit_is_signed_by_gpg(remote: Remote, gpg_key: Path) -> None:
    commit = await publish(signing(remote, gpg_key, "gpg"), fleet("a"))
    assert commit is not None
    git(remote.path, "verify-commit", commit.id)
    assert "BEGIN PGP SIGNATURE" in git(remote.path, "cat-file", "commit", commit.id)
