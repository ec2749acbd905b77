"""The rule that these tests run only when somebody asks for them: with ``-m clusterproxy`` or by naming this folder."""

from pathlib import Path

import pytest

from tests.kube import parts

HERE = Path(__file__).resolve().parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves this folder alone; None has no opinion."""
    return None if parts.asked_for(config, HERE) else True


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """The folder with the cluster-proxy and konnectivity."""
    return parts.built(HERE / "build.sh", request.config)[0]
