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
    health = replace(_with_streaks(before, seen), served=served)
    if _is_new_vote(health, seen, policy):
        health = _with_vote(health, seen, policy)
    return _turned(health, _judge_poll(health, seen, policy), seen.at)


def age(health: PredictorHealth, now: datetime, policy: Aggregate) -> PredictorHealth:
    """The health at ``now`` if nothing more was observed; old votes drop out, an old verdict becomes unknown.

    An anomaly that was raised stays raised behind the unknown.
    """
    health = _rewound(health, now)
    if _seconds(health.last_at, now) > policy.stale_after:
        return _turned(health, (Condition.UNKNOWN, HealthReason.STALE), now)
    health = replace(health, votes=_remembered(health.votes, now, policy))
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
        reason=HealthReason.NEW_VERSION,
        since=min(last.since, seen.at) if last else seen.at,
        version_since=seen.at,
        last_at=seen.at,
        last_outcome=seen.outcome,
    )


def _rewound(health: PredictorHealth, now: datetime) -> PredictorHealth:
    """The health without times after ``now``: when the clock steps back, nothing may have a negative age."""
    return replace(
        health,
        since=min(health.since, now),
        version_since=min(health.version_since, now),
        last_at=min(health.last_at, now),
        votes=tuple(vote if vote.at <= now else replace(vote, at=now) for vote in health.votes),
    )


def _with_streaks(health: PredictorHealth, seen: Observation) -> PredictorHealth:
    """The latest outcome, counted; a poll without a usable answer leaves a fault as it was."""
    fault, streak = health.fault, health.fault_streak
    if seen.outcome is Outcome.OK:
        fault, streak = None, 0
    elif seen.outcome in FAULTS:
        fault, streak = seen.outcome, streak + 1 if fault is seen.outcome else 1
    return replace(
        health,
        last_at=seen.at,
        last_outcome=seen.outcome,
        fault=fault,
        fault_streak=streak,
        unreachable_streak=health.unreachable_streak + 1 if seen.outcome in _UNUSABLE else 0,
    )


def _is_new_vote(health: PredictorHealth, seen: Observation, policy: Aggregate) -> bool:
    """Whether the observation is a vote on a window that is not remembered, from a settled version."""
    return (
        seen.outcome is Outcome.OK
        and seen.votes
        and seen.instances > 0
        and _settled(health, seen.at, policy)
        and all(vote.window != seen.window for vote in health.votes)
    )


def _with_vote(health: PredictorHealth, seen: Observation, policy: Aggregate) -> PredictorHealth:
    """The health with one more vote; raises after enough bad ones, clears after enough good ones in a row."""
    bad = seen.anomalies / seen.instances >= policy.anomalous_fraction
    vote = Vote(seen.window, seen.at, seen.version, seen.instances, seen.anomalies, bad)
    votes = _remembered((*health.votes, vote), seen.at, policy)
    streak = 0 if bad else health.good_streak + 1
    lately = votes[-(policy.raise_after + 1) :]
    raises = len(votes) >= policy.min_votes and sum(one.bad for one in lately) >= policy.raise_after
    raised = streak < policy.clear_after and (health.raised or raises)
    return replace(health, votes=votes, good_streak=streak, raised=raised)


def _remembered(votes: tuple[Vote, ...], now: datetime, policy: Aggregate) -> tuple[Vote, ...]:
    """The votes of the latest ``window``, bounded in number.

    The newest is kept however old: a window that never changes would vote again each time it is forgotten.
    """
    size = max(policy.raise_after + 1, policy.min_votes) + policy.clear_after + _SPARE_VOTES
    kept = tuple(vote for vote in votes if _seconds(vote.at, now) <= policy.window)
    return kept[-size:] or votes[-1:]


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
    if not _settled(health, now, policy):
        return Condition.UNKNOWN, HealthReason.SETTLING
    if health.votes and _seconds(health.votes[-1].at, now) > policy.stale_after:
        return Condition.UNKNOWN, HealthReason.STALE
    if sum(_seconds(vote.at, now) <= policy.window for vote in health.votes) < policy.min_votes:
        fresh = health.version_since == now
        return Condition.UNKNOWN, HealthReason.NEW_VERSION if fresh else HealthReason.TOO_FEW_VOTES
    if health.raised:
        return Condition.ANOMALOUS, HealthReason.CLEARING if health.good_streak else HealthReason.VOTES_BAD
    return Condition.HEALTHY, HealthReason.VOTES_GOOD


def _turned(health: PredictorHealth, judgement: _Judgement, now: datetime) -> PredictorHealth:
    """The health with this condition, since now unless it had it already."""
    condition, reason = judgement
    since = health.since if condition is health.condition else now
    return replace(health, condition=condition, reason=str(reason), since=since)


def _settled(health: PredictorHealth, now: datetime, policy: Aggregate) -> bool:
    """Whether what answers is the version: golden rows or feedback say so, else it has been there long enough."""
    if health.served is not None:
        return health.served
    return _seconds(health.version_since, now) >= policy.settle


def _seconds(since: datetime, now: datetime) -> float:
    """Seconds from ``since`` to ``now``."""
    return (now - since).total_seconds()
