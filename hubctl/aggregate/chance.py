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
    first = _log_choose(trials, hits) + _log_beta(hits + alpha, trials - hits + beta) - _log_beta(alpha, beta)
    # Each term from the one before it: a version may run on ten thousand spokes.
    term = found = exp(first)
    for count in range(hits, trials):
        term *= (trials - count) / (count + 1) * (count + alpha) / (trials - count - 1 + beta)
        found += term
    return min(1.0, found)


def _log_beta(left: float, right: float) -> float:
    """Logarithm of the beta function."""
    return lgamma(left) + lgamma(right) - lgamma(left + right)


def _log_choose(total: int, some: int) -> float:
    """Logarithm of the binomial coefficient."""
    return lgamma(total + 1) - lgamma(some + 1) - lgamma(total - some + 1)
