"""``validate``: everything that can be known before publishing, offline, and what a cluster says with ``--server``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hubctl import discovery, engines
from hubctl.cli import output, rendering
from hubctl.cli.schemas import cluster_options
from hubctl.conform import cache
from hubctl.conform.check import FETCH, Checker
from hubctl.errors import InputError, RemoteFailed
from hubctl.inputs import load, surroundings
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.render import documents
from hubctl.render.templates import load_templates
from hubctl.render.tree import DELIVERY, KUSTOMIZATION, render_tree
from hubctl.settings import Settings

if TYPE_CHECKING:
    from hubctl.conform.dryrun import Result


@dataclass(frozen=True, slots=True)
class Offline:
    """What the check of the files came to."""

    inputs: HubInputs
    rendered: tree.RenderedTree
    checker: Checker
    said: tuple[surroundings.Said, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a cluster said."""

    address: str
    results: "tuple[Result, ...]"

    def of(self, verdict: str) -> "list[Result]":
        """The results with this verdict."""
        return [one for one in self.results if one.verdict == verdict]


@click.command()
@click.option("--strict-schemas", is_flag=True, help="A kind without a cached schema is an error.")
@click.option("--server", is_flag=True, help="Then ask a cluster, as a dry run, whether it would take the objects.")
@cluster_options
@click.option("--spoke", metavar="NAME", help="With --server: this spoke's objects, not the hub's; name its cluster.")
@output.format_option
@click.pass_obj
def validate(
    settings_of: Any,
    strict_schemas: bool,
    server: bool,
    kubeconfig: Path | None,
    context: str | None,
    spoke: str | None,
    shape: str,
) -> None:
    """Check values, clusters, overrides and templates, and every rendered object against the cached schemas.

    Offline unless --server is given. Shows every problem at once, each with file, line and field; exits 2 if
    there is one, 3 if a cluster did not answer. `hubctl schemas pull` fills the cache.

    \b
    Examples:
      hubctl validate -o json
      hubctl validate --server --context hub
      hubctl validate --server --context edge-factory --spoke edge-factory
    """
    if not server and (kubeconfig or context or spoke):
        raise click.UsageError("--kubeconfig, --context and --spoke go with --server")
    if spoke and not (kubeconfig or context):
        raise click.UsageError("--spoke needs --kubeconfig or --context, which name that spoke's cluster")
    found = offline(settings_of(), strict=strict_schemas)
    if spoke is not None and found.inputs.cluster(spoke) is None:
        raise rendering.unknown_spoke(spoke, found.inputs)
    if shape == "table":
        say_offline(found)
    asked = ask(found, kubeconfig, context, spoke) if server else None
    if shape != "table":
        output.show(shape, data_of(found, asked), (), ())
    elif asked:
        say_asked(asked)
    if asked:
        conclude(asked)


def offline(settings: Settings, *, strict: bool) -> Offline:
    """Read, render and check everything.

    Raises:
        InputError: a file is wrong.
        TemplateError: a template failed.
        ManifestRefused: an object does not fit its schema.
    """
    inputs = discovery.load_inputs(settings, os.environ)
    engines.fits(inputs)
    checker = Checker(cache.validators_of(settings, inputs.values))
    rendered = render_tree(inputs, load_templates(settings.directory / "templates"), checker)
    checker.refuse(required=strict or inputs.values.hubctl.schemas.required)
    document = load.read_document(settings, settings.values_file.name)
    return Offline(inputs, rendered, checker, surroundings.told(inputs.values, document, settings.kserve))


def say_offline(found: Offline) -> None:
    """What the files came to, for a person; one line for what was not checked."""
    rendering.warn(found.inputs)
    rendering.switched_off(found.inputs.values)
    for one in found.said:
        if one.key in found.inputs.values.environment:
            output.say(f"{one.key} is {shown(one.value)}: the variable {one.source} says so")
        if one.overruled:
            output.say(f"{one.key} is {shown(one.value)}: {one.source} goes before the variable {one.overruled}")
    counts = counted(found)
    fit = f", {output.count(counts['checked'], 'object')} checked against schemas" if counts["checked"] else ""
    things = ("clusters", "spoke"), ("models", "predictor"), ("files", "file")
    told = ", ".join(output.count(counts[key], thing) for key, thing in things)
    output.say(f"valid: {told}{fit}", colour="green")
    if found.checker.unchecked:
        output.say(f"not checked: {found.checker.unchecked_told()}; {FETCH}", colour="yellow")


def shown(value: object) -> str:
    """A setting as a values file would say it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def counted(found: Offline) -> dict[str, int]:
    """How much was looked at."""
    return {
        "clusters": len(found.inputs.clusters),
        "models": sum(len(cluster.models) for cluster in found.inputs.clusters),
        "files": len(found.rendered.files),
        "checked": found.checker.checked,
    }


def ask(found: Offline, kubeconfig: Path | None, context: str | None, spoke: str | None) -> Asked:
    """A cluster's word on the hub's objects or a spoke's.

    Raises:
        InputError: no cluster is named.
        RemoteFailed: it does not answer.
    """
    from hubctl.conform import dryrun  # noqa: PLC0415 - only with a cluster
    from hubctl.fleet import cluster  # noqa: PLC0415 - for the Kubernetes client, which loads slowly

    folder = f"{tree.SPOKES}/{spoke}" if spoke else tree.HUB
    manifests = [
        manifest
        for path, data in found.rendered.below(folder).items()
        if path.rpartition("/")[2] not in {DELIVERY, KUSTOMIZATION}
        for manifest in dryrun.documents(path, data.decode(), documents.parse(data.decode()))
    ]
    # On a spoke Argo CD makes missing namespaces (CreateNamespace=true); on the hub only what is rendered is there.
    rendered = frozenset(
        str(one.content["metadata"]["name"]) for one in manifests if one.content["kind"] == "Namespace"
    )
    connected = cluster.connect(kubeconfig, context)
    with output.progress(f"asking {connected.address}", len(manifests)) as advance:
        results = dryrun.Asker(connected, None if spoke else rendered).ask_all(manifests, advance)
    return Asked(connected.address, results)


def say_asked(asked: Asked) -> None:
    """A row for each object, and a sentence."""
    rows = [
        (one.manifest.path, one.manifest.content["kind"], one.name, one.how, one.verdict, one.message or one.note)
        for one in asked.results
    ]
    output.table(("file", "kind", "name", "asked as", "verdict", "the cluster says"), rows)
    accepted = len(asked.of("accepted"))
    colour = "green" if accepted == len(asked.results) else "red"
    output.say(f"{asked.address} would take {accepted} of {output.count(len(rows), 'object')}", colour=colour)


def data_of(found: Offline, asked: Asked | None) -> dict[str, Any]:
    """Everything as data."""
    kinds = found.checker.unchecked
    data: dict[str, Any] = {
        "valid": asked is None or len(asked.of("accepted")) == len(asked.results),
        **counted(found),
        "unchecked": [
            {"apiVersion": version, "kind": kind, "objects": kinds[version, kind]} for version, kind in kinds
        ],
        "warnings": list(found.inputs.warnings),
        "kserve": [
            {"key": one.key, "value": one.value, "source": one.source, "overruled": one.overruled or None}
            for one in found.said
        ],
    }
    if asked:
        data["server"] = {"address": asked.address, "objects": [result_data(one) for one in asked.results]}
    return data


def result_data(one: "Result") -> dict[str, str]:
    """A cluster's word on one object as data."""
    content = one.manifest.content
    return {
        "file": one.manifest.path,
        "apiVersion": content["apiVersion"],
        "kind": content["kind"],
        "namespace": one.manifest.namespace,
        "name": one.name,
        "askedAs": one.how,
        "verdict": str(one.verdict),
        "message": one.message,
        "note": one.note,
    }


def conclude(asked: Asked) -> None:
    """End with an error when an object was not accepted; that of the inputs before that of the cluster.

    Raises:
        InputError: the cluster refused an object.
        RemoteFailed: it did not say.
    """
    if refused := asked.of("refused"):
        raise InputError(
            f"{asked.address} refuses {output.count(len(refused), 'object')}",
            hint="each row says why; the file's annotation hubctl.io/template names what to mend",
        )
    if failed := asked.of("failed"):
        raise RemoteFailed(
            f"{asked.address} said nothing on {output.count(len(failed), 'object')}: {failed[0].message}",
            hint="whoever asks needs the rights to create and patch these kinds; a dry run stores nothing",
        )
