"""ApiServer and HubReader: what rooms ask of a cluster's API server, without knowing how it is reached.

The ones that do are in ``hubctl.fleet``; here is only what their answers look like.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An API server's answer: the status code and the body, parsed."""

    status: int
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's range of success

    @property
    def message(self) -> str:
        """Why not, in the server's words."""
        return str(self.body.get("message") or f"HTTP {self.status}")


class ApiServer(Protocol):
    """One API server; several threads may ask at once."""

    @property
    def address(self) -> str:
        """Its URL, for messages."""

    def get(self, path: str, **query: str) -> Mapping[str, Any]:
        """The body of what must be there.

        Raises:
            RemoteFailed: the server cannot be reached, or says no.
        """

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: str = "", form: str = ""
    ) -> Answer:
        """Any request.

        Args:
            method: HTTP's.
            path: from the root, such as ``/apis/apps/v1``; a query may be part of it.
            query: more of it.
            body: sent as it is.
            form: the body's content type.

        Raises:
            RemoteFailed: no answer came.
        """


class HubReader(Protocol):
    """Single objects of the hub, read when they are asked for."""

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The decoded data of a Secret.

        Raises:
            RemoteFailed: it cannot be read, or there is none. The message holds nothing of it.
        """

    async def read(self, path: str) -> Mapping[str, Any] | None:
        """One object by its path from the root; None when there is none.

        Raises:
            RemoteFailed: it cannot be read.
        """
