"""A fleet's folder on disk, small, to be broken one file at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubctl.errors import InputError
from hubctl.inputs import Sources, load_inputs, read_sources
from hubctl.model.fleet import HubInputs
from hubctl.settings import Settings

VALUES = """\
coordinationEngine:
  kserve:
    namespace: models
    services:
      anomaly_detector: anomaly-detector-predictor
      predictive_analytics: predictive-analytics-predictor
"""

SPOKE = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata:
  name: edge-a
spec:
  platform: openshift
  version: "4.18"
  models:
    - name: anomaly-detector
      version: v3
"""

OVERRIDE = """\
metadata:
  name: rem-1
spec:
  cluster: edge-a
  models:
    - name: anomaly-detector
      version: v2
      insteadOf: v3
"""


@dataclass(frozen=True)
class Folder:
    """A folder with values-hub.yaml and clusters/edge-a.yaml."""

    root: Path

    def write(self, name: str, text: str | bytes) -> "Folder":
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return self

    def change(self, name: str, old: str, new: str) -> "Folder":
        text = (self.root / name).read_text()
        assert old in text
        return self.write(name, text.replace(old, new))

    def settings(self, remote: str = "") -> Settings:
        return Settings(directory=self.root, state=self.root / ".hubctl", remote=remote)

    def load(self, overrides: Mapping[str, bytes] | None = None) -> HubInputs:
        return load_inputs(self.settings(), overrides)

    def sources(self) -> Sources:
        return read_sources(self.settings())

    def problems(self) -> list[InputError]:
        with pytest.raises(InputError) as caught:
            self.load()
        return [caught.value, *(one for one in caught.value.also if isinstance(one, InputError))]
