"""Address: a URL taken apart into what a connection is opened to and what is asked for over it.

Pure, and strict: some URLs were made by a spoke, and whatever is not plainly a host, a port and a path could smuggle a
header or a password into the request.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_MAX_HOST = 255

_HOST = re.compile(r"[A-Za-z0-9._-]+")
"""A name, an IPv4 address, or a name in its ASCII form."""

_BRACKETS = re.compile(r"\[[0-9A-Fa-f:.]+\](:\d*)?")

_CONTROL = re.compile(r"[\x00-\x20\x7f]")

_PATH = "!$%&'()*+,-./:;=?@_~"
"""What stays as it is in a path and its query; a percent sign is taken for one that encodes already."""


class BadUrl(Malformed):
    """A URL that cannot be asked."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.BAD_URL, strict.excerpt(f"cannot use this URL: {detail}"))


class Origin(NamedTuple):
    """What a connection leads to; ``host`` is without the brackets of an IPv6 address."""

    tls: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Address:
    """A URL.

    Attributes:
        name: the host as the request names it, with its port where that is not the scheme's.
        path: with its query, percent-encoded.
    """

    origin: Origin
    name: str
    path: str


def parse(url: str) -> Address:
    """The parts of a URL.

    Raises:
        BadUrl: it is not of http or https, or holds something that neither host, port nor path may.
    """
    if _CONTROL.search(url):
        raise BadUrl(f"expected no space or control character in {url!r}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadUrl(f"{error} in {url}") from error
    if parts.scheme not in _PORTS:
        raise BadUrl(f"expected http or https, got {parts.scheme or 'no scheme'}")
    if "@" in parts.netloc:
        raise BadUrl("expected no name or password before the host")
    usual = _PORTS[parts.scheme]
    port = usual if port is None else port
    if not 0 < port <= _MAX_PORT:
        raise BadUrl(f"expected a port from 1 to {_MAX_PORT} in {url}")
    if ":" in host and not _BRACKETS.fullmatch(parts.netloc):
        raise BadUrl(f"expected an IPv6 address in brackets, got {parts.netloc}")
    host = _ascii(host)
    shown = f"[{host}]" if ":" in host else host
    path = quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_PATH)
    name = shown if port == usual else f"{shown}:{port}"
    return Address(Origin(parts.scheme == "https", host, port), name, path)


def _ascii(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise BadUrl(f"expected an IPv6 address in brackets, got {host}") from error
    try:
        plain = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise BadUrl(f"expected a host, got {host}: {error}") from error
    if len(plain) > _MAX_HOST or not _HOST.fullmatch(plain):
        raise BadUrl(f"expected a host, got {host or 'none'}")
    return plain
