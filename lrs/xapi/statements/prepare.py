"""From a valid statement to what will be stored of it, pure: the received text and what an LRS adds to it.

The text is kept as it came: numbers, key order, extensions. Members the LRS sets are put in front of it. It is taken
apart only where xAPI asks for another text: a ``stored`` of the client's, an ``authority`` of a client that does not
import (1.0.3 Data 2.4.9), a lone activity in contextActivities (returned as an array, 1.0.3 Data 2.4.6.2), a timestamp
with an offset (UTC in 2.0, IEEE 9274.1.1 4.2.7).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import members
from lrs.kernel.times import micros_of_timestamp
from lrs.storage import Record
from lrs.xapi.citations import rule
from lrs.xapi.statements.definitions import side_records
from lrs.xapi.statements.keys import KEY_VERSION, keys_of, refers_key, source_key

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_encode = msgspec.json.Encoder().encode
_FRACTION = re.compile(r"[.,](\d+)")
_STAMPED = re.compile(rb'\{"stored":"([^"]+)","timestamp":"\1",')
_STORED, _STORED_AND_AUTHORITY = frozenset({"stored"}), frozenset({"stored", "authority"})


class Prepared(msgspec.Struct, frozen=True):
    """A statement ready for the writer: all that does not depend on what is stored already.

    The stored text is ``{"stored":…,`` + (``"timestamp":…,`` if *stamped*) + *added* + *rest*. *side* are insert-only
    records it brings along; *index* is its place in the array it came in, ``None`` if it came by itself.
    """

    id: str
    tree: dict[str, Any]
    added: bytes
    rest: bytes
    stamped: bool
    keys: tuple[int, ...]
    meta: dict[str, Any]
    refers: str | None = None
    voids: bool = False
    side: tuple[Record, ...] = ()
    index: int | None = None

    def text(self, stored: bytes) -> bytes:
        """The statement as it is kept and answered; *stored* is its time as JSON text without quotes."""
        stamp = b'"timestamp":"%s",' % stored if self.stamped else b""
        return b'{"stored":"%s",%s%s%s' % (stored, stamp, self.added, self.rest)


def is_stamped(text: bytes) -> bool:
    """Whether the ``timestamp`` of a statement as it is kept (see ``Prepared.text``) is the server's, not its sender's.

    To be seen in every statement ever stored: both times stand in front, and are one text.
    """
    return _STAMPED.match(text) is not None


def prepare(
    tree: dict[str, Any],
    text: bytes,
    *,
    version: str,
    caller: Caller,
    authority: str | None,
    statement_id: str,
    index: int | None,
) -> Prepared:
    """*tree* and *text* are one valid statement, decoded and as received; *version* is the request's.

    *statement_id* is used if it has none of its own; *authority* is the identity of the caller's authority, which takes
    the place of one that was sent unless the caller may import statements.
    """
    ours = _STORED if caller.may("statements.import") else _STORED_AND_AUTHORITY
    if not tree.keys().isdisjoint(ours) or _needs_another_text(tree, version):
        text = rewritten(text, tree, version, ours)
        tree = {name: value for name, value in tree.items() if name not in ours}
    refers = _reference(tree)
    own = keys_of(tree, authority)
    keys = (*own, source_key(caller.source))
    meta: dict[str, Any] = {"source": caller.source, "version": version, "k": KEY_VERSION}
    voids = tree["verb"]["id"] == VOIDED
    if refers:
        keys = (*keys, refers_key(refers))
        meta["refers"] = refers
        meta["own"] = len(own)
    if voids:
        meta["voids"] = True
        if caller.may_all("statements.void"):
            meta["void_any"] = True
    return Prepared(
        id=tree.get("id", statement_id).lower(),
        tree=tree,
        added=_added(tree, version, caller.authority, statement_id),
        rest=text[1:],
        stamped="timestamp" not in tree,
        keys=keys,
        meta=meta,
        refers=refers,
        voids=voids,
        side=side_records(tree) if caller.may("definitions.write") else (),
        index=index,
    )


def _added(tree: dict[str, Any], version: str, authority: bytes, statement_id: str) -> bytes:
    """The members that the client left to the LRS, as they are put in front of its text."""
    added = b""
    if "id" not in tree:
        added += b'"id":"%s",' % statement_id.encode()
    if "authority" not in tree:
        added += b'"authority":%s,' % authority
    if "version" not in tree:
        added += b'"version":"2.0.0",' if version == "2.0.0" else b'"version":"1.0.0",'
    return added


def in_batch(refused: Refused, index: int | None) -> Refused:
    """*refused* as it is told: of an array, also of one, which statement."""
    return refused.inside("" if index is None else f"/{index}", index)


def with_id(tree: dict[str, Any], statement_id: str, version: str) -> None:
    """Refuses a PUT whose statement names another id than the request."""
    told = tree.get("id")
    if told is not None and told.lower() != statement_id.lower():
        raise Refused(
            "the statement's id is not the statementId of the request",
            pointer="/id",
            rule=rule("Communication 2.1.1", version),
        )


def _reference(tree: dict[str, Any]) -> str | None:
    target = tree["object"]
    return str(target["id"]).lower() if target.get("objectType") == "StatementRef" else None


# -- texts that must change -----------------------------------------------------------------------------------------


def _needs_another_text(tree: dict[str, Any], version: str) -> bool:
    if _has_lone_activity(tree):
        return True
    if version == "2.0.0" and not tree.get("timestamp", "Z").endswith("Z"):
        return True
    target = tree["object"]
    return target.get("objectType") == "SubStatement" and _needs_another_text(target, version)


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
    if target.get("objectType") == "SubStatement" and _needs_another_text(target, version):
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
