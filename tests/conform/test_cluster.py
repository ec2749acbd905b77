"""How a cluster is asked: page by page, on behalf of who may little, and what its refusals mean."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.conform import dryrun, pull
from hubctl.conform.dryrun import Asker, Manifest, Verdict
from hubctl.conform.kinds import Wanted
from hubctl.errors import InputError, RemoteFailed
from hubctl.fleet import cluster
from tests.conform.apistub import Stub, Told, serving
from tests.conform.crds import TEXT, definition, obj, openapi, widget

CRDS = f"GET {pull.DEFINITIONS}"
INDEX: Told = (200, {"paths": {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=1"}, ".well-known": {}}})
CORE: dict[str, Any] = {"GET /openapi/v3": INDEX, "GET /openapi/v3/api/v1": (200, openapi(Spec=obj(a=TEXT)))}


def page(version: str, token: str = "") -> Told:
    return 200, {"metadata": {"continue": token}, "items": [definition(obj(a=TEXT), version=version)]}


def kinds(stub: Stub, folder: Path, wanted: Wanted | None = None) -> list[tuple[str, str]]:
    asked = cluster.connect(stub.kubeconfig(folder), None)
    return [(kind.api_version, kind.name) for kind in pull.pull(asked, wanted)]


def test_crds_are_read_page_by_page_and_the_servers_own_kinds_from_openapi(tmp_path: Path) -> None:
    with serving({CRDS: [page("v1", "more"), page("v2")], **CORE}) as stub:
        assert kinds(stub, tmp_path) == [("example.com/v1", "Widget"), ("example.com/v2", "Widget"), ("v1", "Gadget")]
        assert [query.get("continue") for _, path, query, _ in stub.asked if path == pull.DEFINITIONS] == [
            None,
            ["more"],
        ]


def test_documents_of_groups_that_nobody_wants_are_not_read(tmp_path: Path) -> None:
    with serving({CRDS: page("v1"), **CORE}) as stub:
        assert kinds(stub, tmp_path, {("example.com/v1", "Widget")}) == [("example.com/v1", "Widget")]
        assert "/openapi/v3/api/v1" not in {path for _, path, _, _ in stub.asked}


def test_who_may_not_list_crds_still_gets_what_openapi_has(tmp_path: Path) -> None:
    with serving({CRDS: (403, {"message": "no"}), **CORE}) as stub:
        assert kinds(stub, tmp_path) == [("v1", "Gadget")]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, {"message": "etcd is ill"}, "etcd is ill"),
        (502, "<html>bad gateway</html>", "bad gateway"),
        (503, "", "HTTP 503"),
    ],
)
def test_server_in_trouble_is_a_remote_failure_with_its_words(
    tmp_path: Path, status: int, body: Any, said: str
) -> None:
    with serving({CRDS: (status, body), **CORE}) as stub, pytest.raises(RemoteFailed, match=said) as failed:
        kinds(stub, tmp_path)
    assert failed.value.where == stub.address


def test_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    with serving({}) as stub, pytest.raises(InputError, match="nowhere"):
        cluster.connect(stub.kubeconfig(tmp_path), "nowhere")


def test_without_kubeconfig_and_pod_the_error_says_how_to_name_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError) as failed:
        cluster.connect(None, None)
    assert "--kubeconfig" in failed.value.hint


def test_text_of_a_document_is_what_stands_in_the_file() -> None:
    text = (
        "# Ours.\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\nkind: B\nb: |\n  x\n  --- no mark\nmetadata: {}\n"
    )
    first, second = dryrun.documents("hub/a.yaml", text, list(yaml.safe_load_all(text)))
    assert first.text + second.text == text.partition("# Ours.\n")[2]
    assert second.content["b"] == "x\n--- no mark\n"


SERVED: Told = (200, {"resources": [{"kind": "Widget", "name": "widgets", "namespaced": True}]})
COLLECTION = "/apis/example.com/v1/namespaces/ns/widgets"
DEFAULT = "/apis/example.com/v1/namespaces/default/widgets"
LACKS: Told = (404, {"message": 'namespaces "ns" not found', "details": {"kind": "namespaces", "name": "ns"}})
EXISTS: Told = (409, {"message": "already exists", "reason": "AlreadyExists"})
TAKEN: Told = (201, {})


def asked(
    answers: dict[str, Any], folder: Path, made: frozenset[str] | None = frozenset()
) -> tuple[dryrun.Result, list[str]]:
    """The verdict on a Widget, and the requests that it took."""
    manifest = Manifest("hub/w.yaml", "kind: Widget\n", widget({}, namespace="ns"))
    with serving({"GET /apis/example.com/v1": SERVED, **answers}) as stub:
        [result] = Asker(cluster.connect(stub.kubeconfig(folder), None), made).ask_all([manifest], lambda: None)
        return result, [f"{method} {path}" for method, path, _, _ in stub.asked[1:]]


def test_question_is_a_dry_run_with_strict_fields(tmp_path: Path) -> None:
    manifest = Manifest("hub/w.yaml", "kind: Widget\n", widget({}, namespace="ns"))
    with serving({"GET /apis/example.com/v1": SERVED, f"POST {COLLECTION}": TAKEN}) as stub:
        Asker(cluster.connect(stub.kubeconfig(tmp_path), None), None).ask_all([manifest], lambda: None)
    *_, query, body = stub.asked[-1]
    assert (query["dryRun"], query["fieldValidation"]) == (["All"], ["Strict"])
    assert body == "kind: Widget\n"


def test_object_that_is_there_is_applied(tmp_path: Path) -> None:
    result, way = asked({f"POST {COLLECTION}": EXISTS, f"PATCH {COLLECTION}/w": (200, {})}, tmp_path)
    assert (result.verdict, result.how) == (Verdict.ACCEPTED, "apply")
    assert way == [f"POST {COLLECTION}", f"PATCH {COLLECTION}/w"]


def test_namespace_that_will_be_made_is_stood_in_for(tmp_path: Path) -> None:
    answers = {f"POST {COLLECTION}": LACKS, f"POST {DEFAULT}": (422, {"message": "spec.x: Invalid value"})}
    result, _ = asked(answers, tmp_path, frozenset({"ns"}))
    assert (result.verdict, result.message) == (Verdict.REFUSED, "spec.x: Invalid value")
    assert "asked in default" in result.note


def test_namespace_that_nobody_makes_is_a_refusal(tmp_path: Path) -> None:
    result, way = asked({f"POST {COLLECTION}": LACKS}, tmp_path)
    assert (result.verdict, len(way)) == (Verdict.REFUSED, 1)
    assert "no namespace ns" in result.message


@pytest.mark.parametrize(
    ("status", "message", "verdict"),
    [
        (400, 'strict decoding error: unknown field "spec.x"', Verdict.REFUSED),
        (422, "spec.x: Invalid value", Verdict.REFUSED),
        (403, 'admission webhook "inferenceservice" denied the request: no', Verdict.REFUSED),
        (403, 'widgets is forbidden: User "a" cannot create resource "widgets"', Verdict.FAILED),
        (429, "too many requests", Verdict.FAILED),
        (500, "failed calling webhook", Verdict.FAILED),
    ],
)
def test_refusals_are_told_from_failures(tmp_path: Path, status: int, message: str, verdict: Verdict) -> None:
    result, _ = asked({f"POST {COLLECTION}": (status, {"message": message})}, tmp_path)
    assert (result.verdict, result.message) == (verdict, message)


def test_kind_that_is_not_served_is_a_refusal(tmp_path: Path) -> None:
    result, way = asked({"GET /apis/example.com/v1": (404, {})}, tmp_path)
    assert (result.verdict, way) == (Verdict.REFUSED, [])
    assert "serves no Widget" in result.message
