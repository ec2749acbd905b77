"""The Application with which Argo CD installs hubctl itself, and the engine's environment on the hub."""

from dataclasses import replace

import pytest
import yaml
from pydantic import ValidationError

from hubctl.model.fleet import HubInputs
from hubctl.model.install import Install
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree

WANTED = {"repoURL": "https://git.example.com/hubctl.git", "targetRevision": "v1"}


def installed(fleet: HubInputs, **keys: str) -> HubInputs:
    section = fleet.values.hubctl.model_copy(update={"install": Install.model_validate({**WANTED, **keys})})
    return replace(fleet, values=fleet.values.model_copy(update={"hubctl": section}))


def test_nothing_of_hubctl_itself_is_rendered_unasked(fleet: HubInputs, templates: Templates) -> None:
    assert "hub/install.yaml" not in render_tree(fleet, templates).files


def test_application_delivers_the_overlay_to_the_hub(fleet: HubInputs, templates: Templates) -> None:
    files = render_tree(installed(fleet, image="registry.example.com/hubctl:2"), templates).files
    found = yaml.safe_load(files["hub/install.yaml"])
    assert found["metadata"]["namespace"] == fleet.values.hubctl.gitops.argocd_namespace
    assert found["spec"]["source"] == {
        **WANTED,
        "path": "deploy/overlays/openshift-acm",
        "kustomize": {"images": ["hubctl=registry.example.com/hubctl:2"]},
    }
    assert found["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "hubctl"}
    assert "install.yaml" in yaml.safe_load(files["hub/kustomization.yaml"])["resources"]


def test_repository_with_a_password_in_its_url_is_refused() -> None:
    with pytest.raises(ValidationError, match="without credentials"):
        Install.model_validate({**WANTED, "repoURL": "https://me:secret@git.example.com/hubctl.git"})
