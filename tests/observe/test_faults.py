import errno
import os
import socket
import ssl

import pytest

from hubctl.model.predictor import Outcome
from hubctl.observe import faults
from hubctl.observe.reason import Reason


def system(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("cause", "outcome", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Outcome.UNREACHABLE, Reason.DNS),
        (system(errno.ECONNREFUSED), Outcome.UNREACHABLE, Reason.REFUSED),
        (system(errno.ECONNRESET), Outcome.UNREACHABLE, Reason.RESET),
        (system(errno.EHOSTUNREACH), Outcome.UNREACHABLE, Reason.NO_NETWORK),
        (system(errno.EMFILE), Outcome.UNREACHABLE, Reason.HUB_LIMIT),
        (system(errno.ETIMEDOUT), Outcome.TIMEOUT, Reason.CONNECT),
        (ssl.SSLError(1, "wrong version number"), Outcome.TLS, Reason.HANDSHAKE),
        (UnicodeError("label too long"), Outcome.UNREACHABLE, Reason.BAD_URL),
    ],
)
def test_cause_is_found_below_wrappers_and_groups(cause: Exception, outcome: Outcome, reason: Reason) -> None:
    inner = ExceptionGroup("all attempts failed", [ValueError("first"), cause])
    middle, outer = ConnectionError("wrapped"), RuntimeError("wrapped again")
    middle.__cause__, outer.__context__ = inner, middle
    found = faults.explain(outer)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_chain_that_leads_back_to_itself_ends() -> None:
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__context__, two.__context__ = two, one
    assert faults.explain(one).reason == Reason.RESET


def test_detail_shows_the_cause_on_one_line() -> None:
    outer = RuntimeError("wrapped")
    outer.__cause__ = OSError(errno.ECONNREFUSED, "refused\x1b[31m\n" + "x" * 500)
    detail = faults.explain(outer).detail
    assert detail.startswith("ConnectionRefusedError: [Errno")
    assert detail.isprintable()
    assert len(detail) == 200
