"""NetworkPolicy, monitoring and ExternalSecret: made when asked for, allowed in the project only then."""

from typing import Any

import pytest
import yaml

from hubctl.model.platform import ExternalSecret, Monitoring, NetworkPolicy
from hubctl.model.storage import S3Storage
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, service, spoke

NAME = "kubernetes.io/metadata.name"
AGENT = "open-cluster-management-agent-addon"
BUCKET = S3Storage(bucket="fleet", external_secret=ExternalSecret(store="vault", key="s3", endpoint="s3.example.com"))
SWITCHES: dict[str, tuple[str, dict[str, object]]] = {
    "NetworkPolicy": ("networkpolicy.yaml", {"network_policy": NetworkPolicy()}),
    "PodMonitor": ("podmonitor.yaml", {"monitoring": Monitoring(pod_monitor=True)}),
    "PrometheusRule": ("prometheusrule-m.yaml", {"monitoring": Monitoring(prometheus_rule=True)}),
    "ExternalSecret": ("externalsecret.yaml", {"storage": BUCKET}),
}


def rendered(templates: Templates, **changes: object) -> dict[str, list[Any]]:
    files = render_tree(hub(spoke("edge", service("edge", "m"), **changes)), templates).files
    return {path.rpartition("/")[2]: list(yaml.safe_load_all(data)) for path, data in files.items()}


@pytest.mark.parametrize("kind", SWITCHES)
def test_kind_is_made_and_allowed_when_asked_for_and_not_otherwise(templates: Templates, kind: str) -> None:
    file, switch = SWITCHES[kind]
    for files, wanted in ((rendered(templates), False), (rendered(templates, **switch), True)):
        allowed = {each["kind"] for each in files["appproject.yaml"][0]["spec"]["namespaceResourceWhitelist"]}
        assert (kind in allowed, file in files) == (wanted, wanted)


def test_policy_that_is_switched_off_makes_nothing(templates: Templates) -> None:
    assert "networkpolicy.yaml" not in rendered(templates, network_policy=NetworkPolicy(enabled=False))


def test_policy_lets_in_the_own_namespace_the_platform_and_who_is_named(templates: Templates) -> None:
    [policy] = rendered(templates, network_policy=NetworkPolicy(allow_from=("nginx",)))["networkpolicy.yaml"]
    own, *others = policy["spec"]["ingress"][0]["from"]
    assert own == {"podSelector": {}}
    assert [other["namespaceSelector"]["matchLabels"] for other in others] == [
        {"network.openshift.io/policy-group": "ingress"},
        {NAME: AGENT},
        {NAME: "openshift-user-workload-monitoring"},
        {NAME: "nginx"},
    ]


def test_monitor_scrapes_each_port_once(templates: Templates) -> None:
    [monitor] = rendered(templates, monitoring=Monitoring(pod_monitor=True, labels={"a": "b"}))["podmonitor.yaml"]
    assert monitor["metadata"]["labels"]["a"] == "b"
    assert [end["portNumber"] for end in monitor["spec"]["podMetricsEndpoints"]] == [8080]


def test_alerts_name_model_and_spoke(templates: Templates) -> None:
    [rule] = rendered(templates, monitoring=Monitoring(prometheus_rule=True, slow_seconds=2))["prometheusrule-m.yaml"]
    down, slow = rule["spec"]["groups"][0]["rules"]
    assert (down["labels"]["model"], down["labels"]["spoke"]) == ("m", "edge")
    assert down["expr"] == 'absent(up{namespace="self-healing-platform", pod=~"m-predictor-.+"} == 1)'
    assert slow["expr"].endswith('model_name="m"}[5m]))) > 2.0')


def test_external_secret_fills_the_secret_that_the_service_account_names(templates: Templates) -> None:
    files = rendered(templates, storage=BUCKET)
    [secret], [account] = files["externalsecret.yaml"], files["storage.yaml"]
    target = secret["spec"]["target"]
    assert account["secrets"] == [{"name": target["name"]}]
    assert target["template"]["metadata"]["annotations"]["serving.kserve.io/s3-endpoint"] == "s3.example.com"
    assert {each["secretKey"] for each in secret["spec"]["data"]} == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
