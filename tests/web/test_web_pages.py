"""What probes and Prometheus get, from a real server in its own thread."""

import threading

import httpx
import pytest

from hubctl import metrics
from hubctl.errors import InputError
from hubctl.metrics import Sample
from hubctl.web import app, server
from hubctl.web.pulse import LONGEST, Pulse


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_probes_say_what_the_pulse_says() -> None:
    clock = Clock()
    pulse = Pulse(clock, clock())
    with server.serving("127.0.0.1:0", app.application(pulse, metrics.Registry())) as address:
        assert httpx.get(f"http://{address}/healthz").status_code == 200
        assert httpx.get(f"http://{address}/readyz").status_code == 503
        pulse.configured = pulse.stored = True
        pulse.leading = False
        ready = httpx.get(f"http://{address}/readyz")
        assert (ready.status_code, ready.json()["checks"]["leadership"]) == (200, "standing by")
        clock.now = LONGEST + 1
        assert httpx.get(f"http://{address}/healthz").status_code == 503
        pulse.beat()
        assert httpx.get(f"http://{address}/healthz").status_code == 200
        assert httpx.get(f"http://{address}/secrets").status_code == 404


def test_metrics_are_scraped_with_every_name_and_help() -> None:
    registry = metrics.Registry()
    registry.take([Sample(metrics.PASSES, 1, ("done",)), Sample(metrics.PASSES, 1, ("done",))])
    with server.serving("127.0.0.1:0", app.application(Pulse(Clock(), 0), registry)) as address:
        answer = httpx.get(f"http://{address}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'hubctl_passes_total{result="done"} 2.0' in answer.text
    for one in metrics.METRICS:
        assert f"# HELP {one.name} {one.help}" in answer.text


def test_server_ends_with_its_block_though_somebody_is_connected() -> None:
    application = app.application(Pulse(Clock(), 0), metrics.Registry())
    with httpx.Client() as client, server.serving("127.0.0.1:0", application) as address:
        client.get(f"http://{address}/healthz")
    assert not any(thread.name == "hubctl-http" for thread in threading.enumerate())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/healthz")


def test_every_interface_is_meant_by_a_port_alone() -> None:
    with server.serving(":0", app.application(Pulse(Clock(), 0), metrics.Registry())) as address:
        assert httpx.get(f"http://127.0.0.1{address}/healthz").status_code == 200


def test_address_that_is_taken_is_an_error_of_the_input() -> None:
    application = app.application(Pulse(Clock(), 0), metrics.Registry())
    with (
        server.serving("127.0.0.1:0", application) as address,
        pytest.raises(InputError, match="cannot listen"),
        server.serving(address, application),
    ):
        pytest.fail("two listen at one address")


@pytest.mark.parametrize("address", ["", "8080", "localhost", "a:99999", "::1:80", "[::1:80", "a:b", "a:²", "a:-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        server.parsed(address)


def test_addresses_are_split_into_host_and_port() -> None:
    assert [server.parsed(each) for each in (":1", "[::1]:2", "h:3")] == [("", 1), ("::1", 2), ("h", 3)]


def test_what_is_no_longer_there_is_no_longer_shown() -> None:
    registry, one = metrics.Registry(), metrics.SPOKE_PREDICTORS
    registry.take([Sample(one, 1, ("a", "healthy")), Sample(one, 1, ("b", "healthy"))], whole=[one])
    registry.take([Sample(one, 2, ("a", "healthy"))], whole=[one])
    assert 'cluster="a"' in registry.text().decode()
    assert 'cluster="b"' not in registry.text().decode()
    registry.take([], whole=[one])
    assert "cluster=" not in registry.text().decode()
