"""Testimony: what the hub's own objects say of the fleet's spokes, beside what Git delivers to them.

Apart from ``fleet.witness``, which reads the objects and knows neither values nor templates.
"""

from collections.abc import Iterable
from datetime import datetime

from hubctl.fleet import witness as reading
from hubctl.model import tree, witness
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import InferenceService
from hubctl.model.snapshot import Snapshot
from hubctl.model.values import HubctlSection
from hubctl.model.watching import Heard, heard
from hubctl.render import context

_TEMPLATE = "spoke/inferenceservice.each-model.yaml.j2"


def of_fleet(
    seen: Snapshot | None, inputs: HubInputs, own_templates: Iterable[str], *, now: datetime
) -> tuple[witness.SpokeWitness, ...]:
    """What the look at the hub says of each spoke.

    Args:
        seen: None when nobody looked.
        inputs: what Git delivers.
        own_templates: names of those that are a person's own; what they make of a model is not compared.
        now: the pass's time.
    """
    values, own = inputs.values.hubctl, _TEMPLATE in own_templates
    expected = (_expected(cluster, values, own=own) for cluster in inputs.clusters)
    return reading.read(seen, expected, heard_of(inputs), values.witness, now=now)


def heard_of(inputs: HubInputs) -> Heard:
    """Which witnesses the fleet hears."""
    return heard(inputs.values, (cluster.access for cluster in inputs.clusters))


def _expected(cluster: ManagedCluster, values: HubctlSection, *, own: bool) -> reading.Expected:
    gitops, delivery = values.gitops, values.delivery
    asked = cluster.access is not None and cluster.access.feedback
    return reading.Expected(
        cluster=cluster.name,
        services=tuple(
            # Nothing is delivered to a spoke in quarantine, so Git says nothing of it.
            (model.name, model.namespace, _wanted(cluster, model, values, compared=not own and not cluster.quarantined))
            for model in cluster.models
        ),
        work=f"{gitops.project}-feedback" if asked else "",
        application=None if cluster.quarantined else (gitops.argocd_namespace, f"hubctl-{cluster.name}"),
        folder=f"{gitops.path}/{tree.SPOKES}/{cluster.name}",
        pull=delivery.model == "pull",
        rolling=delivery.strategy.rolling,
    )


def _wanted(
    cluster: ManagedCluster, model: InferenceService, values: HubctlSection, *, compared: bool
) -> witness.Wanted:
    if not compared:
        return witness.Wanted(model.version)
    rendered = context.model_context(cluster, model, values.runtimes)
    image = (rendered["container"] or {}).get("image")
    return witness.Wanted(model.version, artifact=image or rendered["storageUri"] or "", label=model.version)
