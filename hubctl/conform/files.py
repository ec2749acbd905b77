"""Schemas from files: CRDs as YAML, or what a cluster's ``/openapi/v3`` answered, saved as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from hubctl.conform.kinds import Kind, of_document
from hubctl.errors import InputError

_SUFFIXES = (".yaml", ".yml", ".json")
_SAVE = "save one with `kubectl get --raw /openapi/v3/apis/apps/v1 > apps.json`"


def read(path: Path) -> Iterator[tuple[Kind, Path]]:
    """The kinds in a file, or in the files of a folder and those below it, each with its file.

    Raises:
        InputError: it cannot be read, or a file that was named describes no kind.
    """
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES):
            yield from ((kind, file) for kind in _kinds(file))
        return
    found = _kinds(path)
    if not found:
        raise InputError(
            f"{path} describes no kind; expected CustomResourceDefinitions or an OpenAPI v3 document", hint=_SAVE
        )
    yield from ((kind, path) for kind in found)


def _kinds(path: Path) -> list[Kind]:
    try:
        text = path.read_text()
        parsed = [json.loads(text)] if path.suffix == ".json" else list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"cannot read {path}: {error}", hint="expected YAML or JSON") from error
    for document in parsed:
        if isinstance(document, dict) and "swagger" in document:
            raise InputError(f"{path} is OpenAPI v2, which lost half of what a CRD says", hint=_SAVE)
    try:
        return [kind for document in parsed for kind in of_document(document)]
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no whole CRD or OpenAPI document: {error!r}", hint=_SAVE) from error
