"""A model of protocol v2 is delivered, and neither asked nor expected: v1's questions would look like a fault."""

import pytest

from hubctl.cli.observing import chosen_services
from hubctl.errors import InputError
from hubctl.model.fleet import HubInputs
from hubctl.reconcile import services
from tests.inputs.inputfolder import VALUES, Folder


@pytest.fixture
def fleet(folder: Folder) -> HubInputs:
    """One spoke with a model of each protocol."""
    served = "      version: v3\n    - {name: predictive-analytics, version: v1}"
    folder.change("clusters/edge-a.yaml", "      version: v3", served)
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  models: {{anomaly-detector: {{protocol: v2}}}}\n")
    return folder.load()


def test_pass_asks_models_of_v1_only(fleet: HubInputs) -> None:
    assert [service.name for service in services(fleet)] == ["predictive-analytics"]
    assert len(fleet.clusters[0].models) == 2


def test_person_who_asks_for_one_hears_why_not(fleet: HubInputs) -> None:
    with pytest.raises(InputError, match="anomaly-detector speaks protocol v2, which hubctl does not poll"):
        chosen_services(fleet, None, "anomaly-detector")
    with pytest.raises(InputError, match="no spoke serves a model 'other'"):
        chosen_services(fleet, "edge-a", "other")
