"""The values of metrics that a pass gives. Pure."""

from collections import Counter
from typing import TYPE_CHECKING

from hubctl import metrics
from hubctl.errors import Held, HubctlError, PublishConflict, RemoteFailed
from hubctl.metrics import Sample, counted
from hubctl.model import incident as incidents
from hubctl.model.health import Condition, FindingKind
from hubctl.model.holds import Reach
from hubctl.model.remediation import State

if TYPE_CHECKING:
    from hubctl.passes import Pass

_GIT = (RemoteFailed, PublishConflict)


def of_pass(made: "Pass", seconds: float, ended: float) -> tuple[Sample, ...]:
    """What a pass that came to its end gives.

    Args:
        made: the pass.
        seconds: that it took.
        ended: Unix time of its end.
    """
    failed = [problem for problem in made.problems if not isinstance(problem, Held)]
    git = sum(isinstance(problem, _GIT) for problem in failed)
    return (
        Sample(metrics.PASSES, 1, ("partial" if failed else "done",)),
        Sample(metrics.PASS_SECONDS, seconds),
        Sample(metrics.LAST_PASS, ended),
        Sample(metrics.GIT_FAILURES, git),
        *counted(metrics.PROBLEMS, Counter(type(problem).__name__ for problem in failed)),
        *_published(made),
        *_seen(made),
        *_polled(made),
        *_concluded(made),
        *_held(made),
    )


def of_failure(error: HubctlError, seconds: float) -> tuple[Sample, ...]:
    """What a pass gives that did not come to its end; gauges keep what the last one said."""
    return (
        Sample(metrics.PASSES, 1, ("failed",)),
        Sample(metrics.PASS_SECONDS, seconds),
        Sample(metrics.PROBLEMS, 1, (type(error).__name__,)),
        Sample(metrics.GIT_FAILURES, isinstance(error, _GIT)),
    )


def open_incidents(made: "Pass") -> tuple[incidents.Incident, ...]:
    """Those that the pass leaves unresolved."""
    known = {one.id: one for one in made.unresolved} | {one.incident.id: one.incident for one in made.decisions}
    return tuple(one for one in known.values() if one.state is not incidents.State.RESOLVED)


def _published(made: "Pass") -> list[Sample]:
    found = []
    if made.commit is not None:
        found.append(Sample(metrics.PUBLISHES, 1, ("commit",)))
    if made.proposed is not None and made.proposed.commit:
        found.append(Sample(metrics.PUBLISHES, 1, ("pull-request",)))
    return found


def _seen(made: "Pass") -> list[Sample]:
    conditions = [str(one) for one in Condition]
    found = [
        *counted(metrics.OBSERVATIONS, Counter(str(one.outcome) for one in made.observations)),
        *counted(metrics.PREDICTORS, Counter(str(one.condition) for one in made.health), conditions),
        Sample(metrics.BACKING_OFF, sum(one.cluster in made.waiting for one in made.health)),
        Sample(metrics.UNREAD_KINDS, len(made.snapshot.unread) if made.snapshot else 0),
    ]
    if made.inputs is not None:
        found.append(Sample(metrics.SPOKES, len(made.inputs.clusters)))
        if made.inputs.values.hubctl.metrics.per_spoke:
            cells = Counter((one.cluster, str(one.condition)) for one in made.health)
            found += [Sample(metrics.SPOKE_PREDICTORS, count, cell) for cell, count in sorted(cells.items())]
    return found


def _polled(made: "Pass") -> list[Sample]:
    """Of the rounds that ended, and of the one turn of a pass without rounds."""
    found = [Sample(metrics.CONTROLS, len(made.controls))]
    for one in made.rounds:
        tally = one.tally
        found += counted(metrics.SKIPPED, tally.skipped)
        found += [Sample(metrics.RETRIED, tally.retried), Sample(metrics.OPENED, tally.opened)]
        found += [Sample(metrics.UNDER_WAY, tally.under_way), Sample(metrics.BREAKERS, tally.breakers)]
        found += [Sample(metrics.ROUNDS, 1), Sample(metrics.ROUND_SECONDS, one.seconds)]
        found += [Sample(metrics.LAG, lag) for lag in tally.lags]
    return found


def _concluded(made: "Pass") -> list[Sample]:
    kinds = [str(kind) for kind in FindingKind]
    latest = {one.id: one for one in made.stored} | {one.id: one for one in made.remediations}
    return [
        *counted(metrics.FINDINGS, Counter(str(one.kind) for one in made.findings if not one.inhibited_by), kinds),
        *counted(metrics.INCIDENTS, Counter(str(one.kind) for one in open_incidents(made)), kinds),
        *counted(metrics.REMEDIATIONS, Counter(str(one.state) for one in latest.values()), [str(one) for one in State]),
    ]


def _held(made: "Pass") -> list[Sample]:
    on = Counter(str(stop.reach) for stop in made.holds.stops)
    return [
        *(Sample(metrics.STOPPED, bool(on[reach]), (str(reach),)) for reach in Reach),
        Sample(metrics.PAUSES, len(made.holds.pauses)),
    ]
