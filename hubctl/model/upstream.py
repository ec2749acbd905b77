"""Recipes for the two models of upstream's platform, for a model of that name without features of its own.

Names, order and derivations are those of its coordination engine. Where that takes the first of many series that a
query happens to return, these take the mean over them: a number that is well-defined for a fleet, and of the same size.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hubctl.model.features import Features, Metric, Recipe

_NINE = (
    "value", "mean 5m", "std 5m", "min 5m", "max 5m", "lag 1m", "lag 5m", "diff 1m", "pct_change 1m",
)  # fmt: skip
_POD = "$cluster, namespace, pod"

_ANOMALY = {
    "node_cpu_utilization": 'avg by ($cluster) (1 - rate(node_cpu_seconds_total{mode="idle",$selector}[5m]))',
    "node_memory_utilization": (
        "avg by ($cluster) (1 - node_memory_MemAvailable_bytes{$selector} / node_memory_MemTotal_bytes{$selector})"
    ),
    "pod_cpu_usage": (
        f'avg by ($cluster) (sum by ({_POD}) (rate(container_cpu_usage_seconds_total{{container!="",$selector}}[5m])))'
    ),
    "pod_memory_usage": (
        f'avg by ($cluster) (sum by ({_POD}) (container_memory_working_set_bytes{{container!="",$selector}})'
        f' / sum by ({_POD}) (kube_pod_container_resource_limits{{resource="memory",$selector}}))'
    ),
    "container_restart_count": (
        f"avg by ($cluster) (sum by ({_POD}) (kube_pod_container_status_restarts_total{{$selector}}))"
    ),
}

_NETWORK = (
    'sum by ($cluster) (rate(node_network_{}_bytes_total{{device!~"lo|veth.*|br.*|ovn.*",$selector}}[5m])) / 1.25e8'
    " / count by ($cluster) (node_memory_MemTotal_bytes{{$selector}})"
)
_CAPACITY = {
    "cpu_usage": 'avg by ($cluster) (1 - rate(node_cpu_seconds_total{mode="idle",$selector}[5m]))',
    "memory_usage": (
        "1 - sum by ($cluster) (node_memory_MemAvailable_bytes{$selector})"
        " / sum by ($cluster) (node_memory_MemTotal_bytes{$selector})"
    ),
    "disk_usage": (
        '1 - sum by ($cluster) (node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs",$selector})'
        ' / sum by ($cluster) (node_filesystem_size_bytes{fstype!~"tmpfs|overlay|squashfs",$selector})'
    ),
    "network_in": _NETWORK.format("receive"),
    "network_out": _NETWORK.format("transmit"),
}


def _recipe(queries: Mapping[str, str], derive: tuple[str, ...]) -> Features:
    metrics = tuple(Metric(name=name, query=query, derive=derive) for name, query in queries.items())
    return Features(prometheus=Recipe(metrics=metrics))


RECIPES: Mapping[str, Features] = MappingProxyType(
    {"anomaly-detector": _recipe(_ANOMALY, _NINE), "predictive-analytics": _recipe(_CAPACITY, ("value",))}
)
"""By name of the model: 45 features, and five shares of capacity between 0 and 1."""
