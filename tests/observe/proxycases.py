"""What the cluster-proxy does with a request: the table that its stand-in and the real one are held to."""

import asyncio
import ssl
from dataclasses import dataclass

BASE = "/edge-a/api/v1/namespaces/models/services/"


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what has to come of it.

    Attributes:
        target: of the request, as it is sent.
        status: of the answer.
        text: that has to stand in the body; empty: the body is empty, for a status other than 200.
        arrives: the target as the predictor gets it; empty when it gets nothing.
    """

    target: str
    status: int
    text: str = ""
    arrives: str = ""


CASES = {
    "https": Case(f"{BASE}https:secure-predictor:8443/proxy-service/v1/models/m", 200, arrives="/v1/models/m"),
    "http": Case(f"{BASE}http:plain-predictor:8080/proxy-service/v1/models/m", 200, arrives="/v1/models/m"),
    "no scheme is https": Case(f"{BASE}secure-predictor:8443/proxy-service/v1/models/m", 200, arrives="/v1/models/m"),
    "literal colon": Case(
        f"{BASE}http:plain-predictor:8080/proxy-service/v1/models/m:predict", 200, arrives="/v1/models/m:predict"
    ),
    "encoded colon": Case(
        f"{BASE}http:plain-predictor:8080/proxy-service/v1/models/m%3Apredict", 200, arrives="/v1/models/m%253Apredict"
    ),
    "encoded space": Case(
        f"{BASE}http:plain-predictor:8080/proxy-service/v1/models/m%20x", 200, arrives="/v1/models/m%2520x"
    ),
    "query": Case(f"{BASE}http:plain-predictor:8080/proxy-service/v1/x?a=b%20c", 200, arrives="/v1/x?a=b%20c"),
    "encoded service": Case(
        f"{BASE}https%3Asecure-predictor%3A8443/proxy-service/v1/models/m", 400, "invalid request headers"
    ),
    "other scheme": Case(f"{BASE}ftp:plain-predictor:8080/proxy-service/v1/models/m", 400, "invalid service name"),
    "no port": Case(f"{BASE}https:secure-predictor:/proxy-service/v1/models/m", 400, "invalid request headers"),
    "another ca": Case(f"{BASE}https:foreign-predictor:8444/proxy-service/v1/models/m", 502),
    "nobody listens": Case(f"{BASE}http:absent-predictor:8099/proxy-service/v1/models/m", 502),
    "no agent": Case(
        f"{BASE.replace('edge-a', 'edge-x')}http:plain-predictor:8080/proxy-service/v1/models/m",
        502,
        "proxy to anp-proxy-server failed",
    ),
    "no path": Case("/edge-a", 400, "requestURL format not correct"),
}
"""Names say what is special about each."""


async def ask(port: int, tls: ssl.SSLContext, target: str) -> tuple[int, str]:
    """Status and body of a GET whose target is sent byte for byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    head = f"GET {target} HTTP/1.1\r\nHost: proxy.example\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answered = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {key.lower(): text for key, _, text in (line.partition(": ") for line in answered[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    return int(answered[0].split(" ")[1]), body.decode()
