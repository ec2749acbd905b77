"""Which kinds of the hub's objects a fleet makes hubctl look at; none means that the hub's API is never asked.

Apart from ``snapshot``, which knows no values.
"""

from collections.abc import Sequence

from hubctl.model import reaching
from hubctl.model.cluster import Spoke
from hubctl.model.snapshot import Resource
from hubctl.model.values import HubValues


def resources_of(values: HubValues, spokes: Sequence[Spoke] = ()) -> tuple[Resource, ...]:
    """The kinds that these values need, and the files of spokes."""
    return reaching.resources_of(values, spokes)


def asks_hub(values: HubValues, spokes: Sequence[Spoke] = ()) -> bool:
    """Whether anything is read of the hub's API, if only single objects."""
    return bool(resources_of(values, spokes)) or reaching.finds_hosts(values, spokes)
