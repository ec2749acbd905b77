"""What a credential in plain text looks like, by its shape or by the key that it stands under.

Pure, and among the nouns because inputs and rendering ask the same. Whoever reports a finding says the key and the
kind, never the value.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import Field

from hubctl.model.base import Strict

VEIL = "***"

_SHAPES = {
    "private": ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "aws": ("an AWS access key ID", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "jwt": ("a JSON web token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    "github": ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})"),
    "gitlab": ("a GitLab token", r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-[\w-]{20,}"),
    "openshift": ("an OpenShift token", r"\bsha256~[\w-]{40,}"),
    "hugging": ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    "google": ("a Google API key", r"\bAIza[\w-]{35}"),
    "slack": ("a Slack token", r"\bxox[abeoprs]-[\w-]{10,}"),
    "hook": ("a Slack webhook", r"\bhttps://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[^\s\"']+"),
    "basic": ("a basic authorization header", r"\b[Bb]asic[ ]+[A-Za-z0-9+/]{8,}={0,2}"),
    "bearer": ("a bearer token", r"\b[Bb]earer[ ]+(?=[\w.~+/=-]*\d)[\w.~+/=-]{20,}"),
}
_SHAPE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, (_, pattern) in _SHAPES.items()))
_SHORTEST = 14
"""Characters of the shortest text that any shape fits, but for a URL."""

_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://([^/\s@]+)@")
_BLOCK = re.compile(r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)(.*?)(?=-----END|\Z)", re.DOTALL)
_ASSIGNED = re.compile(r"(?m)^[ \t]*(?:- )?-{0,2}[\"']?([\w./-]+)[\"']?[ \t]*[:=][ \t]*(\S.*)$")
# Begins at a word's first letter only, or a long line without a colon would take for ever.
_KEY = re.compile(r"(?<![\w./-])[\"']?([\w./-]{1,80})[\"']?[ \t]*[:=](?=\s|[\"']|$|[^\s:=/])[ \t]*")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_BELOW = frozenset({"", "|", ">", "|-", ">-", "|+", ">+"})
"""What stands behind a key whose value is on the lines below it."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+")

_NUMERIC = (("password",), ("passwd",), ("pwd",), ("passphrase",))
_ENDINGS = (
    *_NUMERIC,
    ("token",), ("bearer",), ("authorization",), ("apikey",), ("api", "key"), ("secretkey",), ("secret", "key"),
    ("accesskey",), ("access", "key"), ("privatekey",), ("private", "key"), ("signing", "key"), ("encryption", "key"),
    ("account", "key"), ("clientsecret",), ("client", "secret"), ("shared", "secret"), ("webhook", "secret"),
)  # fmt: skip
"""Last words of a key under which a literal value is a credential."""

_NAMED = (("secret",), ("credential",), ("credentials",))
"""Last words of a key that often holds the name of a Secret; only what cannot be a name is a credential."""

_REFERENCE = re.compile(
    r"""\s*$                                            # nothing
    | .*(\{\{.*\}\} | \[\[.*\]\] | \$\{.*\} | \$\(.*\)) # a template's or a shell's
    | \s*<[^<>]*>\s*$                                   # <a placeholder>
    | [*xX•.-]{3,}$ | (?i:redacted|none|null|nil|true|false)$
    | \$?[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$                   # the name of a variable
    | (?i:vault|secretref|env|file|op|arn|ref\+\w+):    # a store's address
    | ENC\[                                             # encrypted by SOPS
    | (~|\.{0,2})(/[\w.@{}-]{1,64})+/?$ | secret/[\w./#-]+$ # a path
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[a-z0-9][\w.-]*)*$")

Trail = tuple[str | int, ...]


class NotCredential(Strict):
    """A field that looks like a credential and is none, marked by a person."""

    file: str = Field("values-hub.yaml", description="as messages name it; * stands for anything")
    field: str = Field(min_length=1, description="path in it as messages write it; * stands for anything")
    reason: str = Field(min_length=1, description="why it is none, for whoever reads this next")

    def excuses(self, file: str, field: str) -> bool:
        """Whether this is the mark of a field."""
        return bool(_glob(self.file).fullmatch(file) and _glob(self.field).fullmatch(field))


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that looks like a credential; it holds no part of it.

    Attributes:
        why: such as ``holds a private key``.
        sure: it was told by its shape; else by its key.
        url: it is a URL with user and password.
    """

    trail: Trail
    why: str
    sure: bool
    url: bool = False


def findings(data: Any, trail: Trail = (), *, users: bool = False) -> Iterator[Finding]:
    """Every value in plain data that looks like a credential.

    Args:
        data: mappings, lists and scalars.
        trail: where in a file it stands.
        users: whether a user alone in an http URL counts: there it is often a token.
    """
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not _harmless(key, value):
                yield from findings(value, (*trail, key), users=users)
        if "value" in data:
            yield from _pair(data, trail)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from findings(item, (*trail, index), users=users)
    elif data is not None and not isinstance(data, bool) and (found := _of_scalar(data, trail, users=users)):
        yield found


def shape(text: str) -> str:
    """What kind of credential is in a text by its shape, such as ``a JSON web token``; empty when none is."""
    if len(text) < _SHORTEST:
        return ""
    for found in _SHAPE.finditer(text):
        if found.lastgroup == "basic" and not _is_basic(found[0]):
            continue
        return _SHAPES[str(found.lastgroup)][0]
    return ""


def has_userinfo(text: str, *, users: bool = True) -> bool:
    """Whether a URL in the text has a password or, if ``users``, over HTTP any user: there a user is often a token."""
    if "@" not in text:
        return False
    return any(
        not _REFERENCE.match(user.rpartition(":")[2]) and (":" in user or (users and scheme.lower().startswith("http")))
        for scheme, user in _USERINFO.findall(text)
    )


def is_literal(key: str, value: object) -> bool:
    """Whether a value under a key is a credential, going by the key: neither a reference nor empty."""
    kind = _kind(key)
    if not kind:
        return False
    if isinstance(value, str):
        return not _REFERENCE.match(value) and (kind != "named" or not _NAME.match(value))
    return kind == "numeric" and isinstance(value, (int, float)) and not isinstance(value, bool)


def is_reference(value: str) -> bool:
    """Whether a value only says where a credential is, or is filled in later."""
    return _REFERENCE.match(value) is not None


def masked(text: str) -> str:
    """A text for people, with ``***`` for what looks like a credential; it need not be YAML, and keeps its lines.

    Rather too much than too little: after a key that says so, the rest of its line and the lines below that are further
    in, for they may belong to it.
    """
    text = _BLOCK.sub(lambda found: found[1] + re.sub(r"\S+", VEIL, found[2]), text)
    text = _USERINFO.sub(rf"\1://{VEIL}@", text)
    text = _SHAPE.sub(VEIL, text)
    lines = []
    below = None
    for line in text.split("\n"):
        content = line.strip()
        column = len(line) - len(line.lstrip(" "))
        if below is not None and (not content or column > below):
            lines.append(line.replace(content, VEIL) if content else line)
            continue
        found = next((key for key in _KEY.finditer(line) if _kind(key[1]) and _tells(key, line)), None)
        below = found.start() if found else None
        lines.append(f"{line[: found.end()]}{VEIL}" if found and line[found.end() :].strip() else line)
    return "\n".join(lines)


def _harmless(key: object, value: object) -> bool:
    """Whether a value is too short for anything, and its key says nothing: most are, and a fleet has many."""
    if not isinstance(value, str) or len(value) >= _SHORTEST or key == "value":
        return False
    return "@" not in value and "\n" not in value and value[:1] != "-" and not _kind(str(key))


def _of_scalar(value: object, trail: Trail, *, users: bool) -> Finding | None:
    key = next((part for part in reversed(trail) if isinstance(part, str)), "")
    if isinstance(value, str):
        if kind := shape(value):
            return Finding(trail, f"holds {kind}", sure=True)
        if has_userinfo(value, users=users):
            return Finding(trail, "holds a URL with user and password", sure=True, url=True)
        if inner := _assigned(value):
            return Finding(trail, f"holds a value for {inner!r}", sure=False)
    above = [part for part in trail if isinstance(part, str)][-2:-1] if key == "value" else []
    named = next((each for each in (key, *above) if is_literal(each, value)), "")
    return Finding(trail, f"has a value under the key {named!r}", sure=False) if named else None


def _pair(data: Mapping[Any, Any], trail: Trail) -> Iterator[Finding]:
    """``name: TOKEN`` beside ``value: ...``, as environments and Helm's parameters are written."""
    value = data.get("value")
    for word in ("name", "key"):
        name = data.get(word)
        if isinstance(name, str) and is_literal(name, value) and not shape(str(value)):
            yield Finding((*trail, "value"), f"has a value for {name!r}", sure=False)
            return


def _assigned(text: str) -> str:
    """The first key with a literal credential in a text of several lines, or in a flag such as ``--token=...``."""
    if "\n" not in text and not text.startswith("-"):
        return ""
    return next((found[1] for found in _ASSIGNED.finditer(text) if is_literal(found[1], _bare(found[2]))), "")


def _bare(text: str) -> str:
    """What is assigned, without quotes and a comment behind it."""
    return _COMMENT.sub("", text).strip("\"' ")


def _tells(key: re.Match[str], line: str) -> bool:
    """Whether a credential may stand behind a key that says so on its line, or below it."""
    rest = _COMMENT.sub("", line[key.end() :])
    return is_literal(key[1], rest.strip("\"' ")) or rest.strip() in _BELOW


def _is_basic(text: str) -> bool:
    """Whether a word after ``Basic`` really is user and password."""
    word = text.rsplit(maxsplit=1)[-1]
    try:
        return b":" in base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except binascii.Error:
        return False


@lru_cache(maxsize=4096)
def _kind(key: str) -> str:
    """``literal``, ``numeric`` (a number is one too), ``named`` or nothing, by the last words of a key."""
    words = tuple(word.lower() for word in _WORD.findall(key))
    for kind, endings in (("numeric", _NUMERIC), ("literal", _ENDINGS), ("named", _NAMED)):
        if any(words[-len(ending) :] == ending for ending in endings):
            return kind
    return ""


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
