"""Nouns to JSON and back, for every frozen dataclass of the model. Pure.

Apart from the tables, so that the stored form is decided in one place: a field that is absent takes its default,
a field that is no longer known is ignored, so a document outlives small changes of its noun.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

T = TypeVar("T")


def dumps(value: object) -> str:
    """JSON text of a noun, or of lists and dictionaries of nouns; infinities become strings, as PostgreSQL needs.

    Raises:
        ValueError: a value has no JSON form.
    """
    return to_json(value, inf_nan_mode="strings").decode()


def loads(text: str | bytes) -> Any:
    """Plain lists and dictionaries of JSON text.

    Raises:
        ValueError: it is not JSON.
    """
    return from_json(text)


def decoder(kind: type[T]) -> Callable[[str], T]:
    """The function that makes a noun of that kind from JSON text; it raises ValueError when that describes none."""
    adapter: TypeAdapter[T] = _ADAPTERS(kind)
    return adapter.validate_json


def builder(kind: type[T]) -> Callable[[object], T]:
    """The function that makes a record of that kind from a dictionary; it raises ValueError as ``decoder`` does."""
    adapter: TypeAdapter[T] = _ADAPTERS(kind)
    return adapter.validate_python


_ADAPTERS: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""A TypeAdapter takes milliseconds to make and does not change."""
