from pathlib import Path

import pytest

from hubctl.model.fleet import HubInputs
from hubctl.model.storage import S3Storage
from hubctl.render.templates import Templates, load_templates
from tests.render.fleets import hub, spoke


@pytest.fixture
def templates() -> Templates:
    return load_templates(None)


@pytest.fixture
def own_templates(tmp_path: Path) -> Path:
    """A user's template folder."""
    folder = tmp_path / "templates"
    (folder / "spoke").mkdir(parents=True)
    return folder


@pytest.fixture
def fleet() -> HubInputs:
    s3 = S3Storage(bucket="models", prefix="prod")
    return hub(
        spoke("edge-ha"),
        spoke("edge-sno", topology="sno"),
        spoke("cloud", platform="kubernetes", version="1.31", storage=s3, destination="cloud-eu"),
    )
