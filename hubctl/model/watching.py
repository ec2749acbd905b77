"""Which kinds of the hub's objects a fleet makes hubctl look at; none means that the hub's API is never asked.

Apart from ``snapshot``, which knows no values.
"""

from hubctl.model.snapshot import Resource
from hubctl.model.values import HubValues


def resources_of(values: HubValues) -> tuple[Resource, ...]:
    """The kinds that these values need."""
    del values
    return ()
