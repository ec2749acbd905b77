"""A fleet in memory: scripted predictors, polled, aggregated, decided and planned round by round, effects applied."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hubctl.aggregate import Aggregation, aggregate
from hubctl.decide.rules import decide
from hubctl.model import incident as incidents
from hubctl.model.health import Condition
from hubctl.model.incident import Decision, Incident
from hubctl.model.remediation import Action, Remediation, State
from hubctl.model.values import Aggregate
from hubctl.model.values import Remediation as Policy
from hubctl.remediate.plan import History, Plan, plan, ready, revalidate, verify
from tests.aggregate.polls import minute, seen

T = TypeVar("T")
Cell = tuple[str, str]
Script = Callable[[Cell, str, int], str]
"""What a predictor answers, by cell, version and round: a kind as ``polls.seen`` takes it."""


@dataclass
class Fleet:
    """The state that a store and a branch would hold between passes."""

    deployed: dict[Cell, str]
    policy: Policy
    script: Script
    aggregated: Aggregation = field(default_factory=lambda: Aggregation((), ()))
    unresolved: dict[str, Incident] = field(default_factory=dict)
    remediations: dict[str, Remediation] = field(default_factory=dict)
    good: dict[Cell, tuple[str, ...]] = field(default_factory=dict)
    quarantined: set[str] = field(default_factory=set)
    decisions: Sequence[Decision] = ()
    planned: Plan = field(default_factory=lambda: Plan((), ()))

    def turn(self, number: int, shuffle: random.Random | None = None) -> None:
        """One pass; with ``shuffle`` everything that has no order is handed on in another one."""
        now = minute(number)
        polls = [
            seen(self.script(cell, version, number), number, cluster=cell[0], model=cell[1], version=version)
            for cell, version in self.deployed.items()
        ]
        self.aggregated = aggregate(_mixed(polls, shuffle), self.aggregated.health, Aggregate(settle=0), now=now)
        health = self.aggregated.health
        known = _mixed(list(self.unresolved.values()), shuffle)
        self.decisions = decide(self.aggregated.findings, known, health, self.policy, now=now)
        touched = {one.incident.id: one.incident for one in self.decisions}
        open_now = {id_: one for id_, one in touched.items() if one.state is not incidents.State.RESOLVED}
        earlier = verify(
            _mixed(list(self.remediations.values()), shuffle), touched, self.policy, now=now, health=health
        )
        earlier = revalidate(earlier, open_now, self.deployed, now=now)
        self.planned = plan(self.decisions, self.policy, self._history(earlier), now=now)
        self.unresolved = {one.key: one for one in open_now.values()}
        self.remediations = {one.id: one for one in (*earlier, *self.planned.remediations)}
        for one in health:
            if one.condition is Condition.HEALTHY:
                before = self.good.get((one.cluster, one.model), ())
                self.good[one.cluster, one.model] = (one.version, *(v for v in before if v != one.version))

    def carry_out(self, number: int) -> None:
        """Apply what is ready to start."""
        for one in ready(list(self.remediations.values()), self.unresolved.values(), self.policy):
            for target in one.targets:
                if one.action is Action.QUARANTINE:
                    self.quarantined.add(target.cluster)
                else:
                    self.deployed[target.cluster, one.model] = target.to_version
            started = one.moved(State.EXECUTING, now=minute(number))
            self.remediations[one.id] = started.moved(State.APPLIED, now=minute(number))

    def approve_all(self, number: int) -> None:
        """A person approves whatever waits."""
        for one in self.remediations.values():
            if one.state is State.PENDING:
                self.remediations[one.id] = one.moved(State.APPROVED, by="ann", now=minute(number))

    def _history(self, earlier: tuple[Remediation, ...]) -> History:
        return History(
            remediations=earlier,
            deployed=dict(self.deployed),
            good=dict(self.good),
            healthy=frozenset(
                (one.cluster, one.model, one.version)
                for one in self.aggregated.health
                if one.condition is Condition.HEALTHY
            ),
            quarantined=frozenset(self.quarantined),
        )

    def copy(self) -> "Fleet":
        """A fleet that goes its own way from here."""
        return replace(
            self,
            deployed=dict(self.deployed),
            unresolved=dict(self.unresolved),
            remediations=dict(self.remediations),
            good=dict(self.good),
            quarantined=set(self.quarantined),
        )


def _mixed(items: list[T], shuffle: random.Random | None) -> list[T]:
    """The items in another order, if asked."""
    return shuffle.sample(items, len(items)) if shuffle else items
