"""The beta-binomial tail."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.aggregate.chance import tail


@pytest.mark.parametrize(
    ("hits", "trials", "rho", "expected"),
    [(2, 2, 0.2, 0.2 * 1.2 / 20), (2, 2, 0.5, 0.05 * 1.05 / 2), (1, 1, 0.5, 0.05), (3, 3, 0.5, 0.05 * 1.05 * 2.05 / 6)],
)
def test_tail_is_the_product_formula_when_all_hit(hits: int, trials: int, rho: float, expected: float) -> None:
    assert tail(hits, trials, base=0.05, rho=rho) == pytest.approx(expected)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.floats(0.01, 0.9))
def test_tail_falls_with_hits_and_starts_at_one(trials: int, base: float, rho: float) -> None:
    tails = [tail(hits, trials, base=base, rho=rho) for hits in range(trials + 1)]
    assert tails[0] == 1
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(tails))


@given(st.integers(1, 40), st.integers(1, 40))
def test_dependence_makes_full_counts_less_surprising(trials: int, hits: int) -> None:
    hits = min(hits, trials)
    assert tail(trials, trials, base=0.05, rho=0.5) >= tail(trials, trials, base=0.05, rho=0.1)
    assert 0 <= tail(hits, trials, base=0.05, rho=0.2) <= 1


def test_certain_and_impossible_bases() -> None:
    assert tail(3, 3, base=1.0, rho=0.5) == 1
    assert tail(1, 3, base=0.0, rho=0.5) == 0
