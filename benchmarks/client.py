"""One client of ``poll.py`` in a process of its own, so that its CPU is its own.

Prints the CPU seconds of each round as JSON, or with ``--profile`` where they went. The folder holds ``features/``,
``ports.json`` (a port for each spoke) and, if the predictors speak TLS, ``ca.pem``.
"""

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import httpx
import uvloop

from hubctl.model import values
from hubctl.model.predictor import InferenceService, Outcome
from hubctl.observe import protocol, routes, sources
from hubctl.observe.poll import Poller

ROWS, FEATURES = 5, 45
Round = Callable[[], Awaitable[None]]


def observe(folder: Path) -> values.Observe:
    """The defaults of hubctl; a CA bundle when the stub speaks TLS."""
    return values.Observe(ca_file="ca.pem" if (folder / "ca.pem").exists() else None)


def services(folder: Path, ports: list[int], models: int) -> list[InferenceService]:
    """Every model on every spoke."""
    scheme = "https" if (folder / "ca.pem").exists() else "http"
    profile = values.ModelProfile(features=values.Features(file="features/{cluster}/{model}.json"))
    return [
        InferenceService(
            cluster=f"edge-{number:04}",
            name=f"model-{model}",
            version="v1",
            namespace="models",
            service=f"model-{model}-predictor",
            profile=profile,
            route=values.UrlRoute(url=f"{scheme}://127.0.0.1:{port}"),
        )
        for number, port in enumerate(ports)
        for model in range(models)
    ]


def write_features(folder: Path, asked: list[InferenceService]) -> None:
    """A file of rows for each, no two alike."""
    for number, service in enumerate(asked):
        path = folder / "features" / service.cluster / f"{service.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [[round((number + row) * 0.37 + column / 7, 4) for column in range(FEATURES)] for row in range(ROWS)]
        path.write_text(json.dumps({"window": "2026-01-01T00:00:00Z", "instances": rows}))


async def by_hubctl(folder: Path, asked: list[InferenceService], stack: AsyncExitStack) -> Round:
    """The poller over all predictors."""
    poller = await stack.enter_async_context(Poller(observe(folder), folder, os.environ))

    async def once() -> None:
        found = await poller.poll(asked)
        wrong = [one for one in found if one.outcome is not Outcome.OK or one.instances != ROWS]
        assert not wrong, wrong[0]

    return once


async def bodies(folder: Path, asked: list[InferenceService]) -> list[tuple[str, str, bytes]]:
    """Spoke, URL and body of each request, as hubctl sends them."""
    windows = [await sources.read_window(service, folder, {}) for service in asked]
    urls = [routes.predict_url(routes.base_url(service, service.routes[0]), service.name) for service in asked]
    encoded = [protocol.encode(window.instances) for window in windows]
    return [(service.cluster, url, body) for service, url, body in zip(asked, urls, encoded, strict=True)]


def bounded(
    settings: values.Observe, sent: list[tuple[str, str, bytes]], post: Callable[[str, str, bytes], Awaitable[None]]
) -> Round:
    """All requests at once, as many under way as hubctl has, per spoke and in all."""
    everything = asyncio.Semaphore(settings.concurrency)
    spokes = {cluster: asyncio.Semaphore(settings.per_spoke) for cluster, _, _ in sent}

    async def one(cluster: str, url: str, body: bytes) -> None:
        async with spokes[cluster], everything:
            await post(cluster, url, body)

    async def once() -> None:
        async with asyncio.TaskGroup() as group:
            for request in sent:
                group.create_task(one(*request))

    return once


async def by_httpx(folder: Path, asked: list[InferenceService], stack: AsyncExitStack) -> Round:
    """A client for each spoke, one trust for all."""
    sent, settings = await bodies(folder, asked), observe(folder)
    trust = ssl.create_default_context(cafile=str(folder / settings.ca_file) if settings.ca_file else None)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=300)
    headers = {"Content-Type": protocol.CONTENT_TYPE, "Accept-Encoding": "identity"}
    clients = {cluster: httpx.AsyncClient(verify=trust, limits=limits, headers=headers) for cluster, _, _ in sent}
    for client in clients.values():
        await stack.enter_async_context(client)

    async def post(cluster: str, url: str, body: bytes) -> None:
        assert (await clients[cluster].post(url, content=body)).status_code == httpx.codes.OK

    return bounded(settings, sent, post)


async def by_aiohttp(folder: Path, asked: list[InferenceService], stack: AsyncExitStack) -> Round:
    """One session for all spokes."""
    sent, settings = await bodies(folder, asked), observe(folder)
    trust = ssl.create_default_context(cafile=str(folder / settings.ca_file)) if settings.ca_file else True
    connector = aiohttp.TCPConnector(limit=0, ssl=trust, keepalive_timeout=300)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    headers = {"Content-Type": protocol.CONTENT_TYPE}

    async def post(_: str, url: str, body: bytes) -> None:
        async with session.post(url, data=body, headers=headers) as response:
            await response.read()
            assert response.status == httpx.codes.OK

    return bounded(settings, sent, post)


async def rounds(options: argparse.Namespace) -> list[float]:
    """CPU seconds of each round in this process; the first opens the connections."""
    folder = Path(options.folder)
    asked = services(folder, json.loads((folder / "ports.json").read_text()), options.models)
    ways = {"hubctl": by_hubctl, "httpx": by_httpx, "aiohttp": by_aiohttp}
    spent = []
    async with AsyncExitStack() as stack:
        once = await ways[options.way.partition("+")[0]](folder, asked, stack)
        for _ in range(options.rounds + 1):
            start = time.process_time()
            await once()
            spent.append(time.process_time() - start)
    return spent


def client(options: argparse.Namespace) -> None:
    """One client's rounds, printed as JSON; with ``--profile``, where the time went."""
    watch = cProfile.Profile(time.process_time) if options.profile else None
    factory = uvloop.new_event_loop if options.way.endswith("uvloop") else None
    with asyncio.Runner(loop_factory=factory) as runner:
        if watch is None:
            print(json.dumps(runner.run(rounds(options))))
            return
        watch.runcall(runner.run, rounds(options))
        stats = pstats.Stats(watch).strip_dirs()
        stats.sort_stats("cumulative").print_stats(60)
        stats.sort_stats("tottime").print_stats(30)


def main() -> None:
    """Arguments are ``poll.py``'s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", help="hubctl, httpx or aiohttp, with +uvloop for that loop")
    parser.add_argument("folder")
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    client(parser.parse_args())


if __name__ == "__main__":
    main()
