"""The Containerfile and its lock, held as far as can be without a container engine; nothing builds the image here."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from hubctl import __version__

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = (ROOT / "Containerfile").read_text()
EXTRAS = ("postgresql", "dask")
"""In the image."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned(name: str) -> dict[str, str]:
    """Package to version and hashes, of a lock."""
    text = (ROOT / "requirements" / name).read_text()
    blocks = (block for block in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if block.strip())
    return {block.split("==")[0]: "\n".join(re.findall(r"==\S+|sha256:\w+", block)) for block in blocks}


def needed() -> set[str]:
    """What hubctl and its build need, and what that needs, on Linux."""
    waiting = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    waiting += [Requirement(text) for name in EXTRAS for text in PROJECT["project"]["optional-dependencies"][name]]
    waiting += [Requirement(text) for text in PROJECT["dependency-groups"]["build"]]
    found: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found and not wanted.extras:
            continue
        found.add(name)
        requires = (Requirement(text) for text in distribution(name).requires or ())
        extras = (*wanted.extras, "")
        waiting += [one for one in requires if not one.marker or any(one.marker.evaluate({"extra": e}) for e in extras)]
    return found


def test_lock_of_the_image_holds_what_hubctl_and_its_extras_need_and_nothing_else() -> None:
    assert set(pinned("run.lock")) == needed()


def test_image_gets_the_versions_that_the_tests_ran_with() -> None:
    tested = {name: set(pins.splitlines()) for name, pins in pinned("dev.lock").items()}
    assert all(set(pins.splitlines()) <= tested[name] for name, pins in pinned("run.lock").items())


def test_image_names_no_registry_and_copies_what_is_there() -> None:
    assert re.findall(r"^ARG BASE=(.*)$", CONTAINERFILE, re.MULTILINE) == ["python:3.11-slim"]
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${BASE}"}
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert copied
    assert all((ROOT / word).exists() for word in copied)
    assert "://" not in (ROOT / "requirements" / "run.lock").read_text()


def test_image_runs_as_a_user_that_is_not_root_by_number() -> None:
    (user,) = re.findall(r"^USER (\d+):0$", CONTAINERFILE, re.MULTILINE)
    assert int(user) > 0


def test_image_is_tagged_with_the_version_that_deploy_asks_for() -> None:
    assert f"newTag: {__version__}" in (ROOT / "deploy" / "base" / "kustomization.yaml").read_text()
