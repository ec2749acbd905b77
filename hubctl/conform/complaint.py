"""A validator's error as a person reads it: the field's path, what was expected, the nearest spelling."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from hubctl.conform import builtin
from hubctl.model.spelling import nearest

Kinds = jsonschema_rs.ValidationErrorKind
Schema = Mapping[str, Any]
Trail = Sequence[str | int]

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 60
_MANY = 12
_IS_QUANTITY = re.compile(r"KMGTPE\]i")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with one object.

    Attributes:
        field: path such as ``spec.containers[0].arg``; empty for the object itself.
        message: what is wrong and what was expected.
        hint: the nearest spelling, or the fields that are known there; may be empty.
    """

    field: str
    message: str
    hint: str = ""


def explain(error: jsonschema_rs.ValidationError, schema: Schema, *, veiled: bool = False) -> Iterator[Complaint]:
    """The complaints that one error comes to: one for each unknown field, else one.

    Args:
        error: of a validator made from the schema.
        schema: closed, with its definitions.
        veiled: show no value, as of a Secret.
    """
    trail = error.instance_path
    match error.kind:
        case Kinds.AdditionalProperties(unexpected=unexpected):
            known = tuple(sorted(fields_at(schema, trail)))
            for name in unexpected:
                yield Complaint(path(trail, name), "unknown field", _spelling(name, known))
        case Kinds.Required(property=name):
            yield Complaint(path(trail, name), "is missing, and required")
        case Kinds.PropertyNames(error=inner):
            yield Complaint(path(trail), f"{inner.instance!r} is no valid key here: {_expected(inner)}")
        case Kinds.AnyOf(context=context) | Kinds.OneOfNotValid(context=context):
            wanted = dict.fromkeys(_branch(branch, trail) for branch in context)
            yield Complaint(path(trail), f"fits none of what is allowed: {'; or '.join(wanted)}")
        case _:
            found = "" if veiled else f"found {shown(error.instance)}, "
            yield Complaint(path(trail), f"{found}{_expected(error)}", _near(error))


def path(trail: Trail, *more: str) -> str:
    """``spec.containers[0].resources.limits[nvidia.com/gpu]``."""
    made = ""
    for part in (*trail, *more):
        if isinstance(part, int):
            made += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            made += f".{part}" if made else part
        else:
            made += f"[{part}]"
    return made


def fields_at(schema: Schema, trail: Trail) -> set[str]:
    """The names of the fields that a schema knows at a place."""
    places = [schema]
    for part in trail:
        places = [inner for place in places for inner in _inner(schema, place, part)]
    return {name for place in places for every in _forms(schema, place) for name in every.get("properties", ())}


def shown(value: object) -> str:
    """A value in one short line."""
    if isinstance(value, (Mapping, list)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _inner(whole: Schema, place: Schema, part: str | int) -> Iterator[Schema]:
    for every in _forms(whole, place):
        if isinstance(part, int):
            found = every.get("items")
        else:
            found = every.get("properties", {}).get(part, every.get("additionalProperties"))
        if isinstance(found, Mapping):
            yield found


def _forms(whole: Schema, place: Schema) -> Iterator[Schema]:
    """A schema, what it points to, and what it says besides."""
    yield place
    if pointed := place.get("$ref"):
        yield from _forms(whole, whole["$defs"][pointed.removeprefix("#/$defs/")])
    for branch in place.get("allOf", ()):
        yield from _forms(whole, branch)


@lru_cache(maxsize=1024)
def _spelling(name: str, known: tuple[str, ...]) -> str:
    """Remembered, because a mistake in a template is made for every spoke."""
    near = nearest(name, known)
    few = f"known here: {', '.join(known)}" if known and (not near or len(known) <= _MANY) else ""
    return f"{near} {few}".strip()


def _near(error: jsonschema_rs.ValidationError) -> str:
    if isinstance(error.kind, Kinds.Enum) and isinstance(error.instance, str):
        return nearest(error.instance, [option for option in error.kind.options if isinstance(option, str)])
    return ""


def _branch(errors: Sequence[jsonschema_rs.ValidationError], trail: Trail) -> str:
    """What one branch asks; its errors have the whole path, or only their part of it."""
    said = []
    for error in errors:
        below = list(error.instance_path)
        if below[: len(trail)] == list(trail):
            below = below[len(trail) :]
        said.append(f"{path(below)} {_expected(error)}".strip())
    return " and ".join(said)


def _expected(error: jsonschema_rs.ValidationError) -> str:
    """What one error asks for, after ``found VALUE,``."""
    match error.kind:
        case Kinds.Type(types=types):
            return f"expected {_either([str(kind) for kind in types if kind != 'null'])}"
        case Kinds.Enum(options=options):
            return f"expected {_either([str(option) for option in options if option not in ('', None)])}"
        case Kinds.Required(property=name):
            return f"expected {name}"
        case Kinds.Pattern(pattern=pattern):
            if pattern == builtin.QUANTITY or _IS_QUANTITY.search(pattern):
                return "expected a quantity such as 500m or 2Gi"
            return f"expected what matches {pattern}"
        case Kinds.Custom(message=message):
            return message
        case Kinds.AdditionalProperties(unexpected=unexpected):
            return f"expected no {_either(unexpected)}"
        case kind:
            limit = kind.as_dict()
            return f"expected {kind.name} {' '.join(map(str, limit.values()))}".rstrip()


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
