"""Quantities are rendered as Kubernetes writes them; tests/kube compares with a server, here are the cases by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.quantity import canonical


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0.5", "500m"),
        (".5", "500m"),
        ("1000m", "1"),
        ("2.50", "2500m"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1500Gi", "1500Gi"),
        ("0.1Gi", "107374182400m"),
        ("512", "512"),
        ("1000", "1k"),
        ("1e2", "100"),
        ("1E3", "1e3"),
        ("1e19", "10e18"),
        ("9Ei", "9223372036854775807"),
        ("88.88Ei", "9223372036854775807"),
        ("0.1n", "1n"),
        ("0Gi", "0"),
    ],
)
def test_quantity_is_written_as_kubernetes_does(written: str, kept: str) -> None:
    assert canonical(written) == kept


FACTORS = {"m": Fraction(1, 1000), "": Fraction(1)} | {
    suffix: Fraction(base) ** power
    for base, suffixes in ((1000, ("k", "M", "G", "T", "P", "E")), (1024, ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
    for power, suffix in enumerate(suffixes, start=1)
}


def amount(text: str) -> Fraction:
    number = text.rstrip("mkKMGTPEi")
    return Fraction(number) * FACTORS[text.removeprefix(number)]


@given(st.decimals(0, 10**5, places=3), st.sampled_from(["m", "", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_what_is_written_so_stays_so_and_means_the_same(number: Decimal, suffix: str) -> None:
    written = f"{number:f}{suffix}" if suffix != "m" else f"{number:.0f}m"
    kept = canonical(written)
    assert canonical(kept) == kept
    assert amount(kept) == amount(written)


@pytest.mark.parametrize("text", ["", "Gi", "-1", "1 Gi", "1GiB", "1e"])
def test_what_is_none_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        canonical(text)
