"""Packed: the observations of a round as few bytes, between a worker that polled and the leader, and in the store.

Pure and exact: what was packed comes back equal, in the same order.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from hubctl.model import columns
from hubctl.model.predictor import Observation, Outcome, Tried

_TERMS = ("cluster", "model", "version", "outcome", "reason", "detail", "served_version", "route", "votes")


def pack(observations: Sequence[Observation]) -> bytes:
    """The bytes that :func:`unpack` reads."""
    return columns.Writer().write(columns_of(observations))


def unpack(data: bytes) -> tuple[Observation, ...]:
    """The observations that were packed.

    Raises:
        ValueError: the bytes are not of this format, or not whole.
    """
    return tuple(observations(columns.read(data)))


def columns_of(observed: Sequence[Observation]) -> dict[str, tuple[str, Sequence[Any]]]:
    """The columns of observations, as a sheet has them; ``columns.Writer`` writes them round after round."""
    tried = [one.tried for one in observed]
    words = {ways: _words(ways) for ways in set(tried)}
    return {
        "cluster": ("term", [one.cluster for one in observed]),
        "model": ("term", [one.model for one in observed]),
        "version": ("term", [one.version for one in observed]),
        "at": ("instant", [one.at for one in observed]),
        "outcome": ("term", [one.outcome for one in observed]),
        "reason": ("term", [one.reason for one in observed]),
        "detail": ("term", [one.detail for one in observed]),
        "window": ("digest", [one.window for one in observed]),
        "instances": ("whole", [one.instances for one in observed]),
        "anomalies": ("whole", [one.anomalies for one in observed]),
        "latency_ms": ("number", [one.latency_ms for one in observed]),
        "votes": ("term", [one.votes for one in observed]),
        "served_version": ("term", [one.served_version for one in observed]),
        "route": ("term", [one.route for one in observed]),
        "tried": ("term", [words[ways] for ways in tried]),
    }


def observations(sheet: columns.Sheet, only: Collection[int] | None = None) -> list[Observation]:
    """The observations of a sheet, all or those of some rows.

    Raises:
        ValueError: a column is not whole, or an outcome is not known.
    """
    found: dict[str, Sequence[Any]] = {name: sheet.column(name, "") for name in _TERMS}
    found |= {name: sheet.column(name) for name in ("at", "window", "instances", "anomalies", "latency_ms")}
    found["tried"] = sheet.column("tried", "")
    if only is not None:
        found = {name: [column[row] for row in only] for name, column in found.items()}
    outcomes = {word: Outcome(word) for word in set(found["outcome"])}
    found["outcome"] = [outcomes[word] for word in found["outcome"]]
    ways = {text: _tried(text) for text in set(found["tried"])}
    found["tried"] = [ways[text] for text in found["tried"]]
    return columns.build(Observation, len(found["at"]), found)


def _words(tried: tuple[Tried, ...]) -> str:
    """What was tried, as the one text that JSON makes of it; nothing as no text."""
    return json.dumps([(way.route, way.outcome, way.reason, way.detail) for way in tried]) if tried else ""


def _tried(text: str) -> tuple[Tried, ...]:
    found = json.loads(text) if text else []
    return tuple(Tried(route, Outcome(outcome), *rest) for route, outcome, *rest in found)
