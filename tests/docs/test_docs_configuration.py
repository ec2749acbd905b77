"""docs/configuration.md against the input models: every key, its default, and nothing that is not there."""

from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hubctl.inputs.document import parse
from hubctl.inputs.explain import check
from hubctl.model import (
    access,
    cluster,
    controlling,
    credential,
    delivery,
    features,
    fleetsource,
    gitops,
    golden,
    hydrated,
    install,
    keeping,
    observing,
    outputs,
    pace,
    pausing,
    platform,
    prometheus,
    publishing,
    pullrequest,
    registry,
    remediation,
    reporting,
    rollout,
    route,
    runtime,
    scaling,
    served,
    serving,
    storage,
    values,
    witnessing,
)
from hubctl.model.base import parse_duration
from tests.docs import markdown

PAGE = markdown.page("docs/configuration.md")

SECTIONS: dict[str, type[BaseModel]] = {
    "coordinationEngine.kserve": registry.KServe,
    "A model of the registry": registry.RegisteredModel,
    "hubctl": values.HubctlSection,
    "hubctl.gitops": gitops.GitOps,
    "hubctl.gitops.author": gitops.Author,
    "hubctl.gitops.credentials": gitops.Credentials,
    "hubctl.gitops.signing": gitops.Signing,
    "hubctl.gitops.publishing": publishing.Publishing,
    "pullRequest": pullrequest.PullRequest,
    "hubctl.gitops.publishing.hydrated": hydrated.Hydrated,
    "hubctl.fleet": fleetsource.FleetSource,
    "A placement of the hub": fleetsource.PlacementRef,
    "hubctl.delivery": delivery.Delivery,
    "strategy": rollout.Strategy,
    "A step": rollout.Step,
    "An expression": rollout.Expression,
    "placement": delivery.Placement,
    "hubctl.observe": values.Observe,
    "backoff": pace.Backoff,
    "hubctl.prometheus": prometheus.Prometheus,
    "A source of metrics": prometheus.Source,
    "breaker": observing.Breaker,
    "retries": observing.Retries,
    "hubctl.engine": scaling.EngineSection,
    "tls": scaling.EngineTls,
    "hubctl.clusterProxy": access.ClusterProxy,
    "hubctl.install": install.Install,
    "access": access.Access,
    "token": access.Token,
    "A route of type url": route.UrlRoute,
    "A route of type acm": route.AcmRoute,
    "A route of type apiserver": route.ApiserverRoute,
    "A route of type route": route.ExposedRoute,
    "A route of type service": route.ServiceRoute,
    "hubctl.models.NAME": values.ModelProfile,
    "resources": serving.Resources,
    "labels": outputs.Labels,
    "scores": outputs.Scores,
    "classes": outputs.Classes,
    "forecast": outputs.Forecast,
    "golden": outputs.GoldenRows,
    "Golden rows": golden.GoldenFile,
    "tensor": outputs.Tensor,
    "features": features.Features,
    "features.prometheus": features.Recipe,
    "A metric": features.Metric,
    "A container": serving.Container,
    "gpu": serving.Gpu,
    "hubctl.runtimes.NAME": runtime.ServingRuntime,
    "A group": values.Group,
    "hubctl.aggregate": values.Aggregate,
    "hubctl.remediation": values.Remediation,
    "A policy": values.Policy,
    "A pause": pausing.PlannedPause,
    "hubctl.notify": values.Notify,
    "A webhook": values.Webhook,
    "hubctl.store": values.Store,
    "hubctl.store.keep": keeping.Keep,
    "A mark": credential.NotCredential,
    "hubctl.schemas": values.Schemas,
    "hubctl.controller": controlling.Controller,
    "leaderElection": controlling.LeaderElection,
    "hubctl.witness": witnessing.Witness,
    "hubctl.metrics": reporting.Metrics,
    "Spoke": cluster.Spoke,
    "Spoke metadata": cluster.Metadata,
    "Spoke spec": cluster.SpokeSpec,
    "destination": cluster.Destination,
    "expose": platform.Expose,
    "networkPolicy": platform.NetworkPolicy,
    "monitoring": platform.Monitoring,
    "externalSecret": platform.ExternalSecret,
    "Storage of type pvc": storage.PvcStorage,
    "Storage of type s3": storage.S3Storage,
    "Storage of type oci": serving.OciStorage,
    "Storage of type hf": serving.HfStorage,
    "A model of a spoke": served.SpokeModel,
    "Overrides of a spoke": cluster.Overrides,
    "A patch of a model": values.ModelPatch,
    "Override": remediation.Override,
    "Override metadata": remediation.OverrideMetadata,
    "Override spec": remediation.OverrideSpec,
    "A pinned model": remediation.PinnedModel,
}
"""Heading: the model whose keys its table lists."""


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the key that a file spells."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def is_duration(field: FieldInfo) -> bool:
    """Whether a key is written as a duration."""
    return any(getattr(item, "func", None) is parse_duration for item in field.metadata)


def default_of(field: FieldInfo) -> object:
    """The default as a file would say it; None where the documentation writes a dash."""
    found: Any = field.get_default(call_default_factory=True)
    if isinstance(found, BaseModel):
        return None
    found = list(found) if isinstance(found, tuple) else found
    return found if found not in (None, [], {}) else None


def told(cell: str, field: FieldInfo) -> object:
    """What the documentation says of a default."""
    if cell == "-":
        return None
    return parse_duration(cell) if is_duration(field) else yaml.safe_load(cell)


def models_below(model: type[BaseModel], found: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """A model and every model that its keys lead to."""
    if model not in found:
        found.add(model)
        for field in model.model_fields.values():
            for inner in classes_in(field.annotation):
                models_below(inner, found)
    return found


def classes_in(annotation: Any) -> set[type[BaseModel]]:
    """The models in an annotation such as ``dict[str, ModelPatch] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for inner in get_args(annotation) for found in classes_in(inner)}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented_and_no_other(heading: str) -> None:
    assert list(fields_of(SECTIONS[heading])) == PAGE.words(heading)


@pytest.mark.parametrize("heading", SECTIONS)
def test_defaults_are_documented_as_they_are(heading: str) -> None:
    fields = fields_of(SECTIONS[heading])
    for key, _, default, *_ in PAGE.rows(heading):
        if fields[key].is_required():
            assert default == "required", key
        else:
            assert default != "required", key
            assert default_of(fields[key]) == told(default, fields[key]), key


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_has_a_type_and_a_meaning(heading: str) -> None:
    for row in PAGE.rows(heading):
        assert len(row) == 4, row
        assert all(row), row


def test_every_model_that_a_file_can_hold_has_a_table() -> None:
    found: set[type[BaseModel]] = set()
    for model in (registry.KServe, values.HubctlSection, cluster.Spoke, remediation.Override, golden.GoldenFile):
        models_below(model, found)
    assert found == set(SECTIONS.values())


def test_every_choice_is_named_in_its_row() -> None:
    for heading, model in SECTIONS.items():
        rows = {row[0]: " ".join(row) for row in PAGE.rows(heading)}
        for key, field in fields_of(model).items():
            for choice in get_args(field.annotation):
                assert not isinstance(choice, str) or choice in rows[key], f"{heading}: {key}: {choice}"


def test_examples_are_valid() -> None:
    kinds = {"Spoke": cluster.Spoke, "Override": remediation.Override}
    blocks = PAGE.blocks("yaml")
    assert len(blocks) >= 5
    for block in blocks:
        document = parse(block, "docs/configuration.md")
        if kind := document.data.get("kind"):
            check(kinds[kind], document)
        if "hubctl" in document.data:
            check(values.HubctlSection, document, ("hubctl",))
        if "coordinationEngine" in document.data:
            check(registry.KServe, document, ("coordinationEngine", "kserve"))


def test_every_variable_of_the_environment_is_documented() -> None:
    source = "".join(path.read_text() for path in (markdown.ROOT / "hubctl").rglob("*.py"))
    documented = set(PAGE.words("Environment"))
    patterns = {"KSERVE_NAME_SERVICE", "KSERVE_NAME_MODEL"}
    assert {"HUBCTL_DIRECTORY", "HUBCTL_STATE", "HUBCTL_REMOTE", "HUBCTL_USER", *patterns} <= documented
    documented -= patterns
    assert all(name in source for name in documented)
