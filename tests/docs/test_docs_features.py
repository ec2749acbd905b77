"""docs/features.md against the code: its examples are valid, and what ACM has to send is what the recipes ask for."""

import re

import yaml

from hubctl.inputs.document import parse
from hubctl.inputs.explain import check
from hubctl.inputs.references import recipes
from hubctl.model import features, upstream, values
from tests.docs import markdown

PAGE = markdown.page("docs/features.md")


def test_examples_are_valid() -> None:
    read = [parse(block, "docs/features.md") for block in PAGE.blocks("yaml")]
    ours = [document for document in read if "hubctl" in document.data]
    assert len(ours) == 2
    for document in ours:
        section = check(values.HubctlSection, document, ("hubctl",))
        assert recipes(section, document) == []


def test_allowlist_is_of_every_metric_that_the_recipes_ask_for() -> None:
    [config] = [found for block in PAGE.blocks("yaml") if (found := yaml.safe_load(block)).get("kind") == "ConfigMap"]
    listed = yaml.safe_load(config["data"]["metrics_list.yaml"])["names"]
    made = [found.prometheus for found in upstream.RECIPES.values() if found.prometheus]
    asked = {name for one in made for metric in one.metrics for name in re.findall(r"(\w+)\{", metric.query)}
    assert sorted(listed) == sorted(asked)


def test_every_derivation_is_explained_and_no_other() -> None:
    told = " ".join(PAGE.words("Derivations")).replace("`", "").split(", ")
    named = {features.derivation(word).kind for cell in told for word in re.findall(r"[a-z_]+(?: \d+m)?", cell)}
    assert named == set(features.Kind.__args__)  # type: ignore[attr-defined]


def test_recipes_that_come_with_hubctl_are_listed_with_their_features() -> None:
    rows = dict(PAGE.rows("Recipes that come with hubctl"))
    assert set(rows) == set(upstream.RECIPES)
    for model, found in upstream.RECIPES.items():
        assert found.prometheus is not None
        for metric in found.prometheus.metrics:
            assert f"`{metric.name}`" in rows[model]
        assert rows[model].startswith(str(len(found.prometheus.features)))
