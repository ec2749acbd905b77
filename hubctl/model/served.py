"""SpokeModel: a model at a version, as a spoke's file or a group says that it is served.

Apart from ``cluster`` and ``values``, which both speak of it.
"""

from pydantic import Field

from hubctl.model.base import DnsLabel, ModelName, Strict, Version
from hubctl.model.route import Routes


class SpokeModel(Strict):
    """A model that the spoke serves, at a version."""

    name: ModelName
    version: Version
    namespace: DnsLabel | None = None
    service: DnsLabel | None = None
    route: Routes | None = Field(None, description="or a list to try in order")
