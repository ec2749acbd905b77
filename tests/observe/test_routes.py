from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, ApiserverRoute, ExposedRoute, Route, ServiceRoute, UrlRoute, settled
from hubctl.model.values import ModelProfile
from hubctl.observe import routes
from hubctl.observe.routes import NoUrl

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


def base(route: Route, cluster: str = "edge-a", name: str = "m", found: str = "") -> str:
    service = InferenceService(cluster, name, "v1", "models", f"{name}-predictor", ModelProfile(), route)
    return routes.base_url(service, route, found=found)


def test_url_template_is_filled_and_its_last_slash_dropped() -> None:
    route = UrlRoute(url="https://{model}-{namespace}.apps.{cluster}.example/{service}/")
    assert base(route) == "https://m-models.apps.edge-a.example/m-predictor"


def test_acm_path_has_literal_colons_and_kserves_tls_port() -> None:
    made = base(AcmRoute(host="proxy.hub:9092"))
    expected = "https://proxy.hub:9092/edge-a/api/v1/namespaces/models/services/https:m-predictor:8443/proxy-service"
    assert made == expected


def test_acm_with_plain_http_goes_to_port_80() -> None:
    assert "/services/http:m-predictor:80/proxy-service" in base(AcmRoute(host="hub", scheme="http"))


def test_acm_port_that_is_given_wins() -> None:
    assert ":m-predictor:8080/" in base(AcmRoute(host="hub", scheme="http", port=8080))


def test_host_that_was_found_stands_where_none_is_said() -> None:
    assert base(AcmRoute(), found="proxy.svc:9092").startswith("https://proxy.svc:9092/edge-a/api/v1/namespaces/")


def test_apiserver_proxies_below_its_own_word() -> None:
    made = base(ApiserverRoute(host="hub", scheme="http", port=8080))
    assert made == "https://hub/edge-a/api/v1/namespaces/models/services/http:m-predictor:8080/proxy"


def test_service_of_the_hub_is_reached_by_its_name() -> None:
    assert base(ServiceRoute(scheme="http", port=80)) == "http://m-predictor.models.svc:80"


def test_exposed_model_is_reached_where_its_spoke_says() -> None:
    assert base(ExposedRoute(), found="https://m-models.apps.edge-a.example") == "https://m-models.apps.edge-a.example"


@pytest.mark.parametrize("name", ["a/b", "a b", "a%2Fb", "a?b", "modèle", "a:b", ""])
def test_name_that_needs_encoding_makes_no_url(name: str) -> None:
    with pytest.raises(NoUrl, match="needs no encoding"):
        base(AcmRoute(host="hub"), name=name)


@pytest.mark.parametrize(
    ("said", "facts", "expected"),
    [
        ({}, {"auth": True}, ("https", 8443)),
        ({}, {"auth": False}, ("http", 80)),
        ({"headless": True}, {"auth": False}, ("http", 8080)),
        ({"headless": True}, {"auth": True}, ("https", 8443)),
        ({"headless": True}, {"auth": False, "raw": False}, ("http", 80)),
        ({"scheme": "https"}, {"auth": False}, ("https", 8443)),
        ({"scheme": "http"}, {"auth": True}, ("http", 80)),
        ({"port": 9000}, {"auth": False}, ("http", 9000)),
    ],
)
@pytest.mark.parametrize("kind", [AcmRoute, ApiserverRoute, ServiceRoute])
def test_scheme_and_port_follow_from_how_the_spoke_serves(
    kind: type[AcmRoute | ApiserverRoute | ServiceRoute],
    said: dict[str, Any],
    facts: dict[str, bool],
    expected: tuple[str, int],
) -> None:
    found = settled(kind(**said), auth=facts["auth"], raw=facts.get("raw", True), port=8080)
    assert isinstance(found, kind)
    assert (found.scheme, found.port) == expected


def test_list_stays_a_list_in_its_order() -> None:
    said = (AcmRoute(), UrlRoute(url="https://x.example"))
    found = settled(said, auth=True, raw=True, port=8080)
    assert isinstance(found, tuple)
    assert [route.type for route in found] == ["acm", "url"]
    assert settled(None, auth=True, raw=True, port=8080) is None


@given(cluster=NAMES, model=NAMES)
def test_proxy_finds_service_and_path_by_position(cluster: str, model: str) -> None:
    made = base(AcmRoute(host="hub"), cluster, model)
    parts = routes.predict_url(made, model).removeprefix("https://hub/").split("/")
    assert (parts[0], parts[6], parts[7]) == (cluster, f"https:{model}-predictor:8443", "proxy-service")
    assert parts[8:] == ["v1", "models", f"{model}:predict"]


def test_model_url_asks_for_the_model_itself() -> None:
    assert routes.model_url("http://h", "m") == "http://h/v1/models/m"


def test_v2_asks_for_readiness_and_infers_below_the_same_base() -> None:
    assert routes.model_url("http://h", "m", "v2") == "http://h/v2/models/m/ready"
    assert routes.predict_url("http://h", "m", "v2") == "http://h/v2/models/m/infer"
