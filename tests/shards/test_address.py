import pytest
from pydantic import ValidationError

from hubctl.errors import InputError
from hubctl.model.scaling import EngineSection, EngineTls
from hubctl.model.values import Observe
from hubctl.shards import address
from tests.shards.fleets import service

TLS = EngineTls(ca_file="ca.crt", cert_file="tls.crt", key_file="tls.key")
CLEAR = address.address_of("dask://scheduler:8786", None, "")
LOCKED = address.address_of("tls://scheduler:8786", TLS, "")


def test_engine_is_this_process_unless_something_says_otherwise() -> None:
    assert address.chosen("", EngineSection()) is None


def test_flag_has_the_last_word() -> None:
    section = EngineSection(url="tls://scheduler:8786", tls=TLS)
    assert address.chosen("process", section) is None
    assert address.chosen("", section) == LOCKED
    assert address.chosen("tls://other:1", section) == address.Address("tls://other:1", TLS)
    assert address.chosen("dask://other:1", section) == address.Address("tcp://other:1")


@pytest.mark.parametrize("url", ["scheduler:8786", "http://a:1", "dask://a", "dask://:1", "dask://a:b", "dask://a:1/x"])
def test_other_url_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(InputError, match="expected dask://HOST:PORT"):
        address.address_of(url, None, "--engine")


def test_tls_without_certificates_is_refused() -> None:
    with pytest.raises(InputError, match="needs a CA, a certificate and a key"):
        address.address_of("tls://scheduler:8786", None, "--engine")


def test_certificates_that_would_not_be_used_are_refused() -> None:
    with pytest.raises(InputError, match="in the clear although"):
        address.chosen("", EngineSection(url="dask://scheduler:8786", tls=TLS))


@pytest.mark.parametrize("key", ["token_file", "token_env", "managed_service_account"])
def test_no_token_is_used_where_anybody_reaches_the_workers(key: str) -> None:
    observe = Observe(**{key: "poller"})
    with pytest.raises(InputError, match="could take it from the workers"):
        address.refuse_tokens(CLEAR, observe)
    address.refuse_tokens(LOCKED, observe)


def test_token_of_one_spoke_is_refused_in_the_clear_too() -> None:
    asks = service("edge-07", account="poller")
    with pytest.raises(InputError, match="edge-07/anomaly want"):
        address.refuse_tokens(CLEAR, Observe(), [service(), asks])
    address.refuse_tokens(LOCKED, Observe(), [service(), asks])
    address.refuse_tokens(CLEAR, Observe(), [service()])


@pytest.mark.parametrize("shards", [0, 3, 100])
def test_shards_are_a_power_of_two(shards: int) -> None:
    with pytest.raises(ValidationError):
        EngineSection(shards=shards)
