"""The metrics of a generated fleet, as OpenMetrics, and what each value is, computed without Prometheus."""

import math
from datetime import UTC, datetime

NOW = datetime(2026, 3, 1, 12, 0, 40, tzinfo=UTC)
"""When tests look: forty seconds into a minute."""

END = int(datetime(2026, 3, 1, 11, 59, tzinfo=UTC).timestamp())
"""The newest minute at ``NOW`` for a source whose samples come a minute late."""

MINUTES = range(-25, 3)
"""Of the samples, counted from ``END``."""

SPOKES = tuple(f"spoke-{number:03d}.fleet" for number in range(200))
GAP, NAN, INFINITE, STALE, TWICE, MISSING = SPOKES[10:16]
"""Spokes with which something is wrong."""

NODES, PODS = range(2), range(3)
UPSTREAM = SPOKES[:3]
"""Spokes with all that the recipes for upstream's models ask for."""


def load(cluster: str, minute: int) -> float:
    """The gauge ``load`` of a spoke."""
    return round(0.5 + 0.4 * math.sin(SPOKES.index(cluster) + minute / 3), 6)


def idle(node: int, minute: int) -> float:
    """Share of a minute in which a node's CPU has nothing to do."""
    return round(0.6 + 0.1 * node + 0.05 * math.cos(minute + node), 6)


def exposition() -> str:
    """All of it as OpenMetrics; each family once."""
    lines = ["# TYPE load gauge", *_loads(), "# TYPE odd gauge"]
    lines += [f'odd{{site="x"}} 1 {END + 60 * minute}' for minute in MINUTES]
    for name, (kind, samples) in _upstream().items():
        lines += [f"# TYPE {name.removesuffix('_total')} {kind}", *samples]
    return "\n".join([*lines, "# EOF", ""])


def _loads() -> list[str]:
    made = []
    for cluster in SPOKES:
        for minute in MINUTES:
            if (cluster == GAP and minute == -3) or (cluster == STALE and minute > -2) or cluster == MISSING:
                continue
            value: object = load(cluster, minute)
            if minute == -2:
                value = {NAN: "NaN", INFINITE: "+Inf"}.get(cluster, value)
            zones = ("a", "b") if cluster == TWICE else ("a",)
            made += [f'load{{cluster="{cluster}",zone="{zone}"}} {value} {END + 60 * minute}' for zone in zones]
    return made


def _upstream() -> dict[str, tuple[str, list[str]]]:
    """Family to its type and samples; counters count up from the first minute, by the second."""
    made: dict[str, tuple[str, list[str]]] = {
        name: (kind, [])
        for name, kind in {
            "node_cpu_seconds_total": "counter",
            "node_memory_MemAvailable_bytes": "gauge",
            "node_memory_MemTotal_bytes": "gauge",
            "node_filesystem_avail_bytes": "gauge",
            "node_filesystem_size_bytes": "gauge",
            "node_network_receive_bytes_total": "counter",
            "node_network_transmit_bytes_total": "counter",
            "container_cpu_usage_seconds_total": "counter",
            "container_memory_working_set_bytes": "gauge",
            "kube_pod_container_resource_limits": "gauge",
            "kube_pod_container_status_restarts_total": "counter",
        }.items()
    }

    def add(name: str, labels: str, value: float, at: int) -> None:
        made[name][1].append(f"{name}{{{labels}}} {value:.6f} {at}")

    for cluster in UPSTREAM:
        for node in NODES:
            counted = 0.0
            for minute in MINUTES:
                at, labels = END + 60 * minute, f'cluster="{cluster}",instance="node-{node}"'
                counted += 60 * idle(node, minute)
                add("node_cpu_seconds_total", f'{labels},mode="idle",cpu="0"', counted, at)
                add("node_memory_MemAvailable_bytes", labels, 4e9 + 1e8 * (minute % 7) + 1e9 * node, at)
                add("node_memory_MemTotal_bytes", labels, 16e9, at)
                add("node_filesystem_avail_bytes", f'{labels},fstype="xfs"', 3e10, at)
                add("node_filesystem_size_bytes", f'{labels},fstype="xfs"', 4e10, at)
                for way in ("receive", "transmit"):
                    add(f"node_network_{way}_bytes_total", f'{labels},device="eth0"', 1.25e6 * 60 * (minute + 30), at)
        for pod in PODS:
            for minute in MINUTES:
                at = END + 60 * minute
                labels = f'cluster="{cluster}",namespace="models",pod="pod-{pod}",container="main"'
                add("container_cpu_usage_seconds_total", labels, (0.1 + 0.1 * pod) * 60 * (minute + 30), at)
                add("container_memory_working_set_bytes", labels, 1e9 + 1e8 * pod, at)
                if pod:
                    add("kube_pod_container_resource_limits", f'{labels},resource="memory"', 2e9, at)
                add("kube_pod_container_status_restarts_total", labels, pod + max(0, minute + 20) // 10, at)
    return made
