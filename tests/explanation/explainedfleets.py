"""Random fleets of one spoke, as files; what each key could say; and the file that another value would make."""

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from hubctl.cli import tracing
from hubctl.explanation.fleet import Fleet
from hubctl.inputs.load import load_inputs
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

Files = dict[str, Any]
SPOKE = "clusters/edge-a.yaml"
VALUES = "values-hub.yaml"
MODELS = ("anomaly-detector", "disk-anomaly")

WORDS: Mapping[str, list[Any]] = {
    "namespace": ["ns-a", "ns-b", "ns-c"],
    "enabled": [True],
    "predictorPort": [8080, 9000],
    "timeout": ["10s", "1m"],
    "service": ["svc-a", "svc-b"],
    "anomaly_detector": ["anomaly-detector-predictor", "svc-a"],
    "disk_anomaly": ["disk-anomaly-predictor", "svc-b"],
    "topology": ["ha", "sno"],
    "platform": ["openshift", "kubernetes"],
    "version": ["4.18", "1.33"],
    "kserveVersion": ["0.15", "0.16"],
    "deploymentMode": ["RawDeployment", "Standard", "Knative", "Serverless"],
    "tier": ["store", "cloud"],
    "region": ["eu", "us"],
    "minReplicas": [0, 1, 2],
    "maxReplicas": [2, 3, 4],
    "protocol": ["v1", "v2"],
    "runtime": ["kserve-mlserver", "own-runtime"],
    "path": ["{model}/{version}", "all/{version}"],
    "cpu": ["1", "2"],
    "memory": ["1Gi", "2Gi"],
    "claim": ["claim-a", "claim-b"],
    "size": ["5Gi", "10Gi"],
    "storageClass": ["fast", "slow"],
    "accessMode": ["ReadWriteMany", "ReadWriteOnce"],
    "bucket": ["bucket-a", "bucket-b"],
    "prefix": ["eu/x", "us/x"],
    "secretName": ["secret-a", "secret-b"],
    "serviceAccount": ["account-a", "account-b"],
    "image": ["quay.io/a/{model}:{version}", "quay.io/b/{model}:{version}"],
    "host": ["{model}.a.example.com", "{model}.{cluster}.example.com"],
    "port": [80, 8080],
    "tlsSecret": ["tls-a", "tls-b"],
    "className": ["class-a", "class-b"],
    "auth": [True, False],
    "podMonitor": [True, False],
    "prometheusRule": [True, False],
    "interval": ["30s", "1m"],
    "slowSeconds": [2.5, 7],
    "team": ["ml", "ops"],
    "quarantine": [True, False],
    "insteadOf": ["v1", "v2", "v3"],
    "generator": ["git", "clusters"],
    "requeueAfter": [60, 120],
    "remote": ["https://git.example.com/a.git", "https://git.example.com/b.git"],
    "branch": ["main", "live"],
    "project": ["fleet-a", "fleet-b"],
    "argocdNamespace": ["argo-a", "argo-b"],
    "count": [1, 2],
}
"""What a key may say; a key of a version under ``models`` is in ``VERSIONS``."""

VERSIONS = ["v1", "v2", "v3"]


def some(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keys, each with one of its words."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(WORDS[key]) for key in keys})


def all_of(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({key: st.sampled_from(WORDS[key]) for key in keys})


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


def typed(word: str, *parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return merged(st.just({"type": word}), *parts)


STORAGE = st.one_of(
    typed("pvc", some("claim", "size", "storageClass", "accessMode")),
    typed("s3", all_of("bucket"), some("prefix", "secretName", "serviceAccount")),
    typed("oci", all_of("image")),
)
EXPOSE = st.one_of(
    some("auth"),
    merged(st.just({"via": "ingress"}), all_of("host"), some("port", "tlsSecret", "className")),
    merged(st.just({"via": "gateway"}), all_of("host", "className"), some("port", "tlsSecret")),
)
MONITORING = merged(
    some("podMonitor", "prometheusRule", "interval", "slowSeconds"),
    st.fixed_dictionaries({}, optional={"labels": some("team")}),
)
POLICY = st.fixed_dictionaries({}, optional={"allowFrom": st.lists(st.sampled_from(["ns-a", "grafana"]), unique=True)})
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "namespace": st.sampled_from(WORDS["namespace"]),
        "storage": STORAGE,
        "kserveVersion": st.sampled_from(WORDS["kserveVersion"]),
        "expose": EXPOSE,
        "networkPolicy": POLICY,
        "monitoring": MONITORING,
    },
)
AMOUNTS = st.fixed_dictionaries({}, optional={"requests": some("cpu", "memory"), "limits": some("cpu", "memory")})
PROFILE = merged(
    some("minReplicas", "maxReplicas", "protocol", "path"),
    st.fixed_dictionaries({}, optional={"resources": AMOUNTS, "gpu": some("count")}),
)
PROFILES = st.dictionaries(st.sampled_from(MODELS), PROFILE)
GROUPS = st.lists(
    st.builds(
        lambda settings, match, models: settings | {"match": match, "models": models},
        SETTINGS,
        some("tier", "region"),
        PROFILES,
    ),
    max_size=2,
).map(lambda groups: [{"name": f"group-{index}"} | group for index, group in enumerate(groups)])
REGISTRY = st.one_of(
    st.just({"services": {"anomaly_detector": "svc-a", "disk_anomaly": "disk-anomaly-predictor"}}),
    st.just({"anomaly_detector_service": "svc-a", "services": {"disk_anomaly": "svc-b"}}),
    some("namespace", "service").map(
        lambda found: {"models": [{"name": "anomaly-detector"} | found], "services": {"disk_anomaly": "svc-b"}}
    ),
)
SERVED = st.lists(
    st.builds(
        lambda name, version, own: {"name": name, "version": version} | own,
        st.sampled_from(MODELS),
        st.sampled_from(VERSIONS),
        some("namespace", "service"),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda model: str(model["name"]),
)
PINS = st.lists(
    st.builds(
        lambda version, more: {"name": "anomaly-detector", "version": version} | more,
        st.sampled_from(VERSIONS),
        some("insteadOf"),
    ),
    max_size=1,
)


@st.composite
def fleets(draw: st.DrawFn) -> Files:
    """The files of a fleet; now and then they do not fit together."""
    served = draw(SERVED)
    patches = draw(st.dictionaries(st.sampled_from([model["name"] for model in served]), PROFILE))
    spec = draw(SETTINGS) | draw(some("topology")) | {"models": served, "overrides": {"models": patches}}
    spec |= {"platform": draw(st.sampled_from(WORDS["platform"])), "version": "4.18"}
    gitops = {"remote": WORDS["remote"][0]} | draw(some("branch", "project", "argocdNamespace"))
    kserve = draw(REGISTRY) | draw(some("enabled", "namespace", "predictorPort", "timeout"))
    hubctl = {"gitops": gitops, "models": draw(PROFILES), "groups": draw(GROUPS)}
    hubctl |= {"delivery": draw(some("generator", "requeueAfter"))}
    files: Files = {
        VALUES: {"coordinationEngine": {"kserve": kserve}, "hubctl": hubctl},
        SPOKE: {
            "apiVersion": "hubctl.io/v1alpha1",
            "kind": "Spoke",
            "metadata": {"name": "edge-a", "labels": draw(some("tier", "region"))},
            "spec": spec,
        },
    }
    for name in draw(st.sets(st.sampled_from(["one", "two"]), max_size=2)):
        override = {"cluster": "edge-a", "models": draw(PINS)} | draw(some("quarantine"))
        files[f"overrides/{name}.yaml"] = {"metadata": {"name": name}, "spec": override}
    return files


def write(folder: Path, files: Files) -> Settings:
    """Put the files there, and take away overrides that are not among them."""
    for path in folder.glob("overrides/*"):
        path.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False))
    return Settings(folder, folder / ".hubctl")


def opened(settings: Settings) -> Fleet:
    return tracing.open_fleet(settings)


def rendered(settings: Settings, templates: Templates) -> dict[str, list[Any]]:
    """Every file of the fleet by the real way, checks of the inputs included; its objects by path."""
    files = render_tree(load_inputs(settings), templates).files
    return {path: list(yaml.load_all(data, Loader=yaml.CSafeLoader)) for path, data in files.items()}


def scalars(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar of a file."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from scalars(inner, (*trail, key))
    if not isinstance(value, (dict, list)):
        yield trail, value


def words_for(trail: tuple[Any, ...]) -> list[Any]:
    """What a key of a fleet could say instead; nothing for names, which make the path of a file."""
    key = next(part for part in reversed(trail) if isinstance(part, str))
    if key == "version" and "models" in trail:
        return VERSIONS
    return WORDS.get(str(key), [])


def trail_of(field: str) -> tuple[Any, ...]:
    """The keys of ``spec.models[0].version``; only for files whose keys have no dots."""
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", field))


def edited(files: Files, name: str, trail: tuple[Any, ...], value: Any) -> Files:
    """The files with another value in one place, or without what stands there."""
    made = copy.deepcopy(files)
    holder = made[name]
    for part in trail[:-1]:
        holder = holder[part]
    if value == "(removed)":
        del holder[trail[-1]]
    else:
        holder[trail[-1]] = value
    return made
