"""HubInputs: everything that a pass reads from files, checked and merged.

The one value that flows from the inputs into rendering, polling and remediation.
"""

from dataclasses import dataclass

from hubctl.model.cluster import ManagedCluster
from hubctl.model.predictor import InferenceService
from hubctl.model.remediation import Override
from hubctl.model.values import HubValues


@dataclass(frozen=True, slots=True)
class HubInputs:
    """The fleet as its files describe it.

    Attributes:
        clusters: sorted by name, defaults filled in, overrides merged.
        overrides: as found, by file name, sorted; also those that no longer apply.
        warnings: for people: overrides that lapsed, registered models that no spoke serves.
    """

    values: HubValues
    clusters: tuple[ManagedCluster, ...]
    overrides: tuple[tuple[str, Override], ...] = ()
    warnings: tuple[str, ...] = ()

    def cluster(self, name: str) -> ManagedCluster | None:
        """The spoke of that name, or None."""
        return next((cluster for cluster in self.clusters if cluster.name == name), None)


def services(inputs: HubInputs) -> tuple[InferenceService, ...]:
    """Every predictor, by spoke and name; none when the integration is switched off."""
    if not inputs.values.kserve.enabled:
        return ()
    return tuple(model for cluster in inputs.clusters for model in cluster.models)


def deployed_versions(inputs: HubInputs) -> dict[tuple[str, str], str]:
    """What Git delivers: (spoke, model) to version."""
    return {(service.cluster, service.name): service.version for service in services(inputs)}
