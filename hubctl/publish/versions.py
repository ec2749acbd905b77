"""Versions: those of models that a branch's manifests name, read from their text.

Pure. Apart from rendering: this reads what some earlier hubctl wrote, which may be older than the inputs while a
change waits for its promotion.
"""

import re
from collections.abc import Mapping

_FILE = re.compile(r"(?P<spoke>[^/]+)/inferenceservice-(?P<model>[^/]+)\.yaml")
_VERSION = re.compile(rb"^\s+\"?app\.kubernetes\.io/version\"?: *[\"']?([^\"'\s]+)", re.MULTILINE)


def versions(files: Mapping[str, bytes], spokes_folder: str) -> dict[tuple[str, str], str]:
    """(Spoke, model) to version, of every model that is delivered; empty when its manifest has no such label."""
    found = {}
    for path, data in files.items():
        if named := _FILE.fullmatch(path.removeprefix(f"{spokes_folder}/")):
            told = _VERSION.search(data)
            found[named["spoke"], named["model"]] = told.group(1).decode() if told else ""
    return found
