"""Which line of which template wrote a piece of a text: templates whose output carries marks, and marks read back.

Apart from ``templates``, which has to be quick: marks are put into the syntax tree before compiling, so that the marked
text takes the same branches. They are taken out again and the rest is compared with what the plain template gives, so
that a template that measures or changes its own output is found out and told without lines.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hubctl.render.leaves import Trail

_MARK = re.compile("\ue000(\\d+)\ue001")
_TEXT = "tag:yaml.org,2002:str"
_STARTS = re.compile(r"[^\s]")


@dataclass(frozen=True, slots=True)
class Line:
    """What wrote a piece of text.

    Attributes:
        template: its name, such as ``spoke/storage.yaml.j2``.
        number: from 1; 0 when it is not known.
        computed: whether an expression wrote it, not the template's own text.
    """

    template: str
    number: int
    computed: bool


class Marking(ImmutableSandboxedEnvironment):
    """The environment of the templates, with marks in everything that they write."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: list[Line] = []

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for output in list(tree.find_all(nodes.Output)):
            output.nodes = [made for node in output.nodes for made in self._marked(node, name or "")]
        return tree

    def _marked(self, node: nodes.Expr, name: str) -> Iterator[nodes.Expr]:
        if not isinstance(node, nodes.TemplateData):
            yield nodes.TemplateData(self._mark(Line(name, node.lineno, computed=True)), lineno=node.lineno)
            yield node
            return
        parts = [
            self._begun(text, Line(name, node.lineno + index, computed=False))
            for index, text in enumerate(node.data.split("\n"))
        ]
        yield nodes.TemplateData("\n".join(parts), lineno=node.lineno)

    def _begun(self, text: str, line: Line) -> str:
        """A mark before the first letter: an empty line stays one, and what indents sees the same lines."""
        start = _STARTS.search(text)
        return f"{text[: start.start()]}{self._mark(line)}{text[start.start() :]}" if start else text

    def _mark(self, line: Line) -> str:
        self.lines.append(line)
        return f"\ue000{len(self.lines) - 1}\ue001"


@dataclass(frozen=True, slots=True)
class Written:
    """A text and what wrote each piece of it.

    Attributes:
        starts: offsets at which pieces begin, ascending.
        lines: what wrote each of them.
    """

    text: str
    starts: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def between(self, start: int, end: int) -> list[Line]:
        """What wrote the characters between two offsets, in order; nothing if that is not known."""
        if not self.starts:
            return []
        first = max(0, bisect.bisect_right(self.starts, start) - 1)
        last = bisect.bisect_left(self.starts, max(end, start + 1))
        ends = [*self.starts[first + 1 : last], max(end, start + 1)]
        pieces = zip(self.starts[first:last], self.lines[first:last], ends, strict=True)
        return [line for begin, line, stop in pieces if stop > max(begin, start)]


def read(marked: str, plain: str, environment: Marking) -> Written:
    """The marks of a text; none where the text is another one without them.

    Args:
        marked: as the marking environment rendered it.
        plain: as the plain one did.
        environment: the marking one.
    """
    starts, lines, pieces, position, length = [], [], [], 0, 0
    for mark in _MARK.finditer(marked):
        pieces.append(marked[position : mark.start()])
        length += mark.start() - position
        position = mark.end()
        starts.append(length)
        lines.append(environment.lines[int(mark[1])])
    text = "".join((*pieces, marked[position:]))
    return Written(text, starts, lines) if text == plain else Written(plain)


def lines_of(written: Written) -> dict[Trail, Line]:
    """What wrote each value of a YAML text, by its path; nothing where that is not known.

    A value is computed when an expression wrote any part of it.
    """
    offsets = [0, *(found.end() for found in re.finditer("\n", written.text))]
    documents = yaml.compose_all(written.text, Loader=yaml.CSafeLoader)
    found = {}
    for index, document in enumerate(documents):
        for trail, node in _nodes(document, (index,)):
            start, end = (offsets[mark.line] + mark.column for mark in (node.start_mark, node.end_mark))
            if pieces := written.between(start, end):
                computed = any(piece.computed for piece in pieces)
                found[trail] = Line(pieces[0].template, pieces[0].number, computed)
    return found


def _nodes(node: yaml.Node, trail: Trail) -> Iterator[tuple[Trail, yaml.Node]]:
    if isinstance(node, yaml.MappingNode) and node.value:
        for key, value in node.value:
            yield from _nodes(value, (*trail, _key(key)))
    elif isinstance(node, yaml.SequenceNode) and node.value:
        for index, value in enumerate(node.value):
            yield from _nodes(value, (*trail, index))
    else:
        yield trail, node


def _key(node: yaml.Node) -> Any:
    """A key as the loader reads it: mostly text, but a bare number is a number."""
    return node.value if node.tag == _TEXT else next(yaml.load_all(yaml.serialize(node), Loader=yaml.CSafeLoader))
