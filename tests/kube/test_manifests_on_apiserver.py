"""What hubctl renders is what the kinds' own schemas and Kubernetes' own validation take, and mistakes are caught."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube import fleets, variants
from tests.kube.api import Api, How, added, lost
from tests.kube.variants import spoke

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

LONG = "a" + "b" * 61 + "c"
VALUES: dict[str, Any] = {
    "coordinationEngine": {"kserve": {"namespace": LONG, "models": [{"name": LONG[:53]}, {"name": "v"}]}},
    "hubctl": {
        "gitops": {
            "remote": "git@git.example.com:platform/fleet.git",
            "branch": "feature/1.0_x",
            "path": "a/b.c/rendered",
            "argocdNamespace": "0-argo",
            "project": LONG,
        },
        "models": {
            "v": {
                "format": "pytorch: 2 # no comment",
                "runtime": "kserve-torchserve",
                "minReplicas": 0,
                "maxReplicas": 2147483647,
                "path": 'odd "path"/{model} {version}',
                "resources": {"requests": {"cpu": "0.5", "memory": "1e9"}, "limits": {"nvidia.com/gpu": "1"}},
            }
        },
    },
}
"""The longest names and the oddest values that the inputs allow."""


SPOKES = (
    spoke("9" * 63, models=[{"name": LONG[:53], "version": "V" * 63}, {"name": "v", "version": "1.0_a"}]),
    spoke("a.b.c", platform="openshift", version="4.18", topology="sno", destination={"name": "x.y"},
          storage={"type": "pvc", "claim": LONG, "size": "1500Gi", "storageClass": LONG},
          models=[{"name": "v", "version": "1", "namespace": "one"}, {"name": LONG[:53], "version": "010"}]),
    spoke("cloud", namespace="0",
          storage={"type": "s3", "bucket": "b.2-c", "prefix": "ü/ö", "secretName": LONG, "serviceAccount": LONG},
          models=[{"name": "v", "version": "true"}]),
    spoke("empty"),
)  # fmt: skip


@pytest.fixture(params=["samples", "demo", "corners", "variants"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> fleets.Fleet:
    if request.param == "samples":
        return fleets.rendered(fleets.ROOT, tmp_path)
    if request.param == "demo":
        fleets.write_demo(tmp_path)
    elif request.param == "variants":
        fleets.write_fleet(tmp_path, variants.VALUES, *variants.SPOKES)
    else:
        fleets.write_fleet(tmp_path, VALUES, *SPOKES)
    return fleets.rendered(tmp_path, tmp_path)


@pytest.fixture(scope="module")
def samples(api: Api, tmp_path_factory: pytest.TempPathFactory) -> fleets.Fleet:
    """The repository's samples, none refused, so that what is refused later is the mistake."""
    found = fleets.rendered(fleets.ROOT, tmp_path_factory.mktemp("state"))
    assert fleets.refused(found.ask(api, how="create")) == {}
    return found


@pytest.mark.parametrize("how", ["create", "apply"])
def test_every_rendered_object_is_accepted(api: Api, fleet: fleets.Fleet, how: How) -> None:
    answers = fleet.ask(api, how=how)
    assert len(answers) > 8
    assert fleets.refused(answers) == {}


def test_application_of_every_spoke_is_accepted(api: Api, fleet: fleets.Fleet) -> None:
    answers = fleet.ask_applications(api)
    assert len(answers) > 2
    assert fleets.refused(answers) == {}


def test_nothing_rendered_is_stored_as_something_else(api: Api, fleet: fleets.Fleet) -> None:
    """Else Argo CD would see a difference that no sync removes."""
    for name, answer in fleet.ask(api, how="apply").items():
        assert lost(yaml.safe_load(fleet.objects[name]), answer.stored) == [], name


def test_server_adds_nothing_inside_of_lists_on_a_spoke(api: Api, fleet: fleets.Fleet) -> None:
    """Argo CD compares most lists as a whole, so what the server adds there would be a difference for ever."""
    for name, answer in fleet.ask(api, how="apply").items():
        if name.startswith("spokes/"):
            assert added(yaml.safe_load(fleet.objects[name]), answer.stored) == [], name


def living(api: Api, directory: Path, namespace: str, version: str) -> fleets.Fleet:
    """A fleet of one spoke with one model, its namespace made."""
    one = spoke("one", namespace=namespace, topology="sno", models=[{"name": "v", "version": version}])
    fleets.write_fleet(directory, VALUES, one)
    api.make_namespace(namespace)
    return fleets.rendered(directory, directory)


def test_rolled_back_version_is_taken_by_the_living_object(api: Api, tmp_path: Path) -> None:
    path = "spokes/one/inferenceservice-v.yaml"
    before = api.store(living(api, tmp_path, "rolled-back", "v2").one(path))
    after = api.ask(living(api, tmp_path, "rolled-back", "v1").one(path), how="apply")
    assert after.message == ""
    assert before["spec"]["predictor"]["model"]["storageUri"].endswith("/v v2")
    assert after.stored["spec"]["predictor"]["model"]["storageUri"].endswith("/v v1")
    assert after.stored["metadata"]["labels"]["app.kubernetes.io/version"] == "v1"
    assert after.stored["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_sync_of_a_commit_that_was_synced_writes_nothing(api: Api, tmp_path: Path) -> None:
    fleet = living(api, tmp_path, "synced-twice", "v1")
    ours = [document for path, document in fleet.objects.items() if path.startswith("spokes/")]
    # The server writes a new claim once more on the second apply, with nothing in it changed.
    _, second, third = ([api.store(document)["metadata"]["resourceVersion"] for document in ours] for _ in range(3))
    assert len(ours) == 3
    assert third == second


@pytest.fixture(scope="module")
def varied(api: Api, tmp_path_factory: pytest.TempPathFactory) -> fleets.Fleet:
    """The fleet of every variant, none refused."""
    folder = tmp_path_factory.mktemp("varied")
    fleets.write_fleet(folder, variants.VALUES, *variants.SPOKES)
    found = fleets.rendered(folder, folder)
    assert fleets.refused(found.ask(api, how="create")) == {}
    return found


@pytest.mark.parametrize("how", ["create", "apply"])
@pytest.mark.parametrize("name", variants.DELIVERIES)
def test_every_way_to_deliver_is_accepted_with_its_applications(api: Api, tmp_path: Path, name: str, how: How) -> None:
    fleets.write_fleet(tmp_path, variants.delivered(variants.DELIVERIES[name]), spoke("a"), spoke("b"))
    found = fleets.rendered(tmp_path, tmp_path)
    answers = found.ask(api, how=how) | {key: api.ask(text) for key, text in found.applications.items()}
    assert set(found.applications) == {"a", "b"}
    assert fleets.refused(answers) == {}
    for key, document in found.objects.items():
        assert lost(yaml.safe_load(document), answers[key].stored) == [], key


WRONG_DELIVERY = {
    "spec.tolerations[0].operator: Invalid value": ("placement.yaml#1", "operator: Exists", "operator: 7"),
    'unknown field "spec.clusterSet"': ("placement.yaml#1", "clusterSets:", "clusterSet:"),
    'unknown field "spec.clusterSets"': ("placement.yaml#0", "clusterSet: ", "clusterSets: "),
    'unknown field "spec.argoServer.namespace"': ("placement.yaml#2", "argoNamespace:", "namespace:"),
    'unknown field "spec.placement"': ("placement.yaml#2", "placementRef:", "placement:"),
    "clusterDecisionResource.configMap": ("applicationset-kubernetes.yaml#0", "configMapRef:", "configMap:"),
    "spec.syncPolicy.applicationsSync: Unsupported": ("applicationset-kubernetes.yaml#0", "create-update", "create"),
}


@pytest.mark.parametrize("message", WRONG_DELIVERY)
def test_wrong_value_in_a_way_to_deliver_is_refused(api: Api, tmp_path: Path, message: str) -> None:
    fleets.write_fleet(tmp_path, variants.delivered(variants.DELIVERIES["pulled by decisions"]), spoke("a"))
    found = fleets.rendered(tmp_path, tmp_path)
    assert fleets.refused(found.ask(api, how="create")) == {}
    file, right, wrong = WRONG_DELIVERY[message]
    answer = api.ask(with_mistake(found, f"hub/{file}", right, wrong))
    assert not answer.accepted
    assert message in answer.message


def carried(fleet: fleets.Fleet) -> dict[str, str]:
    """What ManifestWorks make on a spoke, which the ManifestWork's own schema does not look into."""
    works = ((name, yaml.safe_load(text)) for name, text in fleet.objects.items() if "\nkind: ManifestWork\n" in text)
    return {
        f"{name} {manifest['kind']} {manifest['metadata'].get('namespace', '')}": yaml.safe_dump(manifest)
        for name, work in works
        for manifest in work["spec"]["workload"]["manifests"]
        if manifest["apiVersion"].startswith("rbac.authorization.k8s.io/")
    }


def test_rights_that_works_carry_are_accepted(api: Api, varied: fleets.Fleet) -> None:
    found = carried(varied)
    for name in {yaml.safe_load(text)["metadata"].get("namespace", "default") for text in found.values()}:
        api.make_namespace(name)
    assert {text.partition(" ")[2].partition(" ")[0] for text in found} == {"ClusterRole", "Role", "RoleBinding"}
    assert fleets.refused({name: api.ask(text) for name, text in found.items()}) == {}


def test_every_spoke_of_open_cluster_management_gets_its_objects(varied: fleets.Fleet) -> None:
    hub = [yaml.safe_load(text) for name, text in varied.objects.items() if name.startswith("hub/")]
    kinds = {"ManagedServiceAccount", "ClusterPermission", "ManifestWork"}
    assert {each["kind"] for each in hub} >= kinds
    assert all(each["metadata"]["namespace"] in varied.applications for each in hub if each["kind"] in kinds)


OWN = "spokes/servers/inferenceservice-own.yaml"

WRONG_VARIANT = {
    "must be of type integer": (OWN, "containerPort: 9000", 'containerPort: "http"'),
    "limits.nvidia.com/gpu": (OWN, 'nvidia.com/gpu: "2"', 'nvidia.com/gpu: "two"'),
    "spec.predictor.containers[0].arg": (OWN, "args:", "arg:"),
    'Unsupported value: "Suffix"': ("spokes/ingressed/exposure-own.yaml", "Prefix", "Suffix"),
    'Unsupported value: "Ours"': ("spokes/gated/exposure-sklearn.yaml#0", "from: Same", "from: Ours"),
    'Unsupported value: "Open"': ("spokes/gated/exposure-sklearn.yaml#0", "mode: Terminate", "mode: Open"),
    'unknown field "spec.parentRef"': ("spokes/shared/exposure-sklearn.yaml", "parentRefs:", "parentRef:"),
    'Unsupported value: "Store"': ("spokes/elsewhere/externalsecret.yaml", "kind: SecretStore", "kind: Store"),
    "spec.podMetricsEndpoints[0].interval": ("spokes/watched/podmonitor.yaml#0", "interval: 30s", "interval: soon"),
    "spec.groups[0].rules[0].for": ("spokes/watched/prometheusrule-own.yaml", "for: 5m", "for: long"),
    'unknown field "spec.containers[0].volumeMount"': (
        "spokes/own-runtimes/servingruntime.yaml#0",
        "volumeMounts:",
        "volumeMount:",
    ),
    "spec.supportedModelFormats[0].autoSelect": (
        "spokes/own-runtimes/servingruntime.yaml#1",
        "autoSelect: false",
        "autoSelect: never",
    ),
    'Unsupported value: "Inward"': ("spokes/watched/networkpolicy.yaml#0", "- Ingress", "- Inward"),
    'unknown field "spec.rotation.validness"': ("hub/token-servers.yaml#0", "validity:", "validness:"),
    'unknown field "spec.roles[0].rule"': ("hub/token-servers.yaml#1", "rules:", "rule:"),
    "roleBindings[0].subject.kind: Required": (
        "hub/token-servers.yaml#1",
        "kind: ManagedService",
        "namespace: Service",
    ),
    "spec.deleteOption.propagationPolicy": ("hub/feedback-formats.yaml#0", ": SelectivelyOrphan", ": SelectiveOrphan"),
    'Unsupported value: "ReadOnce"': ("hub/feedback-formats.yaml#0", "type: ReadOnly", "type: ReadOnce"),
    'Unsupported value: "JSONPath"': ("hub/feedback-formats.yaml#0", "type: JSONPaths", "type: JSONPath"),
    "feedbackRules[0].jsonPath": ("hub/feedback-formats.yaml#0", "jsonPaths:", "jsonPath:"),
    "canaryTrafficPercent": ("spokes/repositories/inferenceservice-huggingface.yaml", ": 10", ": ten"),
}


@pytest.mark.parametrize("message", WRONG_VARIANT)
def test_wrong_value_in_a_variant_is_refused(api: Api, varied: fleets.Fleet, message: str) -> None:
    answer = api.ask(with_mistake(varied, *WRONG_VARIANT[message]))
    assert not answer.accepted
    assert message in answer.message


MODEL = "spokes/edge-store/inferenceservice-anomaly-detector.yaml"
CLAIM = "spokes/edge-store/storage.yaml"
ACCOUNT = "spokes/cloud-eu/storage.yaml"
ENGINE = "spokes/edge-store/coordination-engine.yaml"
PROJECT = "hub/appproject.yaml"
SET = "hub/applicationset-openshift.yaml"

MISSPELT = {
    "spec.predictor.model.storageURI": (MODEL, "storageUri:", "storageURI:"),
    "spec.predictor.maxReplica": (MODEL, "maxReplicas:", "maxReplica:"),
    "spec.predictor.model.readinessProbe.httpGet.paths": (MODEL, "  path: /v1", "  paths: /v1"),
    "spec.storageClass": (CLAIM, "storageClassName:", "storageClass:"),
    "secret": (ACCOUNT, "secrets:", "secret:"),
    "spec.sourceRepo": (PROJECT, "sourceRepos:", "sourceRepo:"),
    "spec.syncPolicy.preserveResources": (SET, "preserveResourcesOnDeletion:", "preserveResources:"),
    "spec.template.spec.syncPolicy.automated.pruned": (SET, "prune:", "pruned:"),
}

WRONG = {
    "must be of type integer": (MODEL, "minReplicas: 1", 'minReplicas: "one"'),
    "spec.predictor.model.resources.limits.memory": (MODEL, "2Gi", "2GiB"),
    "spec.predictor.model.modelFormat.name: Required value": (MODEL, '        name: "sklearn"', '        version: "1"'),
    "spec.accessModes: Unsupported value": (CLAIM, "ReadWriteOnce", "ReadWriteTwice"),
    "quantities must match": (CLAIM, "5Gi", "5GiB"),
    "cannot unmarshal bool": (ENGINE, '"true"', "true"),
    "spec.syncPolicy.applicationsSync: Unsupported value": (SET, "applicationsSync: sync", "applicationsSync: all"),
    "a lowercase RFC 1123 subdomain": (SET, "name: hubctl-openshift", "name: hubctl_openshift"),
    "spec.description: Invalid value": (PROJECT, "description: What", "description: 1 # What"),
}


def with_mistake(samples: fleets.Fleet, path: str, right: str, wrong: str) -> str:
    document = samples.objects[path] if "#" in path else samples.one(path)
    assert right in document
    return document.replace(right, wrong)


@pytest.mark.parametrize("how", ["create", "apply"])
@pytest.mark.parametrize("name", MISSPELT)
def test_misspelt_field_is_refused_by_its_path(api: Api, samples: fleets.Fleet, name: str, how: How) -> None:
    answer = api.ask(with_mistake(samples, *MISSPELT[name]), how=how)
    assert not answer.accepted
    assert name in answer.message


@pytest.mark.parametrize("name", MISSPELT)
def test_misspelt_field_would_be_lost_without_strictness(api: Api, samples: fleets.Fleet, name: str) -> None:
    answer = api.ask(with_mistake(samples, *MISSPELT[name]), validation="Ignore")
    assert answer.accepted, answer.message
    assert name.rpartition(".")[2] not in str(answer.stored)


@pytest.mark.parametrize("message", WRONG)
def test_wrong_value_is_refused(api: Api, samples: fleets.Fleet, message: str) -> None:
    answer = api.ask(with_mistake(samples, *WRONG[message]))
    assert not answer.accepted
    assert message in answer.message


def test_repeated_key_is_refused(api: Api, samples: fleets.Fleet) -> None:
    twice = with_mistake(samples, MODEL, "    minReplicas:", "    maxReplicas: 3\n    minReplicas:")
    assert "maxReplicas" in api.ask(twice).message


def test_kind_without_a_definition_is_no_accident_that_passes(api: Api) -> None:
    unknown = "apiVersion: serving.kserve.io/v1\nkind: InferenceService\nmetadata: {name: a, namespace: default}\n"
    assert api.ask(unknown).message == "no such kind is served: serving.kserve.io/v1 InferenceService"
