"""Control probes: which hosts are everybody's way, and what is said of those that cannot be reached."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, ApiserverRoute, ExposedRoute, Route, UrlRoute
from hubctl.observe.controls import Controls, Streaks, shared
from tests.observe.faultserver import FaultServer

Make = Callable[..., InferenceService]
PROXY = AcmRoute(host="proxy.example.com")


def served(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def fleet(make: Make, *routes: tuple[Route, ...]) -> list[InferenceService]:
    return [make(cluster=f"edge-{number}", route=route) for number, route in enumerate(routes)]


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([(PROXY,)] * 4, 1),
        ([(PROXY, ApiserverRoute(host="proxy.example.com"))] * 4, 1),
        ([(PROXY,)] * 2 + [(ExposedRoute(),)] * 2, 1),
        ([(PROXY,)] + [(ExposedRoute(),)] * 3, 0),  # a quarter of the spokes
        ([(PROXY, ExposedRoute())] * 4, 0),  # another way is left
        ([(PROXY,)], 0),  # one spoke says more about itself
        ([(UrlRoute(url="https://gate.example.com/{cluster}"),)] * 3, 1),
        ([(UrlRoute(url="https://{cluster}.example.com"),)] * 3, 0),
        ([], 0),
    ],
)
def test_host_is_everybodys_way_if_most_spokes_have_no_other(
    service: Make, routes: list[tuple[Route, ...]], expected: int
) -> None:
    assert len(shared(fleet(service, *routes))) == expected


def test_regions_gateway_is_no_control(service: Make) -> None:
    gates = [(UrlRoute(url=f"https://gate-{number % 4}.example.com/{{cluster}}"),) for number in range(40)]
    assert shared(fleet(service, *gates)) == {}


async def test_host_that_answers_over_tls_is_well(service: Make, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with FaultServer(tls=served(authority)) as server:
        controls = Controls(Observe(ca_file="ca.pem", controls=(server.url,)), tmp_path, {}, None)
        assert await controls.failing([], None) == {}
        routes = fleet(service, *[(UrlRoute(url=server.url),)] * 2)
        assert await controls.failing(routes, None) == {}
        assert await Controls(Observe(), tmp_path, {}, None).failing(routes, None) == {server.url: "unknown_ca"}
    assert server.seen == []


async def test_host_that_is_gone_silent_or_unknown_is_named_with_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        hosts = f"https://127.0.0.1:{mute.getsockname()[1]}", "https://127.0.0.1:1", "https://no-such-host.invalid"
        observe = Observe(deadline=0.5, controls=hosts)
        found = await Controls(observe, tmp_path, {}, None).failing([], None)
    assert found == dict(zip(hosts, ("timeout", "refused", "dns"), strict=True))


async def test_port_that_cannot_be_ends_nothing(tmp_path: Path) -> None:
    url = "https://example.com:99999"
    found = await Controls(Observe(controls=(url,)), tmp_path, {}, None).failing([], None)
    assert "Port out of range" in found[url]


def test_failure_counts_when_it_lasts_for_two_rounds() -> None:
    streaks, said = Streaks(), []
    for failed in ({"a": "dns"}, {"a": "refused", "b": "dns"}, {"b": "dns"}, {}):
        streaks.note(failed)
        said.append(streaks.lasting())
    assert said == [(), ("a (refused)",), ("b (dns)",), ()]
