"""ApiServer: what rooms ask of a cluster's API server, without knowing how it is reached.

The one that does is ``hubctl.fleet.cluster``; here is only what its answers look like.
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
