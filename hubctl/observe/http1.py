"""HTTP/1.1 answers: bytes of a connection into one answer after another. The only door to httptools.

What llhttp leaves to its caller is bounded here: a head, trailers and chunk extensions of any length, a body of any
size, an interim answer without end. What it cannot know is decided here: whether an answer without a length ended with
its connection, and whether another request may follow on it.
"""

import httptools

from hubctl.observe import strict
from hubctl.observe.answers import Answer
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

MAX_OVERHEAD = 65_536
"""Bytes of an answer that are not its body: interim answers, head, trailers."""

_PER_BYTE = 8
"""Bytes that a chunk may spend on each byte of the body; one that holds a single byte spends five."""

_INTERIM = range(100, 200)
_SWITCHING = 101


_KEPT = frozenset({b"content-type", b"content-encoding", b"content-length", b"retry-after", b"transfer-encoding"})
"""Headers that say something here; of those with a length, that there is one."""


_ENCODINGS = (b"br", b"compress", b"deflate", b"gzip", b"zstd")


class NotHttp(Exception):  # noqa: N818 - named after what it says of an answer
    """The bytes are no HTTP/1.1 answer."""


class Cut(ConnectionError):  # noqa: N818 - as above
    """The connection ended before its answer was complete."""


class Reader:
    """Reads the answers of one connection; ``begin`` before each, then ``feed`` until it says that it has one.

    Attributes:
        fed: bytes of the answer that came so far.
        headed: whether its head is complete.
        keeps: whether the connection may carry another request; known with the answer.
    """

    __slots__ = (
        "_body", "_done", "_extra", "_framed", "_head", "_limit", "_parser", "_status", "_wrong",
        "fed", "headed", "keeps",
    )  # fmt: skip

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.begin(0)

    def begin(self, limit: int) -> None:
        """Expect an answer, of whose body at most so many bytes are kept."""
        self._limit = limit
        self._head: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._status = self.fed = 0
        self._wrong = ""
        self.headed = self.keeps = self._done = self._extra = self._framed = False

    def feed(self, data: bytes) -> Answer | None:
        """The answer, if it is complete with these bytes, or so wrong that the rest does not matter.

        Raises:
            NotHttp: it is none.
        """
        self.fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._done:
                raise NotHttp(strict.excerpt(str(error))) from error
            self._extra = True
        if self._wrong:
            raise NotHttp(self._wrong)
        refused = self._refused()
        if self._done or refused is not None:
            return self._answer(refused)
        if self.fed > MAX_OVERHEAD + (1 + _PER_BYTE) * len(self._body):
            raise NotHttp(f"expected at most {MAX_OVERHEAD} bytes beside the body, got more")
        return None

    def end(self) -> Answer:
        """The answer that the end of the connection completes.

        Raises:
            Cut: it is not complete.
        """
        if not self.headed or self._framed:
            raise Cut("the connection ended before the answer was complete")
        return self._answer(self._refused())

    def on_message_begin(self) -> None:
        """Hear of the first byte of an answer; one after the last is a reason to close."""
        self._extra = self._done

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers that count; a repeated one is joined as a list."""
        if not self.headed and (name := name.lower()) in _KEPT:
            self._head[name] = b"%s, %s" % (self._head[name], value) if name in self._head else value

    def on_headers_complete(self) -> None:
        """Decide what the head makes of the rest."""
        if self._done:
            return
        status = self._parser.get_status_code()
        if status == _SWITCHING:
            self._wrong = "expected an answer, got 101 Switching Protocols"
        if status in _INTERIM:
            self._head.clear()
            return
        self._status, self.headed = status, True
        coded = self._head.get(b"transfer-encoding", b"chunked").strip().lower()
        if coded != b"chunked":
            self._wrong = "expected the transfer encoding chunked, got another"
        self._framed = b"content-length" in self._head or b"transfer-encoding" in self._head
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._wrong = f"expected HTTP/1.1, got HTTP/{version}"
        self.keeps = version == "1.1" and self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body, within the bound."""
        if not self._done and len(self._body) <= self._limit:
            self._body += data

    def on_message_complete(self) -> None:
        """Hear of the end; that of an interim answer is none."""
        self._done = self.headed

    def _refused(self) -> Malformed | None:
        if b"content-encoding" in self._head and self.headed:
            said = self._head[b"content-encoding"].strip().lower()
            if said not in (b"", b"identity"):
                # Only a name that everybody knows is shown: any other may be what we sent, a token for instance.
                shown = said.decode() if said in _ENCODINGS else "another"
                return Malformed(Reason.CONTENT_ENCODING, f"expected no encoding, got {shown}")
        if len(self._body) > self._limit:
            return Malformed(Reason.TOO_LARGE, f"expected at most {self._limit} bytes, got more")
        return None

    def _answer(self, refused: Malformed | None) -> Answer:
        self.keeps = self.keeps and self._done and refused is None and not self._extra
        said, later = (self._head.get(name, b"").decode("latin-1") for name in (b"content-type", b"retry-after"))
        body = b"" if refused and refused.reason is Reason.CONTENT_ENCODING else bytes(self._body[: self._limit])
        self._body = bytearray()  # an idle connection holds no megabytes
        return Answer(self._status, said, body, refused, later)
