"""How witnesses are printed: as data, and as a row a spoke that says what is known and why the rest is not."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hubctl.cli import output
from hubctl.model.witness import Application, Service, Sight, SpokeWitness

COLUMNS = ("spoke", "klusterlet", "since", "route", "argo cd", "at commit", "served", "note")

_COMMIT = 12


def witness_data(seen: SpokeWitness) -> dict[str, Any]:
    """What the hub's objects say of one spoke."""
    klusterlet, found = seen.klusterlet, seen.application
    return {
        "at": seen.at,
        "klusterlet": {
            "lease": str(klusterlet.lease),
            "since": klusterlet.since,
            "taints": list(klusterlet.taints),
            "deleting": klusterlet.deleting,
            "detail": klusterlet.detail,
        }
        if klusterlet
        else None,
        "route": str(seen.route),
        "services": [_service_data(service) for service in seen.services],
        "application": {
            "name": found.name,
            "sight": str(found.sight),
            "sync": found.sync,
            "health": found.health,
            "revision": found.revision,
            "phase": found.phase,
            "errors": list(found.errors),
            "detail": found.detail,
        }
        if found
        else None,
        "troubles": [
            {
                "kind": str(one.kind),
                "model": one.model,
                "since": one.since,
                "summary": one.summary,
                "sure": one.sure,
            }
            for one in seen.troubles
        ],
    }


def _service_data(service: Service) -> dict[str, Any]:
    return {
        "model": service.model,
        "sight": str(service.sight),
        "ready": service.ready,
        "stopped": service.stopped,
        "url": service.url,
        "modelState": service.model_state,
        "wanted": {"version": service.wanted.version, "artifact": service.wanted.artifact},
        "served": {"version": service.version, "artifact": service.served},
        "same": service.same,
        "current": service.current,
        "detail": service.detail,
    }


def witness_rows(witnesses: Iterable[SpokeWitness], now: datetime) -> list[tuple[object, ...]]:
    """One row a spoke, for a table under ``COLUMNS``."""
    return [
        (
            seen.cluster,
            str(seen.lease) if seen.klusterlet else "-",
            output.ago(seen.klusterlet.since, now) if seen.klusterlet else "-",
            str(seen.route),
            _application(seen.application),
            (seen.application.revision[:_COMMIT] if seen.application else "") or "-",
            _served(seen.services),
            _note(seen),
        )
        for seen in witnesses
    ]


def _application(found: Application | None) -> str:
    if found is None:
        return "-"
    return f"{found.sync}, {found.health}" if found.sight is Sight.PRESENT else str(found.sight)


def _served(services: Sequence[Service]) -> str:
    """How many models the spoke is known to serve as Git says."""
    known = [service for service in services if service.same is not None]
    return f"{sum(bool(service.same) for service in known)} of {len(services)}" if known else "-"


def _note(seen: SpokeWitness) -> str:
    """What is wrong, else why something is not known."""
    if seen.troubles:
        return "; ".join(one.summary for one in seen.troubles)
    unknown = [service.detail for service in seen.services if service.sight is Sight.UNKNOWN]
    if seen.application and seen.application.sight is Sight.UNKNOWN:
        unknown.append(seen.application.detail)
    if seen.klusterlet and seen.klusterlet.deleting:
        unknown.insert(0, "its ManagedCluster is being deleted")
    return "; ".join(dict.fromkeys(unknown))
