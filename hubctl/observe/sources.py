"""Where rows come from: a file per spoke and model, or a command that prints them.

The shell around ``features``: bounded in time and bytes, and a command's whole process group ends with its deadline.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from hubctl.model import base
from hubctl.model.predictor import InferenceService, Window
from hubctl.observe import features, strict
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

MAX_BYTES = 16 * 1024 * 1024
"""Of one model's rows; 50 rows of 45 numbers are 40 kB."""

_CHUNK = 65536
_MAX_COMPLAINT = 4096
_SECONDS_TO_DIE = 2.0


async def read_window(service: InferenceService, folder: Path, environ: Mapping[str, str]) -> Window:
    """The rows to send to a model on a spoke.

    Args:
        service: the model on its spoke.
        folder: the folder of the inputs; files lie below it and commands run in it.
        environ: what commands get.

    Raises:
        NoWindow: the model has no features, or its source gives no rows.
    """
    source = service.profile.features
    if source is None:
        raise NoWindow(Reason.NO_FEATURES, f"expected hubctl.models.{service.name}.features, it is not set")
    if source.file is not None:
        data = await asyncio.to_thread(_read_file, source.file, service, folder)
    else:
        arguments = [_filled(argument, service) for argument in source.command or ()]
        data = await _run(arguments, folder, environ, timeout=source.timeout)
    try:
        return features.parse(data.decode())
    except UnicodeDecodeError as error:
        raise NoWindow(Reason.FEATURES_INVALID, f"expected UTF-8, found byte {data[error.start]:#04x}") from error


def _filled(argument: str, service: InferenceService) -> str:
    # Other braces stay: they may be the command's own language.
    return argument.replace("{cluster}", service.cluster).replace("{model}", service.name)


def _read_file(template: str, service: InferenceService, folder: Path) -> bytes:
    name = base.fill(template, cluster=service.cluster, model=service.name)
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise NoWindow(Reason.FEATURES_OUTSIDE, f"expected a file below the folder of the inputs, got {name}")
        if not path.is_file():
            raise NoWindow(Reason.FEATURES_MISSING, f"expected rows in {name}, there is no such file")
        with path.open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1), name)
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
