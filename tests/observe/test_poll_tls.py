import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import AcmRoute
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from tests.observe.conftest import STOCK, UVLOOP
from tests.observe.faultserver import FaultServer

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]


@pytest.fixture(params=[UVLOOP, STOCK], ids=["uvloop", "stock"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Each loop has TLS of its own, and both name what is wrong with a certificate alike."""
    backend: tuple[str, dict[str, bool]] = request.param
    return backend


@pytest.fixture
def authority(rows: Path) -> trustme.CA:
    """A certificate authority whose bundle lies beside the rows."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(rows / "ca.pem"))
    return made


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


async def one(poller: Poller, service: InferenceService) -> Observation:
    async with poller:
        (found,) = await poller.poll([service])
    return found


async def test_certificate_of_the_bundles_ca_is_accepted(
    service: Make, poller: MakePoller, authority: trustme.CA
) -> None:
    async with FaultServer(tls=context(authority.issue_cert("127.0.0.1"))) as server:
        found = await one(poller(ca_file="ca.pem"), service(server.url))
    assert (found.outcome, found.votes) == (Outcome.OK, True)


async def test_expired_certificate_is_refused(service: Make, poller: MakePoller, authority: trustme.CA) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    async with FaultServer(tls=context(old)) as server:
        found = await one(poller(ca_file="ca.pem"), service(server.url))
    assert (found.outcome, found.reason) == (Outcome.TLS, Reason.EXPIRED)
    assert server.seen == []


@pytest.mark.parametrize("name", ["127.0.0.2", "spoke.example"])
async def test_certificate_of_another_name_is_refused(
    service: Make, poller: MakePoller, authority: trustme.CA, name: str
) -> None:
    async with FaultServer(tls=context(authority.issue_cert(name))) as server:
        found = await one(poller(ca_file="ca.pem"), service(server.url))
    assert (found.outcome, found.reason) == (Outcome.TLS, Reason.HOSTNAME)


@pytest.mark.parametrize("ca_file", ["ca.pem", None])
async def test_certificate_of_an_unknown_ca_is_refused(
    service: Make, poller: MakePoller, authority: trustme.CA, ca_file: str | None
) -> None:
    assert authority
    async with FaultServer(tls=context(trustme.CA().issue_cert("127.0.0.1"))) as server:
        found = await one(poller(ca_file=ca_file), service(server.url))
    assert (found.outcome, found.reason) == (Outcome.TLS, Reason.UNKNOWN_CA)


async def test_server_without_tls_fails_the_handshake(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server:
        found = await one(poller(deadline=0.5), service(server.url.replace("http:", "https:")))
    assert found.reason == Reason.HANDSHAKE


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_unusable_bundle_asks_nothing(service: Make, poller: MakePoller, rows: Path, content: str | None) -> None:
    if content:
        (rows / "edge-a.pem").write_text(content)
    async with FaultServer() as server:
        found = await one(poller(ca_file="{cluster}.pem"), service(server.url))
    assert (found.outcome, found.reason, server.seen) == (Outcome.TLS, Reason.CA_FILE, [])


async def test_rotated_bundle_is_read_without_a_restart(
    service: Make, poller: MakePoller, authority: trustme.CA, rows: Path
) -> None:
    fresh = trustme.CA()
    async with FaultServer(tls=context(fresh.issue_cert("127.0.0.1"))) as server, poller(ca_file="ca.pem") as polled:
        (before,) = await polled.poll([service(server.url)])
        fresh.cert_pem.write_to_path(str(rows / "ca.pem"))
        os.utime(rows / "ca.pem", (1, 1))
        (after,) = await polled.poll([service(server.url)])
    assert authority
    assert (before.outcome, after.outcome) == (Outcome.TLS, Outcome.OK)


async def test_acm_path_arrives_byte_for_byte(service: Make, poller: MakePoller, authority: trustme.CA) -> None:
    async with FaultServer(tls=context(authority.issue_cert("127.0.0.1"))) as server:
        route = AcmRoute(host=f"127.0.0.1:{server.port}")
        found = await one(poller(ca_file="ca.pem"), service(server.url, route=route))
    target = "/api/v1/namespaces/models/services/https:anomaly-detector-predictor:8443/proxy-service"
    assert server.seen[0].path == f"/edge-a{target}/v1/models/anomaly-detector:predict"
    assert found.outcome is Outcome.OK
