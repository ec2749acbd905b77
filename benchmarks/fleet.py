"""The fleet that the benchmarks render: every platform, topology and storage; two models a spoke, or three."""

from pathlib import Path

MODELS = ("anomaly-detector", "disk-anomaly", "predictive-analytics")
VALUES = """\
coordinationEngine:
  kserve:
    enabled: true
    namespace: self-healing-platform
    services:
      anomaly_detector: anomaly-detector-predictor
      disk_anomaly: disk-anomaly-predictor
      predictive_analytics: predictive-analytics-predictor
hubctl:
  gitops:
    remote: $remote
  models:
    anomaly-detector:
      output: labels
      resources:
        requests: {cpu: "1", memory: 1Gi}
        limits: {cpu: "4", memory: 8Gi}
    predictive-analytics:
      output: forecast
      resources:
        requests: {cpu: "1", memory: 2Gi}
  observe:
    route:
      type: url
      url: https://{model}.{cluster}.example.com
"""
SPOKE = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata:
  name: $name
  labels:
    region: region-$region
    tier: edge
spec:
  platform: $platform
  version: "$version"
  topology: $topology
  storage:
$storage
  models:
$models
"""
PATCH = """\
  overrides:
    models:
      anomaly-detector:
        maxReplicas: 2
        resources:
          limits: {cpu: "2"}
"""
STORAGE = (
    "    type: pvc\n    size: 20Gi\n    storageClass: standard-rwx",
    "    type: s3\n    bucket: fleet-models\n    prefix: eu\n    secretName: models-s3\n    serviceAccount: models",
)


def make_fleet(folder: Path, spokes: int, remote: str = "https://git.example.com/platform/fleet.git") -> None:
    """Write the values and one file a spoke; ``remote`` is where it would be published."""
    (folder / "clusters").mkdir(parents=True)
    (folder / "values-hub.yaml").write_text(VALUES.replace("$remote", remote))
    for number in range(spokes):
        openshift = number % 2 == 0
        values = {
            "name": f"edge-{number:05}",
            "region": str(number % 7),
            "platform": "openshift" if openshift else "kubernetes",
            "version": "4.18" if openshift else "1.33",
            "topology": "sno" if number % 4 == 0 else "ha",
            "storage": STORAGE[number % 3 == 1],
            "models": "\n".join(f"    - name: {name}\n      version: v3" for name in MODELS[: 2 + number % 2]),
        }
        text = SPOKE + (PATCH if number % 5 == 0 else "")
        for key, value in values.items():
            text = text.replace(f"${key}", value)
        (folder / "clusters" / f"{values['name']}.yaml").write_text(text)


def change_one_spoke(folder: Path) -> None:
    """Give the models of the first spoke another version."""
    file = min((folder / "clusters").iterdir())
    file.write_text(file.read_text().replace("version: v3", "version: v4"))
