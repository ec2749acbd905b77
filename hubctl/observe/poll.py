"""One bounded round over predictors: each is asked once, and whatever happens becomes an Observation.

The only door to httpx. What its defaults get wrong for a fleet is set right here:

- one client per spoke, because a pool scans every connection it holds for each request: quadratic over many hosts;
- connections are kept longer than the interval between rounds, or none would ever be used twice;
- one deadline over connect, write and read together, because httpx's timeouts start anew with every dripped byte;
- a body is counted while it streams and taken only as it was asked for, unencoded, so that no bomb unfolds;
- no redirect is followed, no proxy taken from the environment, no cookie kept, and TLS is always verified.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from hubctl import __version__
from hubctl.model import values
from hubctl.model.predictor import InferenceService, Observation, Outcome, Window
from hubctl.observe import answers, faults, limits, openinference, protocol, routes, sources, strict
from hubctl.observe.answers import Answer, Found
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed
from hubctl.observe.tokens import NoToken, Tokens
from hubctl.observe.trust import Bundles, NoTrust, Trust

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


_SENT = {Reason.SEND, Reason.ANSWER, Reason.BODY}
"""Phases in which the predictor has, or may have, what we sent."""

_LEAST_SECRET = 6
"""A shorter token is no secret, and taking it out of every text would spoil answers."""


@dataclass(slots=True)
class _Phase:
    """What an exchange is doing, told by httpcore while it goes on.

    Attributes:
        connected: whether it opened a connection of its own.
        began: the loop's time when the request did; 0 before.
    """

    now: Reason = Reason.CONNECT
    began: float = 0.0
    connected: bool = False

    async def __call__(self, event: str, _info: dict[str, Any]) -> None:
        self.now = _PHASES.get(event, self.now)
        self.connected = self.connected or event == "connection.connect_tcp.started"


@dataclass(slots=True)
class _Spoke:
    """What is held for one spoke between rounds: its slots, its client, and what that client trusts."""

    slots: asyncio.Semaphore
    client: httpx.AsyncClient | None = None
    trust: Trust | None = None


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
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            observe: ``hubctl.observe`` of the values.
            folder: the folder of the inputs, which relative paths start from.
            environ: holds the token's variable; feature commands get the rest of it.
            clock: tells the time for ``Observation.at``, aware and in UTC.
            seen: called with each observation as soon as it is made, for progress.
        """
        self._observe = observe
        self._folder = folder
        # A feature command is somebody else's program: the predictors' token is none of its business.
        self._environ = {name: value for name, value in environ.items() if name != observe.token_env}
        self._clock = clock
        self._seen = seen
        self._tokens = Tokens(observe, environ, folder)
        self._slots = asyncio.Semaphore(observe.concurrency)
        self._spokes: dict[str, _Spoke] = {}
        self._bundles = Bundles(observe.ca_file, folder)

    async def __aenter__(self) -> Self:
        limits.raise_open_files()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for spoke in self._spokes.values():
            if spoke.client is not None:
                await spoke.client.aclose()
        self._spokes.clear()

    async def poll(self, services: Sequence[InferenceService]) -> tuple[Observation, ...]:
        """Ask every predictor once; the observations come in the order of the services."""
        self._tokens.forget()
        for cluster in {service.cluster for service in services}:
            await self._forget_old_trust(cluster)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._in_turn(service)) for service in services]
        return tuple(task.result() for task in tasks)

    async def _in_turn(self, service: InferenceService) -> Observation:
        spoke = self._spokes[service.cluster]
        # The spoke's slot first: who waits for a slow spoke must not hold a slot that others could use.
        async with spoke.slots, self._slots:
            observation = await self._observe_one(service, spoke)
        if self._seen is not None:
            self._seen(observation)
        return observation

    async def _observe_one(self, service: InferenceService, spoke: _Spoke) -> Observation:
        rows = await _rows(service, self._folder, self._environ)
        phase = _Phase()
        found = await self._find(service, spoke, rows, phase)
        latency = asyncio.get_running_loop().time() - phase.began if phase.began else 0.0
        return Observation(
            cluster=service.cluster,
            model=service.name,
            version=service.version,
            at=self._clock(),
            outcome=found.outcome,
            reason=str(found.reason),
            detail=found.detail,
            window=rows.digest if isinstance(rows, Window) and phase.now in _SENT else "",
            instances=found.instances,
            anomalies=found.anomalies,
            latency_ms=latency * 1000,
            votes=found.instances > 0 and service.profile.output == "labels",
            served_version=found.served_version,
        )

    async def _find(self, service: InferenceService, spoke: _Spoke, rows: Window | NoWindow, phase: _Phase) -> Found:
        if service.route is None:
            return Found(Outcome.UNREACHABLE, Reason.NO_ROUTE, f"no route leads to {service.cluster}")
        try:
            client = self._client(service.cluster, spoke)
            request = _request(client, service, rows, phase)
            async with asyncio.timeout(self._observe.deadline):
                phase.began = asyncio.get_running_loop().time()
                answer = await self._exchange(client, request, service.cluster)
        except NoToken as error:
            return Found(Outcome.UNAUTHORIZED, error.reason, error.detail)
        except NoTrust as error:
            return Found(Outcome.TLS, error.reason, error.detail)
        except (TimeoutError, httpx.TimeoutException):
            detail = f"no complete answer within {self._observe.deadline:g} s"
            return Found(Outcome.TIMEOUT, phase.now, detail)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            return Found(Outcome.UNREACHABLE, Reason.BAD_URL, strict.excerpt(f"cannot use this URL: {error}"))
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return _failed(error)
        if isinstance(rows, Window):
            return answers.judge_prediction(answer, service, rows)
        return answers.judge_presence(answer, service, rows)

    async def _exchange(self, client: httpx.AsyncClient, request: httpx.Request, cluster: str) -> Answer:
        token = self._tokens.current(cluster)
        answer = await self._send(client, request, token)
        if answer.status == httpx.codes.UNAUTHORIZED and token:
            fresh = self._tokens.reread(cluster)
            if fresh != token:
                answer = await self._send(client, request, fresh)
        return answer

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request, token: str) -> Answer:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        response = await _begin(client, request)
        try:
            body, refused = await _body(response, self._observe.max_body_bytes)
        finally:
            await response.aclose()
        content_type = response.headers.get("Content-Type", "")
        if len(token) >= _LEAST_SECRET:
            # Some servers echo the request's headers; a detail must not.
            body = body.replace(token.encode(), b"[token]")
            content_type = content_type.replace(token, "[token]")
        return Answer(response.status_code, content_type, body, refused)

    async def _forget_old_trust(self, cluster: str) -> None:
        # Between rounds, when nothing of this spoke is under way: closing a client ends its requests.
        spoke = self._spokes.setdefault(cluster, _Spoke(asyncio.Semaphore(self._observe.per_spoke)))
        if spoke.client is None:
            return
        try:
            trust = self._bundles.trust(cluster)
        except NoTrust:
            trust = None
        if trust != spoke.trust:
            client, spoke.client = spoke.client, None
            await client.aclose()

    def _client(self, cluster: str, spoke: _Spoke) -> httpx.AsyncClient:
        if spoke.client is None:
            spoke.trust = self._bundles.trust(cluster)
            spoke.client = _new_client(self._observe, spoke.trust)
        return spoke.client


def _new_client(observe: values.Observe, trust: Trust) -> httpx.AsyncClient:
    keep = _KEEP_ROUNDS * observe.interval + _KEEP_SECONDS
    return httpx.AsyncClient(
        verify=trust.context,
        trust_env=False,
        follow_redirects=False,
        # The deadline is around the whole exchange. Connect and handshake get half of it each, because httpcore
        # closes the socket of a handshake that times out by itself, but loses that of a cancelled one.
        timeout=httpx.Timeout(None, connect=observe.deadline / 2),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=keep),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={
            "Accept": protocol.CONTENT_TYPE,
            "Accept-Encoding": "identity",
            "User-Agent": f"hubctl/{__version__}",
        },
    )


def _request(
    client: httpx.AsyncClient, service: InferenceService, rows: Window | NoWindow, phase: _Phase
) -> httpx.Request:
    base = routes.base_url(service)
    if not 0 < (443 if (port := httpx.URL(base).port) is None else port) <= _MAX_PORT:
        raise httpx.InvalidURL(f"expected a port from 1 to {_MAX_PORT} in {base}")
    spoken = service.profile.protocol
    if isinstance(rows, Window):
        method, url = "POST", routes.predict_url(base, service.name, spoken)
        content, headers = _content(service, rows), {"Content-Type": protocol.CONTENT_TYPE}
    else:
        method, url, content, headers = "GET", routes.model_url(base, service.name, spoken), None, None
    return client.build_request(method, url, content=content, headers=headers, extensions={"trace": phase})


def _content(service: InferenceService, rows: Window) -> bytes:
    if service.profile.protocol == "v1":
        return protocol.encode(rows.instances)
    return openinference.encode(rows.instances, service.profile.tensor)


async def _rows(service: InferenceService, folder: Path, environ: Mapping[str, str]) -> Window | NoWindow:
    if service.route is None:
        return NoWindow(Reason.NO_ROUTE, "nothing is sent without a route")
    try:
        return await sources.read_window(service, folder, environ)
    except NoWindow as error:
        return error


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


def _failed(error: Exception) -> Found:
    gone = "disconnected", "peer closed", "closed connection"
    if isinstance(error, httpx.RemoteProtocolError) and not any(word in str(error) for word in gone):
        return Found(Outcome.MALFORMED, Reason.PROTOCOL, strict.excerpt(f"expected HTTP/1.1: {error}"))
    return faults.explain(error)
