"""``render --check``: two processes make the same bytes, and a template that does not is named."""

from pathlib import Path

import pytest

from hubctl.cli import checking
from hubctl.errors import TemplateError
from hubctl.inputs.load import load_inputs
from hubctl.settings import Settings
from tests.e2e.world import MODEL, SPOKES, World

LEAKY = """\
[% from "provenance.j2" import labels, annotations %]
apiVersion: v1
kind: ConfigMap
metadata:
  name: leaky
[[ labels() -]]
data:
  models: [[ models|map(attribute="name")|quote ]]
"""
"""A filter's result without ``|list``: it shows the address of an object in memory."""


def add_template(world: World, text: str) -> None:
    path = world.fleet / "templates" / "spoke" / "leaky.yaml.j2"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def pin(world: World, name: str, spoke: str) -> None:
    (world.fleet / "overrides").mkdir(exist_ok=True)
    (world.fleet / "overrides" / f"{name}.yaml").write_text(
        "apiVersion: hubctl.io/v1alpha1\nkind: Override\n"
        f"metadata: {{name: {name}}}\n"
        f"spec: {{cluster: {spoke}, models: [{{name: {MODEL}, version: v0}}]}}\n"
    )


def test_fleet_renders_the_same_twice_whatever_the_hash_seed(fresh: World) -> None:
    pin(fresh, "b", "north")
    pin(fresh, "a", "north")
    ran = fresh.hubctl("render", "--check", expect=0, PYTHONHASHSEED="1")
    assert (ran.out, "same: " in ran.err) == ("", True)


def test_template_that_shows_an_address_is_named_with_its_first_file(fresh: World) -> None:
    add_template(fresh, LEAKY)
    ran = fresh.hubctl("render", "--check", expect=1)
    first = f"spokes/{min(SPOKES)}/leaky.yaml"
    assert ran.out.startswith(f"{first} differs when it is rendered again, as do {len(SPOKES) - 1} other files\n")
    assert "<generator object" in ran.out
    assert "|list" in ran.err


def test_check_of_one_spoke_compares_no_other(fresh: World) -> None:
    text = f'[% if spoke.name == "{SPOKES[0]}" %]\n{LEAKY}[% endif %]\n'
    add_template(fresh, text)
    fresh.hubctl("render", "--check", "--cluster", SPOKES[1], expect=0)
    fresh.hubctl("render", "--check", "--cluster", SPOKES[0], expect=1)


def test_check_does_not_go_with_output(fresh: World, tmp_path: Path) -> None:
    assert "--output" in fresh.inside("render", "--check", "--output", str(tmp_path / "x"), expect=2).err


def test_check_of_wrong_inputs_is_an_error(fresh: World) -> None:
    fresh.cluster_file(SPOKES[0]).write_text("kind: Spoke\n")
    fresh.inside("render", "--check", expect=2)


def test_second_render_that_fails_is_an_error_with_what_it_said(fresh: World) -> None:
    other = Settings(fresh.home / "nowhere", fresh.home / "state")
    with pytest.raises(TemplateError, match="nowhere"):
        checking.rendered_again(other, None, "")


def test_inputs_in_reverse_are_the_same_inputs(fresh: World) -> None:
    pin(fresh, "b", "north")
    pin(fresh, "a", "north")
    settings = Settings(fresh.fleet, fresh.home / "state")
    assert checking.reversed_inputs(settings) == load_inputs(settings)
