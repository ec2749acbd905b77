"""A stand-in for the cluster-proxy: user-server, tunnel and service-proxy in one, and a spoke's kube-apiserver.

It takes requests apart, refuses them and passes them on as open-cluster-management-io/cluster-proxy does; the table of
``proxycases`` holds it to that, which tests/clusterproxy asks of the real one.
"""

import json
import re
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import httpx

from tests.observe.faultserver import Exchange

_SERVICE = re.compile(r"(?:(?P<scheme>https?|):)?(?P<name>[^:]+)(?::(?P<port>[^:]*))?")
_HOP = {"host", "connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass
class ClusterProxy:
    """Answers requests; to be served with TLS.

    Attributes:
        ports: spoke, Service (``name.namespace``) and port to the port of this machine that stands for it.
        trust: what the spokes trust for their Services.
        allowlist: Services that are let through as ``namespace/name``; None: all, as before cluster-proxy 0.12.
        https_only: as MCE was until 2.10.
        tokens: that the spokes' kube-apiservers know, each with the names that it may proxy to.
    """

    ports: Mapping[tuple[str, str, str], int]
    trust: ssl.SSLContext | None = None
    allowlist: Collection[str] | None = None
    https_only: bool = False
    tokens: Mapping[str, Collection[str]] = field(default_factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        parts = exchange.path.split("/")
        if len(parts) > 9 and parts[8] == "proxy-service":
            await self._to_service(exchange, parts)
        elif len(parts) > 2:
            await self._to_apiserver(exchange, parts)
        else:
            await plain(exchange, 400, f"requestURL format not correct, path more than 2: {exchange.path}")

    async def _to_service(self, exchange: Exchange, parts: list[str]) -> None:
        cluster, namespace, target = parts[1], parts[5], parts[7]
        found = _SERVICE.fullmatch(target)
        if found is None:
            await plain(exchange, 400, f'invalid service name "{target}"')
            return
        scheme, name, port = found["scheme"] or "https", found["name"], found["port"] or ""
        if self.https_only and scheme != "https":
            await plain(exchange, 400, "only support https")
        elif self.allowlist is not None and f"{namespace}/{name}" not in self.allowlist:
            await plain(exchange, 403, f"service {namespace}/{name} is not in the exposed services allowlist")
        elif not any(cluster == known for known, _, _ in self.ports):
            await plain(exchange, 502, "proxy to anp-proxy-server failed because dial failed: no agent")
        elif not port:
            await plain(exchange, 400, "invalid request headers")
        else:
            more = {
                "Cluster-Proxy-Proto": scheme,
                "Cluster-Proxy-Namespace": namespace,
                "Cluster-Proxy-Service": name,
                "Cluster-Proxy-Port": port,
            }
            local = self.ports.get((cluster, f"{name}.{namespace}", port))
            await self._pass_on(exchange, scheme, f"{name}.{namespace}.svc", local, "/".join(parts[9:]), more)

    async def _to_apiserver(self, exchange: Exchange, parts: list[str]) -> None:
        cluster, namespace, target = parts[1], parts[5], parts[7]
        token = exchange.headers.pop("authorization", "").removeprefix("Bearer ")
        found = _SERVICE.fullmatch(target)
        name, port = (found["name"], found["port"] or "") if found else ("", "")
        local = self.ports.get((cluster, f"{name}.{namespace}", port))
        if token not in self.tokens:
            await plain(exchange, 401, "authentication failed: token is neither valid for managed cluster nor hub")
        elif target not in self.tokens[token]:
            who = 'is forbidden: User "x" cannot create resource "services/proxy" in API group ""'
            await status(exchange, 403, f'services "{target}" {who}')
        elif not any(f"{name}.{namespace}" == known for _, known, _ in self.ports):
            await status(exchange, 404, f'services "{name}" not found')
        elif local is None:
            await status(exchange, 503, f'no endpoints available for service "{target}"')
        else:
            scheme = found["scheme"] if found else ""
            await self._pass_on(exchange, scheme or "http", f"{name}.{namespace}.svc", local, "/".join(parts[9:]), {})

    async def _pass_on(
        self, exchange: Exchange, scheme: str, host: str, port: int | None, path: str, more: Mapping[str, str]
    ) -> None:
        # The raw path is taken for a decoded one, and encoded again.
        raw, mark, query = path.partition("?")
        target = f"/{raw.replace('%', '%25')}{mark}{query}"
        headers = {key: text for key, text in exchange.headers.items() if key not in _HOP}
        headers |= {"host": exchange.headers["host"], "x-forwarded-for": "127.0.0.1"} | dict(more)
        try:
            async with httpx.AsyncClient(verify=self.trust or ssl.create_default_context(), trust_env=False) as client:
                answer = await client.send(
                    httpx.Request(
                        exchange.line.split(" ")[0],
                        httpx.URL(f"{scheme}://127.0.0.1:{port or 1}", raw_path=target.encode()),
                        headers=headers,
                        content=exchange.body,
                        extensions={"sni_hostname": host, "timeout": {"connect": 5.0, "read": 30.0}},
                    )
                )
        except httpx.HTTPError:
            await exchange.send(502, b"", "text/plain")  # the last hop says nothing
            return
        await exchange.send(answer.status_code, answer.content, answer.headers.get("Content-Type", ""))


async def plain(exchange: Exchange, code: int, text: str) -> None:
    """As Go's http.Error says it."""
    await exchange.send(code, f"{text}\n".encode(), "text/plain; charset=utf-8")


async def status(exchange: Exchange, code: int, message: str) -> None:
    """As a kube-apiserver says it."""
    found = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    await exchange.send(code, json.dumps(found).encode())
