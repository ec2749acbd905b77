"""A worker's station, without Dask: what it keeps, and what it asks for again."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hubctl.errors import RemoteFailed
from hubctl.model.packed import unpack
from hubctl.model.predictor import Outcome, Window
from hubctl.model.values import Observe
from hubctl.shards import parcel
from hubctl.shards.station import Station
from tests.observe.faultserver import FaultServer
from tests.shards.fleets import NOW, folder_of, service

WINDOW = Window(((1.0, 2.0),), "0" * 32)


class NoHub:
    """A hub that does not answer."""

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        raise RemoteFailed(f"no secret {namespace}/{name}")

    async def read(self, path: str) -> Mapping[str, Any] | None:
        raise RemoteFailed(f"no {path}")


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    made = Station(folder_of(tmp_path), {}, NoHub())
    yield made
    await made.close()


def job(url: str, observe: Observe | None = None, window: Window = WINDOW) -> tuple[parcel.Job, dict[str, bytes]]:
    """A job over one predictor, and all that it takes."""
    setup = parcel.setup_blob(observe or Observe(deadline=5))
    services, rows = parcel.services_blob([service(url=url)]), parcel.rows_blob(window)
    names = [parcel.name_of(blob) for blob in (setup, services, rows)]
    made = parcel.Job(
        leader="one", setup=names[0], now=NOW, begins=NOW, seconds=0.0, seed=0, limit=20.0,
        services=(names[1],), windows=(names[2],), rows=(0,),
    )  # fmt: skip
    return made, dict(zip(names, (setup, services, rows), strict=True))


async def test_station_asks_for_what_it_misses_and_keeps_what_it_got(station: Station) -> None:
    async with FaultServer() as server:
        made, blobs = job(server.url)
        empty = parcel.report_of(await station.round(parcel.job_bytes(made, {})))
        assert set(empty.missing) == set(blobs)
        first = parcel.report_of(await station.round(parcel.job_bytes(made, blobs)))
        again = parcel.report_of(await station.round(parcel.job_bytes(made, {})))
        await station.close()
    found = [unpack(report.observations) for report in (first, again)]
    assert [one.outcome for each in found for one in each] == [Outcome.OK, Outcome.OK]
    assert server.connections == 1


async def test_only_what_changed_has_to_be_sent(station: Station) -> None:
    async with FaultServer() as server:
        made, blobs = job(server.url)
        await station.round(parcel.job_bytes(made, blobs))
        other, more = job(server.url, window=Window(((3.0, 4.0),), "1" * 32))
        new = {name: blob for name, blob in more.items() if name not in blobs}
        report = parcel.report_of(await station.round(parcel.job_bytes(other, new)))
        await station.close()
    assert len(new) == 1
    assert [one.window for one in unpack(report.observations)] == ["1" * 32]
    assert b"[[3.0,4.0]]" in server.seen[-1].body.replace(b" ", b"")


async def test_another_configuration_closes_the_connections_of_the_one_before(station: Station) -> None:
    async with FaultServer() as server:
        for deadline in (5, 6):
            made, blobs = job(server.url, Observe(deadline=deadline))
            await station.round(parcel.job_bytes(made, blobs))
        await station.close()
    assert server.connections == 2


async def test_station_goes_by_the_leaders_clock(station: Station) -> None:
    async with FaultServer() as server:
        made, blobs = job(server.url)
        report = parcel.report_of(await station.round(parcel.job_bytes(made, blobs)))
        await station.close()
    (found,) = unpack(report.observations)
    assert 0 <= (found.at - NOW).total_seconds() < 60


async def test_job_that_is_none_is_refused(station: Station) -> None:
    with pytest.raises(parcel.Damaged):
        await station.round(b"something else")
