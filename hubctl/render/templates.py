"""The Jinja2 environment: strict, sandboxed, with delimiters that leave Argo CD's ``{{ }}`` alone.

Templates are compiled once and rendered for every spoke. A folder of the user's own wins over the packaged one,
file by file. No filter or global here knows the time or chance, so that equal inputs give equal bytes.
"""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hubctl.errors import TemplateError
from hubctl.model import credential, digest

SUFFIX = ".j2"
_MISSING = re.compile(r"has no attribute '([^']+)'|^'([^']+)' is undefined")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NUMBERS_BEGIN = frozenset("0123456789.+-")
_ONE_LETTER = frozenset("yYnN")
_CHANCE_OR_NOISE = ("random", "urlize", "pprint")


@dataclass(frozen=True, slots=True)
class Templates:
    """Compiled templates by name, such as ``spoke/storage.yaml.j2``.

    Attributes:
        digest: of the files that they were read from.
        own: name to text of those that are a person's own.
    """

    environment: jinja2.Environment
    names: tuple[str, ...]
    digest: str = ""
    own: Mapping[str, str] = field(default_factory=dict)

    def render(self, name: str, context: Mapping[str, Any], subject: str) -> str:
        """The text of one template.

        Args:
            name: one of ``names``.
            context: what the template sees.
            subject: whom it is rendered for, such as ``spoke edge-a``; stands in the error.

        Raises:
            TemplateError: an undefined name, a forbidden access or an error in an expression.
        """
        try:
            return self.environment.get_template(name).render(context)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, KeyError) as error:
            raise _explained(error, name, context, subject) from error


def load_templates(
    folder: Path | None, kind: type[ImmutableSandboxedEnvironment] = ImmutableSandboxedEnvironment
) -> Templates:
    """The packaged templates, with files of ``folder`` (if it exists) before them.

    Args:
        folder: the user's own.
        kind: of environment; ``marks.Marking`` to learn which line writes what.

    Raises:
        TemplateError: a template cannot be parsed.
    """
    packaged = Path(str(resources.files("hubctl").joinpath("templates")))
    folders = [path for path in (folder, packaged) if path is not None and path.is_dir()]
    environment = kind(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        # YAML, not HTML: escaping would corrupt it. Values enter through `quote` and `yaml`, which escape for YAML.
        autoescape=False,
        # What was loaded stays, and the digest with it; the next pass loads anew.
        auto_reload=False,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(quote=quote, yaml=to_yaml)
    for name in _CHANCE_OR_NOISE:
        environment.filters.pop(name, None)
    environment.globals.pop("lipsum", None)
    names = tuple(name for name in sorted(environment.list_templates()) if name.endswith(SUFFIX))
    for name in names:
        try:
            environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                credential.masked(str(error.message)),
                where=f"templates/{name}:{error.lineno}",
                hint="see docs/templates.md for the syntax",
            ) from error
    own = {
        name: _read(folders[:1], name).decode(errors="replace")
        for name in names
        if folder and (folder / name).is_file()
    }
    return Templates(environment, names, digest.of_files({name: _read(folders, name) for name in names}), own)


def _read(folders: list[Path], name: str) -> bytes:
    """The bytes of a template's file: of the first folder that has it, as the environment chooses it."""
    return next((folder / name).read_bytes() for folder in folders if (folder / name).is_file())


def quote(value: object) -> str:
    """A YAML string in double quotes, whatever is in it: a JSON string is one, once YAML's unprintables are escaped."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(str(value), ensure_ascii=False))


class _Quoting(yaml.CSafeDumper):
    """Quotes a string that Kubernetes takes for something else and PyYAML does not: ``1e9``, ``y``."""


def _careful(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if value[:1] in _NUMBERS_BEGIN or value in _ONE_LETTER else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Quoting.add_representer(str, _careful)


def to_yaml(value: object, indent: int = 0) -> str:
    """A value as block YAML, each line after the first indented; no trailing line break."""
    text = yaml.dump(value, Dumper=_Quoting, default_flow_style=False, sort_keys=True, width=1000).rstrip("\n")
    return text.removesuffix("\n...").replace("\n", "\n" + " " * indent)


def _explained(error: Exception, name: str, context: Mapping[str, Any], subject: str) -> TemplateError:
    line = _line_in_template(error)
    missing = _MISSING.search(str(error))
    hint = "see docs/templates.md for what templates see"
    if missing:
        wanted = missing.group(1) or missing.group(2)
        if near := difflib.get_close_matches(wanted, sorted(_names_in(context)), n=1):
            hint = f"did you mean {near[0]!r}? " + hint
    return TemplateError(credential.masked(str(error)), where=f"templates/{name}:{line} ({subject})", hint=hint)


def _line_in_template(error: Exception) -> int:
    """The innermost template line of a traceback; Jinja2 rewrites the frames, not the error."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename.endswith(SUFFIX):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _names_in(value: object) -> set[str]:
    if isinstance(value, Mapping):
        return {str(key) for key in value}.union(*(_names_in(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(_names_in(inner) for inner in value[:1]))
    return set()
