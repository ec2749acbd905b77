"""Four edits of YAML text that leave every other byte alone: put, append, replace, remove.

Apart from what is edited. Each edit works on the lines that it must touch, found by the parser; its result is
parsed again and has to mean what the edit was to mean. Where lines do not suffice (an anchor, say), ruamel.yaml
rewrites the file with its comments, and the same proof applies.
"""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError as RoundTripError

from hubctl.errors import InputError
from hubctl.inputs.document import Trail, compose, decode, dotted, parse

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*|https?://[A-Za-z0-9./{}_-]+|\d+(\.\d+)?[KMGT]i")
_COMMENT = re.compile(r"[\s:,\]}]*(#.*)")
_WIDTH = 1_000_000

Change = Callable[[Any], None]


class _NotByLine(Exception):  # noqa: N818 - a turn to take, not an error
    """The edit cannot be made line by line."""


def put(text: str, name: str, trail: Trail, value: Any) -> str:
    """The text with a key that was absent; absent parents are made, an empty one is filled.

    Raises:
        InputError: the text is no YAML mapping, or the edit has to be made by hand.
    """

    def change(data: Any) -> None:
        for key in trail[:-1]:
            if not data.get(key):
                data[key] = {}
            data = data[key]
        data[trail[-1]] = value

    return _proved(text, name, trail, change, _put)


def append(text: str, name: str, trail: Trail, item: Any) -> str:
    """The text with one more item at the end of a list that is there.

    Raises:
        InputError: as :func:`put`.
    """
    return _proved(text, name, trail, lambda data: _at(data, trail).append(item), _append)


def replace(text: str, name: str, trail: Trail, value: str) -> str:
    """The text with another scalar at a path that is there; quotes stay as they are.

    Raises:
        InputError: as :func:`put`.
    """

    def change(data: Any) -> None:
        _at(data, trail[:-1])[trail[-1]] = value

    return _proved(text, name, trail, change, _replace)


def remove(text: str, name: str, trail: Trail) -> str:
    """The text without a key that is there; comments in what is removed stay, at the indentation of the key.

    Raises:
        InputError: as :func:`put`.
    """

    def change(data: Any) -> None:
        del _at(data, trail[:-1])[trail[-1]]

    return _proved(text, name, trail, change, _remove)


def scalar(value: Any) -> str:
    """A scalar as YAML; quoted unless it is plain text to every parser."""
    if not isinstance(value, str):
        text = json.dumps(value)
        # To YAML 1.1 a number without a point is text once it has an exponent.
        return text.replace("e", ".0e") if isinstance(value, float) and "e" in text and "." not in text else text
    plain = _PLAIN.fullmatch(value) and isinstance(yaml.safe_load(value), str)
    return value if plain else json.dumps(value, ensure_ascii=False)


def block(value: Any, indent: str, step: str = "  ") -> list[str]:
    """The lines of a mapping or a list, in block style; lists of single values on one line."""
    lines = []
    if isinstance(value, list):
        for item in value:
            first, *rest = block(item, "", step) if isinstance(item, dict) else [flow(item)]
            lines += [f"{indent}- {first}", *(f"{indent}  {line}" for line in rest)]
        return lines
    for key, inner in value.items():
        if isinstance(inner, (dict, list)) and inner and not _is_flat(inner):
            lines += [f"{indent}{scalar(key)}:", *block(inner, indent + step, step)]
        else:
            lines.append(f"{indent}{scalar(key)}: {flow(inner)}")
    return lines


def _is_flat(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    return "[" + ", ".join(map(flow, value)) + "]" if isinstance(value, list) else scalar(value)


def _at(data: Any, trail: Trail) -> Any:
    for part in trail:
        data = data[part]
    return data


Lines = Callable[[str, yaml.MappingNode, Trail, Any], str]


def _proved(text: str, name: str, trail: Trail, change: Change, by_line: Lines) -> str:
    """The edited text, by line or else by round trip, once it is known to mean what it should."""
    document = parse(text, name)
    wanted = document.data
    change(wanted)
    text = decode(text, name)
    attempts: tuple[Callable[[], str], ...] = (
        lambda: by_line(text, compose(text, name), trail, wanted),
        lambda: _round_trip(text, change),
    )
    for attempt in attempts:
        try:
            result = attempt()
            if parse(result, name).data == wanted:
                return result
        except (_NotByLine, RoundTripError, InputError):
            continue
    raise InputError(
        f"cannot change {dotted(trail)} without touching the rest, expected plain block style",
        where=document.where(trail),
        hint="make this edit by hand: an anchor, an alias or a comment inside brackets is in the way",
    )


def _round_trip(text: str, change: Change) -> str:
    """The edit by ruamel.yaml, which keeps comments and quotes but not every space."""
    machine = YAML(typ="rt")
    machine.preserve_quotes = True
    machine.width = _WIDTH
    dashes = re.search(r"^( *)[^\s#-][^\n]*:\n\1( *)- ", text, re.MULTILINE)
    offset = len(dashes[2]) if dashes else 2
    machine.map_indent, machine.sequence_indent, machine.sequence_dash_offset = 2, offset + 2, offset
    data = machine.load(text)
    change(data)
    stream = io.StringIO()
    machine.dump(data, stream)
    if stream.getvalue().count("#") < text.count("#"):
        # It drops some comments inside flow collections.
        raise _NotByLine
    return stream.getvalue()


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    """Key and value of a mapping's entry, or a list's item without key."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None


def _descend(root: yaml.Node, trail: Trail) -> tuple[list[tuple[yaml.Node | None, yaml.Node]], Trail]:
    """The entries along a path as far as there are any, the root first, and the rest of the path."""
    found: list[tuple[yaml.Node | None, yaml.Node]] = [(None, root)]
    for index, part in enumerate(trail):
        entry = _child(found[-1][1], part)
        if entry is None:
            return found, trail[index:]
        found.append(entry)
    return found, ()


def _end(node: yaml.Node) -> int:
    """Where the last visible character of a node ends; an alias counts as nothing, it stands elsewhere."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.index)
    parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    return max((_end(part) for part in parts), default=int(node.end_mark.index))


def _after(text: str, node: yaml.Node, key: yaml.Node | None = None) -> int:
    """Where the line after a node's last line starts."""
    end = max(_end(node), int(key.end_mark.index) if key else 0)
    newline = text.find("\n", len(text[:end].rstrip()))
    return len(text) if newline < 0 else newline + 1


def _insert(text: str, at: int, lines: list[str]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    head = text[:at]
    if head and not head.endswith("\n"):
        head += newline
    return head + "".join(line + newline for line in lines) + text[at:]


def _step(root: yaml.MappingNode) -> str:
    """The indentation of one level, as the file has it."""
    for _, value in root.value:
        if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
            return " " * (int(value.start_mark.column) or 2)
    return "  "


def _reflow(text: str, entries: list[tuple[yaml.Node | None, yaml.Node]], trail: Trail, wanted: Any) -> str | None:
    """The text with the outermost flow collection of a path on one line; None when there is none.

    Comments inside move above it.
    """
    for depth, (key, node) in enumerate(entries):
        if not isinstance(node, yaml.CollectionNode) or not node.flow_style:
            continue
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        line = text.rfind("\n", 0, start) + 1
        comments = _comments(text[line:end], [start, *_marks(node)], line)
        # Without a key there is no line to put them above; an anchor would be lost in rewriting.
        if comments and (key is None or "&" in text[start:end]):
            raise _NotByLine
        indent = " " * int(key.start_mark.column if key else 0)
        above = _insert(text[:line], line, [indent + comment for comment in comments])
        return above + text[line:start] + flow(_at(wanted, trail[:depth])) + text[end:]
    return None


def _put(text: str, root: yaml.MappingNode, trail: Trail, wanted: Any) -> str:
    entries, rest = _descend(root, trail)
    key, node = entries[-1]
    # An empty {} or [] gives way to lines below its key.
    empty = isinstance(node, yaml.CollectionNode) and bool(node.flow_style) and not node.value
    if (done := _reflow(text, entries[:-1] if empty else entries, trail, wanted)) is not None:
        return done
    step = _step(root)
    if isinstance(node, yaml.MappingNode) and node.value:
        indent = " " * int(node.value[0][0].start_mark.column)
        step = indent[int(key.start_mark.column) :] if key else step
    elif key is not None:
        indent = " " * int(key.start_mark.column) + step
    else:
        raise _NotByLine
    depth = len(entries) - 1
    value = {rest[0]: _at(wanted, trail[: depth + 1])} if rest else _at(wanted, trail)
    result = _insert(text, _after(text, node, key), block(value, indent, step))
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return result[:start].rstrip(" ") + result[end:] if empty else result


def _append(text: str, root: yaml.MappingNode, trail: Trail, wanted: Any) -> str:
    entries, rest = _descend(root, trail)
    key, node = entries[-1]
    if rest:
        raise _NotByLine
    if (done := _reflow(text, entries, trail, wanted)) is not None:
        return done
    indent = " " * int(node.start_mark.column)
    return _insert(text, _after(text, node, key), block(_at(wanted, trail)[-1:], indent, _step(root)))


def _replace(text: str, root: yaml.MappingNode, trail: Trail, wanted: Any) -> str:
    entries, rest = _descend(root, trail)
    node = entries[-1][1]
    if rest or not isinstance(node, yaml.ScalarNode):
        raise _NotByLine
    value = str(_at(wanted, trail))
    quoted = {'"': json.dumps(value, ensure_ascii=False), "'": "'" + value.replace("'", "''") + "'"}
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return text[:start] + quoted.get(node.style or "", scalar(value)) + text[end:]


def _remove(text: str, root: yaml.MappingNode, trail: Trail, wanted: Any) -> str:
    entries, rest = _descend(root, trail)
    key, node = entries[-1]
    if rest or key is None:
        raise _NotByLine
    if (done := _reflow(text, entries[:-1], trail, wanted)) is not None:
        return done
    start = text.rfind("\n", 0, int(key.start_mark.index)) + 1
    indent = text[start : int(key.start_mark.index)]
    if indent.strip():
        raise _NotByLine
    after = _after(text, node, key)
    kept = [indent + comment for comment in _comments(text[start:after], _marks(key, node), start)]
    return _insert(text[:start], start, kept) + text[after:]


def _marks(*nodes: yaml.Node) -> list[int]:
    """Where each scalar and each flow collection below some nodes ends."""
    ends = []
    for node in nodes:
        if not isinstance(node, yaml.CollectionNode) or node.flow_style:
            ends.append(int(node.end_mark.index))
        if isinstance(node, yaml.CollectionNode):
            for item in node.value:
                ends += _marks(*(item if isinstance(item, tuple) else (item,)))
    return ends


def _comments(lines: str, ends: list[int], start: int) -> list[str]:
    """The comments of some whole lines, given where their scalars end."""
    found = []
    at = start
    for line in lines.splitlines(keepends=True):
        last = max((end for end in ends if at <= end <= at + len(line.rstrip("\r\n"))), default=at)
        if comment := _COMMENT.fullmatch(line[last - at :].rstrip()):
            found.append(comment[1])
        at += len(line)
    return found
