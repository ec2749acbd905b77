"""Exchange: one question to one predictor over one way, sent and read to its end.

The only door to httpx. What its defaults get wrong for a fleet is set right here:

- connections are kept longer than the interval between rounds, or none would ever be used twice;
- a body is counted while it streams and taken only as it was asked for, unencoded, so that no bomb unfolds;
- no redirect is followed, no proxy taken from the environment, no cookie kept, and TLS is always verified.
"""

from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from hubctl import __version__
from hubctl.model import values
from hubctl.model.predictor import InferenceService, Outcome, Window
from hubctl.observe import answers, faults, golden, openinference, protocol, routes, strict
from hubctl.observe.answers import Answer, Found
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed
from hubctl.observe.trust import Trust

_KEEP_ROUNDS = 2
_KEEP_SECONDS = 30.0
"""An idle connection is kept for two intervals and a little more."""

_MAX_PORT = 65535

_PHASES = {
    "connection.connect_tcp.started": Reason.CONNECT,
    "connection.start_tls.started": Reason.HANDSHAKE,
    "http11.send_request_headers.started": Reason.SEND,
    "http11.receive_response_headers.started": Reason.ANSWER,
    "http11.receive_response_body.started": Reason.BODY,
}
"""httpcore's trace events that begin a phase."""

SENT = frozenset({Reason.SEND, Reason.ANSWER, Reason.BODY})
"""Phases in which the predictor has, or may have, what we sent."""

_LEAST_SECRET = 6
"""A shorter token is no secret, and taking it out of every text would spoil answers."""


@dataclass(slots=True)
class Phase:
    """What an exchange is doing, told by httpcore while it goes on.

    Attributes:
        connected: whether it opened a connection of its own.
    """

    now: Reason = Reason.CONNECT
    connected: bool = False

    async def __call__(self, event: str, _info: dict[str, Any]) -> None:
        """Hear of an event."""
        self.now = _PHASES.get(event, self.now)
        self.connected = self.connected or event == "connection.connect_tcp.started"


@dataclass(frozen=True, slots=True)
class Question:
    """What a predictor is asked; the same over every way to it.

    Attributes:
        rows: to predict beside the golden ones; or why there are none. Without either kind, only whether the model is
            ready is asked.
    """

    service: InferenceService
    rows: Window | NoWindow

    def request(self, client: httpx.AsyncClient, url: str, phase: Phase, seconds: float) -> httpx.Request:
        """The request below a base URL.

        Raises:
            httpx.InvalidURL: the base makes none.
        """
        if not 0 < (443 if (port := httpx.URL(url).port) is None else port) <= _MAX_PORT:
            raise httpx.InvalidURL(f"expected a port from 1 to {_MAX_PORT} in {url}")
        # Connect and handshake get half of the time each, because httpcore closes the socket of a handshake that
        # times out by itself, but loses that of a cancelled one.
        more = {"trace": phase, "timeout": httpx.Timeout(None, connect=seconds / 2).as_dict()}
        content = self.content()
        if content is None:
            return client.build_request("GET", self.url(url), extensions=more)
        headers = {"Content-Type": protocol.CONTENT_TYPE}
        return client.build_request("POST", self.url(url), content=content, headers=headers, extensions=more)

    def url(self, base: str) -> str:
        """Where it is asked, below a base URL."""
        spoken = self.service.profile.spoken
        asks = routes.predict_url if golden.asked(self.service, self.rows) else routes.model_url
        return asks(base, self.service.name, spoken)

    def content(self) -> bytes | None:
        """The body that is sent; None for a question without one."""
        rows, profile = golden.asked(self.service, self.rows), self.service.profile
        if not rows:
            return None
        return protocol.encode(rows) if profile.spoken == "v1" else openinference.encode(rows, profile.tensor)

    def judge(self, answer: Answer) -> Found:
        """What an answer to it says."""
        return answers.judge(answer, self.service, self.rows)


def new_client(observe: values.Observe, trust: Trust) -> httpx.AsyncClient:
    """A client for one spoke and one set of CAs: a pool scans every connection that it holds for each request."""
    keep = _KEEP_ROUNDS * observe.interval + _KEEP_SECONDS
    return httpx.AsyncClient(
        verify=trust.context,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=keep),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={
            "Accept": protocol.CONTENT_TYPE,
            "Accept-Encoding": "identity",
            "User-Agent": f"hubctl/{__version__}",
        },
    )


async def send(client: httpx.AsyncClient, request: httpx.Request, token: str, limit: int) -> Answer:
    """The answer, read to its end or to the limit in bytes; nothing in it is the token.

    Raises:
        httpx.HTTPError: none came.
    """
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    response = await _begin(client, request)
    try:
        body, refused = await _body(response, limit)
    finally:
        await response.aclose()
    content_type = response.headers.get("Content-Type", "")
    if len(token) >= _LEAST_SECRET:
        # Some servers echo the request's headers; a detail must not.
        body = body.replace(token.encode(), b"[token]")
        content_type = content_type.replace(token, "[token]")
    return Answer(response.status_code, content_type, body, refused)


async def _begin(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    try:
        return await client.send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        # A kept connection that the server was closing just then says nothing about the predictor: once more.
        if request.extensions["trace"].connected:
            raise
        return await client.send(request, stream=True)


async def _body(response: httpx.Response, limit: int) -> tuple[bytes, Malformed | None]:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return b"", Malformed(Reason.CONTENT_ENCODING, strict.excerpt(f"expected no encoding, got {encoding}"))
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), Malformed(Reason.TOO_LARGE, f"expected at most {limit} bytes, got more")
    return bytes(body), None


def failed(error: Exception) -> Found:
    """What a failed exchange says."""
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return Found(Outcome.UNREACHABLE, Reason.BAD_URL, strict.excerpt(f"cannot use this URL: {error}"))
    gone = "disconnected", "peer closed", "closed connection"
    if isinstance(error, httpx.RemoteProtocolError) and not any(word in str(error) for word in gone):
        return Found(Outcome.MALFORMED, Reason.PROTOCOL, strict.excerpt(f"expected HTTP/1.1: {error}"))
    return faults.explain(error)
