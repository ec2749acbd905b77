"""The first files of a fleet, for ``hubctl init``: a values file that says what it is and a folder for the spokes.

What a person answers is checked by the same models that later read the file.
"""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

from hubctl.errors import InputError
from hubctl.inputs import edit, explain, splice
from hubctl.inputs.document import parse
from hubctl.model.registry import KServe
from hubctl.model.values import HubctlSection

DECISIONS = "clusterDecisionResource"
"""The generator that reads a Placement's decisions, and so has to know of which clusters."""

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
  delivery:
    # git: every spoke. clusters: those that Argo CD knows too. clusterDecisionResource: those a Placement selects.
    generator: {generator}{placement}
{observe}  models:
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
    mode: {mode}
    policies:
      - {{name: roll back a bad version, on: model-anomaly, action: rollback-model}}
      - {{name: roll back a broken version, on: model-fault, action: rollback-model}}
      - {{name: tell about a spoke, on: spoke-anomaly, action: notify}}
      - {{name: tell that the hub is blind, on: hub-unreachable, action: notify}}
"""

IGNORED = ".hubctl/\n"

_PLACEMENT = """
    placement:
      clusterSet: {cluster_set}"""

_OBSERVE = """\
  # How the hub reaches predictors, unless a spoke says otherwise.
  {mark}observe:
  {mark}  route:
  {mark}    type: acm
  {mark}    host: {host}
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a fleet begins with.

    Attributes:
        remote: Git URL or path.
        namespace: where models live.
        generator: of the ApplicationSets.
        cluster_set: ManagedClusterSet of the Placement; empty: no Placement.
        mode: of remediation.
        acm_host: of ACM's cluster-proxy user-server; empty: the route is left to a person.
    """

    remote: str
    branch: str = "main"
    namespace: str = "self-healing-platform"
    generator: str = "git"
    cluster_set: str = ""
    mode: str = "approve"
    acm_host: str = ""


def refusal(answer: str, value: str) -> InputError | None:
    """What is wrong with one answer; None when it may stand.

    Args:
        answer: a field of :class:`Answers`.
        value: what a person said.
    """
    if not value.strip() and answer not in ("cluster_set", "acm_host"):
        return InputError("found nothing, expected a value")
    if answer == "remote" and explain.has_credentials(value):
        message = f"found {explain.shown(value)}, expected a URL without user and password"
        return InputError(message, hint="use a Git credential helper")
    # Of this answer alone: what it needs beside it comes with the others.
    beside = {"cluster_set": "default"} if value == DECISIONS else {}
    try:
        _checked(replace(Answers(remote="fleet.git"), **{**beside, answer: value}))
    except InputError as error:
        return error
    return None


def values(answers: Answers) -> str:
    """The values file.

    Raises:
        InputError: an answer is wrong or one is missing.
    """
    for each in fields(Answers):
        if problem := refusal(each.name, getattr(answers, each.name)):
            raise InputError(problem.message, hint=problem.hint, where=f"--{each.name.replace('_', '-')}")
    if answers.generator == DECISIONS and not answers.cluster_set:
        raise InputError(
            f"generator {DECISIONS} needs the ManagedClusterSet that it selects from",
            where="--cluster-set",
            hint="pass --cluster-set NAME; `kubectl get managedclustersets` lists them",
        )
    return _checked(answers)


def _checked(answers: Answers) -> str:
    """The values file, once the models have read it."""
    host = answers.acm_host or "cluster-proxy-user.apps.hub.example.com"
    text = VALUES.format(
        remote=json.dumps(answers.remote),
        branch=json.dumps(answers.branch),
        namespace=json.dumps(answers.namespace),
        generator=splice.scalar(answers.generator),
        placement=_PLACEMENT.format(cluster_set=json.dumps(answers.cluster_set)) if answers.cluster_set else "",
        observe=_OBSERVE.format(mark="" if answers.acm_host else "# ", host=json.dumps(host)),
        mode=splice.scalar(answers.mode),
    )
    document = parse(text, "values-hub.yaml")
    explain.check(KServe, document, ("coordinationEngine", "kserve"))
    explain.check(HubctlSection, document, ("hubctl",))
    return text


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that a fleet lives in already.

    Raises:
        InputError: there is a values file.
    """
    if (folder / "values-hub.yaml").exists():
        raise InputError(
            f"{folder / 'values-hub.yaml'} exists", hint="edit it, or choose another folder: `hubctl init DIR`"
        )


def start(folder: Path, answers: Answers) -> tuple[Path, ...]:
    """Write the first files of a fleet; returns them. What is there already is left as it is.

    Raises:
        InputError: there is a values file, an answer is wrong, or a file cannot be written.
    """
    refuse_existing(folder)
    text = values(answers)
    try:
        for name in ("clusters", "features", "templates"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make {folder}: {error.strerror}", hint="choose a folder that you can write"
        ) from error
    written = [folder / "values-hub.yaml"]
    edit.write_text(written[0], text)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        edit.write_text(ignore, IGNORED)
        written.append(ignore)
    return tuple(written)
