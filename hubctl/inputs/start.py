"""The first files of a fleet, for ``hubctl init``: a values file that says what it is and a folder for the spokes."""

import json
from pathlib import Path

from hubctl.errors import InputError
from hubctl.inputs import edit, explain

VALUES = """\
# yaml-language-server: $schema=./schemas/values-hub.schema.json
#
# The hub's values. hubctl reads the two sections below and leaves all other keys alone.

coordinationEngine:
  kserve:
    enabled: true
    namespace: {namespace}
    # Model name with underscores: the Kubernetes Service of its predictor.
    services:
      anomaly_detector: anomaly-detector-predictor
      predictive_analytics: predictive-analytics-predictor

hubctl:
  gitops:
    remote: {remote}
    branch: {branch}
    path: rendered
  models:
    # labels: each row is answered -1 (anomaly) or 1 (normal), and voted on. forecast: rows of numbers, recorded.
    anomaly-detector:
      output: labels
      features:
        file: features/{{cluster}}/{{model}}.json
    predictive-analytics:
      output: forecast
      features:
        file: features/{{cluster}}/{{model}}.json
  remediation:
    # observe: findings only. approve: a person approves each action. auto: policies act, within the guards.
    mode: approve
    policies:
      - {{name: roll back a bad version, on: model-anomaly, action: rollback-model}}
      - {{name: roll back a broken version, on: model-fault, action: rollback-model}}
      - {{name: tell about a spoke, on: spoke-anomaly, action: notify}}
      - {{name: tell that the hub is blind, on: hub-unreachable, action: notify}}
"""

IGNORED = ".hubctl/\n"


def start(folder: Path, *, remote: str, branch: str, namespace: str) -> tuple[Path, ...]:
    """Write the first files of a fleet; returns them. What is there already is left as it is.

    Raises:
        InputError: there is a values file, the remote holds a password, or a file cannot be written.
    """
    if explain.has_credentials(remote):
        raise InputError(
            f"found {explain.shown(remote)}, expected a URL without user and password",
            hint="use a Git credential helper",
        )
    values = folder / "values-hub.yaml"
    if values.exists():
        raise InputError(f"{values} exists", hint="edit it, or choose another folder: `hubctl init DIR`")
    try:
        for name in ("clusters", "features", "templates"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make {folder}: {error.strerror}", hint="choose a folder that you can write"
        ) from error
    edit.write_text(
        values, VALUES.format(remote=json.dumps(remote), branch=json.dumps(branch), namespace=json.dumps(namespace))
    )
    written = [values]
    ignore = folder / ".gitignore"
    if not ignore.exists():
        edit.write_text(ignore, IGNORED)
        written.append(ignore)
    return tuple(written)
