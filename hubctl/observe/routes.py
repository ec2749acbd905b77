"""Where a predictor is: the URLs of one model on one spoke.

Plain concatenation without any encoding. Names are validated where they are read, and ACM's cluster-proxy encodes a
percent sign a second time, so that ``%3A`` would arrive as ``%253A``; a literal colon arrives intact. The shape of
the proxy's path is positional: stolostron/cluster-proxy, ``pkg/userserver``.
"""

import re

from hubctl.model import base
from hubctl.model.predictor import InferenceService
from hubctl.model.route import ApiserverRoute, ExposedRoute, ProxyRoute, Route, UrlRoute
from hubctl.model.serving import Protocol
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

_LITERAL = re.compile(r"[A-Za-z0-9._~-]+")
"""What a part of a path may hold so that nothing on the way encodes or decodes it."""


class NoUrl(Malformed):
    """A route that makes no URL."""


def base_url(service: InferenceService, route: Route, *, found: str = "") -> str:
    """The URL below which the predictor serves ``/v1`` or ``/v2``, without a slash at its end.

    Args:
        service: the model on its spoke.
        route: the way to it.
        found: what the files do not say: the cluster-proxy's host, or the URL that the spoke gave the model.

    Raises:
        NoUrl: a name would have to be encoded.
    """
    for name in (service.cluster, service.namespace, service.service, service.name):
        if not _LITERAL.fullmatch(name):
            raise NoUrl(Reason.BAD_URL, f"expected a name that needs no encoding in a URL, got {strict.excerpt(name)}")
    if isinstance(route, UrlRoute):
        return _filled(service, route)
    if isinstance(route, ExposedRoute):
        return found
    if isinstance(route, ProxyRoute):
        target = f"namespaces/{service.namespace}/services/{route.spoken}:{service.service}:{route.target_port}"
        door = "proxy" if isinstance(route, ApiserverRoute) else "proxy-service"
        return f"https://{route.host or found}/{service.cluster}/api/v1/{target}/{door}"
    return f"{route.spoken}://{service.service}.{service.namespace}.svc:{route.target_port}"


def _filled(service: InferenceService, route: UrlRoute) -> str:
    filled = base.fill(
        route.url,
        cluster=service.cluster,
        model=service.name,
        namespace=service.namespace,
        service=service.service,
    )
    return filled.rstrip("/")


def model_url(base_url: str, model: str, protocol: Protocol = "v1") -> str:
    """Where the model says whether it is ready (``GET``)."""
    return f"{base_url}/v1/models/{model}" if protocol == "v1" else f"{base_url}/v2/models/{model}/ready"


def predict_url(base_url: str, model: str, protocol: Protocol = "v1") -> str:
    """Where the model predicts (``POST``)."""
    return f"{base_url}/v1/models/{model}:predict" if protocol == "v1" else f"{base_url}/v2/models/{model}/infer"


def metadata_url(base_url: str, model: str) -> str:
    """Where a v2 server describes the model (``GET``)."""
    return f"{base_url}/v2/models/{model}"
