"""The stand-in reads what hubctl really renders for the fleet that the demo really writes."""

from pathlib import Path

from hubctl.demo import delivery, fleet
from hubctl.inputs.load import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings


def test_rendered_fleet_wants_the_version_of_every_predictor(tmp_path: Path) -> None:
    ports = {key: 20000 + number for number, key in enumerate(fleet.KEYS)}
    fleet.write_fleet(tmp_path, remote=tmp_path / "fleet.git", ports=ports)
    fleet.set_version(tmp_path, model="anomaly-detector", version="v2", clusters=("cloud-west",))
    inputs = load_inputs(Settings(directory=tmp_path, state=tmp_path / ".hubctl"))
    tree = render_tree(inputs, load_templates(None))
    below = {path.removeprefix("spokes/"): data for path, data in tree.files.items() if path.startswith("spokes/")}
    desired = delivery.read_desired(below)
    assert desired.reached == {spoke.name for spoke in fleet.SPOKES}
    expected = {key: f"{key[1]}/v1" for key in fleet.KEYS} | {("cloud-west", "anomaly-detector"): "anomaly-detector/v2"}
    assert dict(desired.models) == expected
