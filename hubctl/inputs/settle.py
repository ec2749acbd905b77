"""Which settings count for a spoke: the fleet's defaults, then each matching group in order, then the spoke's own file.

Pure. Overrides come later and win over all of it; they only say versions and quarantines, see ``merge``. A section is
replaced whole by a later one; only patches of models are merged, key by key.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hubctl.model import upstream
from hubctl.model.cluster import Spoke
from hubctl.model.platform import Monitoring
from hubctl.model.served import SpokeModel
from hubctl.model.serving import DEFAULT_MODE
from hubctl.model.storage import PvcStorage
from hubctl.model.values import Group, HubValues, ModelPatch, ModelProfile, SpokeSettings

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {"storage": PvcStorage(), "deployment_mode": DEFAULT_MODE, "monitoring": Monitoring()}
)
"""What counts for a spoke when neither its file nor a group says anything; for other settings that is nothing."""


def groups_of(values: HubValues, spoke: Spoke) -> tuple[Group, ...]:
    """The groups that match a spoke, in their order."""
    labels = spoke.metadata.labels.items()
    return tuple(group for group in values.hubctl.groups if group.match.items() <= labels)


def settings_of(values: HubValues, spoke: Spoke) -> SpokeSettings:
    """What counts for a spoke; what nobody says is None."""
    said: dict[str, Any] = {}
    for level in (*groups_of(values, spoke), spoke.spec):
        said |= {name: value for name in SpokeSettings.model_fields if (value := getattr(level, name)) is not None}
    return SpokeSettings.model_construct(**said)


def models_of(values: HubValues, spoke: Spoke) -> tuple[SpokeModel, ...]:
    """What a spoke serves: what its file lists, and what its groups name beside that; a later group wins."""
    named = {model.name: model for group in groups_of(values, spoke) for model in group.serve}
    own = {model.name for model in spoke.spec.models}
    return (*spoke.spec.models, *(named[name] for name in sorted(named.keys() - own)))


def profile_of(values: HubValues, spoke: Spoke, model: str) -> ModelProfile:
    """How a spoke serves a model: the fleet's profile, patched by each group and then by the spoke."""
    patches = [group.models.get(model) for group in groups_of(values, spoke)]
    profile = values.profile(model)
    for patch in (*patches, spoke.spec.overrides.models.get(model)):
        profile = patched(profile, patch)
    return with_features(values, model, profile)


def with_features(values: HubValues, model: str, profile: ModelProfile) -> ModelProfile:
    """The profile with the recipe that ships for a model of that name, where nothing else is said and a source is."""
    prometheus = values.hubctl.prometheus
    usable = prometheus.upstream_recipes and prometheus.named(None) is not None
    if profile.features is not None or not usable or model not in upstream.RECIPES:
        return profile
    return profile.model_copy(update={"features": upstream.RECIPES[model]})


def patched(profile: ModelProfile, patch: ModelPatch | None) -> ModelProfile:
    """The profile with one level's changes; resources are merged key by key, all else is replaced."""
    return profile.model_copy(update=patch.changes(profile)) if patch else profile


def idle(values: HubValues, spokes: Sequence[Spoke]) -> list[str]:
    """Warnings about groups that match no spoke: a misspelt label is silent otherwise."""
    return [
        f"group {group.name!r} matches no spoke; its labels are "
        + (", ".join(f"{key}={value}" for key, value in sorted(group.match.items())) or "none")
        for group in values.hubctl.groups
        if spokes and not any(group in groups_of(values, spoke) for spoke in spokes)
    ]
