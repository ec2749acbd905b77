"""Edits of a person's files that keep their comments: a model's version, a registered model, a new spoke.

Text in, text out; ``write_text`` alone touches the disk.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hubctl.errors import InputError
from hubctl.inputs import enlist, explain, splice
from hubctl.inputs.document import Trail, parse
from hubctl.model import spelling
from hubctl.model.base import Version
from hubctl.model.cluster import Spoke
from hubctl.model.registry import KServe, RegisteredModel

_VALUES = "values-hub.yaml"
_REGISTRY: Trail = ("coordinationEngine", "kserve")
_MODE = 0o644


def set_version(text: str, model: str, version: str, *, name: str = "cluster file") -> str:
    """A cluster file that says another version of a model.

    Raises:
        InputError: the version is no version, the file is wrong or lists no such model.
    """
    document = parse(text, name)
    spoke = enlist.said(document)
    names = [served.name for served in spoke.spec.models]
    if model not in names:
        raise InputError(
            f"found no model {model!r}, expected one of {', '.join(names) or 'none'}",
            where=document.where(("spec", "models")),
            hint=spelling.nearest(model, names) or "add it to spec.models first",
        )
    return splice.replace(text, name, ("spec", "models", names.index(model), "version"), _version(version))


def add_model(text: str, model: str, version: str, *, name: str = "cluster file") -> str:
    """A cluster file that lists one more model.

    Raises:
        InputError: the version is no version, the file is wrong or lists the model already.
    """
    document = parse(text, name)
    spoke = enlist.said(document)
    if model in [served.name for served in spoke.spec.models]:
        where = document.where(("spec", "models"))
        raise InputError(f"found {model!r} already, expected a new model", where=where, hint="set its version instead")
    item = {"name": model, "version": _version(version)}
    trail = ("spec", "models")
    result = splice.append(text, name, trail, item) if spoke.spec.models else splice.put(text, name, trail, [item])
    enlist.said(parse(result, name))
    return result


def register_model(
    text: str, model: str, service: str = "", *, kind: str = "", namespace: str = "", description: str = ""
) -> str:
    """values-hub.yaml with one more registered model, in the spelling that the file uses already.

    ``services`` can only name a Service, so a model with more to say goes into ``models``.

    Args:
        text: the file.
        model: its name, with hyphens.
        service: the Kubernetes Service of its predictor; empty: ``<model>-predictor``.
        kind: what ``type`` says.
        namespace: where the model lives, if not in the spoke's namespace.
        description: for people.

    Raises:
        InputError: the file is wrong, the model is registered already or its name is not allowed.
    """
    document = parse(text, _VALUES)
    section = (document.data.get("coordinationEngine") or {}).get("kserve") or {}
    kserve = explain.check(KServe, document, _REGISTRY) if section else KServe()
    if model in [registered.name for registered in kserve.registry]:
        where = document.where(_REGISTRY)
        raise InputError(f"found {model!r} already, expected a new model", where=where, hint="choose another name")
    service = service or f"{model}-predictor"
    wanted = {"name": model, "service": service, "namespace": namespace, "type": kind, "description": description}
    item = {key: value for key, value in wanted.items() if value}
    _registrable(item)
    if section.get("models"):
        return splice.append(text, _VALUES, (*_REGISTRY, "models"), item)
    if namespace or kind or description:
        return splice.put(text, _VALUES, (*_REGISTRY, "models"), [item])
    return splice.put(text, _VALUES, (*_REGISTRY, "services", model.replace("-", "_")), service)


def new_cluster(
    name: str,
    *,
    platform: str = "openshift",
    version: str = "4.18",
    topology: str = "ha",
    models: Mapping[str, str],
    route: Mapping[str, str] | None = None,
    storage: Mapping[str, str] | None = None,
) -> str:
    """A new, commented cluster file.

    Args:
        name: of the spoke, and of the file.
        platform: openshift or kubernetes.
        version: of the platform.
        topology: ha or sno.
        models: name to version.
        route: as under ``spec.route``; None leaves an example in a comment.
        storage: as under ``spec.storage``; None is a PersistentVolumeClaim of 10Gi.

    Raises:
        InputError: a value is not allowed.
    """
    lines = [
        "# yaml-language-server: $schema=../schemas/spoke.schema.json",
        f"# The spoke {name}: what it is, where its models lie and which versions it serves.",
        *splice.block({"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": name}}, ""),
        "  # Labels for Argo CD and for people, for example region: eu-central.",
        "  labels: {}",
        "spec:",
        *splice.block({"platform": platform, "version": version}, "  "),
        "  # ha: several nodes, shared storage. sno: single-node OpenShift.",
        *splice.block({"topology": topology}, "  "),
        "  # How the hub reaches the predictors; without it hubctl.observe.route of values-hub.yaml counts.",
        *(splice.block({"route": dict(route)}, "  ") if route else _ROUTE),
        "  # Where the models lie: a PersistentVolumeClaim (pvc) or a bucket (s3).",
        *splice.block({"storage": dict(storage or {"type": "pvc", "size": "10Gi"})}, "  "),
        "  # Registered models and the version that this spoke serves of each.",
        *splice.block({"models": [{"name": model, "version": at} for model, at in models.items()] or []}, "  "),
    ]
    text = "\n".join(lines) + "\n"
    explain.check(Spoke, parse(text, f"clusters/{name}.yaml"))
    return text


_ROUTE = [
    "  # route:",
    "  #   type: acm",
    "  #   host: cluster-proxy-user.apps.hub.example.com",
]


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; its mode stays, a link stays a link.

    Raises:
        InputError: the folder or the file cannot be written.
    """
    target = path.resolve()
    temporary = ""
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else _MODE
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as stream:
            temporary = stream.name
            stream.write(text)
            stream.flush()
            # Before the rename, or a crash could leave an empty file under the good name.
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(
            f"cannot write it: {error.strerror}", where=str(path), hint="check the folder's permissions"
        ) from error


def _version(version: str) -> str:
    """The version, if it is one."""
    try:
        return TypeAdapter(Version).validate_python(version)
    except ValidationError as error:
        expected = explain.PATTERNS[error.errors()[0]["ctx"]["pattern"]]
        raise InputError(f"found {version!r} as a version, expected {expected}", hint="use a name such as v4") from None


def _registrable(item: Mapping[str, Any]) -> None:
    """Refuse a registry entry that the model would refuse once it is in the file."""
    text = "\n".join(splice.block(dict(item), ""))
    explain.check(RegisteredModel, parse(text, f"model {item['name']}"))
