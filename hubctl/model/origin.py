"""Place: where an input stands that a rendered value was made from; what ``render --explain`` speaks of.

Found in ``inputs``, which knows files and defaults; passed through ``render``, which knows what a change of it does.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "default", "environment", "name", "hub", "hubctl", "fleet", "template"]
"""What an input is: a key of a file, a default of hubctl's that no file sets, a variable of the environment, the name
of a file, what the hub says of a spoke, what templates see and no single input changes, all spokes together, or the
template itself."""

Role = Literal["value", "decides", "presence"]
"""What an input does to a field: its own text stands in it, it decides which one does, or whether there is any."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an input stands.

    Attributes:
        file: relative to the folder of the inputs; the folder's or variable's name for what is in no file.
        line: from 1; 0 for what is in no file.
        column: as the line.
        field: as people write it, such as ``spec.models[0].version``.
        branch: that the file stands on, for overrides of the published branch; empty for files of the folder.
    """

    kind: Kind
    file: str = ""
    line: int = 0
    column: int = 0
    field: str = ""
    branch: str = ""

    @property
    def text(self) -> str:
        """In one line, such as ``clusters/edge-a.yaml:12:3 spec.namespace``."""
        if self.kind == "file":
            on = f" on branch {self.branch}" if self.branch else ""
            return f"{self.file}:{self.line}:{self.column} {self.field}{on}".rstrip()
        said = {
            "default": f"default of hubctl: {self.field}",
            "environment": f"variable {self.file}",
            "name": f"name of the file {self.file}",
            "hub": f"{self.file}: {self.field}",
            "hubctl": f"seen by templates as {self.field}; no single input changes it",
            "fleet": "all spokes together: clusters/",
            "template": "literal of the template",
        }
        return said[self.kind]
