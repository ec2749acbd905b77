"""The section ``hubctl.witness``: which of the hub's objects are heard about spokes, and when they are believed.

Apart from ``witness``, the nouns that are made of them.
"""

from pydantic import Field

from hubctl.model.base import Duration, Period, Strict


class Witness(Strict):
    """Which witnesses are heard."""

    managed_clusters: bool | None = Field(
        None, description="the klusterlets' leases; default: true when some spoke asks for access.feedback"
    )
    feedback: bool | None = Field(None, description="what ManifestWorks read back; default: as above")
    applications: bool | None = Field(None, description="Argo CD's, on the hub; default: as above")
    settle: Duration = Field(
        600.0, description="a difference between Git and a spoke is a finding once it has lasted so long"
    )
    lease_grace: Duration | None = Field(
        None,
        description="a dead route is blamed on the route once the klusterlet has outlived it so long; "
        "default: five times its lease, when the hub would have missed it",
    )
    stale_after: Period = Field(300.0, description="an older look at the hub says nothing")
    reconciled_within: Period = Field(
        3600.0, description="what Argo CD compared longer ago says nothing; for Applications that tell when that was"
    )
