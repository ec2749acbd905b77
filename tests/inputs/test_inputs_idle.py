"""Keys without effect are warned about, with their line; the same keys where they count are not."""

import pytest

from tests.inputs.inputfolder import SPOKE, VALUES, Folder

OWN = "      route: {type: url, url: 'https://own.example'}\n"
SPOKES = "  route: {type: url, url: 'https://{model}.example'}\n"
HUB = "hubctl: {observe: {route: {type: url, url: 'https://{model}.example'}}}\n"


def unread(folder: Folder) -> list[str]:
    return [warning for warning in folder.load().warnings if "is not read" in warning]


@pytest.mark.parametrize(
    ("kserve", "expected"),
    [
        ("    anomalyDetectorModel: other\n", 1),
        ("    predictiveAnalyticsModel: other\n", 1),
        ("    anomalyDetectorModel: other\n    anomalyDetectorService: other-predictor\n", 0),
    ],
)
def test_name_of_a_model_without_its_service(folder: Folder, kserve: str, expected: int) -> None:
    folder.write("values-hub.yaml", VALUES + kserve)
    assert [warning[:17] for warning in unread(folder)] == ["values-hub.yaml:7"] * expected


def test_route_of_a_spoke_whose_models_have_their_own(folder: Folder) -> None:
    folder.write("clusters/edge-a.yaml", SPOKE + OWN + SPOKES)
    assert unread(folder) == [
        "clusters/edge-a.yaml:12 spec.route is not read: each model of this spoke has a route of its own"
    ]


def test_route_of_a_spoke_that_one_model_needs(folder: Folder) -> None:
    more = "    - {name: predictive-analytics, version: v1}\n"
    folder.write("clusters/edge-a.yaml", SPOKE + OWN + more + SPOKES)
    assert unread(folder) == []


@pytest.mark.parametrize(("spoke", "expected"), [(SPOKE + SPOKES, 1), (SPOKE + OWN, 1), (SPOKE, 0)])
def test_route_of_the_hub_that_no_spoke_needs(folder: Folder, spoke: str, expected: int) -> None:
    folder.write("values-hub.yaml", VALUES + HUB).write("clusters/edge-a.yaml", spoke)
    assert ["hubctl.observe.route" in warning for warning in unread(folder)] == [True] * expected


def test_route_of_the_hub_is_kept_for_a_fleet_without_spokes(folder: Folder) -> None:
    folder.write("values-hub.yaml", VALUES + HUB)
    (folder.root / "clusters" / "edge-a.yaml").unlink()
    assert unread(folder) == []


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("{type: url, url: 'http://x.example'}", 1),
        ("{type: url, url: 'https://x.example'}", 0),
        ("{type: acm, host: proxy.example}", 0),
        ("{type: acm, host: proxy.example, scheme: http}", 0),
        ("{type: service, scheme: http}", 1),
        ("[{type: service, scheme: http}, {type: route}]", 0),
    ],
)
def test_bundle_of_certificates_without_an_encrypted_route(folder: Folder, route: str, expected: int) -> None:
    folder.write("values-hub.yaml", VALUES + f"hubctl: {{observe: {{caFile: ca.pem, route: {route}}}}}\n")
    assert ["caFile" in warning for warning in unread(folder)] == [True] * expected


FILE = "features: {file: 'f/{cluster}.json', timeout: 5s}"
COMMAND = "features: {command: [rows], timeout: 5s}"


@pytest.mark.parametrize(("features", "expected"), [(FILE, 1), (COMMAND, 0), (FILE.replace(", timeout: 5s", ""), 0)])
def test_timeout_of_a_file_on_the_hub_and_on_a_spoke(folder: Folder, features: str, expected: int) -> None:
    folder.write("values-hub.yaml", VALUES + f"hubctl: {{models: {{anomaly-detector: {{{features}}}}}}}\n")
    assert len(unread(folder)) == expected
    folder.write("values-hub.yaml", VALUES)
    folder.write("clusters/edge-a.yaml", SPOKE + f"  overrides: {{models: {{anomaly-detector: {{{features}}}}}}}\n")
    assert len(unread(folder)) == expected


def policies(folder: Folder, *rules: str, webhooks: bool = False) -> list[str]:
    listed = ", ".join(f"{{name: p{index}, {rule}}}" for index, rule in enumerate(rules))
    notify = "  notify: {webhooks: [{name: w, url: 'https://hook.example'}]}\n" if webhooks else ""
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  remediation: {{policies: [{listed}]}}\n{notify}")
    return unread(folder)


BACK = "on: model-anomaly, action: rollback-model"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (["on: spoke-anomaly, action: quarantine, models: [anomaly-detector]"], "spoke-anomaly is about no model"),
        ([BACK, f"{BACK}, models: [anomaly-detector]"], "policy 'p0' above it takes all that it is for"),
        ([f"{BACK}, models: [anomaly-detector]"] * 2, "policy 'p0' above it"),
        (["on: model-anomaly, action: notify, mode: auto"], "a notification needs nobody's leave"),
    ],
)
def test_policy_that_never_acts(folder: Folder, rules: list[str], said: str) -> None:
    (warning,) = policies(folder, *rules)
    assert warning.startswith("values-hub.yaml:")
    assert said in warning


@pytest.mark.parametrize(
    "rules",
    [
        [f"{BACK}, models: [anomaly-detector]", BACK],
        [BACK, "on: model-anomaly, action: notify"],
        [f"{BACK}, models: [anomaly-detector]", f"{BACK}, models: [predictive-analytics]"],
        ["on: model-fault, action: rollback-model, models: [anomaly-detector]", BACK],
    ],
)
def test_policies_that_each_act_are_fine(folder: Folder, rules: list[str]) -> None:
    assert policies(folder, *rules) == []


def test_webhooks_without_a_policy_that_notifies(folder: Folder) -> None:
    assert ["hubctl.notify.webhooks" in warning for warning in policies(folder, BACK, webhooks=True)] == [True]
    assert policies(folder, "on: model-anomaly, action: notify", webhooks=True) == []


def test_labels_annotations_and_descriptions_count_as_read(folder: Folder) -> None:
    folder.write("clusters/edge-a.yaml", SPOKE.replace("edge-a", "edge-a\n  labels: {a: b}\n  annotations: {c: d}"))
    assert unread(folder) == []


@pytest.mark.parametrize(("mode", "expected"), [("commit", 1), ("pull-request", 0)])
def test_pull_request_where_hubctl_commits_to_the_branch_itself(folder: Folder, mode: str, expected: int) -> None:
    publishing = f"{{mode: {mode}, pullRequest: {{tokenFile: t}}}}"
    gitops = f"hubctl: {{gitops: {{remote: 'https://github.com/a/b.git', publishing: {publishing}}}}}\n"
    folder.write("values-hub.yaml", VALUES + gitops)
    assert ["publishing.mode is commit" in warning for warning in unread(folder)] == [True] * expected
