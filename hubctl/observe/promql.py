"""PromQL: range queries to one source, the only door to Prometheus.

httpx, because queries are few; what its defaults get wrong is set right as for predictors: a total deadline, a body
that is counted while it streams, no encoding, no redirect, no proxy of the environment, TLS verified.
"""

import asyncio
import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson

from hubctl import __version__
from hubctl.model import base
from hubctl.model.predictor import InferenceService
from hubctl.model.prometheus import Endpoint
from hubctl.observe import faults, series, strict, tokens
from hubctl.observe.accounts import NoToken
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.recipes import Grid
from hubctl.observe.trust import Anchor, Bundles, NoTrust, Trust

_TRIES = 4
"""Requests for one query at most: by another method, with another token, after a pause."""

_REASONS = {
    400: Reason.METRICS_REFUSED,
    401: Reason.METRICS_DENIED,
    403: Reason.METRICS_DENIED,
    413: Reason.METRICS_REFUSED,
    414: Reason.METRICS_REFUSED,
    422: Reason.METRICS_REFUSED,
    429: Reason.METRICS_OVERLOADED,
    503: Reason.METRICS_OVERLOADED,
    504: Reason.METRICS_TIMEOUT,
}
"""By status; other errors of the server are unreachable, all else is malformed."""

_REDIRECTS = range(300, 400)
_SERVER_ERROR = 500


class _Answer(NamedTuple):
    """Read to its end; not copied once more, for it may be large."""

    status: int
    headers: httpx.Headers
    body: bytearray


class PromQL:
    """One source's connections; keep it over rounds."""

    def __init__(
        self, endpoint: Endpoint, folder: Path, environ: Mapping[str, str], shared: tokens.Tokens | None = None
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            endpoint: the source.
            folder: which relative paths start from.
            environ: holds the token's variable.
            shared: the tokens that predictors get, for ``spokeToken``.
        """
        self.endpoint = endpoint
        self._source = endpoint.source
        self._folder = folder
        self._environ = environ
        self._shared = shared
        self._bundles = Bundles(folder)
        self._clients: dict[str, tuple[Trust, httpx.AsyncClient]] = {}
        self._retired: list[httpx.AsyncClient] = []
        self._slots = asyncio.Semaphore(endpoint.source.concurrency)
        self._method = "POST"

    async def close(self) -> None:
        """Close every connection."""
        for client in (*self._retired, *(client for _, client in self._clients.values())):
            await client.aclose()
        self._retired.clear()
        self._clients.clear()

    async def renew(self) -> None:
        """Retire the clients whose CAs have changed; closed a round later, when nothing of theirs is under way."""
        for client in self._retired:
            await client.aclose()
        self._retired.clear()
        for path, (trust, client) in tuple(self._clients.items()):
            try:
                fresh = self._bundles.trust(Anchor(file=path))
            except NoTrust:
                fresh = None
            if fresh != trust:
                del self._clients[path]
                self._retired.append(client)

    async def ask(self, query: str, grid: Grid, until: float, service: InferenceService | None = None) -> bytearray:
        """The body of the answer to a range query.

        Args:
            query: filled.
            grid: the moments to evaluate it at.
            until: the loop's time by which it has to be there.
            service: a model of the spoke that it is about, with scope spoke.

        Raises:
            NoWindow: there is none.
        """
        try:
            async with asyncio.timeout_at(until), self._slots:
                return await self._answer(query, grid, until, service)
        except (TimeoutError, httpx.TimeoutException) as error:
            told = f"no complete answer of {self.endpoint.name} within {self._source.timeout:g} s"
            raise NoWindow(Reason.METRICS_TIMEOUT, told) from error
        except (NoToken, NoTrust) as error:
            raise NoWindow(Reason.METRICS_CREDENTIALS, f"{error.reason}: {error.detail}") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
            found = faults.explain(error)
            raise NoWindow(
                Reason.METRICS_UNREACHABLE, f"{self.endpoint.name}: {found.reason}: {found.detail}"
            ) from error

    async def _answer(self, query: str, grid: Grid, until: float, service: InferenceService | None) -> bytearray:
        cluster = service.cluster if service else ""
        token = await self._token(service)
        url = f"{base.fill(self._source.url, cluster=cluster).rstrip('/')}/api/v1/query_range"
        client, form = self._client(cluster), self._form(query, grid)
        refreshed = False
        for _ in range(_TRIES):
            answer = await self._send(client, url, form, token)
            if answer.status == httpx.codes.METHOD_NOT_ALLOWED and self._method == "POST":
                self._method = "GET"
            elif answer.status == httpx.codes.UNAUTHORIZED and token and not refreshed:
                fresh, refreshed = await self._token(service, refused=token), True
                if fresh == token:
                    break
                token = fresh
            elif not await _paused(answer, until):
                break
        if answer.status == httpx.codes.OK:
            return answer.body
        raise self._refusal(answer, token)

    async def _send(self, client: httpx.AsyncClient, url: str, form: Mapping[str, str], token: str) -> _Answer:
        """The answer, read to its end."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self._method == "POST":
            request = client.build_request("POST", url, data=dict(form), headers=headers)
        else:
            request = client.build_request("GET", url, params=dict(form), headers=headers)
        response = await client.send(request, stream=True)
        try:
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise NoWindow(Reason.METRICS_MALFORMED, f"{self.endpoint.name} compressed its answer unasked")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._source.max_body_bytes:
                    told = f"more than {self._source.max_body_bytes} bytes: lower chunk, or raise maxBodyBytes"
                    raise NoWindow(Reason.METRICS_TOO_LARGE, f"{self.endpoint.name} answers {told}")
        finally:
            await response.aclose()
        return _Answer(response.status_code, response.headers, body)

    def _form(self, query: str, grid: Grid) -> dict[str, str]:
        form = {"query": query, "start": str(grid.start), "end": str(grid.end), "step": str(grid.step)}
        form["timeout"] = f"{max(1, int(self._source.timeout))}s"
        # Thanos and what is built on it: replicas made one, and an error instead of a part.
        form |= {"dedup": "true", "partial_response": "false"}
        if self._source.lookback is not None:
            form["lookback_delta"] = f"{int(self._source.lookback * 1000)}ms"
        return form

    async def _token(self, service: InferenceService | None, refused: str = "") -> str:
        """The bearer token, read anew; empty when none is configured."""
        if self._source.spoke_token:
            if self._shared is None or service is None:
                raise NoToken(Reason.TOKEN_MISSING, "the tokens of predictors are not at hand here")
            return await (self._shared.reread(service, refused) if refused else self._shared.current(service))
        file = base.fill(self._source.token_file or "", cluster=service.cluster if service else "")
        return tokens.read(file, self._source.token_env or "", self._folder, self._environ)

    def _client(self, cluster: str) -> httpx.AsyncClient:
        path = base.fill(self._source.ca_file or "", cluster=cluster)
        if path not in self._clients:
            trust = self._bundles.trust(Anchor(file=path))
            self._clients[path] = trust, self._new_client(trust)
        return self._clients[path][1]

    def _new_client(self, trust: Trust) -> httpx.AsyncClient:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"hubctl/{__version__}"}
        return httpx.AsyncClient(
            verify=trust.context,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=120.0),
            headers={**self._source.headers, **headers},
        )

    def _refusal(self, answer: _Answer, token: str) -> NoWindow:
        status = answer.status
        try:
            said = series.complaint(orjson.loads(answer.body))
        except orjson.JSONDecodeError:
            said = ""
        said = said or strict.excerpt(answer.body[:800].decode(errors="replace"))
        if token:
            said = said.replace(token, "[token]")
        other = Reason.METRICS_UNREACHABLE if status >= _SERVER_ERROR else Reason.METRICS_MALFORMED
        # A login page is what OpenShift's proxies send those to who have no token that they know.
        reason = Reason.METRICS_DENIED if status in _REDIRECTS else _REASONS.get(status, other)
        return NoWindow(reason, f"{self.endpoint.name} answered {status}{f': {said}' if said else ''}")


async def _paused(answer: _Answer, until: float) -> bool:
    """Wait as long as a busy server asks for; whether there is time for that and to ask again."""
    told = answer.headers.get("Retry-After", "").strip()
    if answer.status not in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE) or not told:
        return False
    pause = _seconds(told)
    if pause is None or asyncio.get_running_loop().time() + pause >= until:
        return False
    await asyncio.sleep(pause)
    return True


def _seconds(told: str) -> float | None:
    """Of a Retry-After header, in seconds or as a date; None when it is neither."""
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        moment = email.utils.parsedate_to_datetime(told)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
