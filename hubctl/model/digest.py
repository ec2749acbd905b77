"""Digests of what a commit was made from: the merged inputs and the template files; for trailers, not for secrecy.

Pure, and among the nouns because rendering and publishing both speak of them. A digest does not depend on the machine,
the order of files or keys, or where this run pushes to.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from hubctl.model.fleet import HubInputs

INPUTS_TRAILER = "Hubctl-Inputs"
"""Commit trailer: digest of the values, clusters and overrides as they were merged."""

TEMPLATES_TRAILER = "Hubctl-Templates"
"""Commit trailer: digest of the template files, packaged and own."""


def of_files(files: Mapping[str, bytes]) -> str:
    """``sha256:`` and 64 hex digits of names and bytes, whatever the order of the files."""
    found = hashlib.sha256()
    for name in sorted(files):
        encoded = name.encode(errors="surrogateescape")
        # Lengths first, so that no name can run into its data.
        found.update(b"%d %d\n%s%s" % (len(encoded), len(files[name]), encoded, files[name]))
    return f"sha256:{found.hexdigest()}"


def of_inputs(inputs: HubInputs) -> str:
    """``sha256:`` and 64 hex digits of values, clusters and overrides as merged.

    What is left at its default does not count, so that a key that a later hubctl knows changes no digest. Neither does
    ``gitops.remote``, which ``HUBCTL_REMOTE`` may replace for one run; what Argo CD reads does.
    """
    gitops = inputs.values.hubctl.gitops
    same = gitops.model_copy(update={"remote": None, "repo_url": gitops.repo_url or gitops.remote})
    hubctl = inputs.values.hubctl.model_copy(update={"gitops": same})
    told = {
        # The coordination engine gets a port or timeout that is set, even to its default.
        "kserve": inputs.values.kserve.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "hubctl": hubctl.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "overrides": [[file, _plain(override)] for file, override in inputs.overrides],
        # Only where it is said, so that other fleets keep their digests.
        **({"engine": True} if inputs.values.engine else {}),
    }
    # One JSON text with sorted keys, of which clusters are the first; never whole in memory, for it may be large.
    found = hashlib.sha256(b'{"clusters":[')
    for index, cluster in enumerate(inputs.clusters):
        found.update(b"," * bool(index) + _json(_plain(cluster)))
    found.update(b"]," + _json(told).removeprefix(b"{"))
    return f"sha256:{found.hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """JSON of nouns, which are dataclasses of pydantic models; empty fields of dataclasses are left out."""
    if isinstance(value, BaseModel):
        return {type(value).__name__: value.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _plain(found) for name, found in fields.items() if found not in (None, "", (), {}, False)}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
