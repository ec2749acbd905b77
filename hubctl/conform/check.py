"""Checker: a rendered tree's objects against closed schemas, as the tree is made.

It is handed every file with its parsed documents, so that nothing is parsed twice and nothing has to be kept. Equal
problems of several spokes are one problem.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import jsonschema_rs

from hubctl.conform import complaint
from hubctl.conform.structural import MAP_KEYS
from hubctl.errors import ManifestRefused
from hubctl.model import tree

ALL = "all"
"""Side of schemas that hold for the hub and the spokes."""

SIDES = (ALL, tree.HUB, tree.SPOKES)
TEMPLATE = "hubctl.io/template"
"""Annotation that names the template an object comes from."""

FETCH = "run `hubctl schemas pull` where a cluster that serves them can be reached"
_LISTED = 10


class Shelf(Protocol):
    """What this module needs of the cached schemas."""

    def find(self, side: str, api_version: str, kind: str) -> str | None:
        """The schema of a kind, as JSON, for objects of that side; None if there is none."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a schema refuses, on one spoke or several.

    Attributes:
        file: below the spoke's folder, or ``hub/…``.
        spokes: names, in order; empty for an object of the hub.
    """

    file: str
    kind: str
    name: str
    complaint: complaint.Complaint
    template: str = ""
    spokes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The file, the object and the field."""
        folder = tree.HUB
        if self.spokes:
            folder = f"{tree.SPOKES}/{self.spokes[0] if len(self.spokes) == 1 else '*'}"
        return f"{folder}/{self.file} {self.kind} {self.name} {self.complaint.field}".rstrip()

    @property
    def message(self) -> str:
        """What is wrong; names the spokes when they are several."""
        if len(self.spokes) <= 1:
            return self.complaint.message
        more = len(self.spokes) - _LISTED
        names = ", ".join(self.spokes[:_LISTED]) + (f" and {more} more" if more > 0 else "")
        return f"{self.complaint.message} (on {len(self.spokes)} spokes: {names})"

    @property
    def hint(self) -> str:
        """What to do next."""
        made = f"mend {self.template} or what it shows" if self.template else "mend its template"
        return f"{self.complaint.hint} {made}".strip()


class Validators:
    """Compiled schemas; each is compiled when its kind is first met, and kept."""

    def __init__(self, shelf: Shelf, digest: str = "") -> None:
        """Compile nothing yet; ``digest`` tells this shelf from another."""
        self.digest = digest
        self._shelf = shelf
        self._found: dict[tuple[str, str, str], Compiled | None] = {}
        self._compiled: dict[str, Compiled] = {}

    def of(self, side: str, api_version: str, kind: str) -> "Compiled | None":
        """The validator of a kind; None when no schema is cached."""
        key = (side, api_version, kind)
        if key not in self._found:
            text = self._shelf.find(side, api_version, kind)
            if text is not None and text not in self._compiled:
                self._compiled[text] = Compiled(text)
            self._found[key] = None if text is None else self._compiled[text]
        return self._found[key]


class Compiled:
    """One kind's validator."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._validator = compiled(text)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        """Only needed to explain."""
        found: dict[str, Any] = json.loads(self._text)
        return found

    def complaints(self, document: Mapping[str, Any]) -> list[complaint.Complaint]:
        """What is wrong with an object; nothing, in the usual case."""
        try:
            if self._validator.is_valid(document):
                return []
        except ValueError:
            document = as_json(document)
        try:
            errors = list(self._validator.iter_errors(document))
        except ValueError as error:
            return [complaint.Complaint("", f"is no JSON: {error}")]
        schema = self._schema
        veiled = document.get("kind") == "Secret"
        return list(dict.fromkeys(one for error in errors for one in complaint.explain(error, schema, veiled=veiled)))


def compiled(text: str) -> jsonschema_rs.Draft202012Validator:
    """A validator of a closed schema.

    Raises:
        ValueError: it is no schema, or has a pattern that cannot be read here.
    """
    return jsonschema_rs.Draft202012Validator(text, validate_formats=True, keywords={MAP_KEYS: DistinctKeys})


class DistinctKeys:
    """The keyword of lists that the server takes for maps: two items with the same keys are one too many."""

    def __init__(self, _parent: Mapping[str, Any], value: Sequence[str], _path: Sequence[str | int]) -> None:
        self._keys = tuple(value)

    def validate(self, instance: object) -> None:
        """Look at a list.

        Raises:
            ValueError: two items have the same keys.
        """
        if not isinstance(instance, list) or len(instance) < 2:  # noqa: PLR2004 - two can be the same
            return
        seen: set[str] = set()
        for item in instance:
            if isinstance(item, Mapping):
                key = json.dumps([item.get(key) for key in self._keys], sort_keys=True)
                if key in seen:
                    same = ", ".join(f"{key} {item.get(key)!r}" for key in self._keys)
                    raise ValueError(f"expected no two items with the same {same}")
                seen.add(key)


@dataclass(slots=True)
class Checker:
    """What was found in the files that it was shown.

    Attributes:
        unchecked: api version and kind to the number of objects for which no schema is cached.
        checked: how many objects a schema was there for.
    """

    validators: Validators
    unchecked: dict[tuple[str, str], int] = field(default_factory=dict)
    checked: int = 0
    _found: dict[tuple[object, ...], Problem] = field(default_factory=dict)

    def __call__(self, path: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Look at one file's objects.

        Args:
            path: below the rendered folder, such as ``spokes/edge-a/storage.yaml``.
            documents: each has ``apiVersion``, ``kind`` and ``metadata``.
        """
        side, _, rest = path.partition("/")
        spoke, file = ("", rest) if side == tree.HUB else rest.split("/", 1)
        for document in documents:
            version, kind = str(document["apiVersion"]), str(document["kind"])
            known = self.validators.of(side, version, kind)
            if known is None:
                self.unchecked[version, kind] = self.unchecked.get((version, kind), 0) + 1
                continue
            self.checked += 1
            for one in known.complaints(document):
                self._add(document, Problem(file, kind, "", one, spokes=(spoke,) if spoke else ()))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, once, in the order of their finding."""
        return tuple(self._found.values())

    def refuse(self, *, required: bool = False, only: Collection[str] | None = None) -> None:
        """Raise what was found.

        Args:
            required: a kind without a cached schema is a problem too.
            only: the problems of these spokes.

        Raises:
            ManifestRefused: an object does not fit its schema; further ones are in ``also``.
        """
        found = [one for one in self.problems if only is None or not set(only).isdisjoint(one.spokes)]
        errors = [ManifestRefused(one.message, hint=one.hint, where=one.where) for one in found]
        if required and self.unchecked:
            errors.append(ManifestRefused(self.unchecked_told(), hint=FETCH))
        if errors:
            raise ManifestRefused(errors[0].message, hint=errors[0].hint, where=errors[0].where, also=errors[1:])

    def unchecked_told(self) -> str:
        """The kinds without a cached schema and how many objects they have, in one line."""
        kinds = ", ".join(f"{kind} ({version})" for version, kind in sorted(self.unchecked))
        return f"{sum(self.unchecked.values())} objects are of kinds without a cached schema: {kinds}"

    def _add(self, document: Mapping[str, Any], problem: Problem) -> None:
        metadata = document["metadata"]
        name = str(metadata.get("name", ""))
        key = (problem.file, problem.kind, name, problem.complaint, bool(problem.spokes))
        if before := self._found.get(key):
            self._found[key] = replace(before, spokes=before.spokes + problem.spokes)
            return
        template = str((metadata.get("annotations") or {}).get(TEMPLATE, ""))
        self._found[key] = replace(problem, name=name, template=template)


def as_json(value: Any) -> Any:
    """A parsed YAML value as the server gets it: keys are text, and so is a date."""
    if isinstance(value, Mapping):
        return {_key(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
