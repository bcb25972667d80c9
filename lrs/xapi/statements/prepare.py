"""From a text of statements to a plan for storing them, pure: all that needs no look at the store.

Checks the rules of xAPI and the limits, gives ids, works out search keys and what is brought along, judges signatures,
weighs. What has to be held against what is stored already is ``write.store_in``'s, which takes the plan. Everybody who
stores statements takes these two: the endpoint, an import, a session of content. Knows no HTTP.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import parse, slices
from lrs.xapi.citations import rule
from lrs.xapi.statements.attachments import Attachments, need_file_url, with_data
from lrs.xapi.statements.definitions import side_records
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import KEY_VERSION, keys_of, refers_key, source_key
from lrs.xapi.statements.limits import check_keys, check_rows, rows_of
from lrs.xapi.statements.plan import AWAITED, KIND, Plan, Prepared, in_batch
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.texts import added, needs_another_text, rewritten
from lrs.xapi.statements.validate import VOIDED, check

_STORED, _STORED_AND_AUTHORITY = frozenset({"stored"}), frozenset({"stored", "authority"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What statements are prepared by, beside who sends them: the same for all of a text.

    *settings* has the limits. *seen* are ids of insert-only records that are certainly stored. *statement_id* is that
    of a PUT, which holds exactly one statement.
    """

    settings: Settings
    subscriptions: Subscriptions
    seen: Collection[str] = frozenset()
    statement_id: str | None = None


class _Sender(msgspec.Struct, frozen=True):
    """What of a caller matters to its statements. *identity* is that of the agent in *authority*."""

    source: str
    authority: bytes
    identity: str | None
    imports: bool
    voids_any: bool
    defines: bool


def _sender(caller: Caller) -> _Sender:
    return _Sender(
        source=caller.source,
        authority=caller.authority,
        identity=_identity(caller.authority),
        imports=caller.may("statements.import"),
        voids_any=caller.may_all("statements.void"),
        defines=caller.may("definitions.write"),
    )


@lru_cache(maxsize=1_024)
def _identity(authority: bytes) -> str | None:
    return ifi_text(msgspec.json.decode(authority)) if authority else None


def prepare(
    caller: Caller, version: str, statements: bytes, terms: Terms, attachments: Attachments | None = None
) -> Plan:
    """The plan for *statements*, the JSON text of one statement or of an array of them, sent under *version*'s rules.

    *version* is "1.0.3" or "2.0.0". The text of each statement is what will be kept, whoever made it: who has
    statements as objects writes them as JSON first. Each without an id gets one by chance. Of *caller* matters its
    source, its authority, and whether it may import statements, void those of others and write definitions.
    *attachments* is the data that came along; without any (``None``, not an empty one) an attachment needs a
    ``fileUrl``. Data has to be among the blobs before the plan is stored (``attachments.keep``).

    Refuses all for the first statement that is wrong, with its place and the rule: 400, and 413 over a limit.
    """
    way = _Way(_sender(caller), version, terms, attachments is None)
    batch = _all_of(statements, way)
    if attachments is not None or any("attachments" in one.tree for one in batch):
        batch = with_data(batch, attachments, version)
    side = {record.id: record for one in batch for record in one.side if record.id not in terms.seen}
    read = [(kind, one.id) for one in batch for kind in (KIND, AWAITED)]
    return Plan(
        statements=batch,
        side=tuple(side.values()),
        subscriptions=terms.subscriptions,
        weight=sum([rows_of(one) for one in batch]),
        reads=read + [name for one in terms.subscriptions.values() for name in one.reads],
    )


class _Way(msgspec.Struct, frozen=True):
    """How the statements of one text came; *alone* without the data of attachments."""

    sender: _Sender
    version: str
    terms: Terms
    alone: bool


def _all_of(text: bytes, way: _Way) -> list[Prepared]:
    """The statements in *text* as if they came without data."""
    try:
        tree = parse(text, max_depth=way.terms.settings.max_depth)
    except Refused as refused:
        raise _of_array(refused, text) from refused
    if isinstance(tree, dict):
        return [_checked(tree, text.strip(), way)]
    if not isinstance(tree, list):
        several = rule("Communication 2.1.2", way.version)
        raise Refused("the body must be a statement or an array of statements", pointer="", rule=several)
    if way.terms.statement_id is not None:
        one = rule("Communication 2.1.1", way.version)
        raise Refused("PUT takes one statement, not an array", pointer="", rule=one)
    most = way.terms.settings.max_batch
    if len(tree) > most:
        raise Refused(f"more than {most} statements in a request", status=413, error="too_large")
    return _batch(tree, slices(text), way)


def _of_array(refused: Refused, text: bytes) -> Refused:
    """*refused*, of a whole text that is no JSON: of an array, which statement, if that can be known."""
    is_array = text.lstrip().startswith(b"[")
    return refused.inside("", int(refused.pointer.split("/")[1]) if refused.pointer and is_array else None)


def _batch(trees: Sequence[Any], texts: Sequence[bytes], way: _Way) -> list[Prepared]:
    batch = []
    ids: set[str] = set()
    for index, (tree, text) in enumerate(zip(trees, texts, strict=True)):
        try:
            one = _checked(tree, text, way, index)
            if one.id in ids:
                twice = rule("Communication 2.1.2", way.version)
                raise Refused("this id stands twice in the batch", pointer="/id", rule=twice)
        except Refused as refused:
            raise in_batch(refused, index) from refused
        ids.add(one.id)
        batch.append(one)
    check_rows(batch)
    return batch


def _checked(tree: Any, text: bytes, way: _Way, index: int | None = None) -> Prepared:
    """One statement, *tree* and *text* decoded and as received, once it is known to be valid."""
    most, asked = way.terms.settings.max_statement, way.terms.statement_id
    if len(text) > most:
        raise Refused(f"the statement is larger than {most} bytes", status=413, error="too_large")
    check(tree, way.version)
    if asked is not None:
        _need_id(tree, asked, way.version)
    if way.alone:
        need_file_url(tree, way.version)
    prepared = _prepared(tree, text, way, index)
    check_keys(len(prepared.keys))
    return prepared


def _need_id(tree: dict[str, Any], asked: str, version: str) -> None:
    """Refuses a PUT whose statement names another id than the request."""
    told = tree.get("id")
    if told is not None and told.lower() != asked.lower():
        raise Refused(
            "the statement's id is not the statementId of the request",
            pointer="/id",
            rule=rule("Communication 2.1.1", version),
        )


def _prepared(tree: dict[str, Any], text: bytes, way: _Way, index: int | None) -> Prepared:
    """One valid statement. The authority it came with is kept only if its sender imports."""
    sender, version = way.sender, way.version
    ours = _STORED if sender.imports else _STORED_AND_AUTHORITY
    if not tree.keys().isdisjoint(ours) or needs_another_text(tree, version):
        text = rewritten(text, tree, version, ours)
        tree = {name: value for name, value in tree.items() if name not in ours}
    statement_id: str = tree.get("id") or way.terms.statement_id or str(uuid.uuid4())
    refers, voids = _reference(tree), tree["verb"]["id"] == VOIDED
    own = keys_of(tree, sender.identity)
    keys = (*own, source_key(sender.source))
    meta: dict[str, Any] = {"source": sender.source, "version": version, "k": KEY_VERSION}
    if refers:
        keys = (*keys, refers_key(refers))
        meta |= {"refers": refers, "own": len(own)}
    if voids:
        meta |= {"voids": True, "void_any": True} if sender.voids_any else {"voids": True}
    return Prepared(
        id=statement_id.lower(),
        tree=tree,
        added=added(tree, version, sender.authority, statement_id),
        rest=text[1:],
        stamped="timestamp" not in tree,
        keys=keys,
        meta=meta,
        refers=refers,
        voids=voids,
        side=side_records(tree) if sender.defines else (),
        index=index,
    )


def _reference(tree: dict[str, Any]) -> str | None:
    target = tree["object"]
    return str(target["id"]).lower() if target.get("objectType") == "StatementRef" else None
