"""Decisions, remediations and histories for the tests of planning."""

from hubctl.model.health import FindingKind
from hubctl.model.incident import Decision, Incident, Reason, Verdict
from hubctl.model.incident import State as IncidentState
from hubctl.model.remediation import Action, Remediation, State, Target
from hubctl.model.values import Remediation as Policy
from hubctl.remediate.plan import History, Plan, plan
from tests.aggregate.polls import minute

NOW = minute(600)
WIDE = Policy(max_spokes_at_once=10, max_actions_per_hour=10)


def incident(kind: str = "model-anomaly", clusters: str = "ab", **changes: object) -> Incident:
    """An open incident about m v2, or about a spoke."""
    about_model = kind.startswith(("model", "predictor"))
    data: dict[str, object] = {
        "id": f"inc-{kind}",
        "key": kind,
        "kind": FindingKind(kind),
        "state": IncidentState.OPEN,
        "summary": f"{kind} on {clusters}",
        "clusters": tuple(clusters),
        "opened_at": minute(0),
        "updated_at": minute(0),
        "model": "m" if about_model else "",
        "version": "v2" if about_model else "",
    }
    return Incident(**(data | changes))  # type: ignore[arg-type]


def act(about: Incident, action: str = "rollback-model", mode: str = "auto", clusters: str = "") -> Decision:
    """A decision to act."""
    reasons = (Reason.POLICY_MATCHED,)
    named = tuple(clusters) or about.clusters
    return Decision(NOW, Verdict.ACT, about, reasons, policy="p", action=action, mode=mode, clusters=named)


def past(
    state: State,
    clusters: str = "a",
    *,
    action: Action = Action.ROLLBACK_MODEL,
    at: float = 590,
    of: str = "inc-other",
    name: str = "rem-past",
) -> Remediation:
    """An earlier remediation: m from v2 to v1, or a quarantine."""
    rollback = action is Action.ROLLBACK_MODEL
    targets = tuple(Target(c, "v2", "v1") if rollback else Target(c) for c in clusters)
    return Remediation(
        id=name,
        incident_id=of,
        policy="p",
        action=action,
        targets=targets,
        state=state,
        created_at=minute(at),
        updated_at=minute(at),
        model="m" if rollback else "",
    )


def history(*remediations: Remediation, clusters: str = "abcd", good: str = "v1", **changes: object) -> History:
    """All clusters deliver m v2, and v1 was good on each."""
    data: dict[str, object] = {
        "remediations": remediations,
        "deployed": {(cluster, "m"): "v2" for cluster in clusters},
        "good": {(cluster, "m"): ("v2", good) for cluster in clusters},
    }
    return History(**(data | changes))  # type: ignore[arg-type]


def planned(decision: Decision, before: History, policy: Policy = WIDE) -> Plan:
    """The plan for one decision."""
    return plan([decision], policy, before, now=NOW)


def refusal(decision: Decision, before: History, policy: Policy = WIDE) -> set[Reason]:
    """The guards that refused, all of them; nothing may be planned then."""
    made = planned(decision, before, policy)
    assert made.remediations == ()
    [entry] = made.decisions
    assert entry.verdict is Verdict.REFRAIN
    return set(entry.reasons)
