"""Other values that a key could have: of its type, within its bounds, and not the one that it has.

Apart from ``trial``, which puts them in: only here is asked what a field of the model accepts. Nothing is by chance, so
that an explanation is the same every time.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

MOST = 7
"""Other values of one key; what has more is tried with the most telling ones."""

_DIGIT = re.compile(r"\d+")
_VERSIONS = ("0.15", "0.17")
"""On both sides of the KServe version that renamed the deployment modes."""

_TEXTS = (
    "other", "x-1", "1.99", "7m", "48h", "7Gi", "xyz", "example.com/other", "https://other.example.com/{model}",
    "{model}.{cluster}.other.example.com", "other/{version}", "other/{model}:{version}", "ReadWriteOnce",
    "https://other.example.com", "tls://other.example.com:8786", "value",
)  # fmt: skip


@lru_cache(maxsize=4096, typed=True)
def others(annotation: Any, value: Any, nearby: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """Values that a key could have instead, the most telling ones first.

    Args:
        annotation: of the field, with its bounds.
        value: what it has.
        nearby: values that it is compared with elsewhere: those of the labels that a group asks for, and those that
            other keys of the same name have, as two that say the same may make one object.
    """
    adapter = adapter_of(annotation)
    found: list[Any] = []
    for candidate in (*nearby, *_candidates(annotation, value)):
        if candidate == value or candidate in found or not _fits(adapter, candidate):
            continue
        found.append(candidate)
        if len(found) == MOST:
            break
    if value is not None and _fits(adapter, None):
        found.append(None)
    return tuple(found)


def accepts_none(annotation: Any) -> bool:
    """Whether the key may be left without a value."""
    return type(None) in _members(annotation)


def sections(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models that a key may hold."""
    return tuple(one for one in _members(annotation) if isinstance(one, type) and issubclass(one, BaseModel))


def alternatives(annotation: Any, value: BaseModel) -> tuple[BaseModel, ...]:
    """Of a union with a ``type``: a section of each other type, with nothing in it but what it has to have."""
    return tuple(smallest(one) for one in sections(annotation) if not isinstance(value, one))


def smallest(model: type[BaseModel]) -> BaseModel:
    """A section that sets only what has no default."""
    needed = {name: field for name, field in model.model_fields.items() if field.is_required()}
    return model.model_construct(**{name: _least(annotation_of(field)) for name, field in needed.items()})


def _least(annotation: Any) -> Any:
    """The least that a key without a default may hold; of a list of sections, one of them."""
    if found := others(annotation, None):
        return found[0]
    if kinds := sections(annotation):
        return smallest(kinds[0])
    return tuple(smallest(kind) for kind in sections(inner(annotation)))


def annotation_of(field: FieldInfo) -> Any:
    """A field's type with its bounds."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def inner(annotation: Any) -> Any:
    """The type of a mapping's values or a list's items."""
    for one in _members(annotation):
        if get_origin(one) is dict:
            return get_args(one)[1]
        if get_origin(one) is tuple:
            return get_args(one)[0]
    return Any


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(inner_one for one in get_args(annotation) for inner_one in _members(one))
    return (annotation,)


@lru_cache(maxsize=2048)
def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """What checks a value against a type; made once a type."""
    return TypeAdapter(annotation)


def _fits(adapter: TypeAdapter[Any], candidate: Any) -> bool:
    try:
        adapter.validate_python(candidate)
    except ValidationError:
        return False
    return True


def _candidates(annotation: Any, value: Any) -> Iterator[Any]:
    members = _members(annotation)
    for one in members:
        if get_origin(one) is Literal:
            yield from get_args(one)
        if get_origin(one) is tuple and value is None:
            yield _TEXTS[:2]
    if bool in members:
        yield from (True, False)
    elif int in members or float in members:
        number = value if isinstance(value, (int, float)) else 1
        yield from (number + 1, number * 2 + 3, number - 1, 0, 1, 50, 1000, 4096)
    if datetime in members:
        yield from ((value + timedelta(days=1),) if isinstance(value, datetime) else ())
        yield datetime(2030, 1, 1, tzinfo=UTC)
    if str in members:
        yield from _texts(value if isinstance(value, str) else "")


def _texts(value: str) -> Iterator[str]:
    if value:
        yield _DIGIT.sub(lambda found: str(int(found[0]) + 1), value, count=0 if "." not in value else 1)
        yield f"{value}x"
        yield f"x{value}"
        yield from _VERSIONS if re.fullmatch(r"\d+\.\d+(\.\d+)?", value) else ()
    yield from _TEXTS
