"""The part of ``doctor`` that looks at the hub's own API server."""

import asyncio
from collections.abc import Mapping

import yaml

from hubctl.diagnose.hub import examine
from hubctl.diagnose.need import Need, need_of
from hubctl.errors import HubctlError
from hubctl.fleet.listing import listed
from hubctl.model import tree
from hubctl.model.check import Check
from hubctl.model.fleet import HubInputs
from hubctl.model.listed import Listed
from hubctl.model.snapshot import Resource
from hubctl.settings import Settings

_SECONDS = 10.0
"""For one request: a person waits."""


async def hub_checks(settings: Settings, inputs: HubInputs, files: Mapping[str, bytes]) -> tuple[Check, ...]:
    """What is wrong on the hub for this fleet; nothing when the fleet needs nothing of Open Cluster Management.

    Args:
        settings: where the hub is.
        inputs: the fleet.
        files: its rendered tree.
    """
    ours = [data for path, data in files.items() if path.startswith(f"{tree.HUB}/") and "kustomization" not in path]
    manifests = [each for data in ours for each in yaml.load_all(data, Loader=yaml.CSafeLoader) if each]
    need = need_of(inputs, manifests)
    if not need.resources:
        return ()
    try:
        seen = await asyncio.to_thread(_look, settings, need)
    except HubctlError as error:
        return (Check("hub", "failed", str(error), error.hint),)
    return examine(need, seen)


def _look(settings: Settings, need: Need) -> dict[Resource, Listed]:
    from hubctl.fleet.cluster import connect  # noqa: PLC0415 - half a second, for those who need it

    server = connect(settings.kubeconfig, settings.context, seconds=_SECONDS, patient=False)
    return {resource: listed(server, resource) for resource in need.resources}
