"""What hubctl says offline, from schemas pulled from the server, beside the server's own word on the same objects."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hubctl.cli import main
from hubctl.conform.cache import Cache
from hubctl.conform.check import Validators
from hubctl.render import documents
from tests.effort import times
from tests.kube import fleets, variants
from tests.kube.api import Api
from tests.kube.test_manifests_on_apiserver import (
    CLAIM,
    MISSPELT,
    MODEL,
    SET,
    SPOKES,
    VALUES,
    WRONG,
    WRONG_DELIVERY,
    WRONG_VARIANT,
    with_mistake,
)
from tests.kube.variants import spoke

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

FOUND_IS_ENOUGH = settings(deadline=None, phases=(Phase.reuse, Phase.generate))


@pytest.fixture(scope="module", params=["crds and openapi", "openapi alone"])
def validators(
    request: pytest.FixtureRequest, api: Api, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Validators:
    """From the server: as who may list CRDs, and from its published OpenAPI alone."""
    folder = tmp_path_factory.mktemp("schemas")
    pulling = ["-C", str(fleets.ROOT), "schemas", "pull"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBCTL_SCHEMAS", str(folder / "cache"))
        if request.param == "openapi alone":
            assert main.run([*pulling, "--from", str(saved_openapi(api, folder / "saved"))]) == 0
        else:
            assert main.run([*pulling, "--kubeconfig", str(kubeconfig), "--every"]) == 0
    cache = Cache(folder / "cache")
    return Validators(cache, cache.digest)


def saved_openapi(api: Api, folder: Path) -> Path:
    """Every document of /openapi/v3, as ``kubectl get --raw`` would save it."""
    folder.mkdir()
    for path, said in api.client.get("/openapi/v3").json()["paths"].items():
        if path.startswith(("api/", "apis/")):
            (folder / f"{path.replace('/', '_')}.json").write_bytes(api.client.get(said["serverRelativeURL"]).content)
    return folder


def offline(validators: Validators, document: dict[str, Any]) -> list[str]:
    """The fields that hubctl complains about."""
    found = validators.of("spokes", document["apiVersion"], document["kind"])
    assert found is not None, document["kind"]
    return [f"{one.field}: {one.message}" for one in found.complaints(document)]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every object of every fleet of these tests, and every Application that Argo CD makes of them."""
    made: dict[str, str] = {}
    for name, fleet in every_fleet(tmp_path_factory):
        made |= {f"{name}:{path}": text for path, text in fleet.objects.items()}
        made |= {f"{name}:application {path}": text for path, text in fleet.applications.items()}
    return made


def every_fleet(folders: pytest.TempPathFactory) -> Iterator[tuple[str, fleets.Fleet]]:
    folder = folders.mktemp("samples")
    yield "samples", fleets.rendered(fleets.ROOT, folder)
    fleets.write_demo(folder)
    yield "demo", fleets.rendered(folder, folder)
    folder = folders.mktemp("corners")
    fleets.write_fleet(folder, VALUES, *SPOKES)
    yield "corners", fleets.rendered(folder, folder)
    for name, delivery in variants.DELIVERIES.items():
        folder = folders.mktemp("variants")
        fleets.write_fleet(folder, variants.delivered(delivery), *variants.SPOKES)
        yield name, fleets.rendered(folder, folder)


def test_everything_that_the_server_takes_is_taken_offline(validators: Validators, everything: dict[str, str]) -> None:
    """That the server takes all of it, ``test_manifests_on_apiserver.py`` shows."""
    assert len(everything) > 300
    found = {name: offline(validators, yaml.safe_load(text)) for name, text in everything.items()}
    assert {name: said for name, said in found.items() if said} == {}


MORE = {
    "hubAcceptClient-like typo in a template": (SET, "      project:", "      projekt:"),
    "specs for spec in a template": (SET, "    spec:\n", "    specs:\n"),
    "number for a text": (MODEL, 'storageUri: "', "storageUri: 7 #"),
    "requeueAfter where it is none": (SET, "        revision:", "        requeueafter: 60\n        revision:"),
    "list for a mapping": (CLAIM, "requests:\n      storage:", "requests:\n      - storage:"),
    "template metadata": (SET, "metadata:\n      name:", "metadata:\n      label: {}\n      name:"),
    "label that is a number": (MODEL, "app.kubernetes.io/version: ", "app.kubernetes.io/version: 3 #"),
    "upper case in a name": (MODEL, 'name: "anomaly-detector"', 'name: "Anomaly"'),
}


def mistakes() -> dict[str, tuple[str, tuple[str, str, str]]]:
    """Every broken manifest of the tests: name to fleet and mistake."""
    return {
        **{name: ("samples", one) for name, one in (MISSPELT | WRONG).items()},
        **{name: ("variants", one) for name, one in WRONG_VARIANT.items()},
        **{name: ("pulled", (f"hub/{file}", a, b)) for name, (file, a, b) in WRONG_DELIVERY.items()},
        **{name: ("samples", (file, a, b)) for name, (file, a, b) in MORE.items()},
    }


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fleets.Fleet]:
    """The fleets that the mistakes are made in."""
    varied, pulled = tmp_path_factory.mktemp("varied"), tmp_path_factory.mktemp("pulled")
    fleets.write_fleet(varied, variants.VALUES, *variants.SPOKES)
    values = variants.delivered(variants.DELIVERIES["pulled by decisions"])
    fleets.write_fleet(pulled, values, spoke("a"))
    folders = {"samples": fleets.ROOT, "variants": varied, "pulled": pulled}
    return {name: fleets.rendered(folder, varied) for name, folder in folders.items()}


@pytest.mark.parametrize("name", mistakes())
def test_every_broken_manifest_is_refused_by_both(
    validators: Validators, api: Api, named: dict[str, fleets.Fleet], name: str
) -> None:
    fleet, mistake = mistakes()[name]
    broken = with_mistake(named[fleet], *mistake)
    parsed = yaml.safe_load(broken)
    api.make_namespace(parsed["metadata"].get("namespace", "default"))
    assert not api.ask(broken).accepted
    assert offline(validators, parsed)


SCALARS = (
    "12:30", "1e3", "y", "n", "Y", "yes", "on", "Off", "0o17", "0o8", "010", "08", "0x1f", "0x", "1_000", "_1", "~",
    "null", "nULL", "2026-01-01", "1.5", "+1", ".5", "1.", "0", ".inf", ".nan", "0b11", "y1", "1e", "True", "tRue",
    "1:2:3", "0.1.2", "1,000", "190:20:30.15", "09.5", "+.5e3",
)  # fmt: skip


def test_plain_scalar_is_of_the_same_type_to_both(validators: Validators, api: Api) -> None:
    differing = []
    for scalar in SCALARS:
        metadata = "metadata: {name: a, namespace: default}"
        text = f"apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata:\n  a: {scalar}\n"
        [parsed] = documents.parse(text)
        if api.ask(text).accepted == bool(offline(validators, parsed)):
            differing.append(scalar)
    assert differing == []


VALUES_TO_PUT: list[Any] = [
    None, True, 0, -1, 3.5, 1.0, 2**40, "", "x", "5Gi", "100mm", "Not A Name", [], {}, ["a"], {"a": "b"}, "true",
    [None], {"name": "a"},
]  # fmt: skip
SCHEMAS_KNOW = ("unknown field", "must be of type", "should match", "cannot unmarshal", "quantities must", "Duplicate")
"""Words of the server for what a schema tells; custom rules and what Kubernetes asks in code have others."""


IDENTITY = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}


def places(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in an object but those that say what it is."""
    if trail and trail not in {
        ("apiVersion",),
        ("kind",),
        ("metadata",),
        ("metadata", "name"),
        ("metadata", "namespace"),
    }:
        yield trail
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*trail, key))


@st.composite
def mutated(draw: st.DrawFn, texts: tuple[str, ...]) -> dict[str, Any]:
    """A right object with one thing changed."""
    made: dict[str, Any] = copy.deepcopy(yaml.load(draw(st.sampled_from(texts)), Loader=yaml.CSafeLoader))
    *way, last = draw(st.sampled_from(list(places(made))))
    parent: Any = made
    for key in way:
        parent = parent[key]
    how = draw(st.sampled_from(["rename", "put", "put", "remove", "add", "double"]))
    put = draw(st.sampled_from(VALUES_TO_PUT))
    if how == "rename" and isinstance(parent, dict):
        parent[f"{last}s"] = parent.pop(last)
    elif how == "remove":
        del parent[last]
    elif how == "add" and isinstance(parent[last], dict):
        parent[last][draw(st.sampled_from(["name", "type", "unknown", "labels", "env"]))] = put
    elif how == "double" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[last]))
    else:
        parent[last] = put
    return made


def test_any_change_to_an_object_gets_the_same_verdict_where_schemas_tell(
    validators: Validators, api: Api, everything: dict[str, str]
) -> None:
    by_kind: dict[str, str] = {}
    for text in everything.values():
        content = yaml.safe_load(text)
        api.make_namespace(content["metadata"]["namespace"])
        # The largest of each kind has the most places to be wrong at.
        by_kind[content["kind"]] = max(by_kind.get(content["kind"], ""), text, key=len)
    assert len(by_kind) >= 16

    @given(mutated(tuple(by_kind.values())))
    @settings(FOUND_IS_ENOUGH, max_examples=times(80, 400))
    def compare(document: dict[str, Any]) -> None:
        answer = api.ask(json.dumps(document))
        said = offline(validators, document)
        if answer.accepted:
            assert said == []
        elif any(word in answer.message for word in SCHEMAS_KNOW):
            assert said, answer.message

    compare()
