import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe import address
from hubctl.observe.address import BadUrl, Origin
from hubctl.observe.reason import Reason


@pytest.mark.parametrize(
    ("url", "origin", "name", "path"),
    [
        ("http://h.example", Origin(tls=False, host="h.example", port=80), "h.example", "/"),
        ("https://H.example:443/a", Origin(tls=True, host="h.example", port=443), "h.example", "/a"),
        ("https://h.example:8443/a:b/%3A?x=1#y", Origin(tls=True, host="h.example", port=8443), "h.example:8443", ""),
        ("http://[::0001]:80/", Origin(tls=False, host="::1", port=80), "[::1]", "/"),
        ("https://bücher.example/ü", Origin(tls=True, host="xn--bcher-kva.example", port=443), "", "/%C3%BC"),
    ],
)
def test_url_is_taken_apart(url: str, origin: Origin, name: str, path: str) -> None:
    found = address.parse(url)
    assert (found.origin, found.name) == (origin, name or "xn--bcher-kva.example")
    assert found.path == (path or "/a:b/%3A?x=1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h.example", "h.example", "http://", "http:///path", "http://h:0", "http://h:65536", "http://h:x", "http://[::1",
        "http://user:secret@h.example/", "http://h.example/a b", "http://h.example/\r\nX: y", "http://h.exa\tmple",
        "http://h_.exa$mple", "http://" + "a" * 256, "http://[fe80::1%25eth0]x",
    ],
)  # fmt: skip
def test_url_that_could_mean_something_else_is_refused(url: str) -> None:
    with pytest.raises(BadUrl) as caught:
        address.parse(url)
    assert caught.value.reason is Reason.BAD_URL
    assert "secret" not in caught.value.detail


@given(st.text(max_size=30), st.sampled_from(["", "http://", "https://h.example/", "http://h:"]))
def test_any_text_is_a_plain_address_or_refused(text: str, start: str) -> None:
    try:
        found = address.parse(start + text)
    except BadUrl:
        return
    assert f"{found.name}{found.path}".isascii()
    assert not set(f"{found.name}{found.path}") & set(" \r\n\t\x00")
