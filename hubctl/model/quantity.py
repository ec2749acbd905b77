"""Kubernetes quantities as Kubernetes itself writes them: ``0.5`` is ``500m``, ``1024Mi`` is ``1Gi``.

Apart from ``base``, because this is an algorithm: that of ``resource.Quantity`` in k8s.io/apimachinery. The webhook of
KServe reads an InferenceService and writes it again, so a quantity in other words would be a difference that no sync
removes. Where Kubernetes keeps a spelling that is not its own, such as ``1e00``, this one is what it keeps as well.
"""

import re
from fractions import Fraction

_PARTS = re.compile(r"([0-9.]+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?[0-9]{1,2}))")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_NANO = 10**9
_MOST = 2**63 - 1


def canonical(text: str) -> str:
    """A quantity of :data:`hubctl.model.base.Quantity` in the one spelling that Kubernetes stores.

    Raises:
        ValueError: it is no quantity.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"found {text!r}, expected a quantity such as 500m, 2 or 4Gi")
    number, binary, suffix, exponent = found.groups()
    power = int(exponent) if exponent else _DECIMAL[suffix or ""]
    scale = Fraction(1024) ** _BINARY.index(binary) if binary else Fraction(10) ** power
    # Less than a nano is rounded up; binary ones, and only they, are capped.
    nanos = -(-Fraction(number) * scale * _NANO // 1)
    if binary and (nanos := min(nanos, _MOST * _NANO)) >= 1024 * _NANO and nanos % _NANO == 0:
        return _in_binary(nanos // _NANO)
    return _in_decimal(nanos, as_exponent=exponent is not None)


def _in_binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < len(_BINARY) - 1:
        amount, power = amount // 1024, power + 1
    return f"{amount}{_BINARY[power]}"


def _in_decimal(nanos: int, *, as_exponent: bool) -> str:
    """The largest power of a thousand that leaves a whole number."""
    amount, power = nanos, -9
    while amount and amount % 1000 == 0 and (as_exponent or power < max(_SUFFIX)):
        amount, power = amount // 1000, power + 3
    if not amount:
        return "0"
    if as_exponent:
        return f"{amount}e{power}" if power else f"{amount}"
    return f"{amount}{_SUFFIX[power]}"
