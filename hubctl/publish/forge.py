"""Forge: the pull requests between two branches, asked for and changed over HTTPS; the only door to a forge's API.

Apart from ``dialects``, which knows what to say, and from ``pulls``, which decides it. The token is read from its file
for every request, so a rotated one counts at once, and it is cut from whatever a server says.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import stamina

import hubctl
from hubctl.errors import InputError, RemoteFailed
from hubctl.model.gitops import GitOps
from hubctl.model.pullrequest import Place
from hubctl.publish.dialects import DIALECTS, Call, Dialect, Ends, Pull
from hubctl.publish.repository import Permit, anybody

if TYPE_CHECKING:  # publish and diff start without HTTP, which most fleets do not publish by
    import httpx

PLACE = "values-hub.yaml hubctl.gitops.publishing.pullRequest"

TRIES = {"attempts": 4, "timeout": 90.0, "wait_initial": 0.5, "wait_max": 8.0, "wait_jitter": 0.5}
"""Of one request that a server could not answer."""

LONGEST_WAIT = 30.0
"""Seconds that a server may ask for; beyond, the next run or pass tries again."""

PAGES = {True: 20, False: 2}
"""Most pages of open ones and of others; read only where a forge cannot search by branch."""

_SECONDS, _CONNECT_SECONDS = 30.0, 10.0
_SAID = 300
_NOT_FOUND, _TOO_MANY = 404, 429
_CONFLICTS = (409, 422)


class AlreadyThereError(RemoteFailed):
    """Somebody opened the pull request first; it is read again."""


class _Busy(Exception):  # noqa: N818 - not an error for people
    """The server could not answer now; ``wait`` is what it asked for, None if nothing."""

    def __init__(self, failure: RemoteFailed, wait: float | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Forge:
    """A repository's pull requests from one head branch into the published one.

    Attributes:
        token_file: holds the token alone, in one line.
        ca_file: what the server's certificate is verified against; None: what the system trusts.
        labels: put on a pull request when it is opened.
        per_action: whether remediations have pull requests of their own; else they are commits.
        permit: asked before anything is changed there.
    """

    place: Place
    ends: Ends
    token_file: Path
    ca_file: Path | None = None
    labels: tuple[str, ...] = ()
    per_action: bool = False
    permit: Permit = anybody

    def of_action(self, action_id: str) -> Forge:
        """The pull requests of one remediation."""
        return replace(self, ends=replace(self.ends, head=f"{self.ends.head}-{action_id}"))

    async def find(self, *, is_open: bool) -> tuple[Pull, ...]:
        """The open pull requests, or those that are closed and, on some forges, merged; newest first.

        Raises:
            RemoteFailed: the forge refused or did not answer.
        """
        found: list[Pull] = []
        for page in range(1, (1 if self._dialect.whole else PAGES[is_open]) + 1):
            answer = await self._ask(self._dialect.listing(self.ends, is_open, page))
            if not isinstance(answer, list):
                raise self._strange(answer)
            found += [pull for item in answer if (pull := self._read(item)) is not None]
            if not answer or (found and is_open):
                break
        return tuple(found)

    async def open(self, title: str, text: str) -> Pull:
        """A new pull request, labelled.

        Raises:
            AlreadyThereError: there is an open one.
            RemoteFailed: the forge refused or did not answer.
        """
        answer = await self._ask(self._dialect.opening(self.ends, title, text, self.labels))
        made = self._read(answer)
        if made is None:
            raise self._strange(answer)
        if self.labels and self._dialect.labelling:
            await self._ask(self._dialect.labelling(self.ends, made.number, self.labels))
        return made

    async def change(self, pull: Pull, title: str, text: str) -> None:
        """Give it another title and text.

        Raises:
            RemoteFailed: the forge refused or did not answer.
        """
        await self._ask(self._dialect.changing(self.ends, pull.number, title, text))

    async def close(self, pull: Pull, text: str, comment: str) -> None:
        """Close it with another text, and say why.

        Raises:
            RemoteFailed: the forge refused or did not answer.
        """
        await self._ask(self._dialect.closing(self.ends, pull.number, text))
        await self._ask(self._dialect.telling(self.ends, pull.number, comment))

    async def check(self) -> None:
        """See that the repository is there for this token.

        Raises:
            RemoteFailed: it is not, or the forge did not answer.
        """
        await self._ask(self._dialect.looking(self.ends.repository))

    @property
    def _dialect(self) -> Dialect:
        return DIALECTS[self.place.forge]

    def _read(self, item: Any) -> Pull | None:
        try:
            return self._dialect.reading(self.ends, item)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._strange(item) from error

    async def _ask(self, call: Call) -> Any:
        """The answer to one call, tried again while the server is busy."""
        import httpx  # noqa: PLC0415 - as above

        token = _token(self.token_file)
        head = {**self._dialect.headers(token), "User-Agent": f"hubctl/{hubctl.__version__}"}
        url, trust = f"{self.place.api}{call.path}", await asyncio.to_thread(_trust, self.ca_file)
        timeout = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)
        try:
            async for attempt in stamina.retry_context(on=_wait, **TRIES):  # type: ignore[arg-type]
                with attempt:
                    async with httpx.AsyncClient(verify=trust, timeout=timeout, headers=head) as client:
                        return await self._once(client, call, url, token)
        except _Busy as error:
            raise error.failure from error
        raise AssertionError("stamina raises the last error")  # pragma: no cover

    async def _once(self, client: httpx.AsyncClient, call: Call, url: str, token: str) -> Any:
        import httpx  # noqa: PLC0415 - as above

        if call.method != "GET":
            await self.permit()
        try:
            answer = await client.request(call.method, url, params=call.query, json=call.body)
        except httpx.HTTPError as error:
            said = str(error).replace(token, "***") or type(error).__name__
            hint = "see that apiUrl and caFile are right and that the forge can be reached from here"
            failure = RemoteFailed(f"{self._name} did not answer: {said}", hint=hint)
            raise (failure if "CERTIFICATE_VERIFY_FAILED" in said else _Busy(failure, None)) from error
        if answer.is_success:
            try:
                return answer.json()
            except json.JSONDecodeError as error:
                raise self._strange(answer.text.replace(token, "***")) from error
        failure = self._refused(call, answer, token)
        limited = _limited(answer)
        if answer.is_server_error or limited:
            raise _Busy(failure, _asked_wait(answer.headers) if limited or "retry-after" in answer.headers else None)
        raise failure

    def _refused(self, call: Call, answer: httpx.Response, token: str) -> RemoteFailed:
        """The error for an answer that is no success, in the server's words."""
        code, said = answer.status_code, _said(answer).replace(token, "***")
        message = f"{self._name} answered {code} to {call.method} {call.path}: {said or answer.reason_phrase}"
        if code in _CONFLICTS and call.method == "POST" and call.path.endswith(("/pulls", "/merge_requests")):
            return AlreadyThereError(message, hint=f"look at the pull requests of {self.ends.head} there")
        if _limited(answer):
            wait = _asked_wait(answer.headers)
            when = f"in {wait:.0f} s" if wait else "in some minutes"
            return RemoteFailed(message, hint=f"too many requests for this token; run it again {when}")
        where, hint = "", "see what the forge says about it; nothing was lost, a later run goes on from here"
        if code == HTTPStatus.UNAUTHORIZED:
            where, hint = f"{PLACE}.tokenFile", f"put a token that {self._name} accepts into {self.token_file}"
        elif code == HTTPStatus.FORBIDDEN:
            where, hint = f"{PLACE}.tokenFile", f"the token needs {self._dialect.scopes}"
        elif code == _NOT_FOUND:
            where = f"{PLACE}.repository"
            hint = f"see that {self.ends.repository} is right and that the token may see it: {self._dialect.scopes}"
        elif answer.is_redirect:
            where = f"{PLACE}.apiUrl"
            hint = f"name the place that it moved to: {answer.headers.get('location', '')}"
        return RemoteFailed(message, where=where, hint=hint)

    def _strange(self, answer: Any) -> RemoteFailed:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return RemoteFailed(
            f"{self._name} answered something that is no pull request: {_short(text)}",
            where=f"{PLACE}.apiUrl",
            hint=f"expected the base of the API of {self.place.forge}",
        )

    @property
    def _name(self) -> str:
        return urlsplit(self.place.api).hostname or self.place.api


def forge_of(gitops: GitOps, directory: Path) -> Forge:
    """The forge that the values name; relative files are relative to ``directory``.

    Raises:
        InputError: what is missing can neither be found in the values nor be told from the remote.
    """
    wanted, credentials = gitops.publishing.pull_request, gitops.credentials
    try:
        place = wanted.place(gitops.remote or "")
    except ValueError as error:
        raise InputError(str(error), where=PLACE, hint="set it in values-hub.yaml") from error
    token, authority = wanted.token_file or credentials.token_file or "", wanted.ca_file or credentials.ca_file
    return Forge(
        place,
        Ends(place.repository, wanted.branch, gitops.branch),
        (directory / token).absolute(),
        (directory / authority).absolute() if authority else None,
        wanted.labels,
        per_action=wanted.remediations == "pull-request",
    )


def _token(file: Path) -> str:
    try:
        found = file.read_text(errors="replace").removesuffix("\n")
    except OSError as error:
        raise RemoteFailed(
            f"cannot read {file}: {error.strerror}",
            where=f"{PLACE}.tokenFile",
            hint="see that the file is there and that hubctl may read it",
        ) from error
    if not found.strip() or not found.isascii() or not found.isprintable():
        raise RemoteFailed(
            f"{file} holds {len(found)} characters, expected one line with a token",
            where=f"{PLACE}.tokenFile",
            hint="write the token alone into it, with at most a line break at the end",
        )
    return found


def _trust(file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(file) if file else None)
    except OSError as error:  # ssl.SSLError is one
        raise RemoteFailed(
            f"cannot use the CA bundle {file}: {error}",
            where=f"{PLACE}.caFile",
            hint="see that the file is there and holds certificates in PEM",
        ) from error


def _wait(error: Exception) -> bool | float:
    """Whether and, if the server says so, when to try again."""
    if not isinstance(error, _Busy):
        return False
    if error.wait is None:
        return True
    return False if error.wait > LONGEST_WAIT else max(error.wait, 0.01)


def _limited(answer: httpx.Response) -> bool:
    """Whether there were too many requests; GitHub says so with 403 too."""
    if answer.status_code == _TOO_MANY:
        return True
    told = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code == HTTPStatus.FORBIDDEN and (told or "rate limit" in _said(answer).lower())


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks for; a minute when it asks for none."""
    told = headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    if told:
        try:
            return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):
            return 60.0
    reset = headers.get("x-ratelimit-reset", "")
    return max(0.0, float(reset) - time.time()) if reset.isdigit() else 60.0


def _said(answer: httpx.Response) -> str:
    """What an error says, in one short line."""
    try:
        found = answer.json()
    except json.JSONDecodeError:
        return _short(answer.text) if "html" not in answer.headers.get("content-type", "") else ""
    if not isinstance(found, dict):
        return _short(answer.text)
    told = [found.get("message") or found.get("error") or "", *(found.get("errors") or ())]
    return _short("; ".join(one if isinstance(one, str) else json.dumps(one) for one in told if one))


def _short(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"
