"""Pass: what one pass over the fleet has come to so far, and what follows from that alone.

Apart from ``reconcile``, which is only the order of its stages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hubctl.errors import HubctlError
from hubctl.model import incident as incidents
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.model.health import Finding, PredictorHealth, is_good
from hubctl.model.holds import Holds
from hubctl.model.inventory import Look
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.remediation import WAITS, Remediation
from hubctl.model.snapshot import Snapshot
from hubctl.model.turn import Made
from hubctl.model.witness import SpokeWitness
from hubctl.observe import capacity
from hubctl.publish import branch, pulls


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass has come to so far.

    Attributes:
        now: the pass's own time; every decision in it is made at this instant.
        dry_run: nothing is published, stored or carried out.
        snapshot: the hub's own objects; None when the values need none of them.
        holds: what people stopped and paused, as the pass began.
        looked: what they make of the fleet; None when it comes from files alone.
        commit: what was published, None when nothing changed.
        proposed: what came of a pull request, None where hubctl commits to the branch itself.
        witnesses: what the hub's objects say of each spoke; empty when nobody is heard.
        remembered: health as the pass before left it.
        waiting: spokes that do not answer and are not asked in this pass, and when they are.
        rounds: of polls that ended since the pass before.
        blind: what the hub itself needs and did not reach in this pass.
        controls: what of that, and of the control probes, failed long enough to count.
        unresolved: incidents as the store held them when the pass judged.
        stored: remediations as the store held them when the pass proposed.
        remediations: every one that this pass made or moved, as it stands.
        problems: failures of remote parts and refusals that did not end the pass.
    """

    now: datetime
    dry_run: bool = False
    snapshot: Snapshot | None = None
    looked: Look | None = None
    published: tree.Published = field(default_factory=tree.Published)
    inputs: HubInputs | None = None
    holds: Holds = field(default_factory=Holds)
    commit: branch.Commit | None = None
    proposed: pulls.Proposed | None = None
    remembered: tuple[PredictorHealth, ...] = ()
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    observations: tuple[Observation, ...] = ()
    rounds: tuple[Made, ...] = ()
    blind: Mapping[str, str] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    health: tuple[PredictorHealth, ...] = ()
    witnesses: tuple[SpokeWitness, ...] = ()
    findings: tuple[Finding, ...] = ()
    decisions: tuple[incidents.Decision, ...] = ()
    unresolved: tuple[incidents.Incident, ...] = ()
    stored: tuple[Remediation, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    problems: tuple[HubctlError, ...] = ()

    @property
    def fleet(self) -> HubInputs:
        """The inputs, once they are loaded."""
        assert self.inputs is not None, "a stage ran before `load`"  # noqa: S101 - a mistake in STAGES, not of a user
        return self.inputs


ROUND = "; last round: "
"""Stands before what the summary says of a round."""


def latest(before: Sequence[Remediation], after: Iterable[Remediation]) -> tuple[Remediation, ...]:
    """Both, each id once, as it stands after."""
    return tuple(({item.id: item for item in before} | {item.id: item for item in after}).values())


def good_now(so_far: Pass) -> tuple[PredictorHealth, ...]:
    """Predictors whose votes say now that their version is good."""
    return tuple(health for health in so_far.health if is_good(health))


def summary_of(made: Pass) -> str:
    """One line for the list of passes."""
    asked = [seen for seen in made.observations if seen.outcome is not Outcome.SKIPPED]
    ok = sum(seen.outcome is Outcome.OK for seen in asked)
    waits = (
        f"; {WAITS}{made.proposed.pull.url}" if made.proposed and made.proposed.commit and made.proposed.pull else ""
    )
    rounds = f"{ROUND}{told_of(made.rounds[-1])}" if made.rounds and made.rounds[-1].over else ""
    return f"{ok} of {len(asked)} predictors ok, {len(made.findings)} findings{rounds}{waits}"


def told_of(made: Made) -> str:
    """One line about a round."""
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(made.tally.skipped.items()))
    behind = f"99 % begun within {capacity.lag(made.tally):.2f} s"
    left_out = f"{sum(made.tally.skipped.values())} skipped ({skipped})" if skipped else "none skipped"
    return f"{made.tally.due} polls in {made.seconds:.1f} s, {left_out}, {behind}"
