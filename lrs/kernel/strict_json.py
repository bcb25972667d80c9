"""Strict reading of JSON in requests, and the exact text of its parts. Knows nothing of xAPI.

Refuses what decoders accept and what would cause faults later (a 500, a lost member, another number): NaN, duplicate
keys, lone surrogates, byte order marks, numbers beyond a double, unlimited nesting.

The fast path is one decode and one encode in C, and a count: the encoded tree has exactly as many colons as the body
unless a member was dropped. Only a body with a fault is read a second time, slowly, to find what is wrong and where: of
an array, only the element with the fault.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

import msgspec

from lrs.kernel.errors import Refused

Json = dict[str, Any]
"""A JSON object, decoded."""
JsonView = Mapping[str, Any]
"""The same, where it is only read."""

MAX_DEPTH = 100
LONGEST_SHOWN = 80

_RULE = "RFC 8259"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_scan = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode
"""Reads past one value of a text. Its numbers are of no use."""
_decode_slices = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

# Digits become "0", everything else a blank. More than 308 digits in a row may be an integer beyond a double.
_DIGITS_ONLY = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_MANY_DIGITS = b"0" * 309
_ESCAPED_COLON = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")
_BLANKS = re.compile(r"[ \t\r\n]*")
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
        if not _is_faulty(body, tree, max_depth):
            return tree
    except (msgspec.MsgspecError, ValueError, RecursionError):
        _refuse_unreadable(body)
    _refuse_faults(body.decode(), max_depth)
    # Not reached as far as is known: the slow reader finds a fault in all that the fast one refuses.
    raise _refusal("The body is not valid JSON.")


def slices(body: bytes) -> list[bytes]:
    """The exact text of each element of the JSON array *body*. The elements are not checked as ``parse`` does.

    Raises ``Refused`` as ``parse`` does if *body* is no JSON, and if it is not an array.
    """
    try:
        return [bytes(part) for part in _decode_slices(body)]
    except (msgspec.MsgspecError, RecursionError):
        parse(body)
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
    """*value*, quoted for a message and cut to ``LONGEST_SHOWN``.

    A value that may contain an e-mail address is not shown.
    """
    if "@" in value or "%40" in value:
        return "(not shown)"
    shown = value if len(value) <= LONGEST_SHOWN - 3 else value[: LONGEST_SHOWN - 3] + "…"
    return '"' + "".join(char if char.isprintable() else "?" for char in shown) + '"'


def pointer_of(tokens: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of *tokens*.

    It ends before the first token that is too long, or that may be an e-mail address.
    """
    parts = []
    for token in tokens:
        text = str(token)
        if len(text) > 2 * LONGEST_SHOWN or "@" in text or "%40" in text:
            break
        parts.append("/" + text.replace("~", "~0").replace("/", "~1"))
    return "".join(parts)


def _refusal(message: str, pointer: str | None = None) -> Refused:
    return Refused(message, error="invalid_json", pointer=pointer, rule=_RULE)


def _is_faulty(body: bytes, tree: Any, max_depth: int) -> bool:
    """Whether *body*, which was decoded as *tree*, has a fault that the decoder accepts."""
    return (
        _is_too_deep(body, tree, max_depth)
        or _lacks_members(body, tree)
        or (_MANY_DIGITS in body.translate(_DIGITS_ONLY) and _has_large_integer(body))
    )


def _lacks_members(body: bytes, tree: Any) -> bool:
    """Whether *tree* has fewer colons than *body*. A backslash before an escaped one makes it another text."""
    found, kept = body.count(b":"), _encode(tree).count(b":")
    if found + body.count(b"\\u003a") + body.count(b"\\u003A") == kept:
        return False
    return found + sum(1 for _ in _ESCAPED_COLON.finditer(body)) != kept


def _has_large_integer(body: bytes) -> bool:
    found: list[str] = []
    json.loads(body, parse_int=lambda text: found.append(text) if isinstance(_number(text), _Fault) else None)
    return bool(found)


def _is_too_deep(body: bytes, tree: Any, limit: int) -> bool:
    """Counts brackets first: most texts, and most elements of a long array, have fewer than *limit*."""
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
    """Takes the place of a number that cannot be represented in the tree of the slow reader."""

    def __init__(self, message: str) -> None:
        self.message = message


def _constant(name: str) -> _Fault:
    return _Fault(f"{name} is not JSON; leave the member out or send a number.")


def _number(text: str) -> float | _Fault:
    # 309 digits may still be in range; float() is fast enough for them
    if len(text) <= 310 or not text.lstrip("-").isdigit():
        value = float(text)
        if not math.isinf(value):
            return value
    return _Fault("This number is outside the range of a double (about ±1.8e308).")


def _refuse_faults(text: str, max_depth: int) -> None:
    """Raises for the first fault in document order. Of an array, only the element with the fault is read slowly."""
    for index, element in _elements(text):
        if _is_refused(element, max_depth - 1):
            _refuse_fault(element, max_depth, index)
    _refuse_fault(text, max_depth)


def _elements(text: str) -> Iterator[tuple[int, str]]:
    """The text of each element of the array *text*, up to where it is no JSON any more; none if it is no array."""
    place = _after_blanks(text, 0)
    for index in count() if text.startswith("[", place) else ():
        start = _after_blanks(text, place + 1)
        try:
            place = _scan(text, start)[1]
        except (json.JSONDecodeError, RecursionError):
            return
        yield index, text[start:place]
        place = _after_blanks(text, place)
        if not text.startswith(",", place):
            return


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _is_refused(text: str, max_depth: int) -> bool:
    body = text.encode()
    try:
        return _is_faulty(body, _decode(body), max_depth)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return True


def _refuse_fault(text: str, max_depth: int, *place: int) -> None:
    """Raises for the first fault of *text*, which stands at *place* in the body. Keeps what the fast reader drops."""
    deep = f"The JSON is nested deeper than {max_depth} levels."
    try:
        tree = json.loads(
            text,
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
            message = _fault_of(node) or (deep if nested and len(place) + len(stack) > max_depth else None)
            if message:
                raise _refusal(message, pointer_of([*place, *[*path, token][1:]]))
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
