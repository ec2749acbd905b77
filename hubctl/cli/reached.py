"""What ``doctor`` says of predictors: which route reached each spoke, why the others did not, what repairs them."""

import os
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from hubctl import hub
from hubctl.cli import output, shapes
from hubctl.errors import HubctlError
from hubctl.inputs import load
from hubctl.model.check import Check, State
from hubctl.model.fleet import HubInputs, services
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.snapshot import Snapshot
from hubctl.observe import order
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from hubctl.settings import Settings

ADVICE = {
    Outcome.UNREACHABLE: "see whether the predictor runs and whether the route's host and port lead to it",
    Outcome.TIMEOUT: "see why it is slow, or raise hubctl.observe.deadline",
    Outcome.TLS: "set hubctl.observe.caFile to the CA of the spoke's certificate, or renew the certificate",
    Outcome.UNAUTHORIZED: "put a token that the predictor accepts into hubctl.observe.tokenFile",
    Outcome.FORBIDDEN: "grant the token its rights (access.token), or list the Service (hubctl.clusterProxy)",
    Outcome.NOT_FOUND: "see on the spoke whether the model is loaded: its name, its storageUri, the predictor's log",
    Outcome.NOT_READY: "wait for the model to load, or look at the predictor's log",
    Outcome.OVERLOADED: "give the predictor more replicas, or poll less often: hubctl.observe.interval",
    Outcome.GOLDEN_MISMATCH: "see on the spoke which artefact the predictor loaded, and compare it with the release",
    Outcome.SKIPPED: "see the reason: hubctl itself did not ask",
    Outcome.MALFORMED: "compare the model's output kind and features in hubctl.models with what it answers",
    Outcome.OK: "see that the model's features source gives rows",
}
"""What to do about a predictor that answered so; for ok: that answered, but was sent no rows."""

REPAIRS = {
    Reason.GOLDEN_OTHER_VERSION: "see whether Argo CD delivered the version to the spoke, and whether its pods run it",
    Reason.NO_ADDRESS: "give the route a host, or let the hub know it: access.feedback for route, the add-on for acm",
    Reason.HUB_API: "log in to the hub, or let hubctl list ManagedServiceAccounts there and get their Secrets",
    Reason.TOKEN_MISSING: "put the token where hubctl.observe says; for access.token apply rendered/hub and see "
    "that the add-on managed-serviceaccount runs",
    Reason.ALLOWLIST: "list the Service (hubctl.clusterProxy) and apply hub/exposed-services, or add a route apiserver",
    Reason.TUNNEL: "see whether the spoke is up and its add-on cluster-proxy is available",
    Reason.PROXY_URL: "http through the cluster-proxy needs MCE 2.11: turn expose.auth on, or add a route apiserver",
    Reason.BAD_GATEWAY: "see that the Service's port and certificate are what the route says (scheme, port, headless)",
    Reason.SERVICE_UNREACHABLE: "see that the Service's port is what the route says (port, headless)",
    Reason.SERVICE_ABSENT: "see on the spoke whether the InferenceService made its Service, and under which name",
    Reason.APISERVER_TOKEN: "renew the token: the spoke's kube-apiserver has to know it",
    Reason.APISERVER_DENIED: "grant the token get and create on services/proxy of this Service (access.token)",
    Reason.NO_ENDPOINTS: "see on the spoke why no pod is ready; of a re-encrypt Route also its certificate and CA",
    Reason.GATEWAY: "see why the predictor is slow, or raise the router's timeout annotation above it",
    Reason.PATH_NOT_FOUND: "see whether the route's host and path lead to the model server",
    Reason.HUB_LIMIT: "raise the limit on open files, or lower hubctl.observe.concurrency",
}
"""What to do about a reason, where it is more than about its outcome."""


async def checks(
    settings: Settings, sources: load.Sources, inputs: HubInputs, told: Collection[str] = ()
) -> list[Check]:
    """The hub's API, where routes or tokens need it, then one poll of every predictor, a check a spoke and route.

    Args:
        settings: where the hub is.
        sources: the values with what the hub named.
        inputs: the fleet.
        told: names of checks that there are; of the hub nothing is said twice.
    """
    wanted = services(inputs)
    found: list[Check] = []
    api, snapshot = None, None
    try:
        api = hub.open_api(settings, sources)
        snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    except HubctlError as error:
        found.append(Check("hub", "failed", str(error), error.hint))
    if snapshot is not None:
        found += of_hub(snapshot)
    found = [check for check in found if not _is_told(check, told)]
    with output.progress("polling", len(wanted)) as advance:
        async with Poller(
            sources.values.hubctl.observe, settings.directory, os.environ, seen=lambda _: advance(), api=api
        ) as poller:
            observations = await poller.poll(wanted, snapshot)
    names = dict.fromkeys(seen.cluster for seen in observations)
    return found + [
        check for name in names for check in of_spoke(name, [seen for seen in observations if seen.cluster == name])
    ]


def of_hub(snapshot: Snapshot) -> list[Check]:
    """Whether the kinds that routes, tokens and witnesses come from could be read; named as ``diagnose`` does."""
    hint = "let hubctl's account list them on the hub, or install what serves them"
    if snapshot.unread:
        return [Check(f"hub {kind.plural}", "failed", why, hint) for kind, why in snapshot.unread.items()]
    counts = (output.count(len(found), resource.kind) for resource, found in snapshot.objects.items())
    return [Check("hub", "ok", ", ".join(counts) or "its API is only asked for single objects")]


def _is_told(check: Check, told: Collection[str]) -> bool:
    """Whether another check said the same: of the kind, of the hub as a whole, or that not all is well there."""
    return bool({"hub", check.name}.intersection(told)) or (
        check.state == "ok" and any(name.startswith("hub ") for name in told)
    )


def of_spoke(name: str, observations: Sequence[Observation]) -> list[Check]:
    """What a spoke's predictors answered and over which route, then each route that did not lead there."""
    bad = [seen for seen in observations if seen.outcome is not Outcome.OK]
    mute = [seen for seen in observations if seen.outcome is Outcome.OK and not seen.instances]
    if not bad and not mute:
        routes = ", ".join(dict.fromkeys(seen.route for seen in observations if seen.route))
        told = f"{output.count(len(observations), 'predictor')} answered over {routes}"
        return [Check(f"spoke {name}", "ok", told), *_others(name, observations)]
    worst = (bad or mute)[0]
    told = "; ".join(
        f"{seen.model} {seen.outcome}{f' over {seen.route}' if seen.route else ''}, {shapes.reason_of(seen)}"
        for seen in (*bad, *mute)
    )
    main = Check(f"spoke {name}", "failed" if bad else "warning", told, repair(worst.outcome, worst.reason))
    return [main, *_others(name, observations)]


def repair(outcome: Outcome, reason: str) -> str:
    """What to do about what a route or a predictor said."""
    return next((told for known, told in REPAIRS.items() if known == reason), ADVICE[outcome])


def _others(name: str, observations: Iterable[Observation]) -> list[Check]:
    """A check for each route and reason; a warning while another route reaches the spoke."""
    found: dict[tuple[str, str], Check] = {}
    for seen in observations:
        for tried in seen.tried:
            state: State = "failed" if seen.reason in order.ON_THE_WAY else "warning"
            told = f"{tried.reason}: {tried.detail}" if tried.detail else tried.reason
            check = Check(f"route {name} {tried.route}", state, told, repair(tried.outcome, tried.reason))
            found.setdefault((tried.route, tried.reason), check)
    return list(found.values())
