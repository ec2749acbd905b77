"""Which kinds of the hub's objects a fleet makes hubctl look at; none means that the hub's API is never asked.

Apart from ``snapshot``, which knows no values.
"""

from collections.abc import Iterable
from dataclasses import replace

from hubctl.model.snapshot import APPLICATIONS, Resource
from hubctl.model.values import HubValues


def resources_of(values: HubValues) -> tuple[Resource, ...]:
    """The kinds that these values need."""
    del values
    return ()


def placed(resources: Iterable[Resource], values: HubValues) -> tuple[Resource, ...]:
    """The kinds, each where it is looked for: Applications in Argo CD's namespace, as hubctl may see no others."""
    namespace = values.hubctl.gitops.argocd_namespace
    return tuple(replace(one, namespace=namespace) if one.plural == APPLICATIONS.plural else one for one in resources)
