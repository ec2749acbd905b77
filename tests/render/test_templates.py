import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError, TemplateError
from hubctl.model.fleet import HubInputs
from hubctl.render.templates import Templates, load_templates, quote, to_yaml
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, service, spoke

MANIFEST = """\
[% from "provenance.j2" import labels, annotations %]
apiVersion: v1
kind: ConfigMap
metadata:
  name: extra
[[ labels() -]]
[[ annotations(spoke.source, template) -]]
data:
"""


def write(folder: Path, text: str, name: str = "extra.yaml.j2") -> Templates:
    (folder / "spoke" / name).write_text(text)
    return load_templates(folder)


def test_misspelt_value_names_the_template_line_the_spoke_and_the_nearest_spelling(
    own_templates: Path, fleet: HubInputs
) -> None:
    templates = write(own_templates, MANIFEST + "  a: [[ spoke.platfrom ]]\n")
    with pytest.raises(TemplateError) as failed:
        render_tree(fleet, templates)
    assert failed.value.where == "templates/spoke/extra.yaml.j2:9 (spoke cloud)"
    assert "did you mean 'platform'" in failed.value.hint


@pytest.mark.parametrize("expression", ["spoke.__class__", "''.__class__.__mro__", "spoke.name.format.__globals__"])
def test_template_cannot_leave_the_sandbox(own_templates: Path, fleet: HubInputs, expression: str) -> None:
    templates = write(own_templates, MANIFEST + f"  a: [[ {expression} ]]\n")
    with pytest.raises(TemplateError):
        render_tree(fleet, templates)


@pytest.mark.parametrize("filter_name", ["random", "urlize"])
def test_filters_of_chance_do_not_exist(own_templates: Path, filter_name: str) -> None:
    (own_templates / "spoke/extra.yaml.j2").write_text(f"[[ [1, 2]|{filter_name} ]]")
    with pytest.raises(TemplateError, match=filter_name):
        load_templates(own_templates)


def test_syntax_error_names_the_template_and_line(own_templates: Path) -> None:
    (own_templates / "spoke/extra.yaml.j2").write_text("a: 1\n[% if %]\n")
    with pytest.raises(TemplateError) as failed:
        load_templates(own_templates)
    assert failed.value.where == "templates/spoke/extra.yaml.j2:2"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [1\n", "is not YAML"),
        ("- a\n", "no Kubernetes object"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "lacks the label"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: x\n", "lacks the label"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: x}\n", "lacks the label"),
        ("a: 1\na: 2\n", r'yaml is not YAML: .*"a"'),
    ],
)
def test_template_that_makes_no_manifest_of_ours_is_refused(
    own_templates: Path, fleet: HubInputs, text: str, complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        render_tree(fleet, write(own_templates, text))


def test_own_template_replaces_the_packaged_one_and_others_are_added(own_templates: Path, fleet: HubInputs) -> None:
    write(own_templates, "\n", "storage.yaml.j2")
    files = render_tree(fleet, write(own_templates, MANIFEST + "  name: [[ spoke.name|quote ]]\n")).files
    assert "spokes/cloud/storage.yaml" not in files
    assert b'name: "cloud"' in files["spokes/cloud/extra.yaml"]
    assert b"extra.yaml" in files["spokes/cloud/kustomization.yaml"]


def test_go_template_braces_pass_through(own_templates: Path, fleet: HubInputs) -> None:
    files = render_tree(fleet, write(own_templates, MANIFEST + '  go: "{{ .cluster }}"\n')).files
    assert b'go: "{{ .cluster }}"' in files["spokes/cloud/extra.yaml"]


def test_unknown_repetition_in_a_template_name_is_refused(own_templates: Path, fleet: HubInputs) -> None:
    with pytest.raises(TemplateError, match="each 'zone'") as failed:
        render_tree(fleet, write(own_templates, MANIFEST, "extra.each-zone.yaml.j2"))
    assert failed.value.where == "templates/spoke/extra.each-zone.yaml.j2"


def test_missing_remote_says_which_value_to_set(templates: Templates) -> None:
    with pytest.raises(InputError) as failed:
        render_tree(hub(spoke("edge"), remote=None), templates)
    assert failed.value.where == "values-hub.yaml hubctl.gitops.remote"


def test_same_inputs_give_the_same_bytes_under_every_hash_seed() -> None:
    program = (
        "import hashlib, json; from tests.render.fleets import *; from hubctl.render.templates import load_templates;"
        "from hubctl.render.tree import render_tree;"
        "files = render_tree(hub(spoke('b', labels={'x': '1', 'a': '2'}), spoke('a')), load_templates(None)).files;"
        "print(hashlib.sha256(repr(list(files.items())).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(digests) == 1


@settings(deadline=None)  # a whole fleet is rendered twice, on a machine that others use too
@given(st.permutations(["a", "b", "c", "d"]))
def test_order_of_spokes_does_not_change_a_byte(names: list[str]) -> None:
    templates = load_templates(None)
    in_order = render_tree(hub(*map(spoke, ["a", "b", "c", "d"])), templates)
    assert list(render_tree(hub(*map(spoke, names)), templates).files.items()) == list(in_order.files.items())


@settings(deadline=None)  # as above
@given(st.sampled_from(["123", "1e5", "null", "true", "0x1f", "1.5"]))
def test_names_that_look_like_other_yaml_types_stay_strings(name: str) -> None:
    model = service(name, "anomaly-detector", namespace=name.replace(".", "-"))
    files = render_tree(hub(spoke(name, model, namespace="ns")), load_templates(None)).files
    manifest = yaml.safe_load(files[f"spokes/{name}/inferenceservice-anomaly-detector.yaml"])
    assert manifest["metadata"]["namespace"] == name.replace(".", "-")
    assert yaml.safe_load(files[f"spokes/{name}/delivery.yaml"])["cluster"] == name


@given(st.text())
@example("\x9a\x85\u2028\ufeff\ufffe\n\t\x7f")
def test_quoted_text_comes_back_unchanged(text: str) -> None:
    assert yaml.safe_load(f"a: {quote(text)}") == {"a": text}


@given(
    st.recursive(
        st.booleans() | st.integers(),
        lambda inner: st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=3),
    )
)
def test_yaml_filter_indents_what_it_writes(value: object) -> None:
    assert yaml.safe_load("a:\n    " + to_yaml(value, 4)) == {"a": value}


def test_quantity_that_only_kubernetes_reads_as_a_number_is_quoted() -> None:
    assert to_yaml({"cpu": "1e9", "memory": "Gi"}) == 'cpu: "1e9"\nmemory: Gi'
