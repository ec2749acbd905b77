"""How a model is reached from outside of its cluster, and what a single node asks for."""

from typing import Any

import pytest
import yaml

from hubctl.model.platform import Expose, exposure_misfit
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, service, spoke

ISVC = "spokes/edge/inferenceservice-anomaly-detector.yaml"
EXPOSURE = "spokes/edge/exposure-anomaly-detector.yaml"
HOST = "{model}.{cluster}.example.com"


def rendered(templates: Templates, expose: Expose | None, **changes: object) -> dict[str, list[Any]]:
    one = spoke("edge", service("edge", "anomaly-detector"), expose=expose, **changes)
    files = render_tree(hub(one), templates).files
    return {path: list(yaml.safe_load_all(data)) for path, data in files.items()}


def kinds(files: dict[str, list[Any]]) -> set[str]:
    project = files["hub/appproject.yaml"][0]["spec"]
    return {each["kind"] for each in project["namespaceResourceWhitelist"]}


@pytest.mark.parametrize("auth", [False, True])
def test_openshift_makes_the_route_from_a_label_and_guards_it_when_asked(templates: Templates, *, auth: bool) -> None:
    files = rendered(templates, Expose(auth=auth))
    metadata = files[ISVC][0]["metadata"]
    assert metadata["labels"]["networking.kserve.io/visibility"] == "exposed"
    assert metadata["annotations"].get("security.opendatahub.io/enable-auth") == ("true" if auth else None)
    assert EXPOSURE not in files


def test_model_that_is_not_exposed_carries_no_word_of_it(templates: Templates) -> None:
    files = rendered(templates, None)
    assert "networking.kserve.io/visibility" not in files[ISVC][0]["metadata"]["labels"]
    assert kinds(files) == {"ConfigMap", "PersistentVolumeClaim", "ServiceAccount", "InferenceService"}


def test_kubernetes_gets_an_ingress_and_kserve_makes_none_beside_it(templates: Templates) -> None:
    files = rendered(templates, Expose(host=HOST, tls_secret="cert"), platform="kubernetes")
    [ingress] = files[EXPOSURE]
    host = "anomaly-detector.edge.example.com"
    assert ingress["spec"]["tls"] == [{"hosts": [host], "secretName": "cert"}]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "anomaly-detector-predictor", "port": {"number": 80}}
    assert files[ISVC][0]["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert "Ingress" in kinds(files)


GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}


def test_gateway_that_is_there_gets_a_route_only(templates: Templates) -> None:
    expose = Expose(via="gateway", host=HOST, gateway="public", gateway_namespace="gateways")
    [route] = rendered(templates, expose)[EXPOSURE]
    assert route["spec"]["parentRefs"] == [GATEWAY | {"name": "public", "namespace": "gateways"}]
    assert route["spec"]["hostnames"] == ["anomaly-detector.edge.example.com"]


@pytest.mark.parametrize(("secret", "listener"), [("cert", ("HTTPS", 443)), (None, ("HTTP", 80))])
def test_gateway_of_ones_own_ends_tls_if_there_is_a_certificate(
    templates: Templates, secret: str | None, listener: tuple[str, int]
) -> None:
    files = rendered(templates, Expose(via="gateway", host=HOST, class_name="istio", tls_secret=secret))
    gateway, route = files[EXPOSURE]
    [found] = gateway["spec"]["listeners"]
    assert (found["protocol"], found["port"]) == listener
    assert route["spec"]["parentRefs"] == [GATEWAY | {"name": gateway["metadata"]["name"]}]
    assert {"Gateway", "HTTPRoute"} <= kinds(files)


@pytest.mark.parametrize(
    ("expose", "platform", "complaint"),
    [
        (Expose(via="route"), "kubernetes", "needs platform openshift"),
        (Expose(host=HOST), "openshift", "expected no host"),
        (Expose(), "kubernetes", "needs a host with {model}"),
        (Expose(host="one.example.com"), "kubernetes", "needs a host with {model}"),
        (Expose(host=HOST, auth=True), "kubernetes", "needs via route"),
        (Expose(host=HOST, gateway="a"), "kubernetes", "via ingress knows no gateway"),
        (Expose(via="gateway", host=HOST), "kubernetes", "exactly one of gateway"),
        (Expose(via="gateway", host=HOST, gateway="a", tls_secret="b"), "kubernetes", "expected no tlsSecret"),
        (Expose(via="gateway", host=HOST, class_name="a", gateway_namespace="b"), "kubernetes", "is there"),
    ],
)
def test_exposure_that_a_spoke_cannot_do_is_refused(expose: Expose, platform: str, complaint: str) -> None:
    assert complaint in exposure_misfit(expose, platform, "RawDeployment")


def test_knative_spoke_is_not_exposed_a_second_time() -> None:
    assert "Knative exposes" in exposure_misfit(Expose(), "openshift", "Knative")


def test_single_node_asks_for_little_where_nothing_is_said(templates: Templates) -> None:
    model = rendered(templates, None, topology="sno")[ISVC][0]["spec"]["predictor"]["model"]
    assert model["resources"] == {"requests": {"cpu": "250m", "memory": "512Mi"}}
    assert "resources" not in rendered(templates, None)[ISVC][0]["spec"]["predictor"]["model"]


def test_single_node_leaves_what_is_said_alone(templates: Templates) -> None:
    said = service("edge", "anomaly-detector")
    profile = said.profile.model_validate({"resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "2"}}})
    model = type(said)("edge", said.name, "v1", said.namespace, said.service, profile)
    files = render_tree(hub(spoke("edge", model, topology="sno")), templates).files
    resources = yaml.safe_load(files[ISVC])["spec"]["predictor"]["model"]["resources"]
    assert resources == {"limits": {"memory": "128Mi"}, "requests": {"cpu": "2"}}
