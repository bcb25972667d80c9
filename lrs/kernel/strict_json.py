"""JSON as it must be at the edge: UTF-8, no surprises, and the exact text of its parts.

Refuses what decoders let through and what would break us later (a 500, a lost member, another number): NaN,
duplicate keys, lone surrogates, byte order marks, numbers beyond a double, bottomless nesting. Knows nothing of xAPI.

The quick way is one C decode, one C encode and a count: an encoded twin of the decoded tree has exactly as many
colons as the body unless a member was dropped. Only a body that looks wrong is read a second time, slowly, to say
what is wrong and where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lrs.kernel.errors import Refused

MAX_DEPTH = 100
LONGEST_SHOWN = 80

_RULE = "RFC 8259"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_decode_slices = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

# Digits become "0" and all else a blank: more than 308 of them in a row may be an integer beyond a double.
_DIGITS_ONLY = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_MANY_DIGITS = b"0" * 309
_ESCAPED_COLONS = (b"\\u003a", b"\\u003A")  # these upset the count: such a body is merely read twice
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00")


def parse(body: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """*body* as Python values; objects are dicts in the order of their members.

    Raises ``Refused`` (400, ``invalid_json``) with the pointer where it can be known for: an empty body, anything but
    UTF-8 without a byte order mark, text that is not JSON (RFC 8259), NaN and Infinity, unpaired surrogates, a key
    that stands twice in one object, arrays and objects nested deeper than *max_depth*, and numbers beyond the range
    of a double (``1e400``): two of those could not be told apart. Time and space are linear in the size of *body*.
    """
    try:
        tree = _decode(body)
        suspect = (
            _is_too_deep(body, tree, max_depth)
            or body.count(b":") != _encode(tree).count(b":")
            or _ESCAPED_COLONS[0] in body
            or _ESCAPED_COLONS[1] in body
            or _MANY_DIGITS in body.translate(_DIGITS_ONLY)
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        _refuse_unreadable(body)
        _refuse_faults(body, max_depth)
        # not reached as far as is known: the quick reader would have to refuse what the slow one finds faultless
        raise _refusal("The body is not valid JSON.") from None
    if suspect:
        _refuse_faults(body, max_depth)
    return tree


def slices(body: bytes) -> list[bytes]:
    """The exact text of each element of the JSON array *body*, which ``parse`` has accepted.

    Raises ``Refused`` if *body* is not an array.
    """
    try:
        return [bytes(part) for part in _decode_slices(body)]
    except msgspec.MsgspecError:
        raise _refusal("A JSON array was expected.", "") from None


def members(text: bytes) -> dict[str, bytes]:
    """The exact text of each member's value of the JSON object *text*, which ``parse`` has accepted, in its order.

    Raises ``Refused`` if *text* is not an object.
    """
    try:
        return {key: bytes(part) for key, part in _decode_members(text).items()}
    except msgspec.MsgspecError:
        raise _refusal("A JSON object was expected.", "") from None


def excerpt(value: str) -> str:
    """*value*, quoted for a message and cut to ``LONGEST_SHOWN``; anything that may hold an address is not shown."""
    if "@" in value or "%40" in value:
        return "(not shown)"
    shown = value if len(value) <= LONGEST_SHOWN - 3 else value[: LONGEST_SHOWN - 3] + "…"
    return '"' + "".join(char if char.isprintable() else "?" for char in shown) + '"'


def pointer_of(tokens: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of *tokens*, ending before the first one that is too long or too private to repeat."""
    parts = []
    for token in tokens:
        text = str(token)
        if len(text) > 2 * LONGEST_SHOWN or "@" in text or "%40" in text:
            break
        parts.append("/" + text.replace("~", "~0").replace("/", "~1"))
    return "".join(parts)


def _refusal(message: str, pointer: str | None = None) -> Refused:
    return Refused(message, error="invalid_json", pointer=pointer, rule=_RULE)


def _is_too_deep(body: bytes, tree: Any, limit: int) -> bool:
    """Counts brackets first: most texts have fewer than *limit*, and so have most elements of a long array."""
    if _brackets(body) <= limit:
        return False
    if type(tree) is not list:
        return _is_deeper(tree, limit)
    parts = zip(_decode_slices(body), tree, strict=True)
    return any(_brackets(bytes(part)) >= limit and _is_deeper(element, limit - 1) for part, element in parts)


def _brackets(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def _is_deeper(tree: Any, limit: int) -> bool:
    level = [tree] if type(tree) is dict or type(tree) is list else []
    while limit > 0 and level:
        limit -= 1
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)


def _refuse_unreadable(body: bytes) -> None:
    if not body.strip():
        raise _refusal("The body is empty; JSON was expected.")
    if body.startswith(b"\xef\xbb\xbf"):
        raise _refusal("The body starts with a byte order mark; send UTF-8 without one.")
    if body.startswith(_UTF16_MARKS) or body[1:2] == b"\x00":
        raise _refusal("The body is not UTF-8; it looks like UTF-16 or UTF-32.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise _refusal(f"The body is not UTF-8: byte {error.start} cannot be decoded.") from None


class _Fault:
    """Stands in the slowly read tree where a number cannot be kept."""

    def __init__(self, message: str) -> None:
        self.message = message


def _constant(name: str) -> _Fault:
    return _Fault(f"{name} is not JSON; leave the member out or send a number.")


def _number(text: str) -> float | _Fault:
    # 309 digits may still be in range, and never cost more than a float to find out
    if len(text) <= 310 or not text.lstrip("-").isdigit():
        value = float(text)
        if not math.isinf(value):
            return value
    return _Fault("This number is outside the range of a double (about ±1.8e308).")


def _refuse_faults(body: bytes, max_depth: int) -> None:
    """Raises for the first fault in document order, by a second reading that keeps what the quick one drops."""
    deep = f"The JSON is nested deeper than {max_depth} levels."
    try:
        tree = json.loads(
            body.decode(),
            object_pairs_hook=tuple,
            parse_constant=_constant,
            parse_float=_number,
            parse_int=_number,
        )
    except json.JSONDecodeError as error:
        raise _refusal(
            f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise _refusal(deep) from None
    path: list[str | int] = []
    stack: list[Iterator[tuple[str | int, Any]]] = [enumerate([tree])]
    while stack:
        for token, node in stack[-1]:
            if type(node) is float:
                continue
            nested = isinstance(node, (tuple, list))
            message = _fault_of(node) or (deep if nested and len(stack) > max_depth else None)
            if message:
                raise _refusal(message, pointer_of([*path, token][1:]))
            if nested:
                path.append(token)
                stack.append(iter(node) if isinstance(node, tuple) else enumerate(node))
                break
        else:
            stack.pop()
            del path[-1:]


def _fault_of(node: Any) -> str | None:
    if isinstance(node, _Fault):
        return node.message
    if isinstance(node, str):
        return "Half of a surrogate pair stands alone in this text." if _LONE_SURROGATE.search(node) else None
    if isinstance(node, tuple):
        seen: set[str] = set()
        for key, _ in node:
            if _LONE_SURROGATE.search(key):
                return "Half of a surrogate pair stands alone in a key of this object."
            if key in seen:
                return f"The key {excerpt(key)} stands more than once in this object."
            seen.add(key)
    return None
