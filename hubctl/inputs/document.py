"""YAML text to plain data, with the line and column of every key and item.

Apart from checking, because only this module knows YAML: syntax, duplicate keys, aliases, tags. Scalars follow
the rules of Helm's parser rather than YAML 1.1: ``on`` and ``yes`` are text, so a key ``on:`` stays a key.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hubctl.errors import InputError
from hubctl.model import credential

Trail = tuple[str | int, ...]
"""Keys and indices from the top level to a value."""

MAX_NODES = 200_000
"""Most keys and values of one file, aliases written out: stops a file that grows exponentially."""

MAX_DEPTH = 60
"""Most levels of nesting; libyaml's composer overflows its stack on some ten thousand."""

_DIGITS = 18
_TAG = "tag:yaml.org,2002:"
_LEADING = re.compile(r"^[ \t?:-]*", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EXPECTED = {
    "found character that cannot start any token": "a value that starts with this character must be quoted",
    "mapping values are not allowed in this context": "expected one `key: value` a line; quote a value with ': '",
    "found undefined alias": "expected an alias (*name) of an anchor (&name) that stands further up",
    "could not find expected ':'": "expected `key: value`",
    "found unexpected end of stream": "expected the closing quote or bracket before the end of the file",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file.

    Attributes:
        name: what errors call it, relative to the folder of the inputs.
        places: path to (line, column), both from 1; of the key in a mapping, of the item in a list.
        spelled: path to the text of a number or a boolean as it is written, such as ``4.10``.
        marks: what a person says of fields that look like credentials.
    """

    name: str
    data: dict[str, Any]
    places: Mapping[Trail, tuple[int, int]]
    spelled: Mapping[Trail, str]
    marks: tuple[credential.NotCredential, ...] = ()

    def line(self, trail: Trail) -> int:
        """The line of a path, or of the nearest parent that is in the file; 0 for what is in no file."""
        if not self.places:
            return 0
        while trail and trail not in self.places:
            trail = trail[:-1]
        return self.places[trail][0]

    def where(self, trail: Trail = ()) -> str:
        """``file:line field`` of a path; without a line for what is in no file."""
        if not self.places:
            return f"{self.name} {dotted(trail)}".rstrip()
        return f"{self.name}:{self.line(trail)} {dotted(trail)}".rstrip()


def dotted(trail: Trail) -> str:
    """A path as people write it: ``spec.models[0].version``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in trail).removeprefix(".")


def refuse(problems: Sequence[InputError]) -> None:
    """Raise the first problem with all others in ``also``; nothing when there is none.

    Raises:
        InputError: there is at least one problem.
    """
    flat = [one for problem in problems for one in (problem, *problem.also)]
    if flat:
        first = flat[0]
        raise InputError(first.message, hint=first.hint, where=first.where, also=flat[1:])


def parse(data: bytes | str, name: str) -> Document:
    """The document in a file's bytes.

    Raises:
        InputError: it is not one YAML mapping in UTF-8; every duplicate key and odd value is in ``also``.
    """
    root = compose(decode(data, name), name)
    walk = _Walk(name)
    found = walk.mapping(root, ())
    refuse(walk.problems)
    return Document(name, found, walk.places, walk.spelled)


def decode(data: bytes | str, name: str) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        InputError: it is not UTF-8 or holds control characters.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise InputError(f"byte 0x{byte:02x} is not UTF-8, expected a text file", where=f"{name}:{line}") from None
    if odd := _CONTROL.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise InputError(f"found control character {odd[0]!r}, expected text", where=f"{name}:{line}")
    return text.removeprefix("\ufeff")


def compose(text: str, name: str) -> yaml.MappingNode:
    """The node graph of one YAML document whose top level is a mapping.

    Raises:
        InputError: a syntax error, several documents, too deep, or no mapping.
    """
    try:
        _bound_depth(text, name)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, name) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise InputError(f"this is not YAML: {error}", where=f"{name}:1") from None
    if isinstance(root, yaml.MappingNode):
        return root
    kind = {yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}.get(type(root), "nothing")
    raise InputError(f"found {kind} at the top level, expected a mapping of `key: value` lines", where=f"{name}:1")


def _bound_depth(text: str, name: str) -> None:
    """Refuse deep nesting before the composer, which recurses, sees it; a cheap upper bound settles most files."""
    # Each level costs a bracket or a deeper column; a list may share its parent's column, hence twice.
    bound = text.count("[") + text.count("{") + 2 * max(len(run) for run in _LEADING.findall(text))
    if bound < MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH and event.start_mark:
            raise _too_deep(f"{name}:{event.start_mark.line + 1}")


def _too_deep(where: str) -> InputError:
    return InputError(
        f"nested deeper than {MAX_DEPTH} levels", where=where, hint="check for an alias inside its own anchor"
    )


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> InputError:
    """The parser's complaint with its line and what was expected there."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.split("\n")
    at = lines[line - 1] if line <= len(lines) else ""
    problem = error.problem or "syntax error"
    if "another document" in problem:
        return InputError(
            "found a second document, expected one", where=f"{name}:{line}", hint="move it to a file of its own"
        )
    if "tab character" in problem or (mark and at[mark.column : mark.column + 1] == "\t"):
        return InputError("found a tab, expected spaces", where=f"{name}:{line}", hint="indent with two spaces a level")
    context = f" {error.context}" if error.context else ""
    start = error.context_mark.line + 1 if error.context_mark else line
    since = f" that starts on line {start}" if start != line else ""
    # The whole text is masked: what stands on one line may belong to a key further up.
    told = credential.masked(text).split("\n")[line - 1].strip() if at.strip() else ""
    shown = f", in {told[:60]!r}" if told else ""
    expected = _EXPECTED.get(problem, "check the indentation, the quotes and the brackets here and on the line above")
    return InputError(f"{problem}{context}{since}{shown}", where=f"{name}:{line}", hint=expected)


class _Walk:
    """One walk over a node graph: builds plain data, notes places, collects problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Trail, tuple[int, int]] = {(): (1, 1)}
        self.spelled: dict[Trail, str] = {}
        self.problems: list[InputError] = []
        self.count = 0

    def mapping(self, node: yaml.MappingNode, trail: Trail) -> dict[str, Any]:
        """The mapping as a dict; a duplicate key is a problem, never a silent winner."""
        found: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, value, merged in self._pairs(node, 0):
            name, line = self._key(key), key.start_mark.line + 1
            # An own key before a merged one is no duplicate: that is what merging is for.
            if merged and name in found:
                continue
            if name in lines:
                self._problem(key, f"duplicate key {name!r}, first on line {lines[name]}", "remove one of the two")
                continue
            lines[name] = line
            self.places[*trail, name] = (line, key.start_mark.column + 1)
            found[name] = self._value(value, (*trail, name))
        return found

    def _pairs(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """Keys and values; those that ``<<`` merges come last, for the mapping's own keys win over them."""
        self._count(node, depth)
        merges = [value for key, value in node.value if key.tag == f"{_TAG}merge"]
        yield from ((key, value, depth > 0) for key, value in node.value if key.tag != f"{_TAG}merge")
        for merge in merges:
            for part in merge.value if isinstance(merge, yaml.SequenceNode) else [merge]:
                if isinstance(part, yaml.MappingNode):
                    yield from self._pairs(part, depth + 1)
                else:
                    self._problem(part, "found a list or a single value to merge, expected an alias of a mapping")

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._problem(node, "found a list or mapping as a key, expected text", "quote a key that starts with [ or {")
        return f"line {node.start_mark.line + 1}"

    def _value(self, node: yaml.Node, trail: Trail) -> Any:
        self._count(node, len(trail))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, trail)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, trail)
        for index, item in enumerate(node.value):
            self.places[*trail, index] = (item.start_mark.line + 1, item.start_mark.column + 1)
        return [self._value(item, (*trail, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, trail: Trail) -> Any:
        tag, text = node.tag.removeprefix(_TAG), str(node.value)
        if tag == "null":
            return None
        if tag in ("bool", "int", "float"):
            # 4.10 reads as 4.1: a message has to show what the person wrote.
            self.spelled[trail] = text
            return _number(text, tag) if tag != "bool" else {"true": True, "false": False}.get(text.lower(), text)
        if tag not in ("str", "timestamp", "value", "merge"):
            self._problem(node, f"found tag {node.tag!r}, expected plain YAML", "write the value without a tag")
        return text

    def _count(self, node: yaml.Node, depth: int) -> None:
        """Refuse to go on in a file that is too large or too deep once its aliases are written out."""
        self.count += 1
        where = f"{self.name}:{node.start_mark.line + 1}"
        if self.count > MAX_NODES:
            raise InputError(f"more than {MAX_NODES} values", where=where, hint="use fewer aliases (*name)")
        if depth > MAX_DEPTH:
            raise _too_deep(where)

    def _problem(self, node: yaml.Node, message: str, hint: str = "") -> None:
        self.problems.append(InputError(message, where=f"{self.name}:{node.start_mark.line + 1}", hint=hint))


def _number(text: str, tag: str) -> int | float | str:
    """The number, or its text where YAML 1.1 sees one and nobody else does: 1:30, .inf, a thousand digits."""
    plain = text.replace("_", "")
    try:
        if tag == "float":
            number = float(plain)
            return number if math.isfinite(number) else text
        # Like Helm's parser: a leading zero is octal, as in file modes.
        octal = plain.lstrip("+-").startswith("0") and plain.lstrip("+-").isdigit()
        return int(plain, 8 if octal else 0) if len(plain) <= _DIGITS else text
    except ValueError:
        return text
