"""The text of a statement where it cannot stay as it came, and what an LRS puts in front of it; pure.

The text is kept as it came: numbers, key order, extensions. It is taken apart only where xAPI asks for another one: a
``stored`` of the client's, an ``authority`` of a client that does not import (1.0.3 Data 2.4.9), a lone activity in
contextActivities (returned as an array, 1.0.3 Data 2.4.6.2), a timestamp with an offset (UTC in 2.0, IEEE 9274.1.1
4.2.7).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from lrs.kernel.strict_json import members
from lrs.kernel.times import micros_of_timestamp

_encode = msgspec.json.Encoder().encode
_FRACTION = re.compile(r"[.,](\d+)")


def added(tree: dict[str, Any], version: str, authority: bytes, statement_id: str) -> bytes:
    """The members that the client left to the LRS, but for its times, as they are put in front of its text."""
    put = b""
    if "id" not in tree:
        put += b'"id":"%s",' % statement_id.encode()
    if "authority" not in tree:
        put += b'"authority":%s,' % authority
    if "version" not in tree:
        put += b'"version":"2.0.0",' if version == "2.0.0" else b'"version":"1.0.0",'
    return put


def needs_another_text(tree: dict[str, Any], version: str) -> bool:
    """Whether the text of a statement or SubStatement must change for another reason than members the LRS sets."""
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
    """The text of a statement or SubStatement without the members *ours*, and with those changed that must be."""
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
    """An object's text from its members' texts."""
    return b"{" + b",".join(_encode(name) + b":" + value for name, value in parts.items()) + b"}"


def in_utc(timestamp: str) -> str:
    """The same instant with ``Z``, its fraction as precise as it was told."""
    seconds = micros_of_timestamp(timestamp) // 1_000_000
    fraction = _FRACTION.search(timestamp)
    whole = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{whole}.{fraction[1]}Z" if fraction else f"{whole}Z"
