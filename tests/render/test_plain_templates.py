"""A person's own templates may render no credential: what is rendered goes into Git."""

from pathlib import Path

import pytest

from hubctl.errors import TemplateError
from hubctl.model.cluster import ManagedCluster
from hubctl.model.credential import NotCredential
from hubctl.model.tree import RenderedTree
from hubctl.model.values import HubctlSection, HubValues
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, spoke

HEAD = (
    '[% from "provenance.j2" import labels %]\napiVersion: v1\nkind: KIND\nmetadata:\n  name: extra\n[[ labels() -]]\n'
)
SECRET = HEAD.replace("KIND", "Secret")
CONFIG = HEAD.replace("KIND", "ConfigMap")
TOKEN = "ghp_" + "a1" * 18


def rendered(folder: Path, text: str, *marks: NotCredential, **clusters: ManagedCluster) -> RenderedTree:
    """A fleet with one own template for spokes."""
    path = folder / "spoke" / "extra.yaml.j2"
    path.parent.mkdir()
    path.write_text(text)
    inputs = hub(clusters.get("one", spoke("edge-a")))
    section = inputs.values.hubctl.model_copy(update={"not_credentials": marks})
    values = inputs.values.model_copy(update={"hubctl": section})
    return render_tree(type(inputs)(values=values, clusters=inputs.clusters), load_templates(folder))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f"{SECRET}stringData:\n  user: hunter22\n", "stringData.user"),
        (f"{SECRET}data:\n  any: aHVudGVyMjI=\n", "data.any"),
        (f"{CONFIG}data:\n  password: hunter22\n", "data.password"),
        (f"{CONFIG}data:\n  app.ini: |\n    user = me\n    password = hunter22\n", "data.app.ini"),
        (f"{CONFIG}env:\n  - name: API_TOKEN\n    value: hunter22\n", "env[0].value"),
        (f"{CONFIG}data:\n  x: [[ 'ghp_' ~ 'a1' * 18 ]]\n", "data.x"),
    ],
)
def test_rendered_credential_is_refused_with_its_field(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(tmp_path, text)
    assert caught.value.where == "templates/spoke/extra.yaml.j2 (spoke edge-a)"
    assert caught.value.message.startswith(f"extra.yaml {field}: ")
    assert "ExternalSecret" in caught.value.hint
    assert "hunter22" not in str(caught.value)
    assert "a1a1" not in str(caught.value)


@pytest.mark.parametrize("line", [f"# {TOKEN}", f"[# {TOKEN} #]", f"[% if false %]\n{TOKEN}\n[% endif %]"])
def test_credential_in_the_text_of_a_template_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(tmp_path, f"{CONFIG}data: {{}}\n{line}\n")
    assert caught.value.where.startswith("templates/spoke/extra.yaml.j2:")
    assert caught.value.message == "holds a GitHub token, expected no credential in plain text"


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET}type: kubernetes.io/service-account-token\n",
        f"{SECRET}stringData:\n  password: <path:secret/data/db#password>\n",
        f"{SECRET}data: {{}}\n",
        f"{CONFIG}env:\n  - name: API_TOKEN\n    valueFrom: {{secretKeyRef: {{name: db, key: token}}}}\n",
        f"{CONFIG}spec:\n  secretStoreRef: {{name: v}}\n  data:\n    - secretKey: PASSWORD_KEY\n",
    ],
)
def test_reference_is_rendered(tmp_path: Path, text: str) -> None:
    assert "spokes/edge-a/extra.yaml" in rendered(tmp_path, text).files


def test_marked_field_of_a_secret_is_rendered(tmp_path: Path) -> None:
    text = f"{SECRET}stringData:\n  name: edge\n  server: https://edge\n"
    mark = NotCredential(file="templates/spoke/extra.yaml.j2", field="stringData.*", reason="where, not who")
    assert "spokes/edge-a/extra.yaml" in rendered(tmp_path, text, mark).files


def test_marked_text_of_a_template_is_rendered(tmp_path: Path) -> None:
    mark = NotCredential(file="templates/spoke/extra.yaml.j2", field="*", reason="an example")
    assert rendered(tmp_path, f"{CONFIG}data: {{}}\n# {TOKEN}\n", mark).files


def test_packaged_templates_are_never_looked_at() -> None:
    assert load_templates(None).own == {}
    assert HubValues(hubctl=HubctlSection()).hubctl.not_credentials == ()
