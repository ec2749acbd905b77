"""docs/templates.md against the template environment and what templates see."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import yaml
from jinja2.filters import FILTERS

from hubctl.cli import main
from hubctl.inputs.load import load_inputs
from hubctl.model import origin
from hubctl.model.runtime import ServingRuntime
from hubctl.model.storage import S3Storage
from hubctl.render import context
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings
from tests.docs import markdown

PAGE = markdown.page("docs/templates.md")
_LINE = re.compile(r"\.j2:\d+")
SAMPLE = load_inputs(Settings(markdown.ROOT, markdown.ROOT / "no-state"), {})


def test_every_packaged_template_is_listed() -> None:
    folder = markdown.ROOT / "hubctl" / "templates"
    expected = {str(path.relative_to(folder)) for path in folder.rglob("*.j2")}
    assert expected == set(PAGE.words("Packaged templates"))


def test_every_filter_of_ours_is_listed() -> None:
    ours = set(load_templates(None).environment.filters) - set(FILTERS)
    assert ours == {word.partition("(")[0] for word in PAGE.words("Filters")}


def test_filters_and_globals_that_are_missing_are_named() -> None:
    for name in set(FILTERS) - set(load_templates(None).environment.filters):
        assert f"`{name}`" in PAGE.section("Filters")


def test_delimiters_are_shown() -> None:
    environment = load_templates(None).environment
    for mark in (environment.variable_start_string, environment.block_start_string, environment.comment_start_string):
        assert mark in PAGE.section("Delimiters")


def of_a_runtime() -> set[str]:
    """What templates see of one runtime; the samples need none of their own."""
    cluster = SAMPLE.clusters[0]
    first = cluster.models[0]
    served = replace(first, profile=first.profile.model_copy(update={"runtime": "ours"}))
    runtimes = {"ours": ServingRuntime(image="server:1", formats=("sklearn",))}
    [found] = context.runtimes_context(replace(cluster, models=(served,)), runtimes)
    return set(found)


def test_every_name_that_spoke_templates_see_is_listed() -> None:
    expected = set()
    for cluster in SAMPLE.clusters:
        seen = context.spoke_context(SAMPLE, cluster)
        kind = "s3" if isinstance(cluster.storage, S3Storage) else "pvc"
        expected |= {f"spoke.{key}" for key in seen["spoke"]}
        expected |= {f"storage.{key} ({kind})" if key != "type" else "storage.type" for key in seen["storage"]}
        expected |= {f"model.{key}" for key in seen["models"][0]} | {"models", "engine.env", "template", "resources"}
        expected |= {f"monitoring.{key}" for key in seen["monitoring"]} | {"networkPolicy.peers"}
    expected |= {f"runtimes[].{key}" for key in of_a_runtime()}
    assert expected == set(PAGE.words("What spoke templates see"))


def test_every_name_that_hub_templates_see_is_listed() -> None:
    seen = context.hub_context(SAMPLE)
    expected = {f"gitops.{key}" for key in seen["gitops"]} | {f"spokes[].{key}" for key in seen["spokes"][0]}
    expected |= {f"delivery.{key}" for key in seen["delivery"]}
    expected |= {"platforms", "kinds", "platform", "spoke", "clusterProxy", "engine", "install", "source"}
    expected |= {"template", "resources"}
    assert expected == set(PAGE.words("What hub templates see"))


def test_the_explanation_that_is_shown_is_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    command, *expected = next(block for block in PAGE.blocks("console") if "--explain" in block).splitlines()
    assert main.run(["-C", str(markdown.ROOT), *command.split()[2:]]) == 0
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    # Of a template that is edited above it, the number of a line tells the reader nothing new.
    assert [_LINE.sub(".j2:N", line) for line in shown] == [_LINE.sub(".j2:N", line) for line in expected]


def test_every_role_of_an_input_is_explained() -> None:
    assert {"template", "there by", *get_args(origin.Role)} < set(PAGE.words("Where a value comes from"))


def test_the_example_renders_for_every_spoke(tmp_path: Path) -> None:
    (tmp_path / "spoke").mkdir()
    (tmp_path / "spoke" / "alert-rules.yaml.j2").write_text(PAGE.blocks("jinja")[0])
    made = render_tree(SAMPLE, load_templates(tmp_path)).files
    for cluster in SAMPLE.clusters:
        rules = yaml.safe_load(made[f"spokes/{cluster.name}/alert-rules.yaml"])["data"]["rules.yaml"]
        assert [model.name for model in cluster.models] == yaml.safe_load(rules)["models"]
