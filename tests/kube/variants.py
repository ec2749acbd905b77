"""A fleet in which every variant of the templates stands at least once."""

from typing import Any

from hubctl.model.serving import FORMATS


def spoke(name: str, **spec: Any) -> dict[str, Any]:
    """A cluster file's content; a Kubernetes cluster unless told otherwise."""
    labels = spec.pop("labels", {})
    spec = {"platform": "kubernetes", "version": "1.33", **spec}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": metadata, "spec": spec}


def models(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "version": "v1"} for name in names]


APISERVER = "https://proxy.example.com/{cluster}/api/v1/namespaces/{namespace}"

PROFILES: dict[str, dict[str, Any]] = {
    **{name: {"format": name, "protocol": spoken[-1]} for name, spoken in FORMATS.items()},
    "own": {
        "container": {"image": "quay.io/fleet/{model}:{version}", "args": ["--name={model}", "a: b"], "port": 9000},
        "resources": {"limits": {"memory": "1Gi"}},
        "gpu": {"count": 2},
    },
    "bare": {"container": {"image": "quay.io/fleet/bare@sha256:{version}"}, "protocol": "v2"},
    "car": {"storage": {"type": "oci", "image": "quay.io/fleet/{model}:{version}"}, "gpu": {"resource": "amd.com/gpu"}},
    "hub": {"format": "huggingface", "storage": {"type": "hf", "repo": "fleet/{model}:{version}"}, "minReplicas": 0},
}

VALUES: dict[str, Any] = {
    "coordinationEngine": {"kserve": {"models": [{"name": name} for name in PROFILES]}},
    "hubctl": {
        "install": {
            "repoURL": "https://git.example.com/hubctl.git",
            "targetRevision": "v1",
            "image": "r.test/hubctl:2",
        },
        "gitops": {"remote": "https://git.example.com/fleet.git"},
        "models": PROFILES,
        "runtimes": {
            "xgb": {"image": "quay.io/fleet/xgb:1", "formats": ["xgboost"], "protocols": ["v1", "v2"], "port": 9000},
            "claimed": {
                "image": "kserve/sklearnserver@sha256:1",
                "formats": ["sklearn", "a b"],
                "protocols": ["v2"],
                "readsClaim": True,
            },
        },
        "clusterProxy": {},
        "observe": {"tokenFile": "tokens/{cluster}", "route": {"type": "acm", "host": "proxy.example.com"}},
        "groups": [
            {
                "name": "all",
                "match": {},
                "kserveVersion": "0.15",
                "access": {"token": {"validity": "24h"}, "feedback": True},
            },
            {
                "name": "gpu",
                "match": {"gpu": "yes"},
                "storage": {"type": "pvc", "claim": "fast"},
                "networkPolicy": {},
                "models": {"sklearn": {"gpu": {"count": 4}, "minReplicas": 2, "maxReplicas": 3}},
            },
        ],
    },
}

SPOKES = (
    spoke("formats", models=models(*FORMATS)),
    spoke("servers", platform="openshift", topology="sno", models=models("own", "bare", "car", "hub")),
    spoke("granted", access={"token": {"grant": "manifestWork", "agentNamespace": "agents"}},
          models=[*models("sklearn", "own"), {"name": "car", "version": "v1", "namespace": "elsewhere"}]),
    spoke("proxied", models=models("own", "car"), access={"token": {}},
          route={"type": "url", "url": APISERVER + "/services/http:{service}:80/proxy"}),
    spoke("proxied-by-work", models=models("own"), access={"token": {"grant": "manifestWork"}},
          route={"type": "url", "url": APISERVER + "/services/{service}:http/proxy/"}),
    spoke("images", kserveVersion="0.20.0", storage={"type": "oci", "image": "quay.io/fleet/{model}:{version}"},
          models=models("sklearn", "own")),
    spoke("repositories", deploymentMode="Knative", storage={"type": "hf", "repo": "fleet/{model}:{version}"},
          models=models("huggingface"), overrides={"models": {"huggingface": {"canaryTrafficPercent": 10}}}),
    spoke("routed", platform="openshift", expose={"auth": True}, models=models("sklearn")),
    spoke("ingressed", models=models("sklearn", "own"),
          expose={"host": "{model}.{cluster}.example.com", "tlsSecret": "wildcard", "className": "nginx"}),
    spoke("plain", expose={"host": "{model}.example.com"}, models=models("sklearn")),
    spoke("gated", models=models("sklearn"),
          expose={"via": "gateway", "host": "{model}-{namespace}.example.com", "tlsSecret": "cert",
                  "className": "istio"}),
    spoke("shared", platform="openshift", models=models("sklearn"),
          expose={"via": "gateway", "host": "{model}.example.com", "gateway": "public", "gatewayNamespace": "gateways",
                  "port": 8080}),
    spoke("unencrypted", models=models("sklearn"),
          expose={"via": "gateway", "host": "{model}.example.com", "className": "istio"}),
    spoke("watched", platform="openshift", networkPolicy={"allowFrom": ["ingress-nginx"]},
          monitoring={"podMonitor": True, "prometheusRule": True, "labels": {"release": "1.0_a", "a.b/c": "true"}},
          models=[*models("sklearn", "own"), {"name": "onnx", "version": "v1", "namespace": "elsewhere"}],
          storage={"type": "s3", "bucket": "fleet", "externalSecret": {"store": "vault", "key": "fleet/s3: a"}}),
    spoke("elsewhere", networkPolicy={}, monitoring={"podMonitor": True},
          storage={"type": "s3", "bucket": "fleet", "externalSecret": {
              "store": "vault", "storeKind": "SecretStore", "key": "s3", "endpoint": "s3.example.com:9000",
              "region": "eu"}}),
    spoke("grouped", labels={"gpu": "yes"}, models=models("sklearn"),
          overrides={"models": {"sklearn": {"maxReplicas": 9}}}),
    spoke("own-runtimes", models=[*models("xgboost"), {"name": "sklearn", "version": "v1", "namespace": "other"}],
          overrides={"models": {"xgboost": {"runtime": "xgb"}, "sklearn": {"runtime": "claimed"}}}),
    spoke("renamed", deploymentMode="Serverless", kserveVersion="0.16", models=models("sklearn")),
)  # fmt: skip

PLACEMENT = {"clusterSet": "fleet", "matchLabels": {"vendor": "OpenShift", "a.b/c": "1.0"}}

STEPS = {
    "type": "RollingSync",
    "steps": [
        {"group": "gpu", "maxUpdate": 1},
        {"name": "1.0_a", "match": {"gpu": "no"}, "maxUpdate": "25%"},
        {"matchExpressions": [{"key": "a.b/c", "operator": "NotIn", "values": ["true", "1e9"]}], "maxUpdate": 0},
    ],
}

DELIVERIES: dict[str, dict[str, Any]] = {
    "git": {"requeueAfter": 60},
    "clusters": {"generator": "clusters"},
    "labelled clusters": {"generator": "clusters", "clusterLabels": {"vendor": "OpenShift"}},
    "decisions": {"generator": "clusterDecisionResource", "placement": PLACEMENT, "requeueAfter": 30},
    "decisions of another": {
        "generator": "clusterDecisionResource",
        "configMap": "ocm-placement-generator",
        "placement": {"name": "ours", "clusterSet": "global", "gitOpsCluster": False},
    },
    "steps": {"strategy": STEPS},
    "steps by decisions": {"generator": "clusterDecisionResource", "placement": PLACEMENT, "strategy": STEPS},
    "steps, pulled": {"model": "pull", "generator": "clusters", "placement": PLACEMENT, "strategy": STEPS},
    "nothing removed": {"applicationsSync": "create-update"},
    "pulled by git": {"model": "pull", "placement": PLACEMENT},
    "pulled by decisions": {"model": "pull", "generator": "clusterDecisionResource", "placement": PLACEMENT},
    "pulled by clusters": {"model": "pull", "generator": "clusters", "placement": PLACEMENT},
}


def delivered(delivery: dict[str, Any]) -> dict[str, Any]:
    """The values with a section ``hubctl.delivery``."""
    return VALUES | {"hubctl": VALUES["hubctl"] | {"delivery": delivery}}
