"""Cluster: requests to one Kubernetes API server, with every way in that a kubeconfig or a pod has.

The only door to the Kubernetes client, which takes half a second to import and is imported only here, when asked for.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hubctl.errors import InputError, RemoteFailed
from hubctl.model.apiserver import Answer

SECONDS = 60.0
"""A cluster's ``/openapi/v3`` of one group can take seconds when it is asked for the first time."""

_LOGIN = "see whether `kubectl` reaches it with the same --kubeconfig and --context"
_SHOWN = 300
_OK = 200

PAGE = 500
"""Objects asked for at once, as kubectl does."""


class Cluster:
    """One API server; may be used by several threads at once."""

    def __init__(self, client: Any, seconds: float = SECONDS) -> None:
        self._client = client
        self._seconds = seconds
        self.address: str = client.configuration.host

    @property
    def client(self) -> Any:
        """The library's own client, for those parts of the library that this room uses."""
        return self._client

    def get(self, path: str, **query: str) -> Mapping[str, Any]:
        """The body of what must be there.

        Raises:
            RemoteFailed: the server cannot be reached, or says no.
        """
        return self._given(path, self.ask("GET", path, query=query))

    def _given(self, path: str, answer: Answer) -> Mapping[str, Any]:
        if not answer.ok:
            raise RemoteFailed(f"{path}: {answer.message}", where=self.address, hint=_LOGIN)
        return answer.body

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
        with self._answered():
            response = self._sent(method, path, query or {}, body=body, form=form, timeout=self._seconds)
            data = response.read()
        return _answer(response.status, data)

    def list(self, path: str, query: Mapping[str, str]) -> tuple[tuple[Mapping[str, Any], ...], str]:
        """All objects of a collection, page by page, and the version that a watch goes on from.

        Raises:
            RemoteFailed: the server cannot be reached, or says no.
        """
        found: list[Mapping[str, Any]] = []
        version = ""
        for page in self.pages(path, query):
            body = self._given(path, page)
            found += body.get("items") or []
            version = str((body.get("metadata") or {}).get("resourceVersion") or "")
        return tuple(found), version

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[Answer]:
        """A collection, page by page, until its end or the first refusal, which is the last answer.

        Raises:
            RemoteFailed: the server cannot be reached.
        """
        asked = {**query, "limit": str(PAGE)}
        while True:
            answer = self.ask("GET", path, query=asked)
            yield answer
            asked["continue"] = str((answer.body.get("metadata") or {}).get("continue") or "")
            if not (answer.ok and asked["continue"]):
                return

    def stream(self, path: str, query: Mapping[str, str], silence: float) -> Any:
        """A response of urllib3's whose body comes bit by bit, as a watch has it; whoever gets it closes it.

        Args:
            path: from the root.
            query: of it.
            silence: seconds without a byte after which reading fails.

        Raises:
            RemoteFailed: no answer came.
            kubernetes.client.ApiException: the server says no; the client's informer knows what each status means.
        """
        from kubernetes.client import ApiException  # noqa: PLC0415 - see the module's docstring

        with self._answered():
            response = self._sent("GET", path, query, timeout=(self._seconds, silence))
            if response.status == _OK:
                return response.response
            answer = _answer(response.status, response.read())
        raise ApiException(status=answer.status, reason=answer.message)

    def _sent(
        self, method: str, path: str, query: Mapping[str, str], *, body: str = "", form: str = "", timeout: Any
    ) -> Any:
        headers = {"Accept": "application/json"} | ({"Content-Type": form} if form else {})
        with _quiet():  # a credential plugin may have to be asked again
            self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = self.address + path + (f"?{urlencode(query)}" if query else "")
        # The client writes what it takes for JSON out itself, and would write a text out as one more text.
        sent = json.loads(body) if body and "json" in form else body or None
        return self._client.call_api(method, url, headers, body=sent, _request_timeout=timeout)

    @contextmanager
    def _answered(self) -> Iterator[None]:
        import urllib3  # noqa: PLC0415 - comes with the client

        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError, self._failure()) as error:
            raise RemoteFailed(f"no answer: {str(error)[:_SHOWN]}", where=self.address, hint=_LOGIN) from error

    @staticmethod
    def _failure() -> type[Exception]:
        from kubernetes.client import ApiException  # noqa: PLC0415 - see the module's docstring

        found: type[Exception] = ApiException
        return found


def _answer(status: int, data: bytes) -> Answer:
    try:
        parsed = json.loads(data)
    except ValueError:
        parsed = {"message": data[:_SHOWN].decode(errors="replace").strip()}
    return Answer(status, parsed if isinstance(parsed, Mapping) else {})


def connect(kubeconfig: Path | None, context: str | None, *, seconds: float = SECONDS, patient: bool = True) -> Cluster:
    """The cluster of a kubeconfig's context, else of ``KUBECONFIG`` and ``~/.kube/config``, else of the pod we are in.

    Args:
        kubeconfig: the file, which the client reads itself.
        context: in it; the current one when absent.
        seconds: for one request.
        patient: try again when no answer comes, as the client does by default, each try with those seconds.

    Raises:
        InputError: there is none of them, or it has no such context.
    """
    from kubernetes import client, config  # noqa: PLC0415 - see the module's docstring

    if kubeconfig is not None and not kubeconfig.is_file():
        raise InputError(f"there is no kubeconfig {kubeconfig}", hint="pass an existing one with --kubeconfig")
    made = client.Configuration()
    login: Any = config  # typed in part only
    try:
        with _quiet():
            # The client reads the variable when it is imported, which may be long ago.
            file = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG") or None
            login.load_kube_config(config_file=file, context=context, client_configuration=made)
    except (config.ConfigException, OSError, KeyError, TypeError, ValueError) as error:
        if kubeconfig is not None or context is not None:
            raise InputError(f"the kubeconfig cannot be used: {_told(error)}", hint=_LOGIN) from error
        try:
            login.load_incluster_config(client_configuration=made)
        except config.ConfigException as outside:
            raise InputError(
                "there is no cluster to ask: no kubeconfig, and this is no pod",
                hint="pass --kubeconfig FILE, or log in so that ~/.kube/config is there",
            ) from outside
    if not patient:
        made.retries = False
    return Cluster(client.ApiClient(made), seconds)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps off the screen what the client logs: the output of credential plugins, and every try again."""
    # It tells of every retry as a warning; what came of them is told anyway.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    root, nowhere = logging.getLogger(), logging.NullHandler()
    root.addHandler(nowhere)
    try:
        yield
    finally:
        root.removeHandler(nowhere)


def _told(error: Exception) -> str:
    """What an error may say: the client's own words about the file, but not what a credential plugin printed."""
    text = str(error)
    return text if text.startswith("Invalid kube-config file") else type(error).__name__
