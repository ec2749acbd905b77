"""Nouns for the tests of the store: plain ones with a few fields set, and strategies for any."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from hubctl.model import health, incident, predictor, remediation, witness

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

_OBSERVATION = predictor.Observation("edge-a", "anomaly-detector", "v1", NOW, predictor.Outcome.OK)
_HEALTH = health.PredictorHealth(
    "edge-a", "anomaly-detector", "v1", health.Condition.HEALTHY, "", NOW, NOW, NOW, predictor.Outcome.OK
)
_INCIDENT = incident.Incident(
    "inc-00000001",
    "model-anomaly:anomaly-detector@v2",
    health.FindingKind.MODEL_ANOMALY,
    incident.State.OPEN,
    "anomaly-detector v2 is anomalous on 2 of 3 spokes",
    ("edge-a", "edge-b"),
    NOW,
    NOW,
)
_REMEDIATION = remediation.Remediation(
    "rem-000000000001",
    "inc-00000001",
    "rollback",
    remediation.Action.ROLLBACK_MODEL,
    (remediation.Target("edge-a", "v2", "v1"),),
    remediation.State.PENDING,
    NOW,
    NOW,
)


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def observation(**changes: Any) -> predictor.Observation:
    return replace(_OBSERVATION, **changes)


def predictor_health(**changes: Any) -> health.PredictorHealth:
    return replace(_HEALTH, **changes)


def case(number: int = 1, **changes: Any) -> incident.Incident:
    return replace(_INCIDENT, **({"id": f"inc-{number:08x}", "key": f"model-anomaly:m{number}@v2"} | changes))


def remedy(number: int = 1, **changes: Any) -> remediation.Remediation:
    return replace(_REMEDIATION, **({"id": f"rem-{number:012x}"} | changes))


def decision(verdict: incident.Verdict, *reasons: incident.Reason, at: datetime, **changes: Any) -> incident.Decision:
    return replace(incident.Decision(at, verdict, case(), reasons), **changes)


NAMES = st.text("abcdefghij-", min_size=1, max_size=8)
INSTANTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(max_size=20)
COUNTS = st.integers(0, 10_000)
SHARES = st.floats(0, 1)

VOTES = st.builds(
    health.Vote, window=TEXTS, at=INSTANTS, version=NAMES, instances=COUNTS, anomalies=COUNTS, bad=st.booleans()
)
HEALTHS = st.builds(
    health.PredictorHealth,
    cluster=NAMES,
    model=NAMES,
    version=NAMES,
    condition=st.sampled_from(health.Condition),
    reason=TEXTS,
    since=INSTANTS,
    version_since=INSTANTS,
    last_at=INSTANTS,
    last_outcome=st.sampled_from(predictor.Outcome),
    votes=st.lists(VOTES, max_size=4).map(tuple),
    good_streak=COUNTS,
    fault=st.none() | st.sampled_from(predictor.Outcome),
    fault_streak=COUNTS,
    unreachable_streak=COUNTS,
    served=st.none() | st.booleans(),
)
OBSERVATIONS = st.builds(
    predictor.Observation,
    cluster=NAMES,
    model=NAMES,
    version=NAMES,
    at=INSTANTS,
    outcome=st.sampled_from(predictor.Outcome),
    reason=TEXTS,
    detail=TEXTS,
    window=TEXTS,
    instances=COUNTS,
    anomalies=COUNTS,
    latency_ms=st.floats(0, allow_nan=False),
    votes=st.booleans(),
    served_version=TEXTS,
)
INCIDENTS = st.builds(
    incident.Incident,
    id=NAMES,
    key=NAMES,
    kind=st.sampled_from(health.FindingKind),
    state=st.sampled_from(incident.State),
    summary=TEXTS,
    clusters=st.lists(NAMES, max_size=3).map(tuple),
    opened_at=INSTANTS,
    updated_at=INSTANTS,
    model=NAMES,
    version=NAMES,
    deterministic=st.booleans(),
    confidence=SHARES,
    inhibited_by=TEXTS,
    seen=COUNTS,
    resolved_at=st.none() | INSTANTS,
    by=TEXTS,
    note=TEXTS,
)
REMEDIATIONS = st.builds(
    remediation.Remediation,
    id=NAMES,
    incident_id=st.just("inc-00000001"),
    policy=TEXTS,
    action=st.sampled_from(remediation.Action),
    targets=st.lists(st.builds(remediation.Target, NAMES, TEXTS, TEXTS), max_size=3).map(tuple),
    state=st.sampled_from(remediation.State),
    created_at=INSTANTS,
    updated_at=INSTANTS,
    model=NAMES,
    by=TEXTS,
    commit=TEXTS,
    detail=TEXTS,
)
DECISIONS = st.builds(
    incident.Decision,
    at=INSTANTS,
    verdict=st.sampled_from(incident.Verdict),
    incident=NAMES.map(lambda name: replace(_INCIDENT, id=name)),
    reasons=st.lists(st.sampled_from(incident.Reason), max_size=3).map(tuple),
    detail=TEXTS,
    policy=NAMES,
    action=NAMES,
    mode=NAMES,
)
WITNESSES = st.builds(
    witness.SpokeWitness,
    cluster=NAMES,
    at=INSTANTS,
    klusterlet=st.none()
    | st.builds(
        witness.Klusterlet,
        lease=st.sampled_from(witness.Lease),
        since=st.none() | INSTANTS,
        taints=st.lists(NAMES, max_size=2).map(tuple),
        detail=TEXTS,
    ),
    services=st.lists(
        st.builds(
            witness.Service,
            model=NAMES,
            wanted=st.builds(witness.Wanted, NAMES, TEXTS, TEXTS),
            sight=st.sampled_from(witness.Sight),
            ready=st.none() | st.booleans(),
            same=st.none() | st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    application=st.none() | st.builds(witness.Application, name=NAMES, errors=st.lists(TEXTS, max_size=2).map(tuple)),
    route=st.sampled_from(witness.Reach),
    troubles=st.lists(
        st.builds(witness.Trouble, kind=st.sampled_from(health.FindingKind), since=INSTANTS, summary=TEXTS), max_size=2
    ).map(tuple),
)
