"""Two hundred generated fleets: the same bytes whoever renders them, valid, and whole after publish, clone and diff."""

import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from hubctl import desired
from hubctl.cli import main
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository
from hubctl.render.templates import Templates, load_templates
from hubctl.settings import Settings
from tests.effort import times
from tests.fleets import generated

FLEETS = times(36, 200)
ASKED_EACH = 20
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = ("rendered", "apps/kserve/out")
NO_OBJECTS = ("/delivery.yaml", "/kustomization.yaml")

AGAIN = """
import hashlib, sys
from pathlib import Path
from hubctl.inputs import load
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings
templates = load_templates(None)
for folder in map(Path, sys.argv[1:]):
    sources = load.read_sources(Settings(folder, folder))
    inputs = load.reload(sources, load.read_overrides(Settings(folder, folder), "overrides"))
    digest = hashlib.sha256()
    for path, data in render_tree(inputs, templates).files.items():
        digest.update(b"%s %d %s" % (path.encode(), len(data), data))
    print(digest.hexdigest())
"""


@dataclass(frozen=True)
class Fleet:
    """One fleet's inputs, read."""

    sources: load.Sources
    overrides: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> "Fleet":
        settings_of = Settings(folder, folder)
        return cls(load.read_sources(settings_of), load.read_overrides(settings_of, "overrides"))


@dataclass
class World:
    """What all fleets share: a remote, two machines' caches, and the folders of what was rendered.

    Attributes:
        begun: fleets so far.
        digests: folder of each fleet's inputs to the digest of what they rendered to here.
    """

    home: Path
    begun: int = 0
    digests: dict[Path, str] = field(default_factory=dict)

    @property
    def remote(self) -> Path:
        return self.home / "remote.git"

    def repository(self, machine: str) -> Repository:
        return Repository(self.home / machine, str(self.remote), "main")

    def new_folder(self) -> Path:
        self.begun += 1
        folder = self.home / "fleets" / str(self.begun)
        folder.mkdir(parents=True)
        return folder

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", "-C", str(self.home), *args], check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture
def world() -> Iterator[World]:
    """In memory where the machine has a folder for that; a remote with files of other people."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of ours is made in it
    with TemporaryDirectory(dir=memory) as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "A Person")
            patch.setenv(f"GIT_{role}_EMAIL", "person@example.com")
        made = World(Path(name))
        made.git("init", "--quiet", "--bare", "--initial-branch=main", str(made.remote))
        made.git("clone", "--quiet", str(made.remote), "person")
        (made.home / "person" / "README.md").write_text("theirs\n")
        made.git("-C", "person", "add", "--all")
        made.git("-C", "person", "commit", "--quiet", "-m", "By hand")
        made.git("-C", "person", "push", "--quiet", "origin", "HEAD:main")
        made.git("clone", "--quiet", str(made.remote), "clone")
        yield made


def digest(files: Mapping[str, bytes]) -> str:
    """Of paths and bytes, in their order."""
    found = hashlib.sha256()
    for path, data in files.items():
        found.update(b"%s %d %s" % (path.encode(), len(data), data))
    return found.hexdigest()


def check_valid(folder: Path, files: Mapping[str, bytes]) -> None:
    """Every object is one that a cluster could keep beside the others; `hubctl validate` agrees.

    The command does what was done here, and parses the templates anew, which takes longer than all the rest; so it is
    asked about some of the fleets only.
    """
    if int(folder.name) % ASKED_EACH == 1:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main.run(["-C", str(folder), "validate", "-o", "json"])
        assert code == 0, err.getvalue()
        assert json.loads(out.getvalue())["files"] == len(files)
    seen = set()
    for path, data in files.items():
        documents: list[Any] = list(yaml.load_all(data, Loader=yaml.CSafeLoader))
        assert documents, path
        place = path.rpartition("/")[0]
        for one in documents if not path.endswith(NO_OBJECTS) else ():
            key = (place, one["apiVersion"], one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
            assert key not in seen
            seen.add(key)
        if path.endswith("/kustomization.yaml"):
            beside = {name.rpartition("/")[2] for name in files if name.rpartition("/")[0] == place}
            assert set(documents[0]["resources"]) == beside - {"kustomization.yaml", "delivery.yaml"}


async def published(world: World, fleet: Fleet, templates: Templates) -> dict[str, bytes]:
    """Publish a fleet over the one before it, and clone it; the files that were rendered, by their path in the tree."""
    gitops = fleet.sources.values.hubctl.gitops
    latest: dict[str, bytes] = {}

    def wanted_on(tip: tree.Published) -> tree.Wanted:
        """The folder's overrides go along, as a remediation's commit has them."""
        _, wanted = desired.wanted_fleet(fleet.sources, templates, tree.Published(tip.commit, fleet.overrides))
        latest.update(wanted.files)
        named = {f"{gitops.overrides}/{name}": data for name, data in fleet.overrides.items()}
        return replace(wanted, files={**wanted.files, **named}, owned=(*PLACES, gitops.overrides))

    options = desired.publish_options(fleet.sources, confirmed=1_000)
    await branch.publish(world.repository("mine"), wanted_on, options, now=NOW)
    world.git("-C", "clone", "-c", "maintenance.auto=false", "pull", "--quiet", "--ff-only")
    clone = world.home / "clone"
    below = (path for top in clone.iterdir() if top.name != ".git" for path in (top, *top.rglob("*")))
    found = {str(path.relative_to(clone)): path.read_bytes() for path in below if path.is_file()}
    named = {f"{gitops.overrides}/{name}": data for name, data in fleet.overrides.items()}
    assert found == {"README.md": b"theirs\n", **latest, **named}
    return {path.removeprefix(f"{gitops.path}/"): data for path, data in latest.items()}


async def check_no_difference(world: World, fleet: Fleet, templates: Templates) -> None:
    """From a machine that has seen other tips, with other templates, spokes and overrides in the opposite order."""
    backwards = replace(fleet.sources, spokes=fleet.sources.spokes[::-1])

    def wanted_on(tip: tree.Published) -> tree.Wanted:
        assert tip.overrides == fleet.overrides
        reversed_ = tree.Published(tip.commit, dict(reversed([*tip.overrides.items()])))
        return desired.wanted_fleet(backwards, templates, reversed_)[1]

    found, _ = await branch.pending(world.repository("other"), wanted_on, desired.publish_options(fleet.sources))
    assert found.empty


def check_another_process(world: World) -> None:
    """Other seeds of hashing make other sets; another time zone and locale make other texts, where code lets them."""
    environ = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    command = [sys.executable, "-c", AGAIN, *map(str, world.digests)]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert done.stdout.split() == list(world.digests.values())


@pytest.mark.timeout(900)
def test_generated_fleets_are_rendered_alike_valid_and_whole_after_publish_clone_and_diff(world: World) -> None:
    mine, others = load_templates(None), load_templates(None)
    seen: list[generated.Files] = []

    @settings(
        max_examples=2 * FLEETS,  # small ones come more than once
        deadline=None,
        phases=(Phase.reuse, Phase.generate),  # shrinking would publish for minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(files=generated.fleets())
    def each(files: generated.Files) -> None:
        if files in seen or len(seen) == FLEETS:
            return
        folder = world.new_folder()
        generated.write(folder, files)
        fleet = Fleet.read(folder)
        made = asyncio.run(published(world, fleet, mine))
        asyncio.run(check_no_difference(world, fleet, others))
        check_valid(folder, made)
        world.digests[folder] = digest(made)
        seen.append(files)

    each()
    check_another_process(world)
    assert len(seen) == FLEETS
