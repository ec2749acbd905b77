"""A fleet's folder as a person writes it, and what ``render --explain`` says of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubctl.cli import main

VALUES = """\
coordinationEngine:
  kserve:
    namespace: ml
    predictor_port: 9000
    anomaly_detector_service: ad-svc
    models:
      - {name: disk-anomaly, namespace: disks}
hubctl:
  gitops: {remote: "https://git.example.com/a.git"}
  models:
    anomaly-detector: {minReplicas: 2, maxReplicas: 4}
  groups:
    - name: stores
      match: {tier: store}
      expose: {via: ingress, host: "{model}.{cluster}.example.com"}
      models:
        anomaly-detector: {maxReplicas: 6}
  notCredentials:
    - {file: templates/spoke/own.yaml.j2, field: stringData.where, reason: a namespace}
"""
EDGE_A = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata:
  name: edge-a
  labels: {tier: store}
spec:
  platform: kubernetes
  version: "1.33"
  models:
    - {name: anomaly-detector, version: v3}
    - {name: disk-anomaly, version: v1}
  overrides:
    models:
      anomaly-detector: {minReplicas: 3}
"""
EDGE_B = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata: {name: edge-b}
spec:
  platform: openshift
  version: "4.18"
  topology: sno
  namespace: ml
  storage: {type: pvc, claim: models}
  monitoring: {podMonitor: true}
  models:
    - name: anomaly-detector
      version: v1
"""
OVERRIDE = """\
metadata:
  name: rem-1
spec:
  cluster: edge-a
  models:
    - {name: anomaly-detector, version: v2, insteadOf: v3}
"""
OWN = """\
[% from "provenance.j2" import labels %]
apiVersion: v1
kind: Secret
metadata:
  name: own
[[ labels() -]]
stringData:
  where: [[ spoke.namespace|quote ]]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: own
[[ labels() -]]
data:
  models: [[ models|map(attribute="name")|join(",")|quote ]]
  count: "[[ models|length ]]"
"""
FILES = {
    "values-hub.yaml": VALUES,
    "clusters/edge-a.yaml": EDGE_A,
    "clusters/edge-b.yaml": EDGE_B,
    "overrides/one.yaml": OVERRIDE,
    "templates/spoke/own.yaml.j2": OWN,
}


@dataclass(frozen=True)
class Folder:
    """A folder of inputs, and the command."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Standard output, or standard error when it fails."""
        assert main.run(["-C", str(self.root), "render", *arguments]) == expect
        captured = self.capsys.readouterr()
        return captured.out if expect == 0 else captured.err

    def explained(self, asked: str) -> Any:
        return json.loads(self.run("--explain", asked, "-o", "json"))

    def origins(self, asked: str) -> list[tuple[str, str]]:
        """Role and place of each input of the only value that is asked for."""
        (found,) = self.explained(asked)["objects"]
        (value,) = found["fields"]
        return [(one["role"], where(one)) for one in value["origins"]]

    def line(self, name: str, text: str) -> int:
        """The line of a file that holds a text."""
        lines = (self.root / name).read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)


def where(one: dict[str, Any]) -> str:
    """``file:line field`` of an input; the field alone for what stands in no file."""
    return f"{one['file']}:{one['line']} {one['field']}" if one["line"] else f"{one['kind']} {one['field']}"
