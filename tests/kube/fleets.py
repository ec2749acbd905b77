"""Fleets rendered the way `hubctl render` does it, as documents ready to be sent."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hubctl.demo import fleet
from hubctl.inputs import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings
from tests.kube.api import Answer, Api, How, split

ROOT = Path(__file__).resolve().parents[2]
NO_OBJECTS = ("delivery.yaml", "kustomization.yaml")


@dataclass(frozen=True, slots=True)
class Fleet:
    """A rendered fleet.

    Attributes:
        objects: path in the tree, with the document's number in its file, to the document.
        applications: spoke to the Argo CD Application that an ApplicationSet makes of a spoke's delivery file.
    """

    objects: Mapping[str, str]
    applications: Mapping[str, str]

    def one(self, path: str) -> str:
        """The only document of a file."""
        return self.objects[f"{path}#0"]

    def ask(self, api: Api, *, how: How) -> dict[str, Answer]:
        """The server's word on every object, its namespace made first."""
        for document in self.objects.values():
            api.make_namespace(yaml.load(document, Loader=yaml.CSafeLoader)["metadata"]["namespace"])
        return {name: api.ask(document, how=how) for name, document in self.objects.items()}

    def ask_applications(self, api: Api) -> dict[str, Answer]:
        """The server's word on every Application."""
        for document in self.applications.values():
            api.make_namespace(yaml.safe_load(document)["metadata"]["namespace"])
        return {name: api.ask(document) for name, document in self.applications.items()}


def refused(answers: Mapping[str, Answer]) -> dict[str, str]:
    """Name to reason, of what the server would not take."""
    return {name: answer.message for name, answer in answers.items() if not answer.accepted}


def rendered(directory: Path, state: Path) -> Fleet:
    """The fleet whose files lie in a directory."""
    inputs = load_inputs(Settings(directory=directory, state=state))
    tree = render_tree(inputs, load_templates(directory / "templates"))
    texts = {path: data.decode() for path, data in tree.files.items()}
    objects = {
        f"{path}#{number}": document
        for path, text in texts.items()
        if not path.endswith(NO_OBJECTS)
        for number, document in enumerate(split(text))
    }
    deliveries = {path: yaml.safe_load(text) for path, text in texts.items() if path.endswith("/delivery.yaml")}
    folder = inputs.values.hubctl.gitops.path
    return Fleet(objects, dict(_applications(objects, {f"{folder}/{path}": data for path, data in deliveries.items()})))


def write_demo(directory: Path) -> None:
    """The demo's files."""
    ports = {key: 20000 + number for number, key in enumerate(fleet.KEYS)}
    fleet.write_fleet(directory, remote=directory / "fleet.git", ports=ports)


def write_fleet(directory: Path, values: Mapping[str, Any], *spokes: Mapping[str, Any]) -> None:
    """A values file and cluster files, from data."""
    (directory / "clusters").mkdir(parents=True, exist_ok=True)
    (directory / "values-hub.yaml").write_text(yaml.safe_dump(dict(values)))
    for spoke in spokes:
        (directory / "clusters" / f"{spoke['metadata']['name']}.yaml").write_text(yaml.safe_dump(dict(spoke)))


def _applications(objects: Mapping[str, str], deliveries: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """What Argo CD's controller makes: a template filled in once per delivery file that the selector lets through."""
    for document in objects.values():
        made_by = yaml.safe_load(document)
        if made_by["kind"] != "ApplicationSet":
            continue
        wanted = made_by["spec"]["generators"][0]["selector"]["matchLabels"].items()
        template = {"apiVersion": made_by["apiVersion"], "kind": "Application", **made_by["spec"]["template"]}
        template["metadata"]["namespace"] = made_by["metadata"]["namespace"]
        for path, delivery in deliveries.items():
            if wanted <= delivery.items():
                seen = {**delivery, "path.path": path.rpartition("/")[0]}
                application = json.loads(_filled(json.dumps(template), seen))
                yield seen["cluster"], yaml.safe_dump(application, default_style='"')


def _filled(template: str, parameters: Mapping[str, str]) -> str:
    """The one construct of Go's templates that ours use; another one stays as it is."""
    return re.sub(r"\{\{ \.([a-z.]+) \}\}", lambda found: parameters[found.group(1)], template)
