"""Carry one remediation out: one function per action, each safe to repeat.

Whether an effect already happened is read from where effects live (a commit trailer on the branch), never guessed
from our own records; so a pass after a crash neither repeats an action nor forgets it. A webhook keeps no such
record: it gets the remediation's id as ``Idempotency-Key`` and may hear the same thing twice after a crash.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stamina

from hubctl.errors import Fenced, Held, HubctlError, PublishConflict, RemoteFailed, StoreUnavailable
from hubctl.model import incident as incidents
from hubctl.model import remediation as remediations
from hubctl.model.values import Webhook
from hubctl.remediate import override

if TYPE_CHECKING:  # publishing shares this module and starts without HTTP
    import httpx

TRAILER = "Hubctl-Action-Id"
"""Commit trailer that carries a remediation's id."""

ATTEMPTS = 3
"""Tries of one webhook in one pass, with growing pauses of at most two seconds."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of a change to Git.

    Attributes:
        commit: on the branch; empty when it is not there.
        waits: URL of the open pull request that carries it.
        declined: URL of the pull request that a person closed for just this.
    """

    commit: str = ""
    waits: str = ""
    declined: str = ""


async def _anybody() -> None:
    """The permit of a process that need not ask."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The doors through which actions reach the world.

    Attributes:
        publish: overrides (file name to bytes) and the re-rendered spokes as one commit that carries the
            remediation's trailer, on the branch or in a pull request; an empty effect: the branch already says so.
        find: the id of the commit on the branch that brought a remediation, empty when there is none.
        directory: what relative token files are relative to.
        check: called immediately before an effect; raises Held when somebody stopped or paused it meanwhile.
        permit: asked immediately before a webhook is told; ``publish`` asks for itself.
    """

    publish: Callable[[remediations.Remediation, incidents.Incident, Mapping[str, bytes]], Awaitable[Effect]]
    find: Callable[[str], Awaitable[str]]
    webhooks: tuple[Webhook, ...]
    environ: Mapping[str, str]
    directory: Path
    check: Callable[[remediations.Remediation], None] = lambda _: None
    permit: Callable[[], Awaitable[None]] = _anybody


async def carry_out(
    remediation: remediations.Remediation, incident: incidents.Incident, ports: Ports
) -> remediations.Outcome:
    """Do what the remediation says, unless it has been done already or is held.

    Returns:
        ``applied`` with the commit; ``approved`` when another pass should try again; ``failed`` when none should;
        ``executing`` when only a later look at the branch can tell, as while a pull request waits; ``rejected`` when a
        person closed it.

    Raises:
        Fenced: this process may not act, or no longer; whoever leads finds out what was done.
    """
    act = {
        remediations.Action.NOTIFY: notify,
        remediations.Action.ROLLBACK_MODEL: change_git,
        remediations.Action.QUARANTINE: change_git,
    }[remediation.action]
    try:
        ports.check(remediation)
        return await act(remediation, incident, ports)
    except Held as error:
        return remediations.Outcome(remediations.State.APPROVED, detail=str(error))


async def change_git(
    remediation: remediations.Remediation, incident: incidents.Incident, ports: Ports
) -> remediations.Outcome:
    """Write the overrides and what follows from them to Git, in one commit."""
    try:
        if commit := await ports.find(remediation.id):
            return remediations.Outcome(remediations.State.APPLIED, commit, "found on the branch: done before")
    except RemoteFailed as error:
        return remediations.Outcome(remediations.State.APPROVED, detail=f"to be tried again: {error}")
    files = {name: override.to_yaml(wanted) for name, wanted in override.overrides_for(remediation, incident).items()}
    try:
        effect = await ports.publish(remediation, incident, files)
    except PublishConflict as error:
        return remediations.Outcome(remediations.State.APPROVED, detail=f"to be tried again: {error}")
    except RemoteFailed as error:
        return await _after_failure(remediation, error, ports)
    except (Fenced, Held, StoreUnavailable):
        raise
    except HubctlError as error:
        return await _unless_done(
            remediation, remediations.Outcome(remediations.State.FAILED, detail=str(error)), ports
        )
    return await _unless_done(remediation, _outcome_of(effect), ports)


async def _unless_done(
    remediation: remediations.Remediation, outcome: remediations.Outcome, ports: Ports
) -> remediations.Outcome:
    """What came of it; a push that a dead leader's git brought to its end meanwhile is no failure."""
    if outcome.state is not remediations.State.FAILED:
        return outcome
    try:
        commit = await ports.find(remediation.id)
    except RemoteFailed as error:
        return remediations.Outcome(remediations.State.APPROVED, detail=f"to be tried again: {error}")
    return remediations.Outcome(remediations.State.APPLIED, commit, "found on the branch") if commit else outcome


def _outcome_of(effect: Effect) -> remediations.Outcome:
    if effect.waits:
        return remediations.Outcome(remediations.State.EXECUTING, detail=f"{remediations.WAITS}{effect.waits}")
    if effect.declined:
        detail = f"somebody closed its pull request: {effect.declined}"
        return remediations.Outcome(remediations.State.REJECTED, detail=detail)
    if not effect.commit:
        return remediations.Outcome(remediations.State.FAILED, detail="the branch already says so; nothing was changed")
    return remediations.Outcome(remediations.State.APPLIED, effect.commit, f"published as {effect.commit[:12]}")


async def _after_failure(
    remediation: remediations.Remediation, error: RemoteFailed, ports: Ports
) -> remediations.Outcome:
    """The remote failed, perhaps after it had taken the commit: only the branch knows."""
    try:
        commit = await ports.find(remediation.id)
    except RemoteFailed:
        return remediations.Outcome(
            remediations.State.EXECUTING, detail=f"whether it was done is not known yet: {error}"
        )
    if commit:
        return remediations.Outcome(remediations.State.APPLIED, commit, f"published, though the remote said: {error}")
    return remediations.Outcome(remediations.State.APPROVED, detail=f"to be tried again: {error}")


async def notify(
    remediation: remediations.Remediation, incident: incidents.Incident, ports: Ports
) -> remediations.Outcome:
    """Tell every webhook about the incident; a receiver that fails does not keep the others from hearing."""
    if not ports.webhooks:
        return remediations.Outcome(
            remediations.State.APPLIED, detail="no webhook is configured (hubctl.notify.webhooks): recorded only"
        )
    body = notification(remediation, incident)
    told = (_tell(webhook, remediation.id, body, ports) for webhook in ports.webhooks)
    answers = await asyncio.gather(*told, return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, str)]
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    if any(failures):
        return remediations.Outcome(remediations.State.FAILED, detail="; ".join(filter(None, failures)))
    names = ", ".join(webhook.name for webhook in ports.webhooks)
    return remediations.Outcome(remediations.State.APPLIED, detail=f"told {names}")


def notification(remediation: remediations.Remediation, incident: incidents.Incident) -> dict[str, Any]:
    """What a webhook hears: the incident in plain JSON, with ids to tell repetitions by."""
    return {
        "actionId": remediation.id,
        "policy": remediation.policy,
        "incident": {
            "id": incident.id,
            "kind": str(incident.kind),
            "state": str(incident.state),
            "summary": incident.summary,
            "clusters": list(incident.clusters),
            "model": incident.model,
            "version": incident.version,
            "confidence": round(incident.confidence, 4),
            "openedAt": incident.opened_at.isoformat(),
        },
    }


async def _tell(webhook: Webhook, action_id: str, body: dict[str, Any], ports: Ports) -> str:
    """An empty string when the webhook took it, else why not; no address, since it may be a secret."""
    url = webhook.url or ports.environ.get(webhook.url_env or "", "")
    if not url:
        return f"{webhook.name}: the variable {webhook.url_env} is not set"
    import httpx  # noqa: PLC0415 - as above

    headers = {"Idempotency-Key": action_id}
    try:
        if webhook.token_file:
            token = (ports.directory / webhook.token_file).read_text().strip()
            headers["Authorization"] = f"Bearer {token}"
        async with httpx.AsyncClient(timeout=webhook.timeout, trust_env=False) as client:
            await _post(client, url, headers, body, ports.permit)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        status = getattr(getattr(error, "response", None), "status_code", "")
        return f"{webhook.name}: {type(error).__name__} {status}".rstrip()
    return ""


async def _post(
    client: "httpx.AsyncClient",
    url: str,
    headers: dict[str, str],
    body: dict[str, Any],
    permit: Callable[[], Awaitable[None]],
) -> None:
    async for attempt in stamina.retry_context(_worth_another_try, attempts=ATTEMPTS, wait_initial=0.2, wait_max=2):
        with attempt:
            await permit()
            (await client.post(url, headers=headers, json=body)).raise_for_status()


def _worth_another_try(error: Exception) -> bool:
    """Transport errors and 5xx pass; what the receiver refuses once it refuses again."""
    import httpx  # noqa: PLC0415 - as above

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)
