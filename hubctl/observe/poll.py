"""One bounded round over predictors: each is asked once, and whatever happens becomes an Observation.

A predictor with several routes is asked over one after another until a model server answers; all of it fits one
deadline over connecting, writing and reading, because httpx's timeouts start anew with every dripped byte.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from hubctl.model import values
from hubctl.model.apiserver import HubReader
from hubctl.model.predictor import InferenceService, Observation, Window
from hubctl.model.snapshot import Snapshot
from hubctl.observe import golden, limits
from hubctl.observe.exchange import Question
from hubctl.observe.rows import Rows
from hubctl.observe.search import Search
from hubctl.observe.spoken import Spoken
from hubctl.observe.ways import Ways


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Poller:
    """Asks predictors; use it as an async context manager and keep it over rounds."""

    def __init__(
        self,
        observe: values.Observe,
        folder: Path,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = _utc_now,
        seen: Callable[[Observation], None] | None = None,
        api: HubReader | None = None,
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            observe: ``hubctl.observe`` of the values.
            folder: the folder of the inputs, which relative paths start from.
            environ: holds the token's variable; feature commands get the rest of it.
            clock: tells the time for ``Observation.at``, aware and in UTC.
            seen: called with each observation as soon as it is made, for progress.
            api: the hub's own API, for routes and tokens that come from there.
        """
        self._observe = observe
        # A feature command is somebody else's program: the predictors' token is none of its business.
        self._rows = Rows(folder, {name: value for name, value in environ.items() if name != observe.token_env})
        self._clock = clock
        self._seen = seen
        self._ways = Ways(observe, environ, folder, api)
        self._search = Search(observe, folder, self._ways, clock)
        self._spoken = Spoken(self._search.find)
        self._slots = asyncio.Semaphore(observe.concurrency)
        self._spokes: dict[str, asyncio.Semaphore] = {}

    async def __aenter__(self) -> Self:
        limits.raise_open_files()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._search.close()

    async def poll(
        self, services: Sequence[InferenceService], snapshot: Snapshot | None = None
    ) -> tuple[Observation, ...]:
        """Ask every predictor once; the observations come in the order of the services.

        Args:
            services: the predictors.
            snapshot: the hub's own objects, where routes or tokens need them.
        """
        await self._ways.begin(services, snapshot)
        await self._rows.begin(services, self._clock())
        for cluster in {service.cluster for service in services}:
            self._spokes.setdefault(cluster, asyncio.Semaphore(self._observe.per_spoke))
            await self._search.renew(cluster)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._in_turn(service)) for service in services]
        return tuple(task.result() for task in tasks)

    async def _in_turn(self, service: InferenceService) -> Observation:
        # The spoke's slot first: who waits for a slow spoke must not hold a slot that others could use.
        async with self._spokes[service.cluster], self._slots:
            observation = await self._observe_one(service)
        if self._seen is not None:
            self._seen(observation)
        return observation

    async def _observe_one(self, service: InferenceService) -> Observation:
        rows = golden.fitted(service, await self._rows.of(service))
        sought = await self._spoken.find(Question(service, rows))
        found = sought.found
        return Observation(
            cluster=service.cluster,
            model=service.name,
            version=service.version,
            at=self._clock(),
            outcome=found.outcome,
            reason=str(found.reason),
            detail=found.detail,
            window=rows.digest if isinstance(rows, Window) and sought.sent else "",
            instances=found.instances,
            anomalies=found.anomalies,
            latency_ms=sought.seconds * 1000,
            votes=found.instances > 0 and service.profile.votes,
            served_version=found.served_version,
            route=sought.route,
            tried=sought.tried,
        )
