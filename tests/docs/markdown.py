"""Markdown as the tests of the documentation read it: code blocks, tables, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text()

    @property
    def prose(self) -> str:
        """The file without its code blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """The code blocks in a language."""
        return [body for found, body in _FENCE.findall(self.text) if found == language]

    def spans(self) -> list[str]:
        """The code spans in the prose."""
        return _INLINE.findall(self.prose)

    def links(self) -> list[str]:
        """The targets of all links."""
        return _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """What ``#…`` may name: the headings, in the spelling of Git forges."""
        titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(self.prose))
        return {title.strip().replace(" ", "-") for title in titles}

    def section(self, heading: str) -> str:
        """What stands under a heading, up to the next one of any level."""
        found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert found, f"{self.path.name} has no heading {heading!r}"
        return found.group(1)

    def rows(self, heading: str) -> list[list[str]]:
        """The rows of the tables under a heading, without the heads; code marks are taken off each cell."""
        return list(_rows(self.section(heading)))

    def words(self, heading: str) -> list[str]:
        """The first cell of each row under a heading."""
        return [row[0] for row in self.rows(heading)]


def page(name: str) -> Page:
    """A page by its path from the project's root."""
    return Page(ROOT / name)


def pages() -> list[Page]:
    """Every page of the documentation."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"]
    return [Page(path) for path in sorted(found)]


def _rows(text: str) -> Iterator[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if not _is_rule(line) and not _is_rule(following):
            yield [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def _is_rule(line: str) -> bool:
    return bool(line) and set(line) <= set("|-: ")
