"""The three pages, for kubelets and Prometheus: ``/healthz``, ``/readyz`` and ``/metrics``."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hubctl import metrics
from hubctl.web.pulse import Pulse

_UNAVAILABLE = 503


def application(pulse: Pulse, registry: metrics.Registry) -> Starlette:
    """The application over what the controller writes into both."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": pulse.alive}, 200 if pulse.alive else _UNAVAILABLE)

    async def readyz(_request: Request) -> Response:
        ready = pulse.ready
        return JSONResponse({"ready": ready, "checks": pulse.checks}, 200 if ready else _UNAVAILABLE)

    async def scrape(_request: Request) -> Response:
        return Response(registry.text(), media_type=metrics.CONTENT_TYPE)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)],
    )
