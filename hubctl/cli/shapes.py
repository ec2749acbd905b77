"""The data that commands print: one shape each for an observation, finding, incident, remediation, pass and status.

``poll -o json`` and ``status -o json`` are stable: docs/cli.md describes them and tests hold them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hubctl.aggregate import spoke_condition
from hubctl.cli.witnessing import witness_data
from hubctl.model.fleet import HubInputs
from hubctl.model.health import Condition, Finding, PredictorHealth
from hubctl.model.incident import Incident
from hubctl.model.predictor import InferenceService, Observation, Tried
from hubctl.model.remediation import Remediation
from hubctl.model.witness import SpokeWitness
from hubctl.publish import changes

if TYPE_CHECKING:  # publish and diff start without what a whole pass needs
    from hubctl.passes import Pass
    from hubctl.store.records import PassRecord, TermRecord


def observation_data(seen: Observation) -> dict[str, Any]:
    """One observation in ``poll -o json``; these keys are stable."""
    return {
        "cluster": seen.cluster,
        "model": seen.model,
        "version": seen.version,
        "outcome": str(seen.outcome),
        "instances": seen.instances,
        "anomalies": seen.anomalies,
        "latency_ms": round(seen.latency_ms, 1),
        "reason": reason_of(seen),
        "route": seen.route,
        "tried": [{"route": one.route, "outcome": str(one.outcome), "reason": reason_of(one)} for one in seen.tried],
        "served_version": seen.served_version,
    }


def reason_of(seen: Observation | Tried) -> str:
    """``reason: detail``, or the one that there is."""
    return f"{seen.reason}: {seen.detail}" if seen.reason and seen.detail else seen.reason or seen.detail


def observation_row(seen: Observation) -> tuple[object, ...]:
    """One observation in the table."""
    count = f"{seen.anomalies}/{seen.instances}" if seen.votes else (f"-/{seen.instances}" if seen.instances else "-")
    return seen.cluster, seen.model, seen.version, seen.outcome, count, f"{seen.latency_ms:.0f} ms", reason_of(seen)


def pass_data(made: "Pass") -> dict[str, Any]:
    """A pass as plain data."""
    return {
        "commit": made.commit.id if made.commit else "",
        "changes": changes_data(made.commit.changes) if made.commit else None,
        "observations": [observation_data(seen) for seen in made.observations],
        "findings": [finding_data(found) for found in made.findings],
        "decisions": [
            {
                "verdict": decision.verdict,
                "incident": decision.incident.id,
                "key": decision.incident.key,
                "action": decision.action,
                "policy": decision.policy,
                "reasons": list(decision.reasons),
                "detail": decision.detail,
            }
            for decision in made.decisions
        ],
        "remediations": [remediation_data(item) for item in made.remediations],
        "problems": [str(problem) for problem in made.problems],
    }


def finding_data(found: Finding) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "key": found.key,
        "kind": found.kind,
        "clusters": list(found.clusters),
        "model": found.model,
        "version": found.version,
        "deterministic": found.deterministic,
        "confidence": round(found.confidence, 4),
        "summary": found.summary,
        "inhibitedBy": found.inhibited_by,
    }


def remediation_data(item: Remediation) -> dict[str, Any]:
    """A remediation as plain data."""
    return {
        "id": item.id,
        "incident": item.incident_id,
        "policy": item.policy,
        "action": item.action,
        "state": item.state,
        "model": item.model,
        "targets": [
            {"cluster": target.cluster, "from": target.from_version, "to": target.to_version} for target in item.targets
        ],
        "by": item.by,
        "commit": item.commit,
        "detail": item.detail,
        "createdAt": item.created_at,
        "updatedAt": item.updated_at,
    }


def incident_data(incident: Incident) -> dict[str, Any]:
    """An incident as plain data."""
    return {
        "id": incident.id,
        "key": incident.key,
        "kind": incident.kind,
        "state": incident.state,
        "summary": incident.summary,
        "clusters": list(incident.clusters),
        "model": incident.model,
        "version": incident.version,
        "deterministic": incident.deterministic,
        "confidence": round(incident.confidence, 4),
        "inhibitedBy": incident.inhibited_by,
        "openedAt": incident.opened_at,
        "updatedAt": incident.updated_at,
        "resolvedAt": incident.resolved_at,
        "seen": incident.seen,
        "by": incident.by,
        "note": incident.note,
    }


def status_data(
    inputs: HubInputs,
    health: tuple[PredictorHealth, ...],
    incidents: tuple[Incident, ...],
    waiting: Mapping[str, datetime],
    witnesses: tuple[SpokeWitness, ...] = (),
) -> dict[str, Any]:
    """The fleet's health as ``{"clusters": [{"name", "health", "models", "witness"}], "incidents": [...]}``.

    A predictor that no pass has seen is unknown, and keeps its spoke from being healthy. ``waiting`` is spoke to next
    poll, of those that are asked less often.
    """
    known = {(item.cluster, item.model): item for item in health}
    said = {one.cluster: witness_data(one) for one in witnesses}
    clusters = []
    for cluster in inputs.clusters:
        seen = [item for model in cluster.models if (item := known.get((cluster.name, model.name))) is not None]
        condition = spoke_condition(seen)
        if condition is Condition.HEALTHY and len(seen) < len(cluster.models):
            condition = Condition.UNKNOWN
        clusters.append(
            {
                "name": cluster.name,
                "health": str(condition),
                "quarantined": cluster.quarantined,
                "nextPoll": waiting.get(cluster.name),
                "models": [model_data(model, known.get((cluster.name, model.name))) for model in cluster.models],
                "witness": said.get(cluster.name),
            }
        )
    return {"clusters": clusters, "incidents": [incident_data(incident) for incident in incidents]}


def running_data(term: "TermRecord | None", last: "PassRecord | None") -> dict[str, Any]:
    """Who leads and from which configuration: ``{"leader", "configuration", "complaint"}``."""
    return {
        "leader": None if term is None else {"holder": term.holder, "epoch": term.epoch, "since": term.since},
        "configuration": last.configuration if last else "",
        "complaint": last.complaint if last else "",
    }


def model_data(model: InferenceService, health: PredictorHealth | None) -> dict[str, Any]:
    """One predictor in ``status -o json``."""
    return {
        "name": model.name,
        "version": model.version,
        "health": str(health.condition) if health else "unknown",
        "reason": str(health.reason) if health else "never-polled",
        "since": health.since if health else None,
        "lastOutcome": str(health.last_outcome) if health else None,
        "lastAt": health.last_at if health else None,
        "votes": [{"at": vote.at, "anomalies": vote.anomalies, "instances": vote.instances} for vote in health.votes]
        if health
        else [],
    }


def spark(votes: list[dict[str, Any]]) -> str:
    """The share of anomalous rows in the latest votes, a bar each, oldest first."""
    bars = "▁▂▃▄▅▆▇█"
    shares = (vote["anomalies"] / vote["instances"] for vote in votes[-12:])
    return "".join(bars[min(7, int(share * 8))] for share in shares)


def changes_data(found: changes.Changes) -> dict[str, Any]:
    """The differences as plain data."""
    return {
        "spokes": {
            "added": list(found.spokes.added),
            "changed": list(found.spokes.changed),
            "removed": list(found.spokes.removed),
        },
        "files": {"added": list(found.added), "changed": list(found.changed), "removed": list(found.removed)},
    }
