"""Tokens of ManagedServiceAccounts: from the Secret that each names on the hub, kept until it rotates or is refused.

Apart from ``tokens``, which knows files and variables: here the hub's API is asked, and not more often than it takes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.model.apiserver import HubReader
from hubctl.model.snapshot import SERVICE_ACCOUNTS, Snapshot
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed


class NoToken(Malformed):
    """A token is configured but cannot be read."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a Secret held when it was read.

    Attributes:
        stamp: name of the Secret, and when the add-on says that it was refreshed.
        ca: the spoke's CA bundle, PEM; empty when the Secret holds none.
    """

    stamp: tuple[str, str]
    token: str = field(repr=False)
    ca: str = field(repr=False, default="")


class Accounts:
    """ManagedServiceAccounts by spoke and name, and what their Secrets held."""

    def __init__(self, api: HubReader | None) -> None:
        """Take the hub's API; None where hubctl was opened without it."""
        self._api = api
        self._snapshot: Snapshot | None = None
        self._told: dict[tuple[str, str], Mapping[str, Any]] | None = None
        self._held: dict[tuple[str, str], Held] = {}
        self._again: set[tuple[str, str]] = set()
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def begin(self, snapshot: Snapshot | None) -> None:
        """Begin a round with what the hub's API last said of the accounts."""
        self._snapshot = snapshot
        found = snapshot.of(SERVICE_ACCOUNTS) if snapshot else None
        self._told = None if found is None else {_name(account): account for account in found}
        self._again.clear()

    async def held(self, cluster: str, name: str) -> Held:
        """The token and CA of a spoke's account; the Secret is read when it has rotated since it was last.

        Raises:
            NoToken: there is no such account, it has no token yet, or the Secret cannot be read.
        """
        async with self._turns[cluster, name]:
            known = self._held.get((cluster, name))
            stamp = self._stamp(cluster, name, known)
            return known if known and known.stamp == stamp else await self._read(cluster, name, stamp, known)

    async def again(self, cluster: str, name: str, refused: str) -> Held:
        """The same after a token was refused: read anew, but once a round however many models it has.

        Raises:
            NoToken: as ``held``.
        """
        async with self._turns[cluster, name]:
            known = self._held.get((cluster, name))
            if known and (known.token != refused or (cluster, name) in self._again):
                return known
            self._again.add((cluster, name))
            return await self._read(cluster, name, self._stamp(cluster, name, known), known)

    def _stamp(self, cluster: str, name: str, known: Held | None) -> tuple[str, str]:
        if self._told is None:
            if known:  # What was good a round ago is more likely good than not.
                return known.stamp
            why = self._snapshot.unread.get(SERVICE_ACCOUNTS, "") if self._snapshot else ""
            raise NoToken(Reason.HUB_API, strict.excerpt(f"cannot list ManagedServiceAccounts: {why or 'not asked'}"))
        if (account := self._told.get((cluster, name))) is not None:
            return _reference(account, cluster, name)
        raise NoToken(Reason.TOKEN_MISSING, f"the hub has no ManagedServiceAccount {name} in namespace {cluster}")

    async def _read(self, cluster: str, name: str, stamp: tuple[str, str], known: Held | None) -> Held:
        if self._api is None:
            raise NoToken(Reason.HUB_API, "hubctl was started without access to the hub's API server")
        try:
            data = await self._api.secret(cluster, stamp[0])
        except RemoteFailed as error:
            if known:
                return known
            raise NoToken(Reason.HUB_API, strict.excerpt(str(error))) from error
        place = f"the Secret {cluster}/{stamp[0]} of ManagedServiceAccount {name}"
        if not data.get("token"):
            raise NoToken(Reason.TOKEN_MISSING, f"expected the key token in {place}")
        token = strict.bearer(data["token"].decode(errors="replace"))
        if not token:
            raise NoToken(Reason.TOKEN_INVALID, f"expected one bearer token in {place}, found something else")
        made = Held(stamp, token, data.get("ca.crt", b"").decode(errors="replace"))
        self._held[cluster, name] = made
        return made


def _name(account: Mapping[str, Any]) -> tuple[str, str]:
    meta = account.get("metadata") or {}
    return str(meta.get("namespace")), str(meta.get("name"))


def _reference(account: Mapping[str, Any], cluster: str, name: str) -> tuple[str, str]:
    """Name and time of the Secret that the account's status names.

    Raises:
        NoToken: it names none yet.
    """
    status = account.get("status") or {}
    reference = status.get("tokenSecretRef") or {}
    if not reference.get("name"):
        told = [str(one.get("message")) for one in status.get("conditions") or () if one.get("status") == "False"]
        why = strict.excerpt(told[0]) if told else "its agent has not reported one"
        raise NoToken(Reason.TOKEN_MISSING, f"ManagedServiceAccount {cluster}/{name} has no token yet: {why}")
    return str(reference["name"]), str(reference.get("lastRefreshTimestamp") or "")
