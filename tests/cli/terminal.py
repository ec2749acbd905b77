"""hubctl at a real terminal: a pseudo-terminal whose other end the test types into and reads."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

SECONDS = 30
PATIENCE = 3
"""Seconds before a person presses a key again."""


class Terminal:
    """One run of hubctl that believes a person is there.

    Attributes:
        shown: everything on the screen so far.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        self.end, theirs = pty.openpty()
        self.shown = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hubctl", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=os.environ | {"TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2])},
            start_new_session=True,
            preexec_fn=_at_a_terminal,  # noqa: PLW1509 - no thread of ours holds a lock
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)
        os.close(self.end)

    def until(self, text: str) -> str:
        """What was shown from the end of the last text on, up to the end of this one."""
        begun = self._seen
        end = time.monotonic() + SECONDS
        while text not in self.shown[begun:]:
            assert time.monotonic() < end, f"waited for {text!r}, saw {self.shown!r}"
            assert self._read() or self.process.poll() is None, f"ended before {text!r}: {self.shown!r}"
        self._seen = self.shown.index(text, begun) + len(text)
        return self.shown[begun : self._seen]

    def answer(self, question: str, text: str) -> None:
        """Type a line once a question stands there."""
        self.until(question)
        os.write(self.end, f"{text}\n".encode())

    def press(self, key: bytes) -> None:
        """Type something without an end of line."""
        os.write(self.end, key)

    def ended(self, key: bytes = b"") -> int:
        """Its exit code; a key is pressed until then, again after a while.

        A signal that comes just before a program begins to wait for input is only noticed with the next key.
        """
        due = time.monotonic()
        end = due + SECONDS
        while self.process.poll() is None or self._read():
            if key and time.monotonic() >= due:
                due += PATIENCE
                with contextlib.suppress(OSError):
                    os.write(self.end, key)
            self._read()
            assert time.monotonic() < end, self.shown
        return self.process.returncode

    def _read(self) -> bool:
        """Whether there was something to read."""
        ready, _, _ = select.select([self.end], [], [], 0.1)
        if not ready:
            return False
        try:
            data = os.read(self.end, 65536)
        except OSError:  # Linux says so when the last process has closed the other end.
            return False
        self.shown += data.decode()
        return bool(data)


def _at_a_terminal() -> None:
    """In the new process: the terminal is its controlling one, and Ctrl-C a signal that is heeded."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A test run in the background of a shell ignores it, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
