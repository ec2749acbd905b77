import asyncio
import sys

import pytest

from hubctl import looping


async def kind_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_polls_run_on_uvloop_where_it_is_installed() -> None:
    assert looping.run(kind_of_loop()) == "uvloop"


def test_polls_run_on_the_standard_loop_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert looping.run(kind_of_loop()) == "asyncio"


def test_what_a_coroutine_raises_comes_out() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        looping.run(fail())
