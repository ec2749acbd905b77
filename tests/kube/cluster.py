"""A cluster that somebody names, in place of the API server that the tests start."""

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
from kubernetes import config

KUBECONFIG = "HUBCTL_TEST_KUBECONFIG"
"""Environment variable with the path of a kubeconfig; its current context is used, and written to."""


@contextlib.contextmanager
def named(kubeconfig: Path) -> Iterator[httpx.Client]:
    """A client of the cluster that a kubeconfig's current context names.

    Raises:
        FileNotFoundError: there is no such file.
        kubernetes.config.ConfigException: the file names no cluster.
    """
    if not kubeconfig.is_file():
        raise FileNotFoundError(f"{KUBECONFIG} names no file: {kubeconfig}")
    login = config.new_client_from_config(str(kubeconfig)).configuration
    trusted = ssl.create_default_context(cafile=login.ssl_ca_cert)
    if login.cert_file:
        trusted.load_cert_chain(login.cert_file, login.key_file)
    token = login.get_api_key_with_prefix("authorization")
    headers = {"authorization": token} if token else {}
    with httpx.Client(base_url=login.host, verify=trusted, headers=headers, trust_env=False, timeout=60) as client:
        yield client
