"""What a template used of its context: read, not merely named; and for a field, what decides it."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hubctl.cli.tracing import field_in, steps_of
from hubctl.model.fleet import HubInputs
from hubctl.render import watch
from hubctl.render.templates import Templates, load_templates
from hubctl.render.tree import Making, making, render_tree


def watched(folder: Path, text: str, **others: str) -> Templates:
    (folder / "spoke" / "own.yaml.j2").write_text(text)
    for name, content in others.items():
        (folder / f"{name}.j2").write_text(content)
    return load_templates(folder, watch.Watching)


def names(templates: Templates, seen: dict[str, Any]) -> list[str]:
    trails = watch.used(templates, Making("spoke/own.yaml.j2", seen, "spoke a"))
    return [".".join(map(str, trail)) for trail in trails]


SEEN = {
    "spoke": {"name": "a", "labels": {"x": "1", "y": "2"}, "list": ["n"], "none": None, "empty": {}},
    "models": [{"name": "m", "version": "v1"}, {"name": "n", "version": "v2"}],
    "on": True,
    "count": 3,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[ spoke.name ]]", ["spoke.name"]),
        ("[[ spoke['name'] ]]", ["spoke.name"]),
        ("[[ spoke.labels|yaml ]]", ["spoke.labels.x", "spoke.labels.y"]),
        ("[% for one in spoke.list %][[ one ]][% endfor %]", ["spoke.list"]),
        ("[% for one in models %][[ one.name ]][% endfor %]", ["models.0.name", "models.1.name"]),
        ("[[ models|map(attribute='version')|list ]]", ["models.0.version", "models.1.version"]),
        ("[[ models[1].name ]]", ["models.1.name"]),
        ("[% if on %][[ spoke.name ]][% else %][[ count ]][% endif %]", ["on", "spoke.name"]),
        ("[% if not on %][[ spoke.name ]][% endif %]x", ["on"]),
        ("[% set it = spoke %][[ it.name ]]", ["spoke.name"]),
        ("[[ spoke.none or spoke.empty ]]", ["spoke.empty", "spoke.none"]),
        (
            "[[ spoke.name ]] [[ spoke.labels.x ]] [[ spoke.labels|yaml ]]",
            ["spoke.labels.x", "spoke.labels.y", "spoke.name"],
        ),
        (
            "[[ spoke.name ]] [[ spoke|yaml ]]",
            ["spoke.empty", "spoke.labels.x", "spoke.labels.y", "spoke.list", "spoke.name", "spoke.none"],
        ),
        ("plain", []),
    ],
)
def test_only_values_that_are_read_are_used(own_templates: Path, text: str, expected: list[str]) -> None:
    assert names(watched(own_templates, text), SEEN) == expected


def test_values_read_by_an_included_template_are_used(own_templates: Path) -> None:
    templates = watched(own_templates, "[% include 'part.j2' %]", part="[[ count ]] [[ spoke.name ]]")
    assert names(templates, SEEN) == ["count", "spoke.name"]


def test_whole_context_of_a_name_is_used_when_it_is_written_as_a_whole(own_templates: Path) -> None:
    assert names(watched(own_templates, "[[ models|yaml ]]"), SEEN) == [
        "models.0.name",
        "models.0.version",
        "models.1.name",
        "models.1.version",
    ]


def field_of(inputs: HubInputs, path: str, field: str) -> set[str]:
    templates = load_templates(None, watch.Watching)
    made = making(inputs, templates, path)
    assert made is not None
    looked = partial(field_in, steps=steps_of(field))
    return {".".join(map(str, trail)) for trail in watch.decisive(templates, made, watch.used(templates, made), looked)}


SERVICE = "spokes/edge-sno/inferenceservice-anomaly-detector.yaml"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("spec.predictor.minReplicas", {"model.minReplicas"}),
        ("spec.predictor.deploymentStrategy.type", {"storage.type", "storage.accessMode"}),
        ('metadata.labels["app.kubernetes.io/version"]', {"model.version"}),
        ("spec.predictor.model.readinessProbe.httpGet.path", {"model.name"}),
        ("spec.predictor.model.protocolVersion", set()),
        ("apiVersion", set()),
    ],
)
def test_field_depends_on_what_changes_it(fleet: HubInputs, field: str, expected: set[str]) -> None:
    assert field_of(fleet, SERVICE, field) == expected


def test_every_file_of_a_tree_is_made_as_it_is_explained(fleet: HubInputs) -> None:
    templates = load_templates(None, watch.Watching)
    for path, data in render_tree(fleet, templates).files.items():
        made = making(fleet, templates, path)
        assert made is not None
        assert templates.render(made.template, made.seen, made.subject).encode() == data


@pytest.mark.parametrize("path", ["spokes/edge-ha/none.yaml", "spokes/none/storage.yaml", "storage.yaml", "", "hub"])
def test_file_that_no_template_makes_is_none(fleet: HubInputs, templates: Templates, path: str) -> None:
    assert making(fleet, templates, path) is None
