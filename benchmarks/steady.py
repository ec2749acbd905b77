"""hubctl's rounds as ``hubctl run`` makes them, in a process of its own: spread over the interval, one after the other.

After each round comes what a pass does with it, in another thread: ``aggregate``, and the store. Prints as JSON what
``poll.py`` and ``faults.py`` make tables of. A poll's lag is how long after its time it began, from its observation.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop
from client import megabytes, observe, services

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hubctl.aggregate import Aggregation, aggregate
from hubctl.cli.main import SELDOM
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.turn import Gathered, Tally, Turn, merged
from hubctl.model.values import Aggregate
from hubctl.observe import schedule
from hubctl.observe.poll import Poller
from hubctl.store.schema import Store, open_store

PERCENT = (50, 99, 100)


@dataclass
class Seen:
    """What the rounds that count came to.

    Attributes:
        lags: seconds, of the spokes that are well.
        latencies: milliseconds, of the same.
        outcomes: how often each kind of spoke had each.
        tallies: of these rounds.
        marks: megabytes in memory after so many rounds.
        passes: CPU seconds of the thread that concludes and records.
    """

    lags: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    tallies: list[Tally] = field(default_factory=list)
    marks: dict[int, float] = field(default_factory=dict)
    passes: list[float] = field(default_factory=list)

    def take(self, turn: Turn, gathered: Gathered) -> None:
        """One round more."""
        self.tallies.append(gathered.tally)
        for service, one in zip(turn.services, gathered.observations, strict=True):
            way = service.cluster.partition("-")[0]
            self.outcomes[f"{way} {one.outcome}"] += 1
            if way == "good" and one.outcome is not Outcome.SKIPPED:
                self.latencies.append(one.latency_ms)
                self.lags.append(lag(service, one, turn))


def lag(service: InferenceService, one: Observation, turn: Turn) -> float:
    """Seconds from when a poll was due until it began; not below zero, since its observation's times are rounded."""
    slot = schedule.place(service, turn.seconds, turn.seed) // schedule.SLOT * schedule.SLOT
    began = (one.at - turn.begins).total_seconds() - one.latency_ms / 1000
    return max(0.0, began - slot)


class Passes:
    """What a pass does with a round."""

    def __init__(self, store: Store) -> None:
        """Take where it is recorded."""
        self.store = store
        self.made = Aggregation((), ())
        self.policy = Aggregate()

    def conclude(self, observations: tuple[Observation, ...], now: datetime) -> float:
        """Health, findings, and the store; CPU seconds of this thread."""
        began = time.thread_time()
        self.made = aggregate(observations, self.made.health, self.policy, now=now)
        self.store.journal.record(self.made.health, observations, now=now)
        return time.thread_time() - began


async def steady(options: argparse.Namespace, poller: Poller, passes: Passes) -> dict[str, object]:
    """Rounds in the background, a pass after each."""
    asked = services(json.loads((Path(options.folder) / "ports.json").read_text()), options.models)
    seen, spent, clock, opened = Seen(), [0.0, 0.0], [0.0, 0.0], Tally()

    async def one(number: int, turn: Turn) -> None:
        nonlocal opened
        gathered = await poller.round(turn)
        if number < options.warm:
            opened = merged((opened, gathered.tally))
        cpu = await asyncio.to_thread(passes.conclude, gathered.observations, datetime.now(UTC))
        if number >= options.warm:
            seen.take(turn, gathered)
            seen.passes.append(cpu)
        if number + 1 in options.mark:
            seen.marks[number + 1] = megabytes("VmRSS")

    start = datetime.now(UTC)
    async with asyncio.TaskGroup() as group:
        for number in range(options.rounds):
            turn = Turn(asked, start + timedelta(seconds=number * options.interval), options.interval)
            await asyncio.sleep((turn.begins - datetime.now(UTC)).total_seconds())
            if number == options.warm:
                spent[0], clock[0] = time.process_time(), time.perf_counter()
            task = group.create_task(one(number, turn))
            if options.mark:
                await task
                start = datetime.now(UTC) - timedelta(seconds=(number + 1) * options.interval)
    spent[1], clock[1] = time.process_time(), time.perf_counter()
    total = merged(seen.tallies)
    return {
        "cpu": spent[1] - spent[0], "wall": clock[1] - clock[0], "mb": megabytes(), "due": total.due,
        "skipped": dict(total.skipped), "retried": total.retried, "opened": opened.opened, "later": total.opened,
        "under_way": max(one.under_way for one in seen.tallies), "breakers": seen.tallies[-1].breakers,
        "lag": percentiles(seen.lags), "latency": percentiles(seen.latencies), "pass": max(seen.passes),
        "outcomes": seen.outcomes, "marks": seen.marks,
    }  # fmt: skip


def percentiles(values: list[float]) -> list[float]:
    """The median, the 99th of a hundred, the most."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in PERCENT] if ordered else []


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Open everything, make the rounds."""
    folder = Path(options.folder)
    settings = observe(interval=options.interval, deadline=options.deadline, **json.loads(options.settings))
    async with AsyncExitStack() as stack:
        store = stack.enter_context(open_store(f"sqlite:///{folder}/{os.getpid()}.db"))
        poller = await stack.enter_async_context(Poller(settings, folder, os.environ))
        return await steady(options, poller, Passes(store))


def main() -> None:
    """Arguments are the tables'."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--interval", type=float, default=30.0)
    parser.add_argument("--deadline", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3, help="in all")
    parser.add_argument("--warm", type=int, default=1, help="of these, the ones that do not count")
    parser.add_argument("--mark", type=int, nargs="*", default=(), help="rounds after which memory is read; one by one")
    parser.add_argument("--settings", default="{}", help="of hubctl.observe, as JSON")
    options = parser.parse_args()
    gc.set_threshold(*SELDOM)  # as ``hubctl run`` does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(run(options))))


if __name__ == "__main__":
    main()
