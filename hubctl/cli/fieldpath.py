"""What follows the file in ``render --explain FILE:…``: which object and which field; read, written and suggested.

Apart from ``tracing``, which asks and prints. Fields are written as ``diff --style fields`` writes them.
"""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hubctl.errors import InputError
from hubctl.publish import fields
from hubctl.render import leaves
from hubctl.render.leaves import Trail

_OBJECT = re.compile(r"([A-Z][A-Za-z0-9]*)/([^:]*)(?::(.*))?")
_PART = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[name=([^\]]+)\]|\["((?:[^"\\]|\\.)*)"\]')
_ESCAPED = re.compile(r"\\(.)")
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of a file is asked for.

    Attributes:
        kind: of the object; empty for every object.
        name: ``NAME`` or ``NAMESPACE/NAME`` of it.
        field: as it is written; empty for all of it.
    """

    kind: str = ""
    name: str = ""
    field: str = ""

    def __call__(self, documents: Collection[Any]) -> Collection[Trail]:
        """The values that are asked for, in the order of the file.

        Raises:
            InputError: there is no such object or field.
        """
        if not documents:
            return []
        chosen = [index for index, document in enumerate(documents) if self._fits(document)]
        if not chosen:
            raise self._no_object(list(documents))
        found = [trail for trail, _ in leaves.leaves(list(documents)) if trail[0] in chosen]
        if not self.field:
            return found
        begins = [
            (index, *trail) for index in chosen for trail in _resolved(list(documents)[index], steps_of(self.field))
        ]
        if not begins:
            raise self._no_field([written(trail, list(documents)) for trail in found])
        return [trail for trail in found if any(trail[: len(begin)] == begin for begin in begins)]

    def _fits(self, document: Any) -> bool:
        if not self.kind:
            return True
        return isinstance(document, dict) and document.get("kind") == self.kind and self.name in _names(document)

    def _no_object(self, documents: list[Any]) -> InputError:
        known = list(dict.fromkeys(titled(document) for document in documents))
        asked = f"{self.kind}/{self.name}"
        near = difflib.get_close_matches(asked, known, n=1)
        return InputError(
            f"the file holds no {asked!r}; expected one of {', '.join(known)}",
            hint=f"did you mean {near[0]}?" if near else "write it as KIND/NAME or KIND/NAMESPACE/NAME",
        )

    def _no_field(self, known: list[str]) -> InputError:
        near = difflib.get_close_matches(self.field, [*known, *_parents(known)], n=1, cutoff=0.5)
        begin = ", ".join(dict.fromkeys(known[:_EXAMPLES]))
        hint = f"did you mean {near[0]}?" if near else f"the fields begin with {begin}"
        return InputError(f"there is no field {self.field!r} in it", hint=hint)


def read(rest: str) -> Choice:
    """``FIELD``, ``KIND/NAME`` or ``KIND/NAME:FIELD``."""
    if found := _OBJECT.fullmatch(rest):
        return Choice(found[1], found[2], found[3] or "")
    return Choice(field=rest)


def titled(document: Any) -> str:
    """``Kind/namespace/name`` of an object; empty for what is none."""
    if not isinstance(document, dict) or "kind" not in document:
        return ""
    return f"{document['kind']}/{max(_names(document), key=len)}"


def _names(document: dict[str, Any]) -> tuple[str, ...]:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return ("",)
    name, namespace = (str(metadata.get(key, "")) for key in ("name", "namespace"))
    return (name, f"{namespace}/{name}") if namespace else (name,)


def steps_of(field: str) -> tuple[Any, ...]:
    """A field's keys, indices and names of items.

    Raises:
        InputError: it cannot be read.
    """
    found: list[Any] = []
    position = 0
    while position < len(field):
        part = _PART.match(field, position)
        if part is None:
            raise InputError(
                f"cannot read the field {field!r} from {field[position:]!r} on",
                hint='write it as spec.env[0].value, spec.env[name=A].value or metadata.labels["x/y"]',
            )
        key, index, name, quoted = part.groups()
        named = fields.Named(name) if name else None
        found.append(key or (int(index) if index else named or _ESCAPED.sub(r"\1", quoted)))
        position = part.end()
    return tuple(found)


def _resolved(value: Any, steps: tuple[Any, ...]) -> list[Trail]:
    """Where a field stands in an object; nothing where it does not."""
    if not steps:
        return [()]
    step, rest = steps[0], steps[1:]
    below: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        below = [(key, inner) for key, inner in value.items() if key == step]
    elif isinstance(value, list) and isinstance(step, int):
        below = [(step, value[step])] if step < len(value) else []
    elif isinstance(value, list) and isinstance(step, fields.Named):
        below = [
            (index, one) for index, one in enumerate(value) if isinstance(one, dict) and one.get("name") == step.name
        ]
    return [(key, *trail) for key, inner in below for trail in _resolved(inner, rest)]


def written(trail: Trail, documents: list[Any]) -> str:
    """A value's field as people write it, without its object."""
    parts: list[Any] = []
    value = documents[trail[0]]
    for part in trail[1:]:
        parts.append(_item(value, part) if isinstance(value, list) else str(part))
        value = value[part]
    return fields.Field(tuple(parts), None, None).path


def _item(items: list[Any], index: int) -> Any:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    unique = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return fields.Named(names[index]) if unique else index


def _parents(known: list[str]) -> list[str]:
    return list({path[: cut.start()] for path in known for cut in re.finditer(r"(?<!^)[.\[]", path)})
