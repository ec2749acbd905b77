"""Which line of which template wrote a value: also in macros, loops, filters and trimmed lines."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hubctl.model.fleet import HubInputs
from hubctl.render import leaves, marks, scenes
from hubctl.render.marks import Line, Marking
from hubctl.render.templates import Templates, load_templates

SEEN = {"name": "edge-a", "items": ["x", "y"], "on": True, "deep": {"b": 2, "a": "1"}}


def lines(folder: Path, text: str) -> dict[tuple[object, ...], Line]:
    (folder / "spoke" / "own.yaml.j2").write_text(text)
    plain, marked = load_templates(folder), load_templates(folder, Marking)
    texts = [one.render("spoke/own.yaml.j2", SEEN, "spoke") for one in (plain, marked)]
    assert isinstance(marked.environment, Marking)
    return marks.lines_of(marks.read(texts[1], texts[0], marked.environment))


@pytest.mark.parametrize(
    ("text", "trail", "number", "wrote"),
    [
        ("a: 1\nb: 2\n", (0, "b"), 2, "template"),
        ("a: [[ name ]]\n", (0, "a"), 1, "expression"),
        ("a: on [[ name ]]\n", (0, "a"), 1, "expression"),
        ("[% if on %]\na: 1\n[% endif %]\nb: 2\n", (0, "b"), 4, "template"),
        ("a:\n[% for one in items %]\n  - [[ one ]]\n[% endfor %]\n", (0, "a", 1), 3, "expression"),
        ("a: 1\n[# why -#]\n\n\nb: 2\n", (0, "b"), 5, "template"),
        ("[[ name ~ ': 1\\n' -]]\n\n\nb: 2\n", (0, "b"), 4, "template"),
        ("[% macro m() %]\n  x\n[% endmacro %]\na: [[ m()|trim ]]\n", (0, "a"), 2, "template"),
        ("[% macro m() %]\na: 1\nb: [[ name ]]\n[% endmacro %]\nx: 1\n[[ m() -]]\n", (0, "b"), 3, "expression"),
        ("x:\n[% filter indent(2, true) %]\na: 1\nb: 2\n[% endfilter %]\n", (0, "x", "b"), 4, "template"),
        ("x:\n  [[ deep|yaml(2) ]]\n", (0, "x", "b"), 2, "expression"),
        ("a: 1\n---\nb: 2\n", (1, "b"), 3, "template"),
        ("a: |\n  one\n  [[ name ]]\n", (0, "a"), 1, "expression"),
        ("[[ name ]]: 1\n", (0, "edge-a"), 1, "template"),
        ("a: {}\nb: []\nc:\n", (0, "b"), 2, "template"),
        ("a: 1\n1: x\n", (0, 1), 2, "template"),
    ],
)
def test_line_of_a_value(own_templates: Path, text: str, trail: tuple[object, ...], number: int, wrote: str) -> None:
    assert lines(own_templates, text)[trail] == Line("spoke/own.yaml.j2", number, wrote == "expression")


@pytest.mark.parametrize(
    "text",
    [
        "[% macro m() %]\nx\n[% endmacro %]\na: [[ m()|length ]]\n",
        "[% set t %]abc[% endset %]\na: [[ t[:2] ]]\n",
    ],
)
def test_template_that_reads_its_own_output_has_no_lines(own_templates: Path, text: str) -> None:
    assert lines(own_templates, text) == {}


def test_every_value_of_every_packaged_template_has_its_line(fleet: HubInputs, templates: Templates) -> None:
    marked = load_templates(None, Marking)
    assert isinstance(marked.environment, Marking)
    for cluster in fleet.clusters:
        inputs = replace(fleet, clusters=(cluster,))
        for name in (name for name in templates.names if name.startswith("spoke/")):
            for _, scene in scenes.scenes(name, inputs, templates):
                plain = templates.render(name, scene, "spoke")
                found = marks.lines_of(marks.read(marked.render(name, scene, "spoke"), plain, marked.environment))
                documents = list(yaml.load_all(plain, Loader=yaml.CSafeLoader))
                assert set(found) == {trail for trail, _ in leaves.leaves(documents) if trail}, name
