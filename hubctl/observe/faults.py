"""Failed connections: an exception's chain into an outcome and a reason.

HTTP clients wrap the operating system's errors two or three deep and name none of them; the chain is walked down to
the error that knows. Needs no HTTP library, so that each case can be tested with the error itself.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

from hubctl.model.predictor import Outcome
from hubctl.observe import strict
from hubctl.observe.answers import Found
from hubctl.observe.reason import Reason

_VERIFY = {
    9: Reason.EXPIRED,
    10: Reason.EXPIRED,
    18: Reason.UNKNOWN_CA,
    19: Reason.UNKNOWN_CA,
    20: Reason.UNKNOWN_CA,
    21: Reason.UNKNOWN_CA,
    62: Reason.HOSTNAME,
    64: Reason.HOSTNAME,
}
"""OpenSSL's X509_V_ERR codes; 9 is "not yet valid", which a wrong clock makes of any certificate."""

_ERRNO = {
    errno.ETIMEDOUT: (Outcome.TIMEOUT, Reason.CONNECT),
    errno.EMFILE: (Outcome.UNREACHABLE, Reason.HUB_LIMIT),
    errno.ENFILE: (Outcome.UNREACHABLE, Reason.HUB_LIMIT),
    errno.ENOBUFS: (Outcome.UNREACHABLE, Reason.HUB_LIMIT),
    errno.EADDRNOTAVAIL: (Outcome.UNREACHABLE, Reason.HUB_LIMIT),
    errno.ENETUNREACH: (Outcome.UNREACHABLE, Reason.NO_NETWORK),
    errno.EHOSTUNREACH: (Outcome.UNREACHABLE, Reason.NO_NETWORK),
    errno.ECONNREFUSED: (Outcome.UNREACHABLE, Reason.REFUSED),
}


def explain(error: BaseException) -> Found:
    """What a failed exchange says about the predictor; a reset when the chain holds nothing better known."""
    for cause in _chain(error):
        known = _known(cause)
        if known is not None:
            outcome, reason = known
            return Found(outcome, reason, strict.excerpt(f"{type(cause).__name__}: {cause}"))
    return Found(Outcome.UNREACHABLE, Reason.RESET, strict.excerpt(f"{type(error).__name__}: {error}"))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The errors from the outside in, groups opened."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
        waiting += [cause.__cause__, cause.__context__]


def _known(error: BaseException) -> tuple[Outcome, Reason] | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome.TLS, _VERIFY.get(error.verify_code, Reason.CERTIFICATE)
    if isinstance(error, ssl.SSLError):
        return Outcome.TLS, Reason.HANDSHAKE
    if isinstance(error, socket.gaierror):
        return Outcome.UNREACHABLE, Reason.DNS
    if isinstance(error, UnicodeError):
        return Outcome.UNREACHABLE, Reason.BAD_URL
    if isinstance(error, OSError):
        return _ERRNO.get(error.errno or 0)
    return None
