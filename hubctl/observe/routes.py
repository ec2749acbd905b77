"""Where a predictor is: the URLs of one model on one spoke.

Plain concatenation without any encoding. Names are validated where they are read, and ACM's cluster-proxy encodes a
percent sign a second time, so that ``%3A`` would arrive as ``%253A``; a literal colon arrives intact. The shape of
the proxy's path is positional: stolostron/cluster-proxy, ``pkg/userserver``.
"""

from hubctl.errors import InputError
from hubctl.model import base
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, UrlRoute
from hubctl.model.serving import Protocol


def base_url(service: InferenceService) -> str:
    """The URL below which the predictor serves ``/v1`` or ``/v2``, without a slash at its end.

    Raises:
        InputError: nothing says how the spoke is reached.
    """
    route = service.route
    if isinstance(route, UrlRoute):
        filled = base.fill(
            route.url,
            cluster=service.cluster,
            model=service.name,
            namespace=service.namespace,
            service=service.service,
        )
        return filled.rstrip("/")
    if isinstance(route, AcmRoute):
        target = f"namespaces/{service.namespace}/services/{route.scheme}:{service.service}:{route.target_port}"
        return f"https://{route.host}/{service.cluster}/api/v1/{target}/proxy-service"
    raise InputError(
        f"no route leads to {service.name} on {service.cluster}, expected one of type url or acm",
        hint="set hubctl.observe.route in values-hub.yaml or spec.route in the spoke's file",
    )


def model_url(base_url: str, model: str, protocol: Protocol = "v1") -> str:
    """Where the model says whether it is ready (``GET``)."""
    return f"{base_url}/v1/models/{model}" if protocol == "v1" else f"{base_url}/v2/models/{model}/ready"


def predict_url(base_url: str, model: str, protocol: Protocol = "v1") -> str:
    """Where the model predicts (``POST``)."""
    return f"{base_url}/v1/models/{model}:predict" if protocol == "v1" else f"{base_url}/v2/models/{model}/infer"
