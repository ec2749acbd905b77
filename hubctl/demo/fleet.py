"""The demo fleet's input files: what a person would write, and the windows that a feature job would leave.

Four spokes of four kinds: OpenShift with many nodes and with one, Kubernetes with a claim and with S3. Every model's
route points at the port of its server on this machine.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from hubctl.demo import generator, monitoring
from hubctl.inputs import edit

VOTING = ("anomaly-detector", "network-anomaly")
"""Models that every spoke serves; each row of theirs is a label."""

FORECAST = "predictive-analytics"
"""A model that one spoke serves; its rows are numbers and vote on nothing."""

FIRST_VERSION = "v1"


@dataclass(frozen=True, slots=True)
class DemoSpoke:
    """One spoke of the demo; the words are those of ``hubctl.model.cluster``."""

    name: str
    platform: Literal["openshift", "kubernetes"]
    version: str
    topology: Literal["ha", "sno"]
    region: str
    storage: Mapping[str, str]
    models: tuple[str, ...] = VOTING


SPOKES = (
    DemoSpoke("cloud-east", "kubernetes", "1.33", "ha", "cloud", {"type": "pvc", "storageClass": "standard-rwx"}),
    DemoSpoke("cloud-west", "kubernetes", "1.32", "ha", "cloud", {"type": "s3", "bucket": "models", "prefix": "prod"}),
    DemoSpoke("edge-north", "openshift", "4.18", "ha", "edge", {"type": "pvc"}, (*VOTING, FORECAST)),
    DemoSpoke("edge-south", "openshift", "4.18", "sno", "edge", {"type": "pvc", "storageClass": "gp3-csi"}),
)  # fmt: skip
"""The fleet, by name."""

KEYS = tuple((spoke.name, model) for spoke in SPOKES for model in sorted(spoke.models))
"""Cluster and model of every predictor in the fleet."""

_POLICIES = (
    {"name": "take-back-a-bad-version", "on": "model-anomaly", "action": "rollback-model"},
    {"name": "take-back-a-broken-version", "on": "model-fault", "action": "rollback-model"},
    {"name": "tell-about-a-bad-spoke", "on": "spoke-anomaly", "action": "notify"},
    {"name": "tell-about-a-silent-spoke", "on": "spoke-unreachable", "action": "notify"},
)


def write_fleet(
    folder: Path,
    *,
    remote: Path,
    ports: Mapping[tuple[str, str], int],
    branch: str = "main",
    mode: Literal["observe", "approve", "auto"] = "auto",
    webhook: str | None = None,
    metrics: str | None = None,
) -> None:
    """Writes ``values-hub.yaml``, ``clusters/``, ``.gitignore`` and the first windows.

    Args:
        folder: becomes hubctl's directory.
        remote: the bare repository that hubctl publishes to.
        ports: where each predictor of ``KEYS`` listens.
        branch: of the remote.
        mode: who lets a remediation happen.
        webhook: URL that notifications go to; None for no receiver.
        metrics: URL of the Prometheus that features come from; None for files.
    """
    (folder / "clusters").mkdir(parents=True, exist_ok=True)
    _write_yaml(folder / "values-hub.yaml", _values(remote, branch=branch, mode=mode, webhook=webhook, metrics=metrics))
    for spoke in SPOKES:
        _write_yaml(_cluster_file(folder, spoke.name), _cluster(spoke, ports))
    # Windows change every minute and hubctl's own files are nobody's input: neither belongs into Git.
    (folder / ".gitignore").write_text("features/\n.hubctl/\n")
    if metrics is None:
        write_windows(folder, number=0)


def write_windows(folder: Path, *, number: int, broken: Iterable[str] = ()) -> None:
    """Writes the next window of every predictor to ``features/<cluster>/<model>.json``, as a feature job would.

    Args:
        folder: hubctl's directory.
        number: of the round; each has windows of its own, the same ones whenever it is written.
        broken: spokes whose nodes are broken in this round.
    """
    ill = frozenset(broken)
    for cluster, model in KEYS:
        seed = zlib.crc32(f"{cluster}/{model}/{number}".encode())
        rows = generator.window(model, seed=seed, broken=cluster in ill)
        path = folder / "features" / cluster / f"{model}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and moved, so that a poll at the same moment reads one window whole.
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({"window": f"round-{number}", "instances": rows}))
        fresh.replace(path)


def set_version(folder: Path, *, model: str, version: str, clusters: Iterable[str]) -> None:
    """Changes a model's version in the cluster files, as a person's editor would: nothing else in them changes.

    Raises:
        InputError: a spoke does not serve the model; then no file is changed.
    """
    edited = {}
    for cluster in clusters:
        path = _cluster_file(folder, cluster)
        edited[path] = edit.set_version(path.read_text(), model, version, name=f"clusters/{path.name}")
    for path, text in edited.items():
        edit.write_text(path, text)


def _values(remote: Path, *, branch: str, mode: str, webhook: str | None, metrics: str | None) -> dict[str, Any]:
    """The hub's values: quick to conclude, since a demo's poll is a round of its own and not a minute."""
    hubctl: dict[str, Any] = {
        "gitops": {"remote": str(remote), "branch": branch},
        "observe": {"interval": "10s", "deadline": "10s"},
        "models": {
            model: {
                "output": "forecast" if model == FORECAST else "labels",
                "features": {"file": "features/{cluster}/{model}.json"}
                if metrics is None
                else monitoring.recipe(model),
            }
            for model in (*VOTING, FORECAST)
        },
        "aggregate": {"raiseAfter": 2, "clearAfter": 2, "minVotes": 2, "settle": "0s"},
        "remediation": {
            "mode": mode,
            "cooldown": "1s",
            "maxActionsPerHour": 10,
            "maxSpokesAtOnce": 2,
            "policies": [dict(policy) for policy in _POLICIES],
        },
    }
    if metrics:
        hubctl["prometheus"] = {"sources": {"demo": {"url": metrics, "delay": f"{monitoring.DELAY}s"}}}
    if webhook:
        hubctl["notify"] = {"webhooks": [{"name": "demo", "url": webhook}]}
    registered = [{"name": model} for model in sorted((*VOTING, FORECAST))]
    return {"coordinationEngine": {"kserve": {"enabled": True, "models": registered}}, "hubctl": hubctl}


def _cluster(spoke: DemoSpoke, ports: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """One spoke as a cluster file says it."""
    models = [
        {
            "name": model,
            "version": FIRST_VERSION,
            "route": {"type": "url", "url": f"http://127.0.0.1:{ports[spoke.name, model]}"},
        }
        for model in sorted(spoke.models)
    ]
    return {
        "apiVersion": "hubctl.io/v1alpha1",
        "kind": "Spoke",
        "metadata": {"name": spoke.name, "labels": {"region": spoke.region}},
        "spec": {
            "platform": spoke.platform,
            "version": spoke.version,
            "topology": spoke.topology,
            "storage": dict(spoke.storage),
            "models": models,
        },
    }


def _cluster_file(folder: Path, cluster: str) -> Path:
    """Where a spoke is described."""
    return folder / "clusters" / f"{cluster}.yaml"


def _write_yaml(path: Path, document: Mapping[str, Any]) -> None:
    """Writes a document, keys in the order given."""
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=120))
