"""The predictors of ``poll.py``: one process, one listening port a spoke, every request answered with one constant.

Knows just enough HTTP/1.1 to keep connections open. The first line on standard output is the list of ports; each line
on standard input is answered with what was counted so far; the end of standard input ends it.
"""

import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from typing import cast

import uvloop

COUNTED: Counter[str] = Counter()


class Predictor(asyncio.Protocol):
    """One connection."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.held = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        COUNTED["connections"] += 1

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.held) < end + 4 + length:
                return
            self.held = self.held[end + 4 + length :]
            COUNTED["requests"] += 1
            assert self.transport is not None
            self.transport.write(self.answer)


async def serve(spokes: int, rows: int, context: ssl.SSLContext | None) -> None:
    """Listen on as many free ports until standard input ends."""
    loop = asyncio.get_running_loop()
    body = json.dumps({"predictions": [1] * rows}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    answer = head.encode() + body
    servers = [
        await loop.create_server(lambda: Predictor(answer), "127.0.0.1", 0, ssl=context, backlog=16)
        for _ in range(spokes)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps({**COUNTED, "cpu": time.process_time()}), flush=True)


def main() -> None:
    """Arguments: spokes, rows of an answer, and for TLS a file with key and certificates."""
    spokes, rows, *pem = sys.argv[1:]
    context = None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem[0])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(spokes), int(rows), context))


if __name__ == "__main__":
    main()
