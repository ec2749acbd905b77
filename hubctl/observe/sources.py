"""Where rows come from: a file per spoke and model, or a command that prints them.

The shell around ``features``: bounded in time and bytes, and a command's whole process group ends with its deadline.
A file is read again when its time, size or inode say so, since most polls bring the window of the one before.
"""

import asyncio
import contextlib
import os
import signal
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from hubctl.model import base
from hubctl.model.predictor import InferenceService, Window
from hubctl.observe import features, strict
from hubctl.observe.features import NoWindow
from hubctl.observe.kept import Kept
from hubctl.observe.reason import Reason

MAX_BYTES = 16 * 1024 * 1024
"""Of one model's rows; 50 rows of 45 numbers are 40 kB."""

MOST_BYTES = 96 * 1024 * 1024
"""Of all files' rows that are kept; 40,000 windows of five rows of 45 numbers."""

_OVERHEAD = 500
"""Bytes that a kept window takes beside its numbers."""

SETTLED = 2.0
"""Seconds: file systems tell times as coarsely as that."""

_CHUNK = 65536
_MAX_COMPLAINT = 4096
_SECONDS_TO_DIE = 2.0


@dataclass(frozen=True, slots=True)
class _Held:
    """A file's rows as they were read, in a quarter of the room that a Window's take.

    Attributes:
        stamp: of the file; empty when it was so young that a later write could have the same.
        numbers: row after row.
    """

    path: str
    stamp: tuple[int, ...]
    numbers: "array[float]"
    width: int
    digest: str

    def window(self) -> Window:
        """The rows again."""
        numbers, width = self.numbers.tolist(), self.width
        rows = [tuple(numbers[at : at + width]) for at in range(0, len(numbers), width)]
        return Window(tuple(rows), self.digest)


class Files:
    """Files of rows; one that has not changed is not read again."""

    def __init__(self, folder: Path, most: int = MOST_BYTES, settled: float = SETTLED) -> None:
        """Take where files lie, and the bounds.

        Args:
            folder: of the inputs; relative paths start from it.
            most: bytes of rows that are kept.
            settled: seconds after which a file's time tells it from one that is written later.
        """
        self._folder = folder
        self._settled = settled
        self._names: dict[tuple[str, str, str], str] = {}
        self._held: Kept[str, _Held] = Kept(most)

    async def window(self, template: str, service: InferenceService) -> Window:
        """The rows of a model on a spoke.

        Raises:
            NoWindow: the file is missing, lies elsewhere, or holds none.
        """
        name = self._name(template, service)
        held = self._held.get(name)
        if held is not None and held.stamp and held.stamp == _stamp_at(held.path):
            return held.window()
        data, found = await asyncio.to_thread(_read_file, name, self._folder)
        window = _parsed(data)
        age = time.time() - max(found.st_mtime, found.st_ctime)
        stamp = _stamp(found) if age >= self._settled else ()
        numbers = array("d", chain.from_iterable(window.instances))
        made = _Held(str(self._folder / name), stamp, numbers, len(window.instances[0]), window.digest)
        self._held.put(name, made, _OVERHEAD + 8 * len(numbers))
        return window

    def _name(self, template: str, service: InferenceService) -> str:
        key = template, service.cluster, service.name
        if key not in self._names:
            self._names[key] = base.fill(template, cluster=service.cluster, model=service.name)
        return self._names[key]


def _stamp_at(path: str) -> tuple[int, ...]:
    try:
        return _stamp(os.stat(path))  # noqa: PTH116 - once a poll, and a Path costs more than the look
    except OSError:
        return ()


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


async def read_window(
    service: InferenceService, folder: Path, environ: Mapping[str, str], files: Files | None = None
) -> Window:
    """The rows to send to a model on a spoke.

    Args:
        service: the model on its spoke.
        folder: the folder of the inputs; files lie below it and commands run in it.
        environ: what commands get.
        files: what was read before; without it, files are read anew.

    Raises:
        NoWindow: the model has no features, or its source gives no rows.
    """
    source = service.profile.features
    if source is None:
        raise NoWindow(Reason.NO_FEATURES, f"expected hubctl.models.{service.name}.features, it is not set")
    if source.file is not None:
        return await (files or Files(folder)).window(source.file, service)
    arguments = [_filled(argument, service) for argument in source.command or ()]
    return _parsed(await _run(arguments, folder, environ, timeout=source.timeout))


def _parsed(data: bytes) -> Window:
    try:
        return features.parse(data.decode())
    except UnicodeDecodeError as error:
        raise NoWindow(Reason.FEATURES_INVALID, f"expected UTF-8, found byte {data[error.start]:#04x}") from error


def _filled(argument: str, service: InferenceService) -> str:
    # Other braces stay: they may be the command's own language.
    return argument.replace("{cluster}", service.cluster).replace("{model}", service.name)


def _read_file(name: str, folder: Path) -> tuple[bytes, os.stat_result]:
    """What a file holds, and its state just before that was read."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise NoWindow(Reason.FEATURES_OUTSIDE, f"expected a file below the folder of the inputs, got {name}")
        if not path.is_file():
            raise NoWindow(Reason.FEATURES_MISSING, f"expected rows in {name}, there is no such file")
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            return _bounded(file.read(MAX_BYTES + 1), name), found
    except (OSError, ValueError) as error:
        raise NoWindow(Reason.FEATURES_UNREADABLE, f"cannot read {name}: {strict.excerpt(str(error))}") from error


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise NoWindow(Reason.FEATURES_TOO_LARGE, f"expected at most {MAX_BYTES} bytes from {name}, got more")
    return data


async def _run(arguments: list[str], folder: Path, environ: Mapping[str, str], *, timeout: float) -> bytes:  # noqa: ASYNC109 - a value of the user's, not of the caller's
    name = arguments[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=folder,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise NoWindow(Reason.FEATURES_COMMAND, f"cannot start {name}: {strict.excerpt(str(error))}") from error
    try:
        async with asyncio.timeout(timeout):
            output, complaint = await asyncio.gather(
                _drain(process.stdout, MAX_BYTES + 1, full=partial(_kill, process)),
                _drain(process.stderr, _MAX_COMPLAINT),
            )
            code = await process.wait()
    except TimeoutError as error:
        raise NoWindow(Reason.FEATURES_TIMEOUT, f"{name} did not end within {timeout:g} s") from error
    finally:
        await _end(process)
    data = _bounded(output, name)
    if code != 0:
        said = strict.excerpt(complaint.decode(errors="replace"))
        raise NoWindow(Reason.FEATURES_COMMAND, f"{name} exited with {code}: {said}")
    return data


async def _drain(stream: asyncio.StreamReader | None, limit: int, full: Callable[[], None] | None = None) -> bytes:
    """The first ``limit`` bytes of a stream, read to its end so that its writer never blocks; ``full`` may end it."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        kept += chunk[: limit - len(kept)]
        if len(kept) == limit and full is not None:
            full()
    return bytes(kept)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the command's process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the command's process group and wait for its leader, but not for a stray child that holds its pipes."""
    _kill(process)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_DIE):
            await process.wait()
