"""Answers from bytes: llhttp is trusted with the grammar, and what it leaves to its caller is checked here."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe.answers import Answer
from hubctl.observe.http1 import MAX_OVERHEAD, Cut, NotHttp, Reader
from hubctl.observe.reason import Reason

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PLAIN = OK + b"Content-Length: 4\r\n\r\n[1]\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n[1\r\n2\r\n]\n\r\n0\r\nTrailer: t\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


def read(*pieces: bytes, limit: int = 1024) -> tuple[Answer | None, Reader]:
    reader = Reader()
    reader.begin(limit)
    for piece in pieces:
        if (answer := reader.feed(piece)) is not None:
            return answer, reader
    return None, reader


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM + PLAIN]), st.lists(st.integers(1, 200), max_size=5))
def test_answer_is_the_same_however_its_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(bounds)]
    answer, reader = read(*pieces)
    assert answer == Answer(200, "application/json", b"[1]\n")
    assert reader.keeps


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n[]",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n[]",
        OK + b"Content-Length: 2\r\n\r\n[]HTTP/1.1 200 OK\r\n",
        OK + b"Content-Length: 2\r\n\r\n[]garbage",
        OK + b"Content-Length: 2\r\n\r\n[]" + PLAIN,
    ],
)
def test_answer_that_leaves_a_doubt_is_the_last_on_its_connection(data: bytes) -> None:
    answer, reader = read(data)
    assert answer is not None
    assert (answer.body, reader.keeps) == (b"[]", False)


def test_answer_without_a_length_ends_with_its_connection() -> None:
    answer, reader = read(OK + b"\r\n[1", b"]")
    assert answer is None
    assert (reader.end().body, reader.keeps) == (b"[1]", False)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200", PLAIN[:-1], CHUNKED[:-5], INTERIM])
def test_answer_that_its_connection_cuts_is_none(data: bytes) -> None:
    answer, reader = read(data)
    assert answer is None
    with pytest.raises(Cut):
        reader.end()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n[]",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n[]",
        OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
        OK + b"X: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n[]",
    ],
)
def test_bytes_that_could_be_read_in_two_ways_are_no_answer(data: bytes) -> None:
    with pytest.raises(NotHttp):
        read(data)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 100),
        (b"", INTERIM),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: a\r\n" * 100),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 500 + b"\r\n \r\n"),
    ],
)
def test_what_is_not_the_body_is_bounded(start: bytes, more: bytes) -> None:
    with pytest.raises(NotHttp, match="beside the body"):
        read(start, *[more] * (3 * MAX_OVERHEAD // len(more)))


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_body_is_cut_at_its_bound_without_waiting_for_the_rest(head: bytes) -> None:
    chunk = b"8\r\n        \r\n" if b"chunked" in head else b" " * 8
    answer, reader = read(OK + head + b"\r\n", *[chunk] * 20, limit=100)
    assert answer is not None
    assert answer.refused is not None
    assert (answer.refused.reason, len(answer.body), reader.keeps) == (Reason.TOO_LARGE, 100, False)


def test_body_in_small_chunks_is_taken() -> None:
    answer, _ = read(OK + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 50_000, b"0\r\n\r\n", limit=60_000)
    assert answer is not None
    assert (len(answer.body), answer.refused) == (50_000, None)


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP ", b"br", b"identity, gzip"])
def test_compressed_body_is_refused_before_it_comes(coding: bytes) -> None:
    answer, reader = read(OK + b"Content-Length: 9\r\nX-Empty:\r\nContent-Encoding: " + coding + b"\r\n\r\n")
    assert answer is not None
    assert answer.refused is not None
    assert (answer.refused.reason, answer.body, reader.keeps) == (Reason.CONTENT_ENCODING, b"", False)


def test_header_that_stands_twice_is_a_list() -> None:
    answer, _ = read(OK + b"content-type: text/html\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
    assert answer == Answer(200, "application/json, text/html", b"", None, "7")


def test_answers_follow_each_other_on_one_connection() -> None:
    reader = Reader()
    for body in (b"[1]", b"", b"[22]"):
        reader.begin(10)
        answer = reader.feed(b"HTTP/1.1 503 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert answer == Answer(503, "", body)
        assert reader.keeps


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_an_answer_or_none(pieces: list[bytes]) -> None:
    try:
        answer, reader = read(b"HTTP/1.1 200 OK\r\n", *pieces, limit=20)
        answer = answer or reader.end()
    except (NotHttp, Cut):
        return
    assert len(answer.body) <= 20
