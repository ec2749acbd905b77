"""Delivered: the model versions that a branch holds where what is wanted differs from it. Pure.

What waits to be merged does not run yet, so votes and remediations must go by what the branch says. It is read from the
label of the rendered InferenceServices; a template of one's own that leaves the label out makes the version unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hubctl.publish import changes, objects

LABEL = "app.kubernetes.io/version"

_KIND = "InferenceService"

Key = tuple[str, str]
"""A cluster's name and a model's."""


def versions(found: changes.Changes, old: Mapping[str, bytes], spokes_folder: str) -> dict[Key, str]:
    """Of every model whose manifest would change: the version on the branch, empty if it is not there or not told.

    Args:
        found: what a publish would change.
        old: bytes of what it would change or remove.
        spokes_folder: holds one folder per spoke.
    """
    before = dict(_told(old.items(), f"{spokes_folder}/"))
    return {key: before.get(key, "") for key, _ in _told(found.writes.items(), f"{spokes_folder}/")}


def _told(files: Iterable[tuple[str, bytes]], prefix: str) -> Iterator[tuple[Key, str]]:
    for path, data in files:
        if path.startswith(prefix) and _KIND.encode() in data:
            cluster = path.removeprefix(prefix).partition("/")[0]
            for document in objects.documents(data):
                if isinstance(document, dict) and document.get("kind") == _KIND:
                    about = _section(document, "metadata")
                    yield (cluster, _text(about, "name")), _text(_section(about, "labels"), LABEL)


def _section(of: dict[str, Any], key: str) -> dict[str, Any]:
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def _text(of: dict[str, Any], key: str) -> str:
    found = of.get(key)
    return found if isinstance(found, str) else ""
