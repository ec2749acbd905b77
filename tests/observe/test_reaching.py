from typing import Any

import pytest

from hubctl.model import reaching
from hubctl.model.cluster import Spoke
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Resource
from hubctl.model.values import HubctlSection, HubValues


def values(**section: Any) -> HubValues:
    return HubValues(hubctl=HubctlSection.model_validate(section))


def spoke(**spec: Any) -> Spoke:
    known = {"platform": "openshift", "version": "4.18"} | spec
    about = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": "edge-a"}}
    return Spoke.model_validate(about | {"spec": known})


URL = {"type": "url", "url": "https://x.example"}


@pytest.mark.parametrize(
    ("section", "spec", "kinds", "asked"),
    [
        ({}, {}, (), False),
        ({"observe": {"route": URL}}, {}, (), False),
        ({"observe": {"route": {"type": "acm", "host": "proxy.example"}}}, {}, (), False),
        ({"observe": {"route": {"type": "acm"}}}, {}, (), True),
        ({"observe": {"route": [URL, {"type": "apiserver"}]}}, {}, (), True),
        ({"observe": {"route": {"type": "service"}}}, {}, (), True),
        ({"observe": {"route": {"type": "service", "caFile": "ca.pem"}}}, {}, (), False),
        ({"observe": {"route": {"type": "route"}}}, {}, (FEEDBACK_WORKS,), True),
        ({"groups": [{"name": "g", "match": {}, "route": {"type": "route"}}]}, {}, (FEEDBACK_WORKS,), True),
        ({}, {"route": [URL, {"type": "route"}]}, (FEEDBACK_WORKS,), True),
        ({}, {"models": [{"name": "m", "version": "v1", "route": {"type": "route"}}]}, (FEEDBACK_WORKS,), True),
        ({}, {"access": {"token": {}}}, (SERVICE_ACCOUNTS,), True),
        ({"groups": [{"name": "g", "match": {}, "access": {"token": {}}}]}, {}, (SERVICE_ACCOUNTS,), True),
        ({"observe": {"managedServiceAccount": "poller"}}, {}, (SERVICE_ACCOUNTS,), True),
        ({"observe": {"tokenEnv": "TOKEN"}}, {"access": {"token": {}}}, (), False),
        ({}, {"access": {"feedback": True}}, (), False),
    ],
)
def test_hub_is_asked_for_what_routes_and_tokens_need(
    section: dict[str, Any], spec: dict[str, Any], kinds: tuple[Resource, ...], *, asked: bool
) -> None:
    known = values(**section)
    assert reaching.resources_of(known, [spoke(**spec)]) == kinds
    assert (bool(kinds) or reaching.finds_hosts(known, [spoke(**spec)])) is asked
