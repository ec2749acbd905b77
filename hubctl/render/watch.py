"""Which values of its context a template used for a file, or for one field of it; watched, never guessed.

A value counts for a file when the template read it while rendering, and for a field when another value there gives
another field. Apart from ``tree``, which has to be quick: this renders once a value.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jinja2
import yaml
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hubctl.errors import HubctlError
from hubctl.render.templates import Templates
from hubctl.render.tree import Making

Trail = tuple[str | int, ...]
"""Keys and indices from a name that a template sees to a value, such as ``("model", "version")``."""

OTHER = "-other"
"""Makes another text of a text."""


class _Names(Context):
    """Notes the names that a template asks its context for."""

    def resolve_or_missing(self, key: str) -> Any:
        """The value of a name."""
        if isinstance(self.environment, Watching):
            self.environment.names.add(key)
        return super().resolve_or_missing(key)


class Watching(ImmutableSandboxedEnvironment):
    """The environment of the templates, with a note of everything that is read from their context."""

    context_class = _Names

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names: set[str] = set()
        # Holding what was read keeps its id from becoming another object's.
        self.reads: list[tuple[Any, Any]] = []

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute`` of a template."""
        self.reads.append((obj, attribute))
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``obj[argument]`` of a template."""
        self.reads.append((obj, argument))
        return super().getitem(obj, argument)


def used(templates: Templates, making: Making) -> tuple[Trail, ...]:
    """The values that a file was made from, sorted.

    Args:
        templates: loaded with ``Watching``.
        making: of the file.

    Raises:
        TemplateError: rendering fails.
    """
    environment = templates.environment
    assert isinstance(environment, Watching)  # noqa: S101 - the caller's mistake, not a user's
    environment.names.clear()
    environment.reads.clear()
    text = templates.render(making.template, making.seen, making.subject)
    names, reads = sorted(environment.names & making.seen.keys()), list(environment.reads)
    places = dict(_containers(making.seen))
    trails = [(*places[id(obj)], key) for obj, key in reads if id(obj) in places and _holds(obj, key)]
    deeper = {trail[:count] for trail in trails for count in range(1, len(trail))}
    found = {leaf for trail in trails if trail not in deeper for leaf in leaves(at(making.seen, trail), trail)}
    # On the way to a value, in a branch that is not taken or as a whole: why it was asked for, only a try tells.
    asked = [trail for trail in trails if trail in deeper] + [(name,) for name in names]
    unsure = {leaf for trail in asked for leaf in leaves(at(making.seen, trail), trail)} - found
    found |= _sifted(templates, making, text, tuple(sorted(unsure, key=repr)))
    return tuple(sorted(found, key=repr))


def decisive(
    templates: Templates, making: Making, trails: tuple[Trail, ...], field: Callable[[str], Any]
) -> tuple[Trail, ...]:
    """Those of the values that a field depends on: with another value there, the field is another.

    Args:
        templates: any.
        making: of the file.
        trails: as ``used`` gives them.
        field: the field in a rendered text; None where it is not.

    Raises:
        TemplateError: rendering fails.
    """
    text = templates.render(making.template, making.seen, making.subject)
    before = field(text)

    def differs(trail: Trail) -> bool:
        other = _attempt(templates, making, trail)
        try:
            return other != text and (other is None or field(other) != before)
        except (yaml.YAMLError, ValueError):
            return True

    return tuple(trail for trail in trails if differs(trail))


def at(value: Any, trail: Trail) -> Any:
    """The value at the end of a trail."""
    for part in trail:
        value = value[part]
    return value


def leaves(value: Any, trail: Trail) -> Iterator[Trail]:
    """The trails to every value below; a list of plain values is one, as is what is empty."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*trail, key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*trail, index))
    else:
        yield trail


def _containers(seen: Mapping[str, Any]) -> Iterator[tuple[int, Trail]]:
    """Ids of the mappings and lists that templates see; ``model`` is named so, not as one of ``models``."""
    for name in sorted(seen, key=lambda name: (name in ("model", "platform"), name)):
        waiting: list[tuple[Any, Trail]] = [(seen[name], (name,))]
        while waiting:
            value, trail = waiting.pop()
            if isinstance(value, (dict, list)):
                yield id(value), trail
                pairs = value.items() if isinstance(value, dict) else enumerate(value)
                waiting += [(inner, (*trail, key)) for key, inner in pairs]


def _holds(obj: Any, key: Any) -> bool:
    if isinstance(obj, dict):
        return key in obj
    return isinstance(obj, list) and isinstance(key, int) and -len(obj) <= key < len(obj)


def _sifted(templates: Templates, making: Making, text: str, trails: tuple[Trail, ...]) -> set[Trail]:
    """Those of some values that change the text; halves are tried first, for most of many change nothing."""
    if not trails or _attempt(templates, making, *trails) == text:
        return set()
    if len(trails) == 1:
        return set(trails)
    half = len(trails) // 2
    return _sifted(templates, making, text, trails[:half]) | _sifted(templates, making, text, trails[half:])


def _attempt(templates: Templates, making: Making, *trails: Trail) -> str | None:
    """The text with other values at some places; None when the template fails with them."""
    # One deepcopy keeps `model` the same object as its item of `models`.
    seen = copy.deepcopy(dict(making.seen))
    for trail in trails:
        at(seen, trail[:-1])[trail[-1]] = _other(at(seen, trail))
    try:
        return templates.render(making.template, seen, making.subject)
    except (HubctlError, jinja2.TemplateError):
        return None


def _other(value: Any) -> Any:
    """A value of the same kind that is another one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, list):
        return [*value, OTHER]
    return {OTHER: OTHER} if isinstance(value, dict) else f"{value or ''}{OTHER}"
