"""Fleets that nobody wrote: values of all kinds, spokes of all kinds, overrides, and texts that YAML stumbles on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from hubctl.model.serving import FORMATS
from tests.kube.variants import DELIVERIES

Files = Mapping[str, str]
"""Path in the folder of the inputs to text."""

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
SPOKES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,4}[a-z0-9])?(\.[a-z0-9]{1,3})?", fullmatch=True)
VERSIONS = st.sampled_from(["v1", "1.0", "007", "1e3", "true", "null", "NO", "0x1f", "12_3", "2024-01-01", "a.b-C_d"])
"""Labels as Kubernetes takes them; most of them no text to a YAML parser that sees them without quotes."""

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12) | st.sampled_from(
    [
        "#",
        "- a",
        "a: b",
        "{x}",
        "{{ x }}",
        "[[ x ]]",
        "'",
        '"',
        "\\",
        "*a",
        "&a",
        "!t",
        "%",
        "| ",
        "\u2028",
        "\ufeff",
        "🦀",
    ]
)
AMOUNTS = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage"]),
    st.sampled_from(["1", "500m", "2Gi", "0.5", "1e3", "1E2", ".5", "3."]),
    max_size=2,
)
GPUS = st.fixed_dictionaries(
    {"count": st.integers(1, 8)}, optional={"resource": st.sampled_from(["nvidia.com/gpu", "amd.com/gpu"])}
)
RESOURCES = st.fixed_dictionaries({}, optional={"requests": AMOUNTS, "limits": AMOUNTS})
REPLICAS = st.sampled_from([(0, 1), (1, 1), (1, 3), (2, 2)])
MODES = (None, "RawDeployment", "Standard", "Knative", "Serverless")


@st.composite
def serving(draw: st.DrawFn) -> dict[str, Any]:
    """A model's profile that fits together."""
    fewest, most = draw(REPLICAS)
    made: dict[str, Any] = {"minReplicas": fewest, "maxReplicas": most}
    kind = draw(st.sampled_from(["format", "format", "runtime", "container", "oci", "hf"]))
    if kind == "container":
        made["container"] = {"image": "quay.io/fleet/{model}:{version}", "args": draw(st.lists(TEXTS, max_size=2))}
        # A brace in free text would be a placeholder.
        made["container"]["args"] = [text.replace("{", "(").replace("}", ")") for text in made["container"]["args"]]
    elif kind == "runtime":
        made |= {"format": draw(NAMES), "runtime": draw(NAMES)}
    else:
        name = draw(st.sampled_from(sorted(FORMATS)))
        made |= {"format": name, "protocol": draw(st.sampled_from(FORMATS[name]))}
    if kind == "oci":
        made["storage"] = {"type": "oci", "image": "quay.io/fleet/{model}:{version}"}
    elif kind == "hf":
        made["storage"] = {"type": "hf", "repo": "fleet/{model}:{version}"}
    if draw(st.booleans()):
        made["resources"] = draw(RESOURCES)
    if draw(st.booleans()):
        made["gpu"] = {
            "resource": draw(st.sampled_from(["nvidia.com/gpu", "amd.com/gpu"])),
            "count": draw(st.integers(1, 8)),
        }
    return made


STORAGES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("pvc")},
        optional={"claim": NAMES, "size": st.sampled_from(["1Gi", "2.5Ti"]), "storageClass": NAMES,
                  "accessMode": st.sampled_from(["ReadWriteMany", "ReadWriteOnce"])},
    ),
    st.fixed_dictionaries(
        {"type": st.just("s3"), "bucket": st.sampled_from(["models", "a.b-c"])},
        optional={
            "prefix": st.sampled_from(["p", "a/b", "a b"]), "secretName": NAMES, "serviceAccount": NAMES,
            "externalSecret": st.fixed_dictionaries({"store": NAMES, "key": TEXTS}, optional={"region": TEXTS}),
        },
    ),
    st.just({"type": "oci", "image": "quay.io/fleet/{model}:{version}"}),
    st.just({"type": "hf", "repo": "fleet/{model}:{version}"}),
)  # fmt: skip
POLICIES = st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "allowFrom": st.lists(NAMES, max_size=2)})
MONITORING = st.fixed_dictionaries(
    {},
    optional={
        "podMonitor": st.booleans(), "prometheusRule": st.booleans(), "slowSeconds": st.sampled_from([0.1, 5, 3600]),
        "labels": st.dictionaries(st.sampled_from(["release", "a.b/c"]), VERSIONS, max_size=2),
    },
)  # fmt: skip
LABELS = st.dictionaries(
    st.sampled_from(["tier", "vendor", "a.b/c"]), st.sampled_from(["x", "1.0", "true"]), max_size=2
)


def exposures(platform: str) -> st.SearchStrategy[dict[str, Any]]:
    """Ways to expose predictors that fit a platform whose deployments are raw."""
    host = {"host": "{model}.{cluster}.example.com"}
    ways: list[dict[str, Any]] = [
        {"via": "ingress", **host},
        {"via": "ingress", **host, "tlsSecret": "tls", "className": "nginx"},
        {"via": "gateway", **host, "className": "istio", "tlsSecret": "tls"},
        {"via": "gateway", **host, "gateway": "public", "gatewayNamespace": "gateways", "port": 8080},
    ]
    return st.sampled_from([*ways, *([{}, {"auth": True}] if platform == "openshift" else [])])


@st.composite
def spoke(draw: st.DrawFn, name: str, models: list[str], *, by_name: bool) -> dict[str, Any]:
    """A cluster file."""
    platform = draw(st.sampled_from(["openshift", "kubernetes"]))
    mode = draw(st.sampled_from(MODES))
    served = draw(st.lists(st.sampled_from(models), unique=True, min_size=draw(st.integers(0, len(models)))))
    listed = [{"name": model, "version": draw(VERSIONS)} for model in served]
    spec: dict[str, Any] = {"platform": platform, "version": draw(st.sampled_from(["4.18", "1.33", "1.30.2"]))}
    spec |= {"topology": draw(st.sampled_from(["ha", "sno"])), "models": listed, "storage": draw(STORAGES)}
    optional: dict[str, Any] = {
        "deploymentMode": mode,
        "kserveVersion": draw(st.sampled_from([None, "0.15", "0.16", "0.20.0"])),
    }
    optional |= {"namespace": draw(st.none() | NAMES), "networkPolicy": draw(st.none() | POLICIES)}
    optional["monitoring"] = draw(st.none() | MONITORING)
    raw = mode not in ("Knative", "Serverless")
    optional["expose"] = draw(st.none() | exposures(platform)) if raw else None
    if not by_name and draw(st.booleans()):
        optional["destination"] = {"name": draw(SPOKES)}
    patched = {"resources": draw(RESOURCES)} if raw else {"canaryTrafficPercent": draw(st.integers(0, 100))}
    if draw(st.booleans()) and served:
        optional["overrides"] = {"models": {served[0]: patched}}
    metadata = {"name": name, "labels": draw(LABELS), "annotations": draw(st.dictionaries(NAMES, TEXTS, max_size=1))}
    spec |= {key: value for key, value in optional.items() if value is not None}
    return {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": metadata, "spec": spec}


@st.composite
def overrides(draw: st.DrawFn, spokes: list[dict[str, Any]]) -> dict[str, Any]:
    """What remediation may have left: rollbacks, some of which lapsed, and quarantines."""
    found = {}
    for one in draw(st.lists(st.sampled_from(spokes), max_size=2, unique_by=id)) if spokes else []:
        name, models = one["metadata"]["name"], one["spec"]["models"]
        spec: dict[str, Any] = {"cluster": name, "quarantine": True}
        file = f"{name}.quarantine"
        if models and draw(st.booleans()):
            instead = draw(st.sampled_from([models[0]["version"], "gone"]))
            pin = {"name": models[0]["name"], "version": draw(VERSIONS), "insteadOf": instead}
            file, spec = f"{name}.{models[0]['name']}.rollback", {"cluster": name, "models": [pin]}
        annotations = {"hubctl.io/action-id": "rem-1", "hubctl.io/incident": "inc-1"}
        metadata = {"name": file, "annotations": annotations}
        found[file] = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Override", "metadata": metadata, "spec": spec}
    return found


REST = {"name": "rest", "matchExpressions": [{"key": "no-such-label", "operator": "NotIn", "values": ["no"]}]}
"""A step that every spoke can take, since one that takes none is refused."""

STEPS = st.lists(
    st.sampled_from([{"name": "first", "match": {"vendor": "1.0"}}, {"name": "then", "match": {"a.b/c": "true"}}]),
    unique_by=lambda step: str(step["name"]),
).flatmap(lambda steps: st.sampled_from([1, 0, "25%"]).map(lambda most: [*steps, {**REST, "maxUpdate": most}]))


@st.composite
def fleets(draw: st.DrawFn) -> Files:
    """The files of a fleet that hubctl takes."""
    profiles = draw(st.dictionaries(NAMES.filter(_free), serving(), min_size=1, max_size=3))
    delivery = draw(st.sampled_from(list(DELIVERIES.values())))
    if "strategy" in delivery:
        delivery = {**delivery, "strategy": {"type": "RollingSync", "steps": draw(STEPS)}}
    group = {"name": draw(TEXTS), "match": draw(LABELS)}
    group |= draw(st.fixed_dictionaries({}, optional={"networkPolicy": POLICIES, "monitoring": MONITORING}))
    if draw(st.booleans()):
        group["models"] = {min(profiles): {"resources": draw(RESOURCES), "minReplicas": 1, "maxReplicas": 4}}
    listed = [{"name": name, "description": draw(TEXTS)} for name in profiles]
    values = {
        "global": {"pattern": draw(TEXTS)},
        "coordinationEngine": {"kserve": {"namespace": draw(NAMES), "models": listed}},
        "hubctl": {
            "gitops": {
                "remote": "https://git.example.com/fleet.git",
                "path": draw(st.sampled_from(["rendered", "apps/kserve/out"])),
                "project": draw(NAMES),
            },
            "delivery": delivery,
            "models": profiles,
            "groups": [group] if draw(st.booleans()) else [],
        },
    }
    by_name = delivery.get("generator", "git") != "git"
    names = draw(st.lists(SPOKES, unique=True, min_size=draw(st.sampled_from([2, 1, 3, 4, 0])), max_size=4))
    spokes = [draw(spoke(name, sorted(profiles), by_name=by_name)) for name in names]
    files: dict[str, Any] = {"values-hub.yaml": values}
    files |= {f"clusters/{one['metadata']['name']}.yaml": one for one in spokes}
    files |= {f"overrides/{name}.yaml": one for name, one in draw(overrides(spokes)).items()}
    in_order, plain = draw(st.booleans()), draw(st.booleans())
    return {
        path: str(yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=in_order, allow_unicode=plain))
        for path, data in files.items()
    }


def _free(name: str) -> bool:
    """The coordination engine's own variables are taken."""
    return not name.startswith(("namespace", "timeout", "predictor-port"))


def write(folder: Path, files: Files) -> None:
    """The files, in a folder that is there."""
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
