"""Whether two statements say the same (xAPI 1.0.3 Data 2.3.1, "Statement Comparision Requirements").

These may differ: the order of keys, the writing of numbers (1, 1.0, 1e0) and of the statement's and a SubStatement's
``timestamp`` (the same instant, to the microsecond), Activity definitions and verb displays (by that section no part of
the statement), the order of a Group's members, one Activity or a list of one in ``contextActivities``, a left-out
``objectType`` that has a default, the case of values that are case-insensitive (UUIDs, hex digests, the domain of an
address, ``context.language``), and seconds of a duration beyond 0.01 (Data 4.6). Everything else is compared exactly:
true is not 1, PT60S is not PT1M, and the metadata of attachments counts. Floats are compared as doubles, integers
exactly.

What an LRS may set does not count (Data 2.2): ``id``, ``stored``, ``authority`` and ``version`` never; ``timestamp``
not if one side has none or the stored side has the server's own. So a statement that comes directly and again by way of
another LRS, which has set these members in its own way, is one statement, whichever comes first.

Pure, and defined for any JSON: a value that does not have its proper form is compared as it is. Knows no store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from lrs.kernel.times import is_iso_timestamp, micros_of_timestamp, timestamp_of_micros
from lrs.xapi.statements import formats

_ASSIGNED = frozenset({"id", "stored", "timestamp", "authority", "version"})
_encode = msgspec.json.Encoder(order="sorted").encode
_Canon = Callable[[Any], Any]


def same(received: dict[str, Any], stored: dict[str, Any], *, stamped: bool = False) -> bool:
    """Whether *received* says what *stored* says. *stamped*: the ``timestamp`` of *stored* is the server's own."""
    if not stamped and "timestamp" in received and "timestamp" in stored:
        one, other = _instant(received["timestamp"]), _instant(stored["timestamp"])
        if _encode(one) != _encode(other):
            return False
    return _encode(_said(received)) == _encode(_said(stored))


def _said(statement: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in statement.items() if name not in _ASSIGNED}
    said: dict[str, Any] = _by_field(kept, _OF_STATEMENT)
    return said


def _plain(value: Any) -> Any:
    """Any JSON value, with one form for each number."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int:
        # as digits: also those beyond 64 bits
        return msgspec.Raw(str(value).encode())
    if type(value) is dict:
        return {key: _plain(item) for key, item in value.items()}
    if type(value) is list:
        return [_plain(item) for item in value]
    return value


def _by_field(value: Any, fields: dict[str, _Canon], **defaults: str) -> Any:
    if type(value) is not dict:
        return _plain(value)
    known = {name: fields.get(name, _plain)(item) for name, item in value.items()}
    return {**defaults, **known}


def _of_list(canon: _Canon) -> _Canon:
    return lambda value: [canon(item) for item in value] if type(value) is list else canon(value)


def _lower(value: Any) -> Any:
    return value.lower() if type(value) is str else _plain(value)


def _instant(value: Any) -> Any:
    if type(value) is str and is_iso_timestamp(value):
        return timestamp_of_micros(micros_of_timestamp(value))
    return _plain(value)


def _duration(value: Any) -> Any:
    return formats.duration_to_hundredths(value) if type(value) is str else _plain(value)


def _mbox(value: Any) -> Any:
    if type(value) is not str:
        return _plain(value)
    local, at, domain = value.rpartition("@")
    return local + at + domain.lower()


def _members(value: Any) -> Any:
    return sorted(map(_agent, value), key=_encode) if type(value) is list else _plain(value)


def _agent(value: Any) -> Any:
    return _by_field(value, _OF_AGENT, objectType="Agent")


def _activity(value: Any) -> Any:
    if type(value) is not dict:
        return _plain(value)
    return {"objectType": "Activity"} | {key: _plain(item) for key, item in value.items() if key != "definition"}


def _activities(value: Any) -> Any:
    return [_activity(item) for item in (value if type(value) is list else [value])]


def _verb(value: Any) -> Any:
    if type(value) is not dict:
        return _plain(value)
    return {key: _plain(item) for key, item in value.items() if key != "display"}


def _object(value: Any) -> Any:
    kind = value.get("objectType", "Activity") if type(value) is dict else None
    canon = _OF_OBJECT.get(kind, _plain) if type(kind) is str else _plain
    return canon(value)


_OF_AGENT: dict[str, _Canon] = {"mbox": _mbox, "mbox_sha1sum": _lower, "member": _members}
_OF_REF: dict[str, _Canon] = {"id": _lower}
_OF_CONTEXT: dict[str, _Canon] = {
    "registration": _lower,
    "instructor": _agent,
    "team": _agent,
    "contextActivities": lambda value: _by_field(
        value, dict.fromkeys(("parent", "grouping", "category", "other"), _activities)
    ),
    "language": _lower,
    "statement": lambda value: _by_field(value, _OF_REF),
    "contextAgents": _of_list(lambda value: _by_field(value, {"agent": _agent})),
    "contextGroups": _of_list(lambda value: _by_field(value, {"group": _agent})),
}
_OF_STATEMENT: dict[str, _Canon] = {
    "actor": _agent,
    "verb": _verb,
    "object": _object,
    "result": lambda value: _by_field(value, {"duration": _duration}),
    "context": lambda value: _by_field(value, _OF_CONTEXT),
    "timestamp": _instant,
    "attachments": _of_list(lambda value: _by_field(value, {"sha2": _lower})),
}
_OF_OBJECT: dict[str, _Canon] = {
    "Activity": _activity,
    "Agent": _agent,
    "Group": _agent,
    "StatementRef": lambda value: _by_field(value, _OF_REF),
    "SubStatement": lambda value: _by_field(value, _OF_STATEMENT),
}
