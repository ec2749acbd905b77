"""One pass over the fleet, in the order of the folders; no timers, no SQL, no HTTP.

Each stage takes the hub and the pass so far and gives the pass with one thing more. Everything is read anew in every
pass: nothing is trusted to have been seen before but what the store and the branch hold.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from hubctl import behind, desired, discovery, holding, outlet, promotion, testimony
from hubctl import hub as hubs
from hubctl.aggregate import Said, aggregate
from hubctl.decide.rules import decide
from hubctl.errors import GuardRefused, Held, ManifestRefused, PublishConflict, RemoteFailed
from hubctl.inputs import discover
from hubctl.model import incident as incidents
from hubctl.model.fleet import deployed_versions, services
from hubctl.model.predictor import Outcome
from hubctl.model.remediation import UNDER_WAY, Action, Remediation, State
from hubctl.passes import Pass, good_now, latest, summary_of
from hubctl.publish import branch, pulls
from hubctl.remediate import actions, override, plan

Stage = Callable[[hubs.Hub, Pass], Awaitable[Pass]]


async def reconcile(hub: hubs.Hub, now: datetime, *, dry_run: bool = False) -> Pass:
    """One full pass.

    Raises:
        InputError: the inputs are wrong.
        TemplateError: a template failed.
        StoreUnavailable: the store cannot be written; nothing is carried out then.
    """
    if dry_run:
        return await through(STAGES, *await begun(hub, Pass(now, dry_run=True)))
    number = hub.store.journal.begin_pass(now, hub.settings.commit, hub.complaint)
    made = await through(STAGES, *await begun(hub, Pass(now)))
    hub.store.journal.end_pass(number, now, made.commit.id if made.commit else "", summary_of(made))
    return made


async def act_only(hub: hubs.Hub, now: datetime) -> Pass:
    """Carry out what has been approved, without observing anew."""
    return await through((load, heed, recover, revalidate, act, tidy), *await begun(hub, Pass(now)))


async def through(stages: Sequence[Stage], hub: hubs.Hub, so_far: Pass) -> Pass:
    """The pass after all stages, in order.

    Raises:
        Fenced: this process may not act any more; the stages that are left are the next leader's.
    """
    for stage in stages:
        hub.check()
        so_far = await stage(hub, so_far)
    return so_far


async def begun(hub: hubs.Hub, so_far: Pass) -> tuple[hubs.Hub, Pass]:
    """The hub with every spoke that it names now, and the pass after a look at its own objects."""
    hub, snapshot, looked = await discovery.look(hub, so_far.now, remember=not so_far.dry_run)
    unread = discovery.unread(looked)
    away = snapshot is not None and snapshot.unread and not snapshot.objects
    blind = {"the hub's API": next(iter(snapshot.unread.values()))} if snapshot and away else {}
    return hub, replace(so_far, snapshot=snapshot, looked=looked, problems=(*so_far.problems, *unread), blind=blind)


async def load(hub: hubs.Hub, so_far: Pass) -> Pass:
    """The tip of the branch and the inputs on it; an unreachable remote leaves the tip that was fetched last."""
    problems, blind = so_far.problems, so_far.blind
    try:
        published = await branch.published(hub.outlet.repository, hub.sources.values.hubctl.gitops.overrides)
    except RemoteFailed as error:
        published = await branch.remembered(hub.outlet.repository, hub.sources.values.hubctl.gitops.overrides)
        problems, blind = (*problems, error), {**blind, "the Git remote": error.message}
    inputs = desired.inputs_on(hub.sources, published)
    # A change that waits for its promotion or merge runs nowhere yet.
    if hub.sources.overrides is not None:
        try:
            found = await outlet.delivered(hub.settings, hub.sources, ask=not problems)
        except RemoteFailed as error:
            found = await outlet.delivered(hub.settings, hub.sources, ask=False)
            problems = (*problems, error)
        inputs = desired.as_delivered(inputs, found)
    elif hub.outlet.forge is not None and published.commit:
        found = await outlet.delivered_at(hub.outlet.repository, hub.sources, published.commit)
        inputs = desired.as_delivered(inputs, found)
    return replace(so_far, published=published, inputs=inputs, problems=problems, blind=blind)


async def heed(hub: hubs.Hub, so_far: Pass) -> Pass:
    """What people stopped and paused; each effect asks again just before it."""
    return replace(so_far, holds=gate_of(hub, so_far).holds())


async def recover(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Actions that a dead pass left half done: read from the branch whether the effect is there."""
    if so_far.dry_run:
        return so_far
    settled = []
    for before in hub.store.remedies.executing():
        try:
            commit = "" if before.action is Action.NOTIFY else await hub.find_action(before.id)
        except RemoteFailed as error:
            return replace(so_far, problems=(*so_far.problems, error))
        if not commit and so_far.holds.against(before):
            continue  # its safe point: a pull request that waits stays what it is
        state = State.APPLIED if commit else State.APPROVED
        detail = "found on the branch after an interrupted pass" if commit else "an interrupted pass left no effect"
        after = before.moved(state, now=so_far.now, commit=commit, detail=detail)
        hub.store.remedies.save_remediations((after,), before=(before,))
        settled.append(after)
    return replace(so_far, remediations=(*so_far.remediations, *settled))


async def publish(hub: hubs.Hub, so_far: Pass) -> Pass:
    """The rendered fleet as a commit, if anything changed; a refusal does not keep the pass from observing."""
    options = partial(desired.publish_options, dry_run=so_far.dry_run)
    read = (hub.sources, hub.templates)
    check = gate_of(hub, so_far).refuse_publish
    try:
        check()
        made = await promotion.publish(hub.settings, hub.outlet, read, options=options, now=so_far.now, check=check)
    except (Held, PublishConflict, RemoteFailed, GuardRefused, ManifestRefused) as error:
        return replace(so_far, problems=(*so_far.problems, error))
    # What waits to be merged or promoted does not run, and the rest of the pass must not take it to.
    inputs = so_far.inputs if made.waits else made.inputs
    return replace(so_far, inputs=inputs, commit=made.commit, proposed=made.proposed)


async def observe(hub: hubs.Hub, so_far: Pass) -> Pass:
    """One poll of every predictor, or what rounds saw since the last pass; but of those that are silent for a while."""
    every, remembered = services(so_far.fleet), hub.store.journal.load_health()
    waiting = hub.waiting(every, remembered, so_far.now)
    asked = tuple(service for service in every if service.cluster not in waiting)
    seen = await hub.look(asked, so_far.snapshot, so_far.blind)
    return replace(
        so_far,
        controls=seen.controls,
        observations=seen.observations,
        rounds=seen.rounds,
        problems=(*so_far.problems, *seen.problems),
        remembered=remembered,
        waiting=waiting,
    )


async def conclude(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Health and findings from what was observed and what is remembered."""
    expected = frozenset((service.cluster, service.name) for service in services(so_far.fleet))
    policy, now = hub.sources.values.hubctl, so_far.now
    witnesses = testimony.of_fleet(so_far.snapshot, so_far.fleet, hub.templates.own, now=now)
    said = Said(witnesses, hub.store.witnesses.load(), policy.witness, tip_of(hub, so_far), so_far.controls)
    polled, last, left_out = so_far.observations, so_far.remembered, so_far.waiting.keys()
    rules = hub.patient(policy.aggregate)
    made = aggregate(polled, last, rules, expected=expected, waiting=left_out, now=now, testimony=said)
    seen = discover.findings(so_far.looked, policy.fleet, so_far.now) if so_far.looked else ()
    return replace(so_far, health=made.health, findings=(*seen, *made.findings), witnesses=made.witnesses)


async def judge(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Incidents from findings, and what policies make of them."""
    policy = hub.sources.values.hubctl.remediation
    unresolved = hub.store.cases.unresolved()
    decisions = decide(so_far.findings, unresolved, so_far.health, policy, now=so_far.now, witnesses=so_far.witnesses)
    return replace(so_far, decisions=decisions, unresolved=unresolved)


async def propose(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Remediations from decisions, through the guards; earlier ones verified, expired or seen reverted."""
    stored = hub.store.remedies.remediations()
    earlier = settled(hub, so_far, stored)
    history = plan.History(
        remediations=earlier,
        deployed=deployed_versions(so_far.fleet),
        good=hub.store.journal.good_versions(),
        healthy=frozenset((health.cluster, health.model, health.version) for health in good_now(so_far)),
        quarantined=frozenset(cluster.name for cluster in so_far.fleet.clusters if cluster.quarantined),
        unheard=frozenset(one.cluster for one in so_far.witnesses if one.is_unheard),
        down=frozenset(one.cluster for one in so_far.witnesses if one.is_down),
    )
    policy = hub.sources.values.hubctl.remediation
    planned = plan.plan(so_far.decisions, policy, history, now=so_far.now, holds=so_far.holds)
    moved = (after for before, after in zip(stored, earlier, strict=True) if before != after)
    return replace(
        so_far,
        decisions=(*so_far.decisions, *planned.decisions),
        stored=stored,
        remediations=latest(so_far.remediations, (*moved, *planned.remediations)),
    )


async def record(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Everything concluded so far, in one transaction, before anything is carried out."""
    if so_far.dry_run:
        return so_far
    journal, cases = hub.store.journal, hub.store.cases
    changed = {decision.incident.id: decision.incident for decision in so_far.decisions}
    known = {item.id: item for item in so_far.stored}
    moved = tuple(item for item in so_far.remediations if known.get(item.id) != item)
    with hub.store.transaction():
        keep = hub.sources.values.hubctl.store.keep
        made = tuple(seen for seen in so_far.observations if seen.outcome is not Outcome.SKIPPED)
        journal.record(so_far.health, made, now=so_far.now, keep=keep)
        hub.store.witnesses.save(so_far.witnesses)
        cases.save_incidents(changed.values(), before=so_far.unresolved)
        cases.append_decisions(so_far.decisions)
        behind.keep(hub.store, so_far.decisions, so_far.observations, so_far.witnesses)
        hub.store.remedies.save_remediations(moved, before=so_far.stored)
    return so_far


async def revalidate(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Approved actions whose reason is gone expire; for a pass that does not observe."""
    waiting = hub.store.remedies.remediations(UNDER_WAY)
    unresolved = {incident.id: incident for incident in hub.store.cases.unresolved()}
    kept = plan.revalidate(waiting, unresolved, deployed_versions(so_far.fleet), now=so_far.now)
    changed = tuple(after for before, after in zip(waiting, kept, strict=True) if before != after)
    hub.store.remedies.save_remediations(changed, before=waiting)
    return replace(so_far, remediations=latest(so_far.remediations, changed))


async def act(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Carry out what is approved: the intent is stored before the effect, the outcome after it."""
    if so_far.dry_run:
        return so_far
    remedies, done = hub.store.remedies, so_far.remediations
    policy, gate = hub.sources.values.hubctl.remediation, gate_of(hub, so_far)
    for approved in plan.ready(remedies.remediations(), hub.store.cases.unresolved(), policy, so_far.holds):
        if gate.holds().against(approved):
            continue
        intent = approved.moved(State.EXECUTING, now=so_far.now)
        remedies.save_remediations((intent,), before=(approved,))
        incident = hub.store.cases.incident(approved.incident_id)
        outcome = await actions.carry_out(intent, incident, hub.ports(gate))
        after, state = intent, outcome.state
        if state is State.APPROVED and so_far.now - intent.created_at > timedelta(seconds=policy.verify_within):
            # A remote that refuses for so long does not do so by chance.
            state = State.FAILED
        if state is not State.EXECUTING:
            after = intent.moved(state, now=so_far.now, commit=outcome.commit, detail=outcome.detail)
        elif outcome.detail:
            after = replace(intent, detail=outcome.detail)
        if after != intent:
            remedies.save_remediations((after,), before=(intent,))
        done = latest(done, (after,))
    return replace(so_far, remediations=done)


async def tidy(hub: hubs.Hub, so_far: Pass) -> Pass:
    """Pull requests of remediations that are over closed; those that wait stay."""
    quiet = so_far.dry_run or gate_of(hub, so_far).holds().everything
    if quiet or hub.outlet.forge is None or not hub.outlet.forge.per_action:
        return so_far
    waiting = hub.store.remedies.remediations((State.PENDING, State.APPROVED, State.EXECUTING))
    try:
        await pulls.tidy(hub.outlet.repository, hub.outlet.forge, frozenset(item.id for item in waiting))
    except RemoteFailed as error:
        return replace(so_far, problems=(*so_far.problems, error))
    return so_far


STAGES: tuple[Stage, ...] = (load, heed, recover, publish, observe, conclude, judge, propose, record, act, tidy)
"""The order of a pass, once it has ``begun``."""


def gate_of(hub: hubs.Hub, so_far: Pass) -> holding.Gate:
    """What has to be passed before an effect of this pass."""
    return hub.gate(so_far.now, so_far.fleet.clusters, so_far.snapshot)


def tip_of(hub: hubs.Hub, so_far: Pass) -> str:
    """The commit that Argo CD should compare with; empty where its branch is not the one that hubctl reads."""
    if hub.sources.overrides is not None:
        return ""
    pushed = so_far.commit.id if so_far.commit and so_far.proposed is None else ""
    return pushed or so_far.published.commit


def settled(hub: hubs.Hub, so_far: Pass, stored: tuple[Remediation, ...]) -> tuple[Remediation, ...]:
    """Earlier remediations, in the same order, after this pass's evidence and what the branch says now."""
    # Only what is under way can be verified or expire; the past would cost a look-up each, in every pass.
    asked = sorted({item.incident_id for item in stored if item.state in UNDER_WAY})
    concerned = {name: hub.store.cases.incident(name) for name in asked}
    concerned |= {decision.incident.id: decision.incident for decision in so_far.decisions}
    present = frozenset(found.metadata.annotations.get(override.ACTION_ID, "") for _, found in so_far.fleet.overrides)
    policy = hub.sources.values.hubctl.remediation
    earlier = plan.reverted(stored, present, now=so_far.now)
    earlier = plan.verify(earlier, concerned, policy, now=so_far.now, health=so_far.health)
    unresolved = {name: found for name, found in concerned.items() if found.state is not incidents.State.RESOLVED}
    kept = plan.revalidate(earlier, unresolved, deployed_versions(so_far.fleet), now=so_far.now)
    # What was merged since this pass looked for it changed the branch itself; that is no reason to let it expire.
    return tuple(old if old.id in present else new for old, new in zip(earlier, kept, strict=True))
