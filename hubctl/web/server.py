"""The HTTP server: in a thread with a loop of its own, so that probes are answered while a pass renders.

Uvicorn takes signals only in the main thread; they stay the controller's. The thread ends with the block that it was
started by, and with the process at the latest.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from hubctl.errors import InputError

OFF = "off"
"""Instead of an address: do not listen."""

_GRACE = 5
"""Seconds that answers under way get in the end."""

_MOST_PORT = 65535
_HINT = "for example 127.0.0.1:8080, [::1]:8080, :8080 for every interface, or off"


@contextmanager
def serving(address: str, application: Starlette) -> Iterator[str]:
    """Answer at an address while the block runs; yields where, with the port that the system chose for 0.

    Raises:
        InputError: it is no address, or nobody can listen there.
    """
    host, port = parsed(address)
    try:
        if host:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family)
        else:
            both = socket.has_dualstack_ipv6()
            family = socket.AF_INET6 if both else socket.AF_INET
            listener = socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        raise InputError(f"cannot listen on {address!r}: {error}", hint=_HINT) from error
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="hubctl-http", daemon=True)
    thread.start()
    bound = listener.getsockname()[1]
    try:
        yield f"[{host}]:{bound}" if ":" in host else f"{host}:{bound}"
    finally:
        server.should_exit = True
        thread.join(_GRACE + 1)
        listener.close()


def parsed(address: str) -> tuple[str, int]:
    """Host and port; an empty host is every interface.

    Raises:
        InputError: it is none.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _MOST_PORT:
        raise InputError(f"{address!r} is no address to listen on: expected HOST:PORT", hint=_HINT)
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        raise InputError(f"{address!r} is no address to listen on: an IPv6 host stands in brackets", hint=_HINT)
    return host.strip("[]"), int(port)
