"""How surprising a count is when its parts are not independent: the beta-binomial tail.

Apart from attribution, because it is a formula and nothing else.
"""

from math import exp, lgamma


def tail(hits: int, trials: int, *, base: float, rho: float) -> float:
    """P(X >= hits) for X ~ beta-binomial(trials) with mean ``base`` and intra-class correlation ``rho``.

    alpha = base (1/rho - 1), beta = (1 - base)(1/rho - 1), and
    P(X = j) = C(n, j) B(j + alpha, n - j + beta) / B(alpha, beta).
    The correlation is a discount for dependence between the trials, chosen and not calibrated on history.

    Args:
        hits: the count that was seen.
        trials: how many could have been hits.
        base: between 0 and 1; 0 makes any hit impossible, 1 makes every count certain.
        rho: above 0 and below 1.
    """
    if hits <= 0 or base >= 1:
        return 1.0
    if base <= 0:
        return 0.0
    alpha, beta = base * (1 / rho - 1), (1 - base) * (1 / rho - 1)
    whole = _log_beta(alpha, beta)
    terms = (
        _log_choose(trials, count) + _log_beta(count + alpha, trials - count + beta) - whole
        for count in range(hits, trials + 1)
    )
    return min(1.0, sum(exp(term) for term in terms))


def _log_beta(left: float, right: float) -> float:
    """Logarithm of the beta function."""
    return lgamma(left) + lgamma(right) - lgamma(left + right)


def _log_choose(total: int, some: int) -> float:
    """Logarithm of the binomial coefficient."""
    return lgamma(total + 1) - lgamma(some + 1) - lgamma(total - some + 1)
