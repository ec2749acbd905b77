"""What golden rows tell beside the outcome: which version a spoke serves, and from when on that is a fault.

A spoke that answers as another known version has not been delivered yet; that is held against nobody until ``settle``
has passed, and is version drift then. Answers that no known version gives are a fault at once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from hubctl.aggregate import witnesses
from hubctl.model.health import Finding, FindingKind, HealthReason, PredictorHealth
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate


def served(seen: Observation, said: bool | None) -> bool | None:  # noqa: FBT001 - three answers
    """Whether the spoke serves the version: what the answer itself shows, else what feedback says."""
    if is_other(seen):
        return False
    return True if seen.served_version == seen.version else said


def is_other(seen: Observation) -> bool:
    """Whether the golden rows were answered as another known version answers them."""
    return seen.outcome is Outcome.GOLDEN_MISMATCH and bool(seen.served_version)


def excused(seen: Observation, since: datetime, policy: Aggregate) -> Observation:
    """The observation; while the version is so new that another may still be served, one without a fault or a vote."""
    if not is_other(seen) or (seen.at - since).total_seconds() >= policy.settle:
        return seen
    return replace(seen, outcome=Outcome.OK, votes=False)


def drifted(one: PredictorHealth, policy: Aggregate) -> bool:
    """Whether a predictor has answered as another version for ``raise_after`` polls, though it had the time."""
    return (
        one.last_outcome is one.fault is Outcome.GOLDEN_MISMATCH
        and one.reason == HealthReason.NOT_SERVED
        and one.fault_streak >= policy.raise_after
    )


def drifts(
    health: Iterable[PredictorHealth],
    observations: Iterable[Observation],
    witnessed: Iterable[Finding],
    policy: Aggregate,
) -> list[Finding]:
    """A finding for each drifted predictor of which no witness says the same; explained by what explains theirs."""
    mine = [one for one in health if drifted(one, policy)]
    if not mine:
        return []
    answers = {(one.cluster, one.model): one.served_version for one in observations if is_other(one)}
    why: dict[str, dict[FindingKind, str]] = defaultdict(dict)
    known = set()
    for finding in witnessed:
        why[finding.clusters[0]][finding.kind] = finding.key
        known.add(finding.key)
    found = []
    for one in mine:
        key = f"{FindingKind.VERSION_DRIFT}:{one.cluster}/{one.model}"
        other = answers.get((one.cluster, one.model), "another version")
        if key not in known:
            found.append(
                Finding(
                    kind=FindingKind.VERSION_DRIFT,
                    key=key,
                    clusters=(one.cluster,),
                    summary=f"Git says {one.model} {one.version}, {one.cluster} answers golden rows as {other}",
                    model=one.model,
                    version=one.version,
                    deterministic=True,
                    inhibited_by=witnesses.explained(FindingKind.VERSION_DRIFT, why[one.cluster]),
                )
            )
    return found
