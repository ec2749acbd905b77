"""Evidence: what became of the values of a file when an input was another one, and what that says.

Pure. Apart from ``trials``, which makes the other worlds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubctl.inputs.trial import REMOVED, Change, shown
from hubctl.model.base import placeholders
from hubctl.model.origin import Place, Role
from hubctl.render.leaves import GONE, Trail

_RANK: Mapping[Role, int] = {"value": 0, "decides": 1, "presence": 2}
_SECTION = "(section)"


@dataclass(frozen=True, slots=True)
class Proof:
    """An input that a value depends on, and what shows it.

    Attributes:
        was: what the input is.
        tried: what was put in its place.
        then: what the value was with it; ``GONE`` when there was none.
        together: whether others of the value that say so had to be changed with it, because they say the same.
    """

    place: Place
    role: Role
    was: Any = None
    tried: Any = None
    then: Any = GONE
    together: bool = False


Known = dict[Place, tuple[Change, Proof]]
"""The best proof of each input."""


@dataclass
class Evidence:
    """What was found by trying: the best proof of each input for each value, and what makes objects go.

    That a value goes with the name of its spoke or model says nothing: the name is in the question. Only where the name
    stands in the value, it counts.
    """

    before: Mapping[Trail, Any]
    proofs: dict[Trail, Known] = field(default_factory=dict)
    objects: dict[int, Known] = field(default_factory=dict)

    def add(self, change: Change, other: Any, outcome: Mapping[Trail, Any], *, together: bool = False) -> None:
        """Note what became of the values when an input was another one, or several were."""
        for trail, then in outcome.items():
            role = _role(change.old, shown(other) if other is not REMOVED else None, self.before.get(trail), then)
            if change.identity and role != "value":
                continue
            proof = Proof(change.place, role, change.old, shown(other), then, together)
            known = self.proofs.setdefault(trail, {})
            if change.place not in known or _RANK[role] < _RANK[known[change.place][1].role]:
                known[change.place] = (change, proof)
        gone = [] if change.identity else [trail for trail, then in outcome.items() if then is GONE]
        for index in {trail[0] for trail in gone}:
            if sum(trail[0] == index for trail in gone) == sum(trail[0] == index for trail in self.before):
                proof = Proof(change.place, "presence", change.old, shown(other))
                self.objects.setdefault(index, {}).setdefault(change.place, (change, proof))

    def told(self, trail: Trail) -> bool:
        """Whether something is known of what a value is, not only of whether it is there."""
        return any(proof.role != "presence" for _, proof in self.proofs.get(trail, {}).values())

    def of(self, trail: Trail) -> tuple[Proof, ...]:
        """The inputs of a value, those first whose text stands in it; without those of its whole object."""
        whole = self.objects.get(trail[0], {})
        found = _telling(self.proofs.get(trail, {}))
        return tuple(proof for proof in found if not (proof.role == "presence" and proof.place in whole))

    def of_object(self, index: int) -> tuple[Proof, ...]:
        """The inputs that decide whether an object is there."""
        return _telling(self.objects.get(index, {}))


def _telling(known: Known) -> tuple[Proof, ...]:
    """Proofs in their order; that a section could go says nothing more when something in it is named."""
    paths = [change.path for change, _ in known.values() if change.old != _SECTION]
    found = [
        proof
        for change, proof in known.values()
        if change.old != _SECTION or not any(path[: len(change.path)] == change.path for path in paths)
    ]
    return tuple(sorted(found, key=lambda proof: (_RANK[proof.role], proof.place)))


def _role(was: Any, tried: Any, before: Any, then: Any) -> Role:
    if then is GONE:
        return "presence"
    if tried is None or was is None:
        return "decides"
    stood, stands = (_stands(part, value) for part, value in ((was, before), (tried, then)))
    return "value" if stood and stands else "decides"


def _stands(part: Any, value: Any) -> bool:
    """Whether an input's text stands in a value, its placeholders filled in."""
    if isinstance(part, bool) or part is None:
        return str(value).lower() == str(part).lower()
    text = f"{part:g}" if isinstance(part, float) else str(part)
    pattern = re.escape(text)
    for name in placeholders(text):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), ".*")
    return re.search(rf"(?<![0-9]){pattern}(?![0-9])", str(value), re.DOTALL) is not None
