from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
import pytest

from hubctl.demo import fleet, generator, monitoring, servers, training
from hubctl.inputs.load import load_inputs
from hubctl.model.features import Recipe
from hubctl.model.fleet import services
from hubctl.model.predictor import Window
from hubctl.observe.recipes import Asked, Grid, Plan, Table
from hubctl.observe.rows import Rows
from hubctl.settings import Settings
from tests.demo import orphans
from tests.observe import promserver

PORTS = {key: 20000 + number for number, key in enumerate(fleet.KEYS)}

ORPHAN_MAKER = """
import asyncio, sys
from pathlib import Path
from hubctl.demo import monitoring

async def main():
    async with monitoring.Monitoring(sys.argv[1], Path(sys.argv[2]), []) as running:
        print(running.url.rpartition(":")[2], flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


def windows(model: str, *, broken: bool) -> Sequence[Window]:
    """Windows as the recipe makes them of what the exporter says, without waiting for the clock."""
    recipe = Recipe.model_validate(monitoring.recipe(model)["prometheus"])
    series: dict[str, tuple[float, ...]] = {}
    for metric in generator.METRICS[model]:
        state = generator.State(metric, seed=f"edge/{metric.name}/3")
        series[metric.name] = tuple(state.step(broken=broken) for _ in range(120))
    plan, found = Plan(recipe), []
    for end in range(20, 120, 4):
        grid = Grid(end, 1, end - 1)
        tables = {Asked(one.query, 1): Table(grid, {"edge": series[one.name][:end]}) for one in recipe.metrics}
        found.append(plan.window("edge", tables))
    return found


@pytest.mark.parametrize("model", fleet.VOTING)
def test_good_models_tell_the_exporters_normal_nodes_from_its_broken_ones(models: Path, model: str) -> None:
    forest = joblib.load(models / model / "v1" / training.MODEL_FILE)
    shares = {
        broken: [float(np.mean(forest.predict(one.instances) == -1)) for one in windows(model, broken=broken)]
        for broken in (False, True)
    }
    assert max(shares[False]) < 0.5 < min(shares[True])


def test_bad_version_finds_the_exporters_normal_nodes_anomalous(models: Path) -> None:
    forest = joblib.load(models / "anomaly-detector" / "v2" / training.MODEL_FILE)
    found = windows("anomaly-detector", broken=False)
    assert min(float(np.mean(forest.predict(one.instances) == -1)) for one in found) > 0.5


async def test_every_predictor_gets_rows_from_prometheus_and_broken_nodes_are_seen(tmp_path: Path) -> None:
    found = promserver.program("prometheus")
    async with monitoring.Monitoring(found, tmp_path / "prometheus", fleet.KEYS) as running:
        fleet.write_fleet(tmp_path, remote=tmp_path / "fleet.git", ports=PORTS, metrics=running.url)
        wanted = services(load_inputs(Settings(directory=tmp_path, state=tmp_path / ".hubctl")))
        running.exporter.set_broken(("edge-south",))
        await running.settled()
        rows = Rows(tmp_path, {})
        await rows.begin(wanted, datetime.now(UTC))
        made = {(one.cluster, one.name): await rows.of(one) for one in wanted}
        await rows.close()
    cpu = {}
    for (cluster, model), window in made.items():
        assert isinstance(window, Window), window
        assert [len(row) for row in window.instances] == [len(generator.feature_names(model))] * monitoring.ROWS
        if model == "anomaly-detector":
            cpu[cluster] = [row[0] for row in window.instances]
    assert min(cpu.pop("edge-south")) > 0.8
    assert max(value for each in cpu.values() for value in each) < 0.7
    assert servers.port_is_free(int(running.url.rpartition(":")[2]))


async def test_prometheus_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = promserver.program("prometheus")
    assert await orphans.port_is_given_back(ORPHAN_MAKER, program, str(tmp_path / "prometheus"), seconds=10)


def test_scrapes_count_from_the_moment_at_which_nodes_break() -> None:
    exporter = monitoring.Exporter(fleet.KEYS, seed=1)
    exporter.exposition()
    exporter.set_broken(("edge-south",))
    assert exporter.since == 0
    first = exporter.exposition()
    exporter.set_broken(("edge-south",))
    assert exporter.since == 1
    assert 'demo_node_cpu_utilization{cluster="edge-south"}' in first
    assert len(first.splitlines()) == len({line.split()[0] for line in first.splitlines()})
