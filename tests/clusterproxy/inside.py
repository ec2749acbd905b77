"""Asks a real user-server about the table of requests, through a real konnectivity server and agent; prints JSON.

Runs in network and mount namespaces of its own, because the programs listen on fixed ports of every address. Only the
service-proxy at the end of the tunnel is a stand-in: the real one wants to be a pod.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import trustme

from tests.observe import proxycases
from tests.observe.faultserver import Exchange, FaultServer

HOST = f"cluster-{hashlib.sha256(b'edge-a').hexdigest()[:48]}.open-cluster-management.proxy"
"""What the user-server calls the spoke edge-a."""

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
}

SERVER = (
    "--mode=grpc --proxy-strategies=destHost --server-port=8090 --agent-port=8091 --server-cert=server.crt "
    "--server-key=server.key --server-ca-cert=ca.pem --cluster-cert=server.crt --cluster-key=server.key "
    "--cluster-ca-cert=ca.pem"
)
AGENT = (
    "--proxy-server-host=127.0.0.1 --proxy-server-port=8091 --admin-server-port=8096 --health-server-port=8097 "
    f"--ca-cert=ca.pem --agent-cert=client.crt --agent-key=client.key --agent-identifiers=host={HOST}"
)
USERS = (
    "user-server --host=127.0.0.1 --port=8090 --server-port=9092 --proxy-ca-cert=ca.pem --proxy-cert=client.crt "
    "--proxy-key=client.key --server-cert=server.crt --server-key=server.key --service-proxy-ca-cert=ca.pem"
)


async def service_proxy(exchange: Exchange) -> None:
    """Refuses what the real one refuses, and answers everything else itself."""
    if exchange.headers.get("cluster-proxy-port"):
        await exchange.send(200, b"{}")
    else:
        await exchange.send(400, b"invalid request headers\n", "text/plain")


def certified() -> ssl.SSLContext:
    """What each program shows and trusts, written beside it; the service-proxy's is returned."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path("ca.pem")
    for name, host in (("server", "127.0.0.1"), ("client", "client.example")):
        made = authority.issue_cert(host)
        made.private_key_pem.write_to_path(f"{name}.key")
        made.cert_chain_pems[0].write_to_path(f"{name}.crt")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    return tls


def start(program: Path, arguments: str, stack: contextlib.ExitStack) -> None:
    """Run a program until the stack is left."""
    log = stack.enter_context(Path(f"{program.name}.log").open("w"))  # noqa: SIM115 - the stack closes it
    environ = os.environ | {"KUBECONFIG": "kubeconfig"}
    running = subprocess.Popen([str(program), *arguments.split()], stdout=log, stderr=log, env=environ)
    stack.callback(running.kill)


async def main(tls: ssl.SSLContext) -> None:
    """Print name to status, body and the target that arrived, for each case."""
    last = FaultServer(service_proxy, tls=tls)
    async with await asyncio.start_server(last._accept, "127.0.0.1", 7443, ssl=tls):
        print(json.dumps(await asked(last)))  # noqa: T201 - read by the test


async def asked(last: FaultServer) -> dict[str, tuple[int, str, list[str]]]:
    client = ssl.create_default_context(cafile="ca.pem")
    while not await is_up(client):  # noqa: ASYNC110 - nothing here could tell
        await asyncio.sleep(0.5)
    found = {}
    for name, case in proxycases.CASES.items():
        last.seen.clear()
        status, body = await proxycases.ask(9092, client, case.target)
        found[name] = status, body, [exchange.path for exchange in last.seen]
    return found


async def is_up(client: ssl.SSLContext) -> bool:
    """Whether the whole tunnel is there."""
    try:
        status, _ = await proxycases.ask(9092, client, proxycases.CASES["http"].target)
    except OSError:
        return False
    return status == 200


if __name__ == "__main__":
    Path("kubeconfig").write_text(json.dumps(KUBECONFIG))
    shown = certified()
    with contextlib.ExitStack() as stack:
        for name, arguments in (
            ("konnectivity-server", SERVER),
            ("konnectivity-agent", AGENT),
            ("cluster-proxy", USERS),
        ):
            start(Path(sys.argv[1]) / name, arguments, stack)
        asyncio.run(main(shown))
