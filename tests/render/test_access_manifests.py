"""What the hub gets to see spokes: tokens with the least rights, feedback that changes nothing, one shared list."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.errors import TemplateError
from hubctl.model.access import Access
from hubctl.model.fleet import HubInputs
from hubctl.model.platform import Expose
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, ApiserverRoute, ExposedRoute, Routes, UrlRoute
from hubctl.model.values import HubValues, ModelProfile
from hubctl.render.templates import Templates, load_templates
from hubctl.render.tree import render_tree
from tests.render.fleets import service, spoke

ACM = AcmRoute(host="proxy.example.com")
APISERVER = "https://proxy.example.com/{cluster}/api/v1/namespaces/{namespace}/services/http:{service}:80/proxy"
PROXIED = UrlRoute(url=APISERVER)
KSERVE = {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"], "verbs": ["get"]}
ALL = Access.model_validate({"token": {}, "feedback": True})
BY_WORK = Access.model_validate({"token": {"name": "p", "grant": "manifestWork", "agentNamespace": "agents"}})


def model(name: str, route: Routes | None = ACM, namespace: str = "ns", **profile: Any) -> InferenceService:
    changed = ModelProfile.model_validate(profile)
    return replace(service("edge", name, namespace=namespace), route=route, profile=changed)


def rendered(
    templates: Templates, *models: InferenceService, proxy: dict[str, Any] | None = None, **changes: Any
) -> dict[str, list[Any]]:
    gitops = {"remote": "https://git.example.com/fleet.git"}
    values = HubValues.model_validate({"hubctl": {"gitops": gitops, "clusterProxy": proxy}})
    files = render_tree(HubInputs(values, (spoke("edge", *models, **changes),)), templates).files
    return {path[4:]: list(yaml.safe_load_all(data)) for path, data in files.items() if path.startswith("hub/")}


def test_nothing_is_asked_of_open_cluster_management_unless_a_spoke_says_so(templates: Templates) -> None:
    for access in (None, Access()):
        files = rendered(templates, model("m"), access=access)
        assert sorted(files) == ["applicationset-openshift.yaml", "appproject.yaml", "kustomization.yaml"]


def test_token_is_an_account_in_the_namespace_of_the_cluster(templates: Templates) -> None:
    account, _ = rendered(templates, model("m"), access=ALL)["token-edge.yaml"]
    assert account["kind"] == "ManagedServiceAccount"
    assert (account["metadata"]["namespace"], account["metadata"]["name"]) == ("edge", "hubctl-poller")
    assert account["spec"] == {"rotation": {"validity": "720h"}}


def test_token_may_get_exactly_the_polled_models_of_each_namespace(templates: Templates) -> None:
    models = model("b"), model("a", protocol="v2"), model("c", namespace="other")
    _, grant = rendered(templates, *models, access=ALL)["token-edge.yaml"]
    assert grant["kind"] == "ClusterPermission"
    assert grant["spec"]["roles"] == [
        {"namespace": "ns", "rules": [KSERVE | {"resourceNames": ["a", "b"]}]},
        {"namespace": "other", "rules": [KSERVE | {"resourceNames": ["c"]}]},
    ]
    subject = {
        "apiGroup": "authentication.open-cluster-management.io",
        "kind": "ManagedServiceAccount",
        "name": "hubctl-poller",
    }
    assert grant["spec"]["roleBindings"] == [
        {"namespace": namespace, "roleRef": {"kind": "Role"}, "subject": subject} for namespace in ("ns", "other")
    ]


def test_work_grants_the_same_to_the_account_that_the_agent_makes(templates: Templates) -> None:
    _, work = rendered(templates, model("a"), access=BY_WORK)["token-edge.yaml"]
    role, binding = work["spec"]["workload"]["manifests"]
    assert role["rules"] == [KSERVE | {"resourceNames": ["a"]}]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "ns"
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == "p"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "p", "namespace": "agents"}]
    assert work["spec"]["deleteOption"] == {"propagationPolicy": "Foreground"}


def test_right_to_proxy_comes_only_with_a_route_through_the_apiserver(templates: Templates) -> None:
    _, grant = rendered(templates, model("a"), model("b", PROXIED), access=ALL)["token-edge.yaml"]
    (role,) = grant["spec"]["roles"]
    assert role["rules"] == [
        KSERVE | {"resourceNames": ["a"]},
        {
            "apiGroups": [""],
            "resources": ["services/proxy"],
            "resourceNames": ["http:b-predictor:80"],
            "verbs": ["create", "get"],
        },
    ]


def proxy_to(service: str) -> dict[str, Any]:
    named = {"apiGroups": [""], "resources": ["services/proxy"], "resourceNames": [service]}
    return named | {"verbs": ["create", "get"]}


def test_each_route_of_a_list_gets_what_it_takes(templates: Templates) -> None:
    through = ApiserverRoute(scheme="http", port=8080)
    for routes, expected in (
        (through, [proxy_to("http:a-predictor:8080")]),
        ((ACM, through), [KSERVE | {"resourceNames": ["a"]}, proxy_to("http:a-predictor:8080")]),
        ((through, ExposedRoute()), [KSERVE | {"resourceNames": ["a"]}, proxy_to("http:a-predictor:8080")]),
        ((ACM, ExposedRoute()), [KSERVE | {"resourceNames": ["a"]}]),
    ):
        _, grant = rendered(templates, model("a", routes), access=ALL)["token-edge.yaml"]
        assert grant["spec"]["roles"][0]["rules"] == expected


def test_list_for_the_proxy_holds_what_any_route_leads_through_it(templates: Templates) -> None:
    routes = (ExposedRoute(), AcmRoute(scheme="http", port=8080), ApiserverRoute(scheme="http", port=80))
    (found,) = rendered(templates, model("a", routes), proxy={})[LIST]
    (entries,) = found["data"].values()
    assert yaml.safe_load(entries) == [
        {"namespace": "ns", "service": "a-predictor", "port": "8080", "protocol": "http"}
    ]


@pytest.mark.parametrize("url", ["https://{model}.example.com", "https://x/{cluster}/api/v1/namespaces/a/services/b"])
def test_no_other_url_asks_for_it(templates: Templates, url: str) -> None:
    _, grant = rendered(templates, model("a", UrlRoute(url=url)), access=ALL)["token-edge.yaml"]
    assert [rule["resources"] for rule in grant["spec"]["roles"][0]["rules"]] == [["inferenceservices"]]


def test_spoke_without_a_model_gets_no_token_rather_than_one_for_everything(templates: Templates) -> None:
    assert "token-edge.yaml" not in rendered(templates, access=ALL, models=())


def work_of(files: dict[str, list[Any]]) -> Any:
    (work,) = files["feedback-edge.yaml"]
    return work["spec"]


def test_feedback_only_looks_at_what_it_names(templates: Templates) -> None:
    work = work_of(rendered(templates, model("a"), model("v2", protocol="v2"), access=ALL, expose=Expose()))
    role, *watched = work["workload"]["manifests"]
    named = {("InferenceService", "a"), ("InferenceService", "v2"), ("Route", "a"), ("Route", "v2")}
    assert {(each["kind"], each["metadata"]["name"]) for each in watched} == named
    assert all(set(each) == {"apiVersion", "kind", "metadata"} for each in watched)
    assert [each["updateStrategy"] for each in work["manifestConfigs"]] == [{"type": "ReadOnly"}] * 4
    assert role["rules"] == [KSERVE | {"resourceNames": ["a", "v2"]}]
    assert role["metadata"]["labels"]["open-cluster-management.io/aggregate-to-work"] == "true"


def test_what_feedback_looks_at_stays_when_it_goes(templates: Templates) -> None:
    work = work_of(rendered(templates, model("a"), model("b"), access=ALL, expose=Expose()))
    orphans = work["deleteOption"]["selectivelyOrphans"]["orphaningRules"]
    assert work["deleteOption"]["propagationPolicy"] == "SelectivelyOrphan"
    assert orphans == [each["resourceIdentifier"] for each in work["manifestConfigs"]]
    assert len(orphans) == len(work["workload"]["manifests"]) - 1


def test_route_is_looked_at_only_where_openshift_makes_one(templates: Templates) -> None:
    gateway = Expose.model_validate({"via": "gateway", "host": "{model}.example.com", "className": "x"})
    for expose in (None, gateway):
        work = work_of(rendered(templates, model("a"), access=ALL, expose=expose))
        assert [each["resourceIdentifier"]["resource"] for each in work["manifestConfigs"]] == ["inferenceservices"]


def test_container_is_known_by_its_image_and_a_format_by_its_storage(templates: Templates) -> None:
    own = model("own", container={"image": "quay.io/fleet/own:{version}"})
    work = work_of(rendered(templates, model("a"), own, access=ALL))
    paths = [
        {each["name"]: each["path"] for each in config["feedbackRules"][0]["jsonPaths"]}
        for config in work["manifestConfigs"]
    ]
    assert paths[0]["storageUri"] == ".spec.predictor.model.storageUri"
    assert "image" not in paths[0]
    assert paths[1]["image"] == ".spec.predictor.containers[0].image"
    assert paths[1]["version"] == r".metadata.labels.app\.kubernetes\.io/version"
    assert paths[1]["ready"] == '.status.conditions[?(@.type=="Ready")].status'


LIST = "exposed-services.shared.yaml"


def test_list_of_exposed_services_holds_each_polled_service_once_under_a_key_of_its_own(templates: Templates) -> None:
    plain = model("p", AcmRoute(host="x", scheme="http"))
    (found,) = rendered(templates, model("a"), plain, model("u", UrlRoute(url="https://x")), proxy={})[LIST]
    assert (found["metadata"]["namespace"], found["metadata"]["name"]) == (
        "multicluster-engine",
        "cluster-proxy-exposed-services",
    )
    assert list(found["data"]) == ["hubctl-fleet.yaml"]
    assert yaml.safe_load(found["data"]["hubctl-fleet.yaml"]) == [
        {"namespace": "ns", "service": "a-predictor", "port": "8443", "protocol": "https"},
        {"namespace": "ns", "service": "p-predictor", "port": "80", "protocol": "http"},
    ]


def test_list_claims_nothing_else_of_the_shared_object(templates: Templates) -> None:
    files = rendered(templates, model("a"), proxy={"namespace": "ocm", "configMap": "c"})
    (found,) = files[LIST]
    assert found["metadata"] == {"name": "c", "namespace": "ocm"}
    assert LIST not in files["kustomization.yaml"][0]["resources"]


def test_list_that_became_empty_takes_back_what_was_exposed(templates: Templates) -> None:
    (found,) = rendered(templates, model("a", PROXIED), proxy={})[LIST]
    assert yaml.safe_load(found["data"]["hubctl-fleet.yaml"]) == []


def test_own_template_can_make_a_file_for_each_spoke_and_one_that_is_shared(own_templates: Path) -> None:
    hub_folder = own_templates / "hub"
    hub_folder.mkdir()
    (hub_folder / "note.each-spoke.yaml.j2").write_text(
        '[% from "provenance.j2" import labels %]apiVersion: v1\nkind: ConfigMap\nmetadata:\n'
        "  name: [[ spoke.name ]]\n[[ labels() -]]\n"
    )
    bare = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs}\n"
    (hub_folder / "theirs.shared.yaml.j2").write_text(bare)
    files = rendered(load_templates(own_templates), model("m"))
    assert files["note-edge.yaml"][0]["metadata"]["name"] == "edge"
    assert files["theirs.shared.yaml"][0]["metadata"] == {"name": "theirs"}
    listed = files["kustomization.yaml"][0]["resources"]
    assert "note-edge.yaml" in listed
    assert "theirs.shared.yaml" not in listed


def test_shared_file_still_has_to_hold_objects(own_templates: Path) -> None:
    (own_templates / "hub").mkdir()
    (own_templates / "hub" / "theirs.shared.yaml.j2").write_text("data: {}\n")
    with pytest.raises(TemplateError, match="no Kubernetes object"):
        rendered(load_templates(own_templates), model("m"))
