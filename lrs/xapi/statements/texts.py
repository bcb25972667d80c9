"""The members that an LRS adds to the text of a statement, and changes of its text. Pure.

The text is stored as it was sent: numbers, key order, extensions. It is changed only where xAPI demands it: a
``stored`` from the client, an ``authority`` of a client that does not import (1.0.3 Data 2.4.9), a single activity in
contextActivities (returned as an array, 1.0.3 Data 2.4.6.2), a timestamp with an offset (UTC in 2.0, IEEE 9274.1.1
4.2.7).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from lrs.kernel.strict_json import members
from lrs.kernel.times import SECOND, micros_of_timestamp

_encode = msgspec.json.Encoder().encode
_FRACTION = re.compile(r"[.,](\d+)")


def added(tree: dict[str, Any], version: str, authority: bytes, statement_id: str) -> bytes:
    """The members that the client left to the LRS, except times, as text to put in front of the statement's text."""
    put = b""
    if "id" not in tree:
        put += b'"id":"%s",' % statement_id.encode()
    if "authority" not in tree:
        put += b'"authority":%s,' % authority
    if "version" not in tree:
        put += b'"version":"2.0.0",' if version == "2.0.0" else b'"version":"1.0.0",'
    return put


def needs_another_text(tree: dict[str, Any], version: str) -> bool:
    """Whether the text of a statement or SubStatement must change for another reason than members that the LRS sets."""
    if _has_lone_activity(tree):
        return True
    if version == "2.0.0" and not tree.get("timestamp", "Z").endswith("Z"):
        return True
    target = tree["object"]
    return target.get("objectType") == "SubStatement" and needs_another_text(target, version)


def _has_lone_activity(tree: dict[str, Any]) -> bool:
    context = tree.get("context")
    listed = context.get("contextActivities") if context else None
    return any(isinstance(value, dict) for value in listed.values()) if listed else False


def rewritten(text: bytes, tree: dict[str, Any], version: str, ours: frozenset[str] = frozenset()) -> bytes:
    """The text of a statement or SubStatement without the members *ours*, and with the changes that xAPI demands."""
    parts = {name: part for name, part in members(text).items() if name not in ours}
    if version == "2.0.0" and not tree.get("timestamp", "Z").endswith("Z"):
        parts["timestamp"] = _encode(in_utc(tree["timestamp"]))
    if _has_lone_activity(tree):
        context = members(parts["context"])
        listed = members(context["contextActivities"])
        for name, value in listed.items():
            listed[name] = b"[%s]" % value if value.startswith(b"{") else value
        context["contextActivities"] = joined(listed)
        parts["context"] = joined(context)
    target = tree["object"]
    if target.get("objectType") == "SubStatement" and needs_another_text(target, version):
        parts["object"] = rewritten(parts["object"], target, version)
    return joined(parts)


def joined(parts: dict[str, bytes]) -> bytes:
    """The text of an object from the texts of its members."""
    return b"{" + b",".join(_encode(name) + b":" + value for name, value in parts.items()) + b"}"


def in_utc(timestamp: str) -> str:
    """The same instant with ``Z``. Its fraction keeps its digits."""
    seconds = micros_of_timestamp(timestamp) // SECOND
    fraction = _FRACTION.search(timestamp)
    whole = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{whole}.{fraction[1]}Z" if fraction else f"{whole}Z"
