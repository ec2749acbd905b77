"""pydantic's complaints as ours: file, line, field, the value found, what was expected, the nearest spelling.

Pure. Apart from the models, which know no files, and from YAML, which knows no models.
"""

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from hubctl.errors import InputError
from hubctl.inputs import plain
from hubctl.inputs.document import Document, Trail, dotted
from hubctl.model import credential
from hubctl.model.spelling import nearest

Model = TypeVar("Model", bound=BaseModel)

PATTERNS = {
    r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits and -, no - at either end",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$": (
        "lower-case letters, digits, - and ., starting and ending with a letter or digit"
    ),
    r"^[a-z]([-a-z0-9]*[a-z0-9])?$": "lower-case letters, digits and -, starting with a letter, no - at the end",
    r"^[a-z]([a-z0-9_-]*[a-z0-9])?$": "lower-case letters, digits and _, starting with a letter, no _ at the end",
    r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$": (
        "1 to 63 letters, digits, -, _ and ., starting and ending with a letter or digit"
    ),
    r"^https?://[^/@\s]+(/[^\s]*)?$": "an http:// or https:// URL without user, password or spaces",
    r"^https://[^/@\s?#]+(/[^\s?#]*)?$": "an https:// URL without user, password, query or spaces",
    r"^https://[A-Za-z0-9.-]+(:\d+)?(/[^\s]*)?$": "an https:// URL without user, password or spaces",
    r"^(dask|tls)://[^/@\s]+:\d+$": "dask://HOST:PORT or tls://HOST:PORT",
    r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$": "owner/name, on GitLab with every group above it",
    r"^[A-Za-z0-9.-]+(:\d+)?$": "a host name, with :port if need be, without https://",
    r"^[a-z0-9][A-Za-z0-9._/:@-]*$": "an image, such as registry.example.com/hubctl:0.1.0",
    r"^[^/].*$": "a path that does not start with /",
    r"^[^/](.*[^/])?$": "a path that neither starts nor ends with /",
    r"^[A-Za-z0-9][A-Za-z0-9._/-]*$": "a branch name: letters, digits, ., _, / and -",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$": "a relative folder such as fleet/rendered",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "a name of letters, digits and _, not starting with a digit",
    r"^https?://[^/@\s?#]+(/[^\s?#]*)?$": "an http:// or https:// URL without user, password, query or spaces",
    r"^[A-Za-z0-9-]+$": "the name of a header: letters, digits and -",
    r"^[!-~]([ -~]*[!-~])?$": "one line of printable characters",
    r"^\d{1,3}%$": "a percentage such as 10%",
    r"^(100|[1-9]?\d)%$": "a percentage such as 10%",
    r"^[1-9]\d*(\.\d+)?(Ki|Mi|Gi|Ti)$": "a size such as 10Gi",
    r"^(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]{1,2}))?$": (
        "a quantity such as 500m, 2 or 4Gi"
    ),
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": "a bucket name: 3 to 63 lower-case letters, digits, . and -",
    r"^\d+\.\d+(\.\d+)?$": 'a quoted version such as "4.18"',
    r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$": "an extended resource such as nvidia.com/gpu",
    r"^[a-z0-9{][a-z0-9.{}-]*$": "a host such as {model}.{cluster}.example.com",
    r"^[1-9]\d*(s|m)$": "a period such as 30s or 1m",
    r"^[1-9]\d{0,4}h$": "hours, such as 720h",
    r"^[1-9]\d*(s|m|h)$": "a period such as 30m or 1h",
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$": "a label's key",
    r"^[^\s]+$": "text without spaces",
    r"^[^\s/:@][^\s@]*$": "an image without oci:// and digest, such as quay.io/fleet/{model}:{version}",
    r"^[^\s/:]+/[^\s/:]+:[^\s/:]+$": "owner/model:revision without hf://, such as fleet/{model}:{version}",
}
"""What each pattern of the models means, in words."""

_SHOWN = 60
_KINDS = {
    "dict_type": "a mapping of `key: value` lines",
    "model_type": "a mapping of `key: value` lines",
    "model_attributes_type": "a mapping of `key: value` lines",
    "tuple_type": "a list of `- item` lines",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}


def check(model: type[Model], document: Document, trail: Trail = ()) -> Model:
    """The part of a document below a path, as a model.

    Raises:
        InputError: every problem, the first one raised and the rest in ``also``.
    """
    data: Any = document.data
    for part in trail:
        data = data[part]
    problems = {problem.where: problem for problem in plain.ours(data, document, trail)}
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        # A URL with a password also breaks its pattern; only the first of the two complaints helps.
        for problem in explain(error, model, document, trail):
            problems.setdefault(problem.where, problem)
    else:
        if not problems:
            return found
    start = len(document.name) + 1
    first, *rest = sorted(problems.values(), key=lambda problem: int(problem.where[start:].partition(" ")[0]))
    raise InputError(first.message, hint=first.hint, where=first.where, also=rest)


def shown(value: object) -> str:
    """A value as a message may show it: one short line, without what looks like a credential."""
    if value is None:
        return "nothing"
    if isinstance(value, (Mapping, list, tuple)):
        kind = "a mapping" if isinstance(value, Mapping) else "a list"
        return kind if value else f"{kind} with nothing in it"
    if isinstance(value, bool):
        return str(value).lower()
    text = credential.masked(str(value))
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return repr(text) if isinstance(value, str) else text


def has_credentials(text: str) -> bool:
    """Whether a URL in the text has a password, or over HTTP any user: there a user is often a token."""
    return credential.has_userinfo(text)


def explain(error: ValidationError, model: type[BaseModel], document: Document, prefix: Trail = ()) -> list[InputError]:
    """One InputError for each place that pydantic complains about."""
    grouped: dict[Trail, list[tuple[ErrorDetails, frozenset[Any]]]] = {}
    for details in error.errors(include_url=False):
        trail, owners = _resolve(model, details)
        grouped.setdefault((*prefix, *trail), []).append((details, owners))
    return [_problem(trail, found, document) for trail, found in grouped.items()]


def _resolve(model: type[BaseModel], details: ErrorDetails) -> tuple[Trail, frozenset[Any]]:
    """The path in the file of pydantic's location, which also names union members, and the types that own its end."""
    kinds: frozenset[Any] = frozenset({model})
    owners = kinds
    trail: Trail = ()
    for part in details["loc"]:
        models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        tagged = [kind for kind in models if _tag(kind) == part]
        if isinstance(part, str) and part.startswith("["):  # "[key]", and the forms of a key that may be a list
            continue
        # pydantic names the chosen member of a union in its location, which is no key of the file.
        if tagged and len(models) > 1:
            kinds = frozenset(tagged)
            continue
        inner = _inside(kinds, part)
        if inner is None:
            continue
        owners, kinds, trail = kinds, inner, (*trail, part)
    if details["type"].startswith("union_tag"):
        return (*trail, "type"), kinds
    return trail, owners


def _inside(kinds: frozenset[Any], part: str | int) -> frozenset[Any] | None:
    """The types a key or an index leads to; None when the part is no key of the file."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if isinstance(part, int):
                continue
            found = _fields(kind).get(part)
            return _flat(found.annotation) if found else frozenset()
        if get_origin(kind) is dict:
            return _flat(get_args(kind)[1])
        if get_origin(kind) is tuple and isinstance(part, int):
            return _flat(get_args(kind)[0])
    return None if kinds else frozenset()


def _flat(annotation: Any) -> frozenset[Any]:
    """The types in an annotation, without Annotated, unions and None."""
    if get_origin(annotation) is Annotated:
        return _flat(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return frozenset().union(*(_flat(arg) for arg in get_args(annotation)))
    return frozenset() if annotation is type(None) else frozenset({annotation})


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the key that a file has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _tag(model: type[BaseModel]) -> object:
    """The word in ``type`` that chooses this member of a union, or None."""
    field = model.model_fields.get("type")
    literal = field.annotation if field is not None else None
    return get_args(literal)[0] if get_origin(literal) is Literal else None


def _tags(kinds: frozenset[Any]) -> list[str]:
    """The words that choose a member of a union; a list of members, the other form of some keys, has none."""
    return sorted(str(_tag(kind)) for kind in kinds if hasattr(kind, "model_fields"))


def _problem(trail: Trail, found: Sequence[tuple[ErrorDetails, frozenset[Any]]], document: Document) -> InputError:
    """One error for one place; members of a union that each complain are told as alternatives."""
    details, owners = found[0]
    where = document.where(trail)
    key = str(trail[-1]) if trail else ""
    known = sorted({name for owner in owners if hasattr(owner, "model_fields") for name in _fields(owner)})
    if details["type"] == "extra_forbidden":
        hint = f"{nearest(key, known)} known here: {', '.join(known)}".strip()
        return InputError(f"unknown key {credential.masked(key)!r}, expected one of ours", where=where, hint=hint)
    if details["type"] == "missing":
        return InputError(
            f"missing key {key!r}, expected it in {dotted(trail[:-1]) or 'the file'}",
            where=where,
            hint=f"add {key}: ...",
        )
    if details["type"] == "union_tag_not_found":
        tags = _tags(owners)
        return InputError(f"missing key 'type', expected {' or '.join(tags)}", where=where, hint=f"add type: {tags[0]}")
    if details["type"] == "union_tag_invalid":
        tags = _tags(owners)
        value = details["input"]["type"]
        told = document.spelled.get(trail) or shown(value)
        return InputError(f"found {told}, expected {' or '.join(tags)}", where=where, hint=nearest(str(value), tags))
    spelled = document.spelled.get(trail)
    told = credential.masked(spelled) if spelled is not None else shown(details["input"])
    expected = ", or ".join(dict.fromkeys(_expected(one) for one, _ in found))
    return InputError(f"found {told}, {expected}", where=where, hint=_hint(details, key, spelled))


def _expected(details: ErrorDetails) -> str:
    """``expected ...``, in words."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in _KINDS:
        return f"expected {_KINDS[kind]}"
    if kind == "string_pattern_mismatch":
        return f"expected {PATTERNS.get(context['pattern'], 'text that matches ' + context['pattern'])}"
    if kind == "literal_error":
        return f"expected {context['expected']}".replace("'", "")
    if kind == "value_error":
        return _reason(context["error"])
    return re.sub(r"^(Input|\w+) should (be|have) ", "expected ", details["msg"])


def _reason(error: ValueError) -> str:
    """The sentence of a validator, also when a model inside it complained."""
    if isinstance(error, ValidationError):
        inner = error.errors(include_url=False)[0]
        return f"{shown(inner['input'])} in it is wrong: {_expected(inner)}"
    return credential.masked(str(error))


def _hint(details: ErrorDetails, key: str, spelled: str | None) -> str:
    """What to do next about a wrong value."""
    kind, value = details["type"], details["input"]
    if kind == "string_type" and spelled is not None:
        return f'quote it: {key}: "{spelled}"'
    if value is None:
        return "give it a value or remove the key"
    if kind == "literal_error":
        return nearest(str(value), re.findall(r"'([^']*)'", details["ctx"]["expected"]))
    if kind == "string_pattern_mismatch" and isinstance(value, str) and value.lower() != value:
        lower = value.lower()
        return f"did you mean {lower}?" if re.fullmatch(details["ctx"]["pattern"], lower) else ""
    return ""
