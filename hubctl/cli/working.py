"""``hubctl worker``: this machine polls for a leader elsewhere."""

import os
from typing import Any

import click

from hubctl.cli.observing import log_to_standard_error
from hubctl.errors import InputError
from hubctl.model.scaling import EngineTls


@click.command()
@click.option(
    "--scheduler",
    metavar="URL",
    envvar="HUBCTL_SCHEDULER",
    required=True,
    help="The Dask scheduler, as dask://HOST:PORT or tls://HOST:PORT [default: $HUBCTL_SCHEDULER].",
)
@click.option("--name", metavar="NAME", default="", help="Unique among the workers [default: its address].")
@click.option(
    "--listen", metavar="HOST", default="", help="Address at which the scheduler reaches it [default: found]."
)
@click.option("--port", metavar="PORT", type=click.IntRange(0, 65535), default=0, help="0: any [default: 0].")
@click.option("--ca-file", metavar="FILE", envvar="HUBCTL_WORKER_CA_FILE", help="CA of the Dask cluster, for tls://.")
@click.option("--cert-file", metavar="FILE", envvar="HUBCTL_WORKER_CERT_FILE", help="Certificate of this worker.")
@click.option("--key-file", metavar="FILE", envvar="HUBCTL_WORKER_KEY_FILE", help="Its private key.")
@click.pass_obj
def worker(
    settings_of: Any,
    /,
    scheduler: str,
    name: str,
    listen: str,
    port: int,
    **files: str | None,
) -> None:
    """Poll what `hubctl run --engine` gives this machine, until SIGTERM or Ctrl-C.

    How to poll, whom and with which rows comes from the leader. Tokens and CA files are read here, from the same paths
    as there; relative ones begin at -C DIR. Whoever reaches the scheduler runs code on this machine: use tls://.

    \b
    Example:
      hubctl worker --scheduler tls://scheduler:8786 --ca-file ca.crt --cert-file tls.crt --key-file tls.key
    """
    from hubctl.shards import address, serving  # noqa: PLC0415 - loads slowly

    if any(files.values()) and not all(files.values()):
        raise InputError("a CA, a certificate and a key go together", hint="pass --ca-file, --cert-file and --key-file")
    tls = EngineTls.model_validate(files) if all(files.values()) else None
    where = address.address_of(scheduler, tls, "--scheduler")
    log_to_standard_error()
    serving.run(settings_of(), os.environ, where, serving.Place(name, listen, port))
