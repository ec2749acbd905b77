from collections.abc import Callable
from typing import Any

import pytest

from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, Route, ServiceRoute
from hubctl.observe.hubside import HubSide, NoAddress
from hubctl.observe.trust import Anchor
from tests.observe.hubstub import HubStub

Make = Callable[..., InferenceService]
ENGINE = "multicluster-engine"
ROUTE = f"/apis/route.openshift.io/v1/namespaces/{ENGINE}/routes/cluster-proxy-addon-user"
SERVICE = "/api/v1/namespaces/{}/services/cluster-proxy-addon-user"
BUNDLE = "/api/v1/namespaces/{}/configmaps/{}"
USER_ROUTE: dict[str, Any] = {"status": {"ingress": [{"host": "cluster-proxy-user.apps.hub.example"}]}}
SERVICE_CA: dict[str, Any] = {"data": {"service-ca.crt": "SERVICE CA"}}


async def looked(api: HubStub, service: Make, route: Route, *, inside: bool) -> HubSide:
    side = HubSide(api, inside=inside)
    await side.look([service(route=route)])
    return side


async def test_outside_of_the_hub_the_host_is_that_of_acms_route(service: Make) -> None:
    bundle: dict[str, Any] = {BUNDLE.format(ENGINE, "kube-root-ca.crt"): {"data": {"ca.crt": "ROOT CA"}}}
    side = await looked(HubStub({ROUTE: USER_ROUTE} | bundle), service, AcmRoute(), inside=False)
    found = side.proxy(AcmRoute())
    assert found.host == "cluster-proxy-user.apps.hub.example"
    assert found.anchor == Anchor(pem="ROOT CA", system=True)


async def test_inside_of_the_hub_its_service_is_asked_and_only_the_service_ca_trusted(service: Make) -> None:
    objects: dict[str, Any] = {
        SERVICE.format(ENGINE): {},
        BUNDLE.format(ENGINE, "openshift-service-ca.crt"): SERVICE_CA,
    }
    side = await looked(HubStub(objects | {ROUTE: USER_ROUTE}), service, AcmRoute(), inside=True)
    found = side.proxy(AcmRoute())
    assert found.host == "cluster-proxy-addon-user.multicluster-engine.svc:9092"
    assert found.anchor == Anchor(pem="SERVICE CA", system=False)


async def test_upstreams_namespace_is_looked_in_too(service: Make) -> None:
    upstream = "open-cluster-management-addon"
    side = await looked(HubStub({SERVICE.format(upstream): {}}), service, AcmRoute(), inside=True)
    assert side.proxy(AcmRoute()).host == f"cluster-proxy-addon-user.{upstream}.svc:9092"
    assert side.proxy(AcmRoute()).anchor == Anchor()


async def test_namespace_that_is_said_is_the_only_one_looked_in(service: Make) -> None:
    api = HubStub({SERVICE.format("elsewhere"): {}, SERVICE.format(ENGINE): {}})
    side = await looked(api, service, AcmRoute(namespace="elsewhere"), inside=True)
    assert side.proxy(AcmRoute(namespace="elsewhere")).host == "cluster-proxy-addon-user.elsewhere.svc:9092"
    assert not any(ENGINE in path for path in api.asked)


async def test_host_that_is_said_asks_nothing(service: Make) -> None:
    api = HubStub()
    side = await looked(api, service, AcmRoute(host="proxy.example"), inside=True)
    assert side.proxy(AcmRoute(host="proxy.example")).host == "proxy.example"
    assert api.asked == []


@pytest.mark.parametrize(
    ("api", "why"),
    [
        (HubStub(), "namespace multicluster-engine has no Route cluster-proxy-addon-user"),
        (HubStub(refused={ROUTE}), "forbidden"),
        (None, "without access to the hub's API server"),
    ],
)
async def test_why_there_is_no_proxy_is_said(service: Make, api: HubStub | None, why: str) -> None:
    side = HubSide(api, inside=False)
    await side.look([service(route=AcmRoute())])
    with pytest.raises(NoAddress, match=why):
        side.proxy(AcmRoute())


async def test_what_was_found_is_kept_while_the_api_says_nothing(service: Make) -> None:
    api = HubStub({ROUTE: USER_ROUTE})
    side = await looked(api, service, AcmRoute(), inside=False)
    api.refused.add(ROUTE)
    await side.look([service(route=AcmRoute())])
    assert side.proxy(AcmRoute()).host == "cluster-proxy-user.apps.hub.example"
    api.refused.clear()
    del api.objects[ROUTE]
    await side.look([service(route=AcmRoute())])
    with pytest.raises(NoAddress):
        side.proxy(AcmRoute())


async def test_services_of_the_hub_are_trusted_by_the_service_ca_of_their_namespace(service: Make) -> None:
    api = HubStub({BUNDLE.format("models", "openshift-service-ca.crt"): SERVICE_CA})
    side = await looked(api, service, ServiceRoute(scheme="https", port=8443), inside=True)
    assert side.authority("models") == Anchor(pem="SERVICE CA", system=False)
    assert side.authority("other") == Anchor()
