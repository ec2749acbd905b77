import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.predictor import Outcome
from hubctl.observe import answers
from hubctl.observe.reason import Reason


def status(message: str) -> bytes:
    """What a kube-apiserver answers."""
    return json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}).encode()


@pytest.mark.parametrize(
    ("code", "body", "outcome", "reason"),
    [
        (301, b"", Outcome.MALFORMED, Reason.REDIRECT),
        (400, b'{"error":"Unrecognized request format"}', Outcome.MALFORMED, Reason.REJECTED_REQUEST),
        (400, b'{"error":"Model m not found"}', Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (401, b"Unauthorized", Outcome.UNAUTHORIZED, Reason.TOKEN_REFUSED),
        (403, b"", Outcome.FORBIDDEN, Reason.DENIED),
        (
            403,
            b"service models/m is not in the exposed services allowlist",
            Outcome.FORBIDDEN,
            Reason.ALLOWLIST,
        ),
        (404, b'{"error":"Model with name m does not exist."}', Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (404, b'{"detail":"Not Found"}', Outcome.NOT_FOUND, Reason.PATH_NOT_FOUND),
        (418, b"", Outcome.MALFORMED, Reason.REJECTED_REQUEST),
        (422, b'{"detail":[{"msg":"field required"}]}', Outcome.MALFORMED, Reason.REJECTED_REQUEST),
        (429, b"", Outcome.OVERLOADED, Reason.OVERLOADED),
        (500, b"""{"error":"KeyError : 'instances'"}""", Outcome.MALFORMED, Reason.REJECTED_INPUT),
        (500, b"""{"error":"'instances'"}""", Outcome.MALFORMED, Reason.REJECTED_INPUT),
        (
            500,
            b'{"error":"X has 4 features, but IsolationForest is expecting 45 features as input."}',
            Outcome.MALFORMED,
            Reason.REJECTED_INPUT,
        ),
        (500, b'{"error":"could not convert string to float"}', Outcome.MALFORMED, Reason.REJECTED_INPUT),
        (500, b'{"error":"Expected 2D array, got 1D array instead"}', Outcome.MALFORMED, Reason.REJECTED_INPUT),
        (500, b'{"error":"Model with name m does not exist."}', Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (400, b'{"error":"Model with name m does not exist."}', Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (503, b"model m does not exist", Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (500, b'{"error":"ValueError : kaboom"}', Outcome.UNREACHABLE, Reason.SERVER_ERROR),
        (501, b"", Outcome.UNREACHABLE, Reason.SERVER_ERROR),
        (400, b"only support https", Outcome.MALFORMED, Reason.PROXY_URL),
        (400, b"invalid request headers", Outcome.MALFORMED, Reason.PROXY_URL),
        (400, b'rpc error: code = Unavailable desc = connection error: desc = "x"', Outcome.UNREACHABLE, Reason.TUNNEL),
        (401, status("Unauthorized"), Outcome.UNAUTHORIZED, Reason.APISERVER_TOKEN),
        (401, b"authentication failed: token is neither valid for x", Outcome.UNAUTHORIZED, Reason.APISERVER_TOKEN),
        (
            403,
            status('services "http:m-predictor:80" is forbidden: User "x" cannot create resource "services/proxy"'),
            Outcome.FORBIDDEN,
            Reason.APISERVER_DENIED,
        ),
        (404, status('services "m-predictor" not found'), Outcome.NOT_FOUND, Reason.SERVICE_ABSENT),
        (
            503,
            status('no endpoints available for service "http:m-predictor:80"'),
            Outcome.NOT_READY,
            Reason.NO_ENDPOINTS,
        ),
        (
            503,
            status("error trying to reach service: dial tcp 10.0.0.1:80: connect: connection refused"),
            Outcome.UNREACHABLE,
            Reason.SERVICE_UNREACHABLE,
        ),
        (403, b"Forbidden (user=x, verb=get, resource=inferenceservices)", Outcome.FORBIDDEN, Reason.DENIED),
        (502, b"proxy to anp-proxy-server failed because EOF", Outcome.UNREACHABLE, Reason.TUNNEL),
        (502, b"", Outcome.UNREACHABLE, Reason.BAD_GATEWAY),
        (503, b'{"error":"Model with name m is not ready."}', Outcome.NOT_READY, Reason.MODEL_NOT_READY),
        (503, b"queue is full", Outcome.OVERLOADED, Reason.OVERLOADED),
        (503, b"<h1>Application is not available</h1>", Outcome.NOT_READY, Reason.NO_ENDPOINTS),
        (503, b"<h1>503</h1>No server is available to handle this request.", Outcome.NOT_READY, Reason.NO_ENDPOINTS),
        (503, b"", Outcome.NOT_READY, Reason.UNAVAILABLE),
        (504, b"", Outcome.TIMEOUT, Reason.GATEWAY),
        (204, b"", Outcome.MALFORMED, Reason.STATUS),
        (999, b"", Outcome.MALFORMED, Reason.STATUS),
    ],
)
def test_each_status_and_text_has_its_outcome(code: int, body: bytes, outcome: Outcome, reason: Reason) -> None:
    found = answers.classify(code, "application/json", body)
    assert found[:2] == (outcome, reason)
    assert str(code) in found[2]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_200_that_says_json_may_be_decoded(kind: str) -> None:
    assert answers.classify(200, kind, b"") == (Outcome.OK, "", "")


@pytest.mark.parametrize("kind", ["text/html", "", "text/plain", "application/jsonp"])
def test_200_that_says_something_else_is_malformed(kind: str) -> None:
    assert answers.classify(200, kind, b"")[:2] == (Outcome.MALFORMED, Reason.CONTENT_TYPE)


@given(st.integers(100, 999), st.text(), st.binary())
def test_detail_is_short_and_printable_whatever_is_sent(status: int, kind: str, body: bytes) -> None:
    _, _, detail = answers.classify(status, kind, body)
    assert len(detail) <= 200
    assert detail.isprintable()


def test_detail_takes_no_escape_sequence_from_a_predictor() -> None:
    _, _, detail = answers.classify(500, "text/plain", b"\x1b[2Jfine\r\nreally \xe2\x80\xae" + b"x" * 9000)
    assert detail.startswith("500: [2Jfine really")
    assert len(detail) == 200
