"""What people read when a file is wrong: exact place, value, expectation, hint."""

import pytest

from hubctl.inputs.explain import PATTERNS, has_credentials, shown
from hubctl.inputs.schema import schemas
from hubctl.model.cluster import SpokeSpec
from hubctl.model.spelling import nearest
from hubctl.model.values import Observe
from tests.inputs.inputfolder import SPOKE, VALUES, Folder

SPOKE_KEYS = ", ".join(sorted(field.alias or name for name, field in SpokeSpec.model_fields.items()))
OBSERVE_KEYS = ", ".join(sorted(field.alias or name for name, field in Observe.model_fields.items()))
ROUTE_NAMES = "{cluster}, {model}, {namespace}, {service}"

SPOKE_MISTAKES = {
    "misspelt key": (
        "  platform:",
        "  platfrom:",
        "clusters/edge-a.yaml:6 spec.platfrom",
        "unknown key 'platfrom', expected one of ours",
        "did you mean platform? known here: " + SPOKE_KEYS,
    ),
    "misspelt value": (
        "openshift",
        "openshfit",
        "clusters/edge-a.yaml:6 spec.platform",
        "found 'openshfit', expected openshift or kubernetes",
        "did you mean openshift?",
    ),
    "number for text": (
        '"4.18"',
        "4.10",
        "clusters/edge-a.yaml:7 spec.version",
        "found 4.10, expected text",
        'quote it: version: "4.10"',
    ),
    "missing key": (
        "      version: v3\n",
        "",
        "clusters/edge-a.yaml:9 spec.models[0].version",
        "missing key 'version', expected it in spec.models[0]",
        "add version: ...",
    ),
    "wrong name": (
        "      version: v3",
        "      version: v3\n      namespace: Models",
        "clusters/edge-a.yaml:11 spec.models[0].namespace",
        "found 'Models', expected 1 to 63 lower-case letters, digits and -, no - at either end",
        "did you mean models?",
    ),
    "wrong route type": (
        "  models:",
        "  route:\n    type: acn\n  models:",
        "clusters/edge-a.yaml:9 spec.route.type",
        "found 'acn', expected acm or apiserver or route or service or url",
        "did you mean acm?",
    ),
    "route type that is a number": (
        "  models:",
        "  route:\n    type: 1.0\n  models:",
        "clusters/edge-a.yaml:9 spec.route.type",
        "found 1.0, expected acm or apiserver or route or service or url",
        "",
    ),
    "key called like a type": (
        "  models:",
        "  storage: {type: pvc, pvc: x}\n  models:",
        "clusters/edge-a.yaml:8 spec.storage.pvc",
        "unknown key 'pvc', expected one of ours",
        "known here: accessMode, claim, size, storageClass, type",
    ),
    "route in a list": (
        "  models:",
        "  route:\n    - {type: acm}\n    - {type: url, ulr: 'https://b'}\n  models:",
        "clusters/edge-a.yaml:10 spec.route[1].ulr",
        "unknown key 'ulr', expected one of ours",
        "did you mean url? known here: caFile, type, url",
    ),
    "no route in a list": (
        "  models:",
        "  route: []\n  models:",
        "clusters/edge-a.yaml:8 spec.route",
        "found a list with nothing in it, expected at least 1 item after validation, not 0",
        "",
    ),
    "no route type": (
        "  models:",
        "  route:\n    host: a.example\n  models:",
        "clusters/edge-a.yaml:8 spec.route.type",
        "missing key 'type', expected acm or apiserver or route or service or url",
        "add type: acm",
    ),
    "key of the other route": (
        "  models:",
        "  route: {type: acm, host: a.example, url: https://b}\n  models:",
        "clusters/edge-a.yaml:8 spec.route.url",
        "unknown key 'url', expected one of ours",
        "known here: caFile, headless, host, namespace, port, scheme, type",
    ),
    "empty section": (
        "  models:",
        "  overrides:\n  models:",
        "clusters/edge-a.yaml:8 spec.overrides",
        "found nothing, expected a mapping of `key: value` lines",
        "give it a value or remove the key",
    ),
    "unknown placeholder": (
        "  models:",
        "  route: {type: url, url: 'https://{name}.example'}\n  models:",
        "clusters/edge-a.yaml:8 spec.route.url",
        "found 'https://{name}.example', unknown placeholder {name}; expected " + ROUTE_NAMES,
        "",
    ),
    "password in a URL": (
        "  models:",
        "  route: {type: url, url: 'https://me:s3cret@b.example'}\n  models:",
        "clusters/edge-a.yaml:8 spec.route.url",
        "found 'https://***@b.example', expected a URL without user and password",
        "these files are in Git: use a credential helper, tokenFile or urlEnv, and change that password",
    ),
    "label that is a number": (
        "  name: edge-a",
        "  name: edge-a\n  labels: {tier: 1}",
        "clusters/edge-a.yaml:5 metadata.labels.tier",
        "found 1, expected text",
        'quote it: tier: "1"',
    ),
}

VALUES_MISTAKES = {
    "observe": (
        "observe: {perspoke: 3}",
        "hubctl.observe.perspoke",
        "unknown key 'perspoke', expected one of ours",
        "did you mean perSpoke? known here: " + OBSERVE_KEYS,
    ),
    "duration": (
        "observe: {interval: soon}",
        "hubctl.observe.interval",
        "found 'soon', expected a duration such as 90s, 5m or 1h30m",
        "",
    ),
    "range": (
        "observe: {concurrency: 0}",
        "hubctl.observe.concurrency",
        "found 0, expected greater than or equal to 1",
        "",
    ),
    "boolean": (
        "aggregate: {minVotes: yes please}",
        "hubctl.aggregate.minVotes",
        "found 'yes please', expected a whole number",
        "",
    ),
    "either of two": (
        "gitops: {maxRemovedClusters: many}",
        "hubctl.gitops.maxRemovedClusters",
        "found 'many', expected a whole number, or expected a percentage such as 10%",
        "",
    ),
    "policy": (
        "remediation: {policies: [{name: a, on: spoke-anomaly, action: rollback-model}]}",
        "hubctl.remediation.policies[0]",
        "found a mapping, rollback-model needs a finding about a model, not spoke-anomaly",
        "",
    ),
    "model name": (
        "models: {Anomaly: {}}",
        "hubctl.models.Anomaly",
        "found 'Anomaly', expected lower-case letters, digits and -, starting with a letter, no - at the end",
        "did you mean anomaly?",
    ),
    "list for mapping": (
        "gitops: [main]",
        "hubctl.gitops",
        "found a list, expected a mapping of `key: value` lines",
        "",
    ),
    "store password": (
        "store: {url: 'postgresql+psycopg://hub:pw@db/hub'}",
        "hubctl.store.url",
        "found 'postgresql+psycopg://***@db/hub', expected a URL without user and password",
        "these files are in Git: use a credential helper, tokenFile or urlEnv, and change that password",
    ),
}


@pytest.mark.parametrize("case", SPOKE_MISTAKES)
def test_mistake_in_a_cluster_file(folder: Folder, case: str) -> None:
    old, new, where, message, hint = SPOKE_MISTAKES[case]
    folder.change("clusters/edge-a.yaml", old, new)
    (problem,) = (one for one in folder.problems() if one.where == where)
    assert (problem.message, problem.hint) == (message, hint)


@pytest.mark.parametrize("case", VALUES_MISTAKES)
def test_mistake_in_the_values(folder: Folder, case: str) -> None:
    section, field, message, hint = VALUES_MISTAKES[case]
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  {section}\n")
    (problem,) = folder.problems()
    assert (problem.where, problem.message, problem.hint) == (f"values-hub.yaml:8 {field}", message, hint)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("Anomaly", "found 'Anomaly', expected lower-case letters, digits and _, starting with a letter"),
        ("anomaly_", "found 'anomaly_', expected lower-case letters, digits and _, starting with a letter"),
        ("timeout_guard", "found 'timeout_guard', expected a name that does not start with namespace, timeout"),
    ],
)
def test_registry_keys_are_checked_at_their_line(folder: Folder, key: str, message: str) -> None:
    folder.change("values-hub.yaml", "predictive_analytics", key)
    (problem,) = folder.problems()
    assert problem.where == f"values-hub.yaml:6 coordinationEngine.kserve.services.{key}"
    assert problem.message.startswith(message)


def test_model_registered_twice_is_refused(folder: Folder) -> None:
    folder.change("values-hub.yaml", "predictive_analytics", "anomaly-detector")
    (problem,) = folder.problems()
    assert problem.where == "values-hub.yaml:2 coordinationEngine.kserve"
    assert "expected each model once, found anomaly-detector more than once" in problem.message


def test_all_problems_of_all_files_come_together(folder: Folder) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  observ: {{}}\n  store: {{ulr: x}}\n")
    folder.write("clusters/edge-a.yaml", SPOKE.replace("kind: Spoke", "kind: Spook"))
    folder.write("clusters/edge-b.yaml", "a: [\n").write("overrides/x.yaml", "metadata: {name: x}\n")
    assert [problem.where for problem in folder.problems()] == [
        "values-hub.yaml:8 hubctl.observ",
        "values-hub.yaml:9 hubctl.store.ulr",
        "clusters/edge-a.yaml:2 kind",
        "clusters/edge-b.yaml:2",
        "overrides/x.yaml:1 spec",
    ]


def test_every_pattern_of_the_models_has_words() -> None:
    def patterns(value: object) -> set[str]:
        if isinstance(value, list):
            return {one for item in value for one in patterns(item)}
        if not isinstance(value, dict):
            return set()
        own = {value["pattern"]} if isinstance(value.get("pattern"), str) else set()
        own |= set(value.get("patternProperties", {}))
        return own | {one for item in value.values() for one in patterns(item)}

    found = {one for schema in schemas().values() for one in patterns(schema)}
    assert found == set(PATTERNS)


def test_long_values_are_shown_short() -> None:
    assert len(shown("x" * 500)) < 70


def test_nearest_ignores_case_and_says_nothing_of_strangers() -> None:
    assert nearest("PLATFORM", ["platform", "version"]) == "did you mean platform?"
    assert nearest("zzz", ["platform", "version"]) == ""


@pytest.mark.parametrize("url", ["https://t0ken@git.example/x", "ssh://git:pw@git.example/x", "HTTP://a:b@c"])
def test_users_over_http_and_passwords_anywhere_are_credentials(url: str) -> None:
    assert has_credentials(url)


@pytest.mark.parametrize(
    "url", ["ssh://git@git.example/x", "git@git.example:x", "https://git.example/a@b", "sqlite:///x"]
)
def test_plain_urls_hold_no_credentials(url: str) -> None:
    assert not has_credentials(url)
