"""Exchange: one question to one predictor over one way, sent and read to its end.

What a general HTTP client gets wrong for a fleet is set right here and in ``connections``, ``wire`` and ``http1``:

- connections are kept longer than the interval between rounds, or none would ever be used twice;
- a body is counted while it streams and taken only as it was asked for, unencoded, so that no bomb unfolds;
- no redirect is followed, no proxy taken from the environment, no cookie kept, and TLS is always verified.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from hubctl import __version__
from hubctl.model.predictor import InferenceService, Outcome, Window
from hubctl.observe import address, answers, faults, golden, openinference, protocol, routes, strict
from hubctl.observe.address import BadUrl, Origin
from hubctl.observe.answers import Answer, Found
from hubctl.observe.connections import Connections
from hubctl.observe.features import NoWindow
from hubctl.observe.http1 import NotHttp
from hubctl.observe.kept import Kept
from hubctl.observe.reason import Reason
from hubctl.observe.trust import Trust
from hubctl.observe.wire import Phase

KEEP_ROUNDS = 2
KEEP_SECONDS = 30.0
"""An idle connection is kept for two intervals and a little more."""

_LEAST_SECRET = 6
"""A shorter token is no secret, and taking it out of every text would spoil answers."""

_DIGITS = 9
"""Of a pause; more would be a lifetime."""

_BODIES = 96 * 1024 * 1024
"""Bytes of encoded rows that are kept; 40,000 windows of five rows of 45 numbers."""

_HEADS = 65_536
"""Heads of requests that are kept: one for each model on each spoke."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a predictor is asked; the same over every way to it.

    Attributes:
        rows: to predict beside the golden ones; or why there are none. Without either kind, only whether the model is
            ready is asked.
    """

    service: InferenceService
    rows: Window | NoWindow

    def url(self, base: str) -> str:
        """Where it is asked, below a base URL."""
        asks = routes.model_url if self.key() is None else routes.predict_url
        return asks(base, self.service.name, self.service.profile.spoken)

    def key(self) -> Hashable:
        """What the body is made from, in short; None for a question without one."""
        live = self.rows.digest if isinstance(self.rows, Window) else ""
        beside = self.service.golden.digest if self.service.golden else ""
        if not live and not beside:
            return None
        tensor = self.service.profile.tensor
        named = (tensor.name, tensor.datatype, tensor.output) if self.service.profile.spoken == "v2" else None
        return live, beside, named

    def content(self) -> bytes:
        """The body that is sent; empty for a question without one."""
        rows, profile = golden.asked(self.service, self.rows), self.service.profile
        if not rows:
            return b""
        return protocol.encode(rows) if profile.spoken == "v1" else openinference.encode(rows, profile.tensor)

    def judge(self, answer: Answer) -> Found:
        """What an answer to it says."""
        return answers.judge(answer, self.service, self.rows)


class Request(NamedTuple):
    """A request, but for the token.

    Attributes:
        head: up to the last header; no empty line behind it yet.
    """

    origin: Origin
    head: bytes
    body: bytes = b""

    def written(self, token: str) -> bytes:
        """Its bytes."""
        right = b"Authorization: Bearer %s\r\n" % token.encode() if token else b""
        length = b"Content-Length: %d\r\n" % len(self.body) if self.body else b""
        return b"%s%s%s\r\n%s" % (self.head, length, right, self.body)


class Requests:
    """Makes requests; what is the same from poll to poll is made once."""

    def __init__(self) -> None:
        self._head = lru_cache(_HEADS)(_head)
        self._bodies: Kept[Hashable, bytes] = Kept(_BODIES)

    def of(self, question: Question, url: str) -> Request:
        """The request below a base URL.

        Raises:
            BadUrl: the base makes none.
        """
        key = question.key()
        body = b"" if key is None else self._body(key, question)
        origin, head = self._head(question.url(url), bool(body))
        return Request(origin, head, body)

    def _body(self, key: Hashable, question: Question) -> bytes:
        body = self._bodies.get(key)
        if body is None:
            body = question.content()
            self._bodies.put(key, body, len(body))
        return body


def _head(url: str, predicts: bool) -> tuple[Origin, bytes]:  # noqa: FBT001 - positions are what the cache keys on
    """Where to, and the head of a request: for predictions, or else whether the model is ready."""
    to = address.parse(url)
    lines = [
        f"{'POST' if predicts else 'GET'} {to.path} HTTP/1.1",
        f"Host: {to.name}",
        f"Accept: {protocol.CONTENT_TYPE}",
        "Accept-Encoding: identity",
        f"User-Agent: hubctl/{__version__}",
        *([f"Content-Type: {protocol.CONTENT_TYPE}"] if predicts else []),
    ]
    return to.origin, "".join(f"{line}\r\n" for line in lines).encode("ascii")


class Bounds(NamedTuple):
    """What an exchange may take: bytes of a body, seconds."""

    bytes: int
    seconds: float


async def send(
    connections: Connections, request: Request, trust: Trust | None, token: str, bounds: Bounds, phase: Phase
) -> Answer:
    """The answer, read to its end or to the limit in bytes; nothing in it is the token.

    Raises:
        TimeoutError: it was not complete in time.
        NotHttp: what came is no HTTP.
        OSError: none came.
    """
    answer = await connections.ask(
        (request.origin, trust), request.written(token), limit=bounds.bytes, seconds=bounds.seconds, phase=phase
    )
    if len(token) < _LEAST_SECRET:
        return answer
    # Some servers echo the request's headers; a detail must not.
    said = answer.content_type.replace(token, "[token]")
    return answer._replace(body=answer.body.replace(token.encode(), b"[token]"), content_type=said)


def pause(said: str, now: datetime) -> float:
    """The seconds that a ``Retry-After`` asks for, counted from now; 0 when it asks for none, or is none."""
    said = said.strip()
    if said.isascii() and said.isdigit():
        return float(said[:_DIGITS])
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


def failed(error: Exception) -> Found:
    """What a failed exchange says."""
    if isinstance(error, BadUrl):
        return Found(Outcome.UNREACHABLE, error.reason, error.detail)
    if isinstance(error, NotHttp):
        return Found(Outcome.MALFORMED, Reason.PROTOCOL, strict.excerpt(f"expected HTTP/1.1: {error}"))
    return faults.explain(error)
