"""The files that a remediation leaves under ``overrides/``, as data and as YAML. Pure."""

from collections.abc import Iterator

import yaml

from hubctl.errors import GuardRefused
from hubctl.model.incident import Incident
from hubctl.model.remediation import (
    Action,
    Override,
    OverrideMetadata,
    OverrideSpec,
    PinnedModel,
    Remediation,
    Target,
)

ACTION_ID = "hubctl.io/action-id"
"""Annotation that holds the remediation's id; when it is gone from the branch, a person undid the action."""

INCIDENT = "hubctl.io/incident"
REASON = "hubctl.io/reason"


def overrides_for(remediation: Remediation, incident: Incident) -> dict[str, Override]:
    """One override per spoke, by file name, sorted; none for a notification.

    Raises:
        GuardRefused: a target of a rollback names no version to pin.
    """
    return dict(sorted(_overrides(remediation, incident)))


def to_yaml(override: Override) -> bytes:
    """The file's bytes, always the same for the same override: a comment of two lines, then the data."""
    data = override.model_dump(mode="json", by_alias=True, exclude_none=True)
    data["spec"] = {key: value for key, value in data["spec"].items() if value}
    made_by = override.metadata.annotations.get(ACTION_ID, "")
    comment = (
        f"# Made by hubctl, remediation {made_by}.\n"
        "# To undo it, run git revert on the commit that added this file; hubctl will not do it again.\n"
    )
    # Escaped: unescaped, PyYAML reads Unicode's own line breaks back as plain ones.
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=False, width=120)
    return (comment + text).encode()


def is_of(data: bytes, action_id: str) -> bool:
    """Whether a file in the overrides folder is one that this remediation left."""
    return f"{ACTION_ID}: {action_id}\n".encode() in data


def _overrides(remediation: Remediation, incident: Incident) -> Iterator[tuple[str, Override]]:
    """File names and overrides, target by target."""
    annotations = {ACTION_ID: remediation.id, INCIDENT: incident.id, REASON: incident.summary}
    for target in remediation.targets if remediation.action is not Action.NOTIFY else ():
        if remediation.action is Action.QUARANTINE:
            name = f"{target.cluster}.quarantine"
            spec = OverrideSpec(cluster=target.cluster, quarantine=True)
        else:
            name = f"{target.cluster}.{remediation.model}.rollback"
            spec = OverrideSpec(cluster=target.cluster, models=(_pin(remediation, target),))
        yield f"{name}.yaml", Override(metadata=OverrideMetadata(name=name, annotations=annotations), spec=spec)


def _pin(remediation: Remediation, target: Target) -> PinnedModel:
    """The pinned version, in force until a person sets another version in the cluster file."""
    if not target.to_version:
        raise GuardRefused(
            f"remediation {remediation.id} names no version of {remediation.model} for {target.cluster}",
            hint="reject it; the next pass proposes one when a known good version exists",
        )
    instead_of = target.instead_of or target.from_version or None
    return PinnedModel(name=remediation.model, version=target.to_version, instead_of=instead_of)
