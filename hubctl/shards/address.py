"""Where a Dask scheduler is, and how it is spoken to: in the clear, or with certificates on both sides.

Dask runs whatever code it is sent: who can speak to a scheduler owns its workers. So a token is never given into the
hands of workers whose scheduler takes anybody. Pure but for ``security``, which loads Dask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubctl.errors import InputError
from hubctl.model.predictor import InferenceService
from hubctl.model.scaling import PROCESS, EngineSection, EngineTls
from hubctl.model.values import Observe

if TYPE_CHECKING:
    from distributed import Security

_CLEAR, _TLS = "dask://", "tls://"
_SCHEMES = {_CLEAR: "tcp://", _TLS: "tls://", "tcp://": "tcp://"}
"""What people write, and what Dask calls it; its own tools write tcp://."""


@dataclass(frozen=True, slots=True)
class Address:
    """A scheduler.

    Attributes:
        url: as Dask writes it.
        tls: None in the clear.
    """

    url: str
    tls: EngineTls | None = None

    @property
    def shown(self) -> str:
        """As people write it."""
        return self.url if self.tls else self.url.replace("tcp://", _CLEAR, 1)


def address_of(url: str, tls: EngineTls | None, where: str) -> Address:
    """The scheduler at a URL.

    Args:
        url: ``dask://HOST:PORT`` or ``tls://HOST:PORT``.
        tls: the files, where there are any.
        where: the flag or key that says so, for messages.

    Raises:
        InputError: the URL is no such, or does not go with the files.
    """
    scheme = next((known for known in _SCHEMES if url.startswith(known)), "")
    host, _, port = url[len(scheme) :].rpartition(":")
    if not (scheme and host and port.isdecimal() and not set("/@ ") & set(host)):
        raise InputError(
            f"{url!r}: expected dask://HOST:PORT or tls://HOST:PORT",
            where=where,
            hint="Dask's schedulers use port 8786",
        )
    if scheme == _TLS and tls is None:
        raise InputError(
            f"{url} needs a CA, a certificate and a key",
            where=where,
            hint="set caFile, certFile and keyFile of hubctl.engine.tls; for `hubctl worker`, the flags of these names",
        )
    if scheme != _TLS and tls is not None:
        raise InputError(
            f"{url} would speak in the clear although there are certificates",
            where=where,
            hint=f"write {_TLS}{host}:{port}, or take the certificates away",
        )
    return Address(f"{_SCHEMES[scheme]}{host}:{port}", tls)


def chosen(flag: str, section: EngineSection) -> Address | None:
    """The scheduler that ``--engine`` names, else the values; None: polls are made in this process.

    Raises:
        InputError: as ``address_of``.
    """
    url, where = (flag, "--engine") if flag else (section.url or PROCESS, "values-hub.yaml hubctl.engine.url")
    if url == PROCESS:
        return None
    tls = section.tls if url.startswith(_TLS) or not flag else None
    return address_of(url, tls, where)


def refuse_tokens(address: Address, observe: Observe, services: Iterable[InferenceService] = ()) -> None:
    """See that no predictor asks for a token where anybody can speak to the scheduler.

    Raises:
        InputError: one does.
    """
    if address.tls is not None:
        return
    of_all = observe.token_file or observe.token_env or observe.managed_service_account
    one = next((f"{one.cluster}/{one.name}" for one in services if one.account), "")
    if not of_all and not one:
        return
    raise InputError(
        f"{one or 'predictors'} want a token, and whoever reaches {address.shown} could take it from the workers",
        where="values-hub.yaml hubctl.engine.url",
        hint="use tls://HOST:PORT with hubctl.engine.tls, or poll in this process",
    )


def security(tls: EngineTls | None, folder: Path) -> Security:
    """What Dask takes for every role: the same certificate as client, worker and scheduler.

    Raises:
        InputError: a file is not there.
    """
    from distributed import Security  # noqa: PLC0415 - loads slowly, and is not installed everywhere

    if tls is None:
        return Security(require_encryption=False)
    ca, cert, key = (str(_present(folder / name)) for name in (tls.ca_file, tls.cert_file, tls.key_file))
    roles = {
        f"tls_{role}_{kind}": file
        for role in ("client", "worker", "scheduler")
        for kind, file in (("cert", cert), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=ca, **roles)


def _present(file: Path) -> Path:
    if not file.is_file():
        raise InputError(f"there is no file {file}", where="hubctl.engine.tls", hint="is the Secret mounted?")
    return file
