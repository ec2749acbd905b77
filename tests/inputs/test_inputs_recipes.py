"""Recipes and sources in the values: what is wrong with them, where, and what they become."""

import pytest

from hubctl.model.fleet import services
from hubctl.model.upstream import RECIPES
from tests.inputs.inputfolder import SPOKE, VALUES, Folder

SOURCES = """\
hubctl:
  prometheus:
    sources:
      acm: {url: "https://metrics.example.com"}
"""
RECIPE = """\
  models:
    anomaly-detector:
      features:
        prometheus:
          metrics:
            - name: load
              query: avg by ($cluster) (load{$selector})
              derive: [value, mean 5m]
"""

MODEL = "hubctl.models.anomaly-detector.features.prometheus"
SOURCE = "hubctl.prometheus.sources.acm"


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("by ($cluster) ", "", "17 MODEL.metrics[0].query", "by ($cluster)"),
        ("metrics:", "source: acn\n          metrics:", "15 MODEL.source", "'acn'"),
        ("mean 5m", "mean", "18 MODEL.metrics[0].derive[1]", "mean 5m"),
        ("name: load", "nam: load", "16 MODEL.metrics[0].nam", "unknown key"),
        ("mean 5m", "lag 90s", "14 MODEL", "no multiple of the step"),
        ("$selector", "$selektor", "17 MODEL.metrics[0].query", "$selektor"),
        ("https://", "ftp://", "10 SOURCE.url", "http:// or https://"),
        ("example.com\"", "{cluster}.com\"", "10 SOURCE", "scope: spoke"),
        ("example.com\"", "example.com\", scope: spoke", "10 SOURCE", "{cluster} in url"),
        ("example.com\"", "example.com\", spokeToken: true", "10 SOURCE", "needs scope: spoke"),
        ("example.com\"", "example.com\", headers: {Host: x}", "10 SOURCE.headers.Host", "tokenFile"),
        ("example.com\"", "example.com:70000\"", "10 SOURCE.url", "a port from 1"),
        ("    sources:", "    default: other\n    sources:", "8 hubctl.prometheus", "'other' is no source"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(folder: Folder, old: str, new: str, where: str, message: str) -> None:
    text = (VALUES + SOURCES + RECIPE).replace(old, new, 1)
    folder.write("values-hub.yaml", text)
    problems = folder.problems()
    place = where.replace("MODEL", MODEL).replace("SOURCE", SOURCE)
    told = [f"{problem.message} {problem.hint}" for problem in problems if problem.where.endswith(place)]
    assert any(message in one for one in told), problems


def test_recipe_without_a_source_says_where_sources_belong(folder: Folder) -> None:
    folder.write("values-hub.yaml", VALUES + "hubctl:\n" + RECIPE)
    [problem] = folder.problems()
    assert problem.message == "found no source, and no default, expected one of hubctl.prometheus.sources: none"
    assert "values-hub.yaml" in problem.hint


def test_query_of_a_spokes_own_source_need_not_tell_spokes_apart(folder: Folder) -> None:
    own = SOURCES.replace('metrics.example.com"', '{cluster}.example.com", scope: spoke')
    folder.write("values-hub.yaml", VALUES + own + RECIPE.replace("by ($cluster) ", ""))
    assert folder.load().clusters[0].models[0].metrics is not None


def test_patch_of_a_spoke_is_checked_at_its_own_line(folder: Folder) -> None:
    recipe = "{prometheus: {source: acn, metrics: [{name: a, query: up}]}}"
    patch = f"  overrides:\n    models:\n      anomaly-detector:\n        features: {recipe}\n"
    folder.write("values-hub.yaml", VALUES + SOURCES).write("clusters/edge-a.yaml", SPOKE + patch)
    [problem] = folder.problems()
    assert problem.where.startswith("clusters/edge-a.yaml:14 spec.overrides.models.anomaly-detector.features")
    assert problem.hint == "did you mean acm?"


def test_upstreams_models_get_their_recipes_once_there_is_a_source(folder: Folder) -> None:
    folder.write("values-hub.yaml", VALUES + SOURCES)
    [service] = services(folder.load())
    assert service.profile.features == RECIPES["anomaly-detector"]
    assert service.metrics is not None
    assert service.metrics.name == "acm"


@pytest.mark.parametrize(
    "text",
    ["", SOURCES + "    upstreamRecipes: false\n", SOURCES + "      other: {url: 'https://other.example.com'}\n"],
)
def test_without_a_default_source_or_by_wish_they_do_not(folder: Folder, text: str) -> None:
    folder.write("values-hub.yaml", VALUES + text)
    [service] = services(folder.load())
    assert (service.profile.features, service.metrics) == (None, None)


def test_token_in_clear_and_a_timeout_that_nothing_reads_are_warned_about(folder: Folder) -> None:
    clear = SOURCES.replace('https://metrics.example.com"', 'http://metrics.example.com", tokenFile: token')
    folder.write("values-hub.yaml", VALUES + clear + RECIPE.replace("features:", "features:\n        timeout: 5s"))
    told = folder.load().warnings
    assert any(f"{SOURCE}: its url is http" in one for one in told)
    assert any("timeout is not read: the source says its timeout" in one for one in told)
