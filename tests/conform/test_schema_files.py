"""Schemas from files: CRDs as people keep them, and what a cluster's OpenAPI answered."""

import json
from pathlib import Path

import pytest
import yaml

from hubctl.conform import files
from hubctl.errors import InputError
from tests.conform.crds import TEXT, definition, obj, openapi


def test_file_of_several_documents_gives_the_kinds_among_them(tmp_path: Path) -> None:
    both = [definition(obj(a=TEXT)), {"kind": "Namespace"}, definition(obj(a=TEXT), version="v2")]
    (tmp_path / "crds.yaml").write_text(yaml.safe_dump_all([*both, None]))
    found = list(files.read(tmp_path / "crds.yaml"))
    assert [(kind.api_version, file.name) for kind, file in found] == [
        ("example.com/v1", "crds.yaml"),
        ("example.com/v2", "crds.yaml"),
    ]


def test_folder_is_read_with_those_below_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "core.json").write_text(json.dumps(openapi(Spec=obj(a=TEXT))))
    (tmp_path / "crd.yml").write_text(yaml.safe_dump(definition(obj(a=TEXT))))
    (tmp_path / "values.yaml").write_text("a: 1\n")
    (tmp_path / "README.md").write_text("{")
    assert sorted(kind.name for kind, _ in files.read(tmp_path)) == ["Gadget", "Widget"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.yaml", "a: 1\n", "describes no kind"),
        ("a.yaml", "a: [\n", "cannot read"),
        ("a.json", "{", "cannot read"),
        ("a.json", '{"swagger": "2.0", "definitions": {}}', "OpenAPI v2"),
        ("a.yaml", "kind: CustomResourceDefinition\nspec: {}\n", "describes no kind"),
        ("a.yaml", "kind: CustomResourceDefinition\nspec: {versions: [{name: v1}]}\n", "no whole CRD"),
        ("a.yaml", "kind: CustomResourceDefinition\n", "no whole CRD"),
    ],
)
def test_file_that_gives_no_kind_is_refused(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=complaint):
        list(files.read(tmp_path / name))
