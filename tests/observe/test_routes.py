import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, Route, UrlRoute
from hubctl.model.values import ModelProfile
from hubctl.observe import routes

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


def on(route: Route | None, cluster: str = "edge-a", name: str = "m") -> InferenceService:
    return InferenceService(cluster, name, "v1", "models", f"{name}-predictor", ModelProfile(), route)


def test_url_template_is_filled_and_its_last_slash_dropped() -> None:
    route = UrlRoute(url="https://{model}-{namespace}.apps.{cluster}.example/{service}/")
    assert routes.base_url(on(route)) == "https://m-models.apps.edge-a.example/m-predictor"


def test_acm_path_has_literal_colons_and_kserves_tls_port() -> None:
    base = routes.base_url(on(AcmRoute(host="proxy.hub:9092")))
    expected = "https://proxy.hub:9092/edge-a/api/v1/namespaces/models/services/https:m-predictor:8443/proxy-service"
    assert base == expected


def test_acm_with_plain_http_goes_to_port_80() -> None:
    assert "/services/http:m-predictor:80/proxy-service" in routes.base_url(on(AcmRoute(host="hub", scheme="http")))


def test_acm_port_that_is_given_wins() -> None:
    assert ":m-predictor:8080/" in routes.base_url(on(AcmRoute(host="hub", scheme="http", port=8080)))


def test_service_without_route_is_an_input_error_with_a_hint() -> None:
    with pytest.raises(InputError, match="no route leads to m on edge-a") as caught:
        routes.base_url(on(None))
    assert "hubctl.observe.route" in caught.value.hint


@given(cluster=NAMES, model=NAMES)
def test_proxy_finds_service_and_path_by_position(cluster: str, model: str) -> None:
    base = routes.base_url(on(AcmRoute(host="hub"), cluster, model))
    parts = routes.predict_url(base, model).removeprefix("https://hub/").split("/")
    assert (parts[0], parts[6], parts[7]) == (cluster, f"https:{model}-predictor:8443", "proxy-service")
    assert parts[8:] == ["v1", "models", f"{model}:predict"]


def test_model_url_asks_for_the_model_itself() -> None:
    assert routes.model_url("http://h", "m") == "http://h/v1/models/m"


def test_v2_asks_for_readiness_and_infers_below_the_same_base() -> None:
    assert routes.model_url("http://h", "m", "v2") == "http://h/v2/models/m/ready"
    assert routes.predict_url("http://h", "m", "v2") == "http://h/v2/models/m/infer"
