"""Recipes on a real Prometheus that holds a generated fleet, and behind a real proxy that refuses."""

import asyncio
import socket
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from hubctl.model.features import Features, Recipe
from hubctl.model.predictor import InferenceService, Observation, Outcome, Window
from hubctl.model.prometheus import Endpoint, Source
from hubctl.model.route import UrlRoute
from hubctl.model.upstream import RECIPES
from hubctl.model.values import ModelProfile, Observe
from hubctl.observe.features import NoWindow
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Rows
from hubctl.observe.tokens import Tokens
from tests.observe import fleetmetrics, haproxy, promserver
from tests.observe.faultserver import FaultServer
from tests.observe.fleetmetrics import NOW, SPOKES, load

QUERY = "avg by ($cluster) (last_over_time(load{$selector}[30s]))"
DERIVE = ("value", "mean 5m", "std 5m", "lag 5m", "diff 1m", "pct_change 1m")


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with promserver.serving(fleetmetrics.exposition()) as url:
        yield url


def recipe(query: str = QUERY, **more: Any) -> Features:
    made = Recipe.model_validate({"metrics": [{"name": "load", "query": query, "derive": DERIVE}], **more})
    return Features(prometheus=made)


def service(cluster: str, features: Features, source: Source, name: str = "anomaly-detector") -> InferenceService:
    route = UrlRoute(url="http://127.0.0.1:1")
    profile, at = ModelProfile(features=features), Endpoint("metrics", source)
    return InferenceService(cluster, name, "v1", "models", f"{name}-predictor", profile, route, metrics=at)


async def shown(
    services: Sequence[InferenceService], *, now: datetime = NOW, rows: Rows | None = None, folder: Path = Path()
) -> list[Window | NoWindow]:
    """One round of windows."""
    used = rows or Rows(folder, {})
    await used.begin(services, now)
    found = [await used.of(one) for one in services]
    if rows is None:
        await used.close()
    return found


def reasons(found: Sequence[Window | NoWindow]) -> list[str]:
    return [str(one.reason) if isinstance(one, NoWindow) else "" for one in found]


def values(cluster: str, minute: int = 0) -> list[float]:
    """The features of ``DERIVE``, from the fleet's own formula."""
    newest, before = load(cluster, minute), load(cluster, minute - 1)
    last = [load(cluster, minute - back) for back in range(5)]
    changes = [newest - before, (newest - before) / before]
    return [newest, statistics.fmean(last), statistics.pstdev(last), load(cluster, minute - 5), *changes]


async def test_every_spoke_has_its_own_values_or_the_reason_why_not(prometheus: str) -> None:
    source = Source(url=prometheus)
    found = dict(zip(SPOKES, await shown([service(one, recipe(), source) for one in SPOKES]), strict=True))
    wrong = {name: str(one.reason) for name, one in found.items() if isinstance(one, NoWindow)}
    assert wrong == {
        fleetmetrics.GAP: "metrics_gap",
        fleetmetrics.NAN: "metrics_not_finite",
        fleetmetrics.INFINITE: "metrics_not_finite",
        fleetmetrics.STALE: "metrics_stale",
        fleetmetrics.MISSING: "metrics_missing",
    }
    for name, one in found.items():
        if isinstance(one, Window):
            assert list(one.instances[0]) == pytest.approx(values(name), rel=1e-9, abs=1e-12)


async def test_rows_are_consecutive_steps_and_some_may_be_dropped(prometheus: str) -> None:
    source, gap = Source(url=prometheus), fleetmetrics.GAP
    whole, refused = await shown([service(one, recipe(rows=3), source) for one in (SPOKES[0], gap)])
    [dropped] = await shown([service(gap, recipe(rows=7, gap="drop-row"), source)])
    assert isinstance(whole, Window)
    assert [row[0] for row in whole.instances] == [load(SPOKES[0], minute) for minute in (-2, -1, 0)]
    assert reasons([refused]) == ["metrics_gap"]
    assert isinstance(dropped, Window)
    assert [row[0] for row in dropped.instances] == [load(gap, minute) for minute in (-6, -5, -4)]


async def test_chunks_change_nothing_but_the_number_of_queries(prometheus: str) -> None:
    def fleet(chunk: int) -> list[InferenceService]:
        return [service(one, recipe(), Source(url=prometheus, chunk=chunk)) for one in SPOKES]

    counts, digests = [], []
    for chunk in (0, 1000, 30, 1):
        before = promserver.asked(prometheus)
        found = await shown(fleet(chunk)[:40] if chunk == 1 else fleet(chunk))
        counts.append(promserver.asked(prometheus) - before)
        digests.append([one.digest if isinstance(one, Window) else str(one.reason) for one in found][:40])
    assert counts == [1, 1, 7, 40]
    assert all(one == digests[0] for one in digests)


async def test_cost_grows_with_features_and_not_with_spokes_models_or_polls(prometheus: str) -> None:
    source, rows = Source(url=prometheus), Rows(Path(), {})
    other = Features(prometheus=Recipe.model_validate({"metrics": [{"name": "now", "query": QUERY}]}))
    fleet = [service(one, recipe(), source) for one in SPOKES] + [service(one, other, source, "b") for one in SPOKES]
    before = promserver.asked(prometheus)
    first = await shown(fleet, rows=rows)
    again = await shown(fleet, rows=rows, now=NOW + timedelta(seconds=15))
    assert promserver.asked(prometheus) - before == 1
    assert first[0] == again[0]
    later = await shown(fleet, rows=rows, now=NOW + timedelta(seconds=30))
    assert promserver.asked(prometheus) - before == 2
    assert isinstance(later[0], Window)
    assert list(later[0].instances[0]) == pytest.approx(values(SPOKES[0], 1), rel=1e-9, abs=1e-12)
    await rows.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("avg by ($cluster, zone) (load{$selector})", "metrics_ambiguous"),
        ("avg by ($cluster) (odd)", "metrics_unlabelled"),
        ("avg by ($cluster) (nothing{$selector})", "metrics_empty"),
        ("avg by ($cluster) (load{$selector}", "metrics_refused"),
    ],
)
async def test_what_a_query_makes_of_the_fleet_is_said(prometheus: str, query: str, expected: str) -> None:
    spokes = (fleetmetrics.TWICE, fleetmetrics.MISSING)
    found = await shown([service(one, recipe(query), Source(url=prometheus)) for one in spokes])
    assert reasons(found)[0] == expected


async def test_upstreams_recipes_give_what_the_fleets_formula_says(prometheus: str) -> None:
    source, cluster = Source(url=prometheus), fleetmetrics.UPSTREAM[1]
    asked = [service(cluster, RECIPES[name], source, name) for name in ("anomaly-detector", "predictive-analytics")]
    anomaly, predictive = await shown(asked)
    assert isinstance(anomaly, Window)
    assert isinstance(predictive, Window)
    [row], [five] = anomaly.instances, predictive.instances
    # A rate over five minutes is that of the five samples in it: Prometheus' windows hold both of their ends here.
    idle = statistics.fmean(fleetmetrics.idle(node, minute) for node in fleetmetrics.NODES for minute in range(-4, 1))
    assert [row[0], row[18], row[27]] == pytest.approx([1 - idle, 0.2, 0.575], rel=1e-6)
    assert row[36] == pytest.approx(statistics.fmean((2, 3, 4)))
    memory = 1 - statistics.fmean((4e9, 5e9)) / 16e9
    assert five == pytest.approx((1 - idle, memory, 0.25, 0.01, 0.01), rel=1e-6)


async def test_a_spokes_own_prometheus_is_asked_once_for_all_of_its_models(prometheus: str) -> None:
    with proxying(prometheus) as proxy:
        source = Source(url=f"{proxy.clear}/own/{{cluster}}", scope="spoke")
        whole = recipe('sum(load{cluster="spoke-000.fleet",$selector})')
        before = promserver.asked(prometheus)
        found = await shown([service("edge-a", whole, source), service("edge-a", whole, source, "b")])
    assert promserver.asked(prometheus) - before == 1
    assert found[0] == found[1]
    assert isinstance(found[0], Window)
    assert list(found[0].instances[0]) == pytest.approx(values(SPOKES[0]), rel=1e-9, abs=1e-12)


class Proxy:
    """A real HAProxy before Prometheus: whose path's first part says how it answers."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        self.folder = folder
        self.authority = authority
        self.port, self.insecure = haproxy.free_port(), haproxy.free_port()
        self.secure = f"https://127.0.0.1:{self.port}"
        self.clear = f"http://127.0.0.1:{self.insecure}"

    def token(self, text: str) -> str:
        """A file with a token."""
        (self.folder / "token").write_text(f"{text}\n")
        return str(self.folder / "token")

    @property
    def ca(self) -> str:
        """A file with the CA of its certificate."""
        self.authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        return str(self.folder / "ca.pem")


CONFIGURATION = """\
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend front
  bind 127.0.0.1:{port} ssl crt {folder}/edge.pem
  bind 127.0.0.1:{insecure}
  stick-table type string len 8 size 10 expire 1m store http_req_cnt
  http-request track-sc0 path,field(2,/) if {{ path_beg /busy/ }}
  http-request return status 429 hdr Retry-After 1 if {{ path_beg /busy/ }} {{ sc0_http_req_cnt le 1 }}
  http-request return status 429 hdr Retry-After 3600 if {{ path_beg /full/ }}
  http-request return status 405 if {{ path_beg /gets/ }} METH_POST
  http-request return status 403 if {{ path_beg /denied/ }}
  http-request return status 503 if {{ path_beg /away/ }}
  http-request return status 500 if {{ path_beg /broken/ }}
  http-request redirect location /login if {{ path_beg /login/ }}
  http-request return status 200 content-type application/json string '{empty}' if {{ path_beg /empty/ }}
  http-request return status 200 content-type application/json string '{partial}' if {{ path_beg /partial/ }}
  http-request return status 401 if {{ path_beg /token/ }} !{{ req.hdr(Authorization) "Bearer right-token" }}
  http-request replace-path /(own|token)/[^/]*(/api/.*) \\2
  http-request replace-path /[a-z]+(/api/.*) \\1
  default_backend prometheus
backend prometheus
  server one {target}
"""
EMPTY = '{"status":"success","data":{"resultType":"matrix","result":[]}}'
PARTIAL = '{"status":"success","warnings":["a store is gone"],"data":{"resultType":"matrix","result":[]}}'


class proxying:  # noqa: N801 - reads as the function that it is
    """Runs it as a context."""

    def __init__(self, target: str) -> None:
        self._target = target.removeprefix("http://")
        self._folder = tempfile.TemporaryDirectory(prefix="hubctl-haproxy-")

    def __enter__(self) -> Proxy:
        found, folder, authority = haproxy.program(), Path(self._folder.name), trustme.CA()
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "edge.pem"))
        proxy = Proxy(folder, authority)
        words = {"port": proxy.port, "insecure": proxy.insecure, "target": self._target, "folder": folder}
        (folder / "cfg").write_text(CONFIGURATION.format(**words, empty=EMPTY, partial=PARTIAL))
        with (folder / "log").open("wb") as log:
            self._running = subprocess.Popen([found, "-db", "-f", folder / "cfg"], stdout=log, stderr=log)
        haproxy._wait(haproxy.Router(proxy.port, proxy.insecure), self._running, folder / "log")
        return proxy

    def __exit__(self, *_: object) -> None:
        self._running.terminate()
        self._running.wait()
        self._folder.cleanup()


@pytest.fixture(scope="module")
def proxy(prometheus: str) -> Iterator[Proxy]:
    with proxying(prometheus) as running:
        yield running


async def asked(proxy: Proxy, path: str, **settings: Any) -> NoWindow | Window:
    source = Source(url=f"{proxy.clear}/{path}", **settings)
    found = await shown([service(one, recipe(), source) for one in SPOKES[:2]])
    return found[0]


@pytest.mark.parametrize(
    ("path", "expected", "told"),
    [
        ("denied", Reason.METRICS_DENIED, "metrics answered 403"),
        ("token", Reason.METRICS_DENIED, "metrics answered 401"),
        ("login", Reason.METRICS_DENIED, "metrics answered 302"),
        ("empty", Reason.METRICS_EMPTY, "most likely the token may see no spoke"),
        ("partial", Reason.METRICS_PARTIAL, "a store is gone"),
        ("away", Reason.METRICS_OVERLOADED, "metrics answered 503"),
        ("full", Reason.METRICS_OVERLOADED, "metrics answered 429"),
        ("broken", Reason.METRICS_UNREACHABLE, "metrics answered 500"),
    ],
)
async def test_a_proxys_refusal_is_the_reason_of_every_spoke(
    proxy: Proxy, path: str, expected: Reason, told: str
) -> None:
    found = await asked(proxy, path)
    assert isinstance(found, NoWindow)
    assert found.reason is expected
    assert told in found.detail


async def test_busy_is_asked_again_when_it_says_and_get_where_post_is_refused(proxy: Proxy) -> None:
    assert isinstance(await asked(proxy, "busy"), Window)
    assert isinstance(await asked(proxy, "gets"), Window)


async def test_silence_ends_with_the_timeout_and_a_large_answer_with_its_bound(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = Source(url=f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.2)
        [silent] = await shown([service(SPOKES[0], recipe(), source)])
    large = await asked(proxy, "whole", max_body_bytes=1024, chunk=0)
    nobody = await shown([service(SPOKES[0], recipe(), Source(url="http://127.0.0.1:1"))])
    assert reasons([silent, large, *nobody]) == ["metrics_timeout", "metrics_too_large", "metrics_unreachable"]


async def test_tls_is_verified_and_the_token_is_read_again_after_a_refusal(proxy: Proxy) -> None:
    trusted = Source(url=f"{proxy.secure}/token", ca_file=proxy.ca, token_file=proxy.token("right-token"))
    stranger = Source(url=f"{proxy.secure}/token")
    [good] = await shown([service(SPOKES[0], recipe(), trusted)])
    [untrusted] = await shown([service(SPOKES[0], recipe(), stranger)])
    assert isinstance(good, Window)
    assert isinstance(untrusted, NoWindow)
    assert "unknown_ca" in untrusted.detail
    proxy.token("wrong-token")
    [wrong] = await shown([service(SPOKES[0], recipe(), trusted)])
    (proxy.folder / "token").unlink()
    [missing] = await shown([service(SPOKES[0], recipe(), trusted)])
    assert reasons([wrong, missing]) == ["metrics_denied", "metrics_credentials"]
    assert "wrong-token" not in str(wrong)


async def test_a_token_that_rotates_during_the_query_is_found_after_the_401(proxy: Proxy) -> None:
    folder = proxy.folder
    (folder / "rotated").write_text("old-token")
    tokens = Tokens(Observe(token_file="rotated"), {}, folder)
    tokens.begin(None)
    source = Source(url=f"{proxy.clear}/token/{{cluster}}", scope="spoke", spoke_token=True)
    one = service(SPOKES[0], recipe('sum(load{cluster="spoke-000.fleet",$selector})'), source)
    assert await tokens.current(one) == "old-token"
    (folder / "rotated").write_text("right-token")
    rows = Rows(folder, {}, tokens)
    [found] = await shown([one], rows=rows)
    await rows.close()
    assert isinstance(found, Window)


async def polled(folder: Path, services: Sequence[InferenceService]) -> tuple[Observation, ...]:
    async with Poller(Observe(deadline=5), folder, {}, clock=lambda: NOW) as poller:
        first = await poller.poll(services)
        assert [one.window for one in await poller.poll(services)] == [one.window for one in first]
    return first


async def test_a_poll_sends_the_recipes_rows_and_asks_no_more_without_them(prometheus: str, tmp_path: Path) -> None:
    async with FaultServer() as predictor:
        made = [service(one, recipe(rows=2), Source(url=prometheus)) for one in (SPOKES[0], fleetmetrics.MISSING)]
        route = UrlRoute(url=predictor.url)
        whole, without = await polled(tmp_path, [replace(one, route=route) for one in made])
    assert (whole.outcome, whole.instances, whole.votes, len(whole.window)) == (Outcome.OK, 2, True, 32)
    assert (without.outcome, without.reason, without.window) == (Outcome.OK, "metrics_missing", "")
    paths = [seen.path for seen in predictor.seen]
    assert paths.count("/v1/models/anomaly-detector:predict") == paths.count("/v1/models/anomaly-detector") == 2


async def test_rounds_that_overlap_give_the_same_rows(prometheus: str) -> None:
    with proxying(prometheus) as proxy:
        own = Source(url=f"{proxy.clear}/own/{{cluster}}", scope="spoke")
        one = service("edge-a", recipe('sum(load{cluster="spoke-000.fleet",$selector})'), own)
        rows, other = Rows(Path(), {}), service(SPOKES[0], recipe(), Source(url=prometheus))
        other = replace(other, metrics=Endpoint("fleet", Source(url=prometheus)))
        async with asyncio.TaskGroup() as group:
            rounds = [group.create_task(shown([one, other], rows=rows)) for _ in range(3)]
        found = [await each for each in rounds]
        await rows.close()
    assert found[0] == found[1] == found[2]
    assert reasons(found[0]) == ["", ""]
