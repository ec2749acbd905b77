"""PredictorHealth: what one more poll, or time without one, makes of a model on a spoke.

Two polls of one input window are one vote. A poll that brings no answer pauses every clock: it neither raises nor
clears, it only makes the predictor unknown until it answers again.
"""

from dataclasses import replace
from datetime import datetime

from hubctl.aggregate import golden
from hubctl.model.health import FAULTS, NO_ANSWER, Condition, HealthReason, PredictorHealth, Vote
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate

_UNUSABLE = NO_ANSWER | {Outcome.NOT_READY, Outcome.OVERLOADED}
_SPARE_VOTES = 16
"""Votes remembered beyond those that raise and clear, so that a window that comes back is recognized."""

_Judgement = tuple[Condition, str]


def fold(
    last: PredictorHealth | None, seen: Observation, policy: Aggregate, *, served: bool | None = None
) -> PredictorHealth:
    """The health after one observation of the same cluster and model.

    A version other than the remembered one starts anew: votes and streaks are forgotten.

    Args:
        last: the health before; None for a predictor that was never polled.
        seen: one poll.
        policy: when votes count and raise.
        served: whether feedback says that the spoke serves the version; the answer itself has the last word.
    """
    before = _before(last, seen)
    served = golden.served(seen, served)
    seen = golden.excused(seen, before.version_since, policy)
    fault, fault_streak = _fault(before, seen)
    votes, good_streak, raised = before.votes, before.good_streak, before.raised
    if _is_new_vote(before, seen, policy, served=served):
        votes, good_streak, raised = _with_vote(before, seen, policy)
    # Built once: a copy for each step would cost more than all that is decided here.
    health = PredictorHealth(
        cluster=before.cluster,
        model=before.model,
        version=before.version,
        condition=before.condition,
        reason=before.reason,
        since=before.since,
        version_since=before.version_since,
        last_at=seen.at,
        last_outcome=seen.outcome,
        votes=votes,
        good_streak=good_streak,
        fault=fault,
        fault_streak=fault_streak,
        unreachable_streak=before.unreachable_streak + 1 if seen.outcome in _UNUSABLE else 0,
        raised=raised,
        served=served,
    )
    return _turned(health, _judge_poll(health, seen, policy), seen.at)


def age(health: PredictorHealth, now: datetime, policy: Aggregate) -> PredictorHealth:
    """The health at ``now`` if nothing more was observed; old votes drop out, an old verdict becomes unknown.

    An anomaly that was raised stays raised behind the unknown. What does not change is not copied.
    """
    health = _rewound(health, now)
    if (now - health.last_at).total_seconds() > policy.stale_after:
        return _turned(health, (Condition.UNKNOWN, HealthReason.STALE), now)
    votes = _remembered(health.votes, now, policy)
    if votes is not health.votes:
        health = replace(health, votes=votes)
    if health.condition is Condition.UNKNOWN:
        return health
    if health.reason == HealthReason.ANSWERS:
        return _turned(health, (Condition.UNKNOWN, HealthReason.NOT_SERVED), now) if health.served is False else health
    return _turned(health, _judge_votes(health, now, policy), now)


def _before(last: PredictorHealth | None, seen: Observation) -> PredictorHealth:
    """The remembered health, or an empty one for a predictor or a version that is new."""
    if last is not None and last.version == seen.version:
        return _rewound(last, seen.at)
    return PredictorHealth(
        cluster=seen.cluster,
        model=seen.model,
        version=seen.version,
        condition=last.condition if last else Condition.UNKNOWN,
        reason=str(HealthReason.NEW_VERSION),
        since=min(last.since, seen.at) if last else seen.at,
        version_since=seen.at,
        last_at=seen.at,
        last_outcome=seen.outcome,
    )


def _rewound(health: PredictorHealth, now: datetime) -> PredictorHealth:
    """The health without times after ``now``: when the clock steps back, nothing may have a negative age."""
    votes = health.votes
    known = health.since <= now and health.version_since <= now and health.last_at <= now
    if known and (not votes or votes[-1].at <= now):
        return health
    return replace(
        health,
        since=min(health.since, now),
        version_since=min(health.version_since, now),
        last_at=min(health.last_at, now),
        votes=tuple(vote if vote.at <= now else replace(vote, at=now) for vote in votes),
    )


def _fault(before: PredictorHealth, seen: Observation) -> tuple[Outcome | None, int]:
    """The fault and its polls in a row; a poll without a usable answer leaves both as they were."""
    if seen.outcome is Outcome.OK:
        return None, 0
    if seen.outcome in FAULTS:
        return seen.outcome, before.fault_streak + 1 if before.fault is seen.outcome else 1
    return before.fault, before.fault_streak


def _is_new_vote(before: PredictorHealth, seen: Observation, policy: Aggregate, *, served: bool | None) -> bool:
    """Whether the observation is a vote on a window that is not remembered, from a settled version."""
    return (
        seen.outcome is Outcome.OK
        and seen.votes
        and seen.instances > 0
        and _settled(before.version_since, served, seen.at, policy)
        and seen.window not in [vote.window for vote in before.votes]
    )


def _with_vote(before: PredictorHealth, seen: Observation, policy: Aggregate) -> tuple[tuple[Vote, ...], int, bool]:
    """Votes, good streak and verdict with one more vote: raised after enough bad ones, cleared after enough good."""
    bad = seen.anomalies / seen.instances >= policy.anomalous_fraction
    vote = Vote(seen.window, seen.at, seen.version, seen.instances, seen.anomalies, bad)
    votes = _remembered((*before.votes, vote), seen.at, policy)
    streak = 0 if bad else before.good_streak + 1
    lately = votes[-(policy.raise_after + 1) :]
    raises = len(votes) >= policy.min_votes and sum([one.bad for one in lately]) >= policy.raise_after
    return votes, streak, streak < policy.clear_after and (before.raised or raises)


def _remembered(votes: tuple[Vote, ...], now: datetime, policy: Aggregate) -> tuple[Vote, ...]:
    """The votes of the latest ``window``, bounded in number.

    The newest is kept however old: a window that never changes would vote again each time it is forgotten.
    """
    size = max(policy.raise_after + 1, policy.min_votes) + policy.clear_after + _SPARE_VOTES
    if len(votes) > size:
        votes = votes[-size:]
    old = 0
    while old < len(votes) - 1 and (now - votes[old].at).total_seconds() > policy.window:
        old += 1
    return votes[old:] if old else votes


def _judge_poll(health: PredictorHealth, seen: Observation, policy: Aggregate) -> _Judgement:
    """What the latest poll lets us say."""
    if seen.outcome is not Outcome.OK:
        return Condition.UNKNOWN, HealthReason.NOT_SERVED if golden.is_other(seen) else seen.outcome.value
    if health.served is False:
        return Condition.UNKNOWN, HealthReason.NOT_SERVED
    if seen.votes:
        return _judge_votes(health, seen.at, policy)
    if seen.instances:
        return Condition.HEALTHY, HealthReason.ANSWERS
    return Condition.UNKNOWN, HealthReason.NO_FEATURES


def _judge_votes(health: PredictorHealth, now: datetime, policy: Aggregate) -> _Judgement:
    """What the remembered votes let us say."""
    if health.served is False:
        return Condition.UNKNOWN, HealthReason.NOT_SERVED
    if not _settled(health.version_since, health.served, now, policy):
        return Condition.UNKNOWN, HealthReason.SETTLING
    votes = health.votes
    if votes and (now - votes[-1].at).total_seconds() > policy.stale_after:
        return Condition.UNKNOWN, HealthReason.STALE
    if len(votes) < policy.min_votes or (now - votes[-policy.min_votes].at).total_seconds() > policy.window:
        fresh = health.version_since == now
        return Condition.UNKNOWN, HealthReason.NEW_VERSION if fresh else HealthReason.TOO_FEW_VOTES
    if health.raised:
        return Condition.ANOMALOUS, HealthReason.CLEARING if health.good_streak else HealthReason.VOTES_BAD
    return Condition.HEALTHY, HealthReason.VOTES_GOOD


def _turned(health: PredictorHealth, judgement: _Judgement, now: datetime) -> PredictorHealth:
    """The health with this condition, since now unless it had it already."""
    condition, reason = judgement
    if condition is not health.condition:
        return replace(health, condition=condition, reason=str(reason), since=now)
    return health if reason == health.reason else replace(health, reason=str(reason))


def _settled(version_since: datetime, served: bool | None, now: datetime, policy: Aggregate) -> bool:  # noqa: FBT001 - three answers
    """Whether what answers is the version: golden rows or feedback say so, else it has been there long enough."""
    return (now - version_since).total_seconds() >= policy.settle if served is None else served
