"""From the text of statements to a plan for storing them. Pure: everything that does not need the store.

Checks the rules of xAPI and the limits, gives ids, makes search keys and side records, verifies signatures, computes
weights. ``write.store_in`` takes the plan and compares it with what is stored. Everybody who stores statements uses
these two: the endpoint and imports. Knows no HTTP.
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
    """What ``prepare`` needs beside the sender and the text.

    *settings* has the limits. *seen* are ids of insert-only records that are certainly stored. *statement_id* is that
    of a PUT, which has exactly one statement.
    """

    settings: Settings
    subscriptions: Subscriptions
    seen: Collection[str] = frozenset()
    statement_id: str | None = None


class _Sender(msgspec.Struct, frozen=True):
    """What statements depend on of their caller. *identity* is that of the agent in *authority*."""

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
    """The plan for *statements*, the JSON text of one statement or of an array, sent under the rules of *version*.

    *version* is "1.0.3" or "2.0.0". The text of each statement is what will be stored; whoever has statements as
    objects writes them as JSON first. A statement without an id gets a random one. Of *caller* matter its source, its
    authority, and whether it may import statements, void those of others and write definitions. *attachments* is the
    data that was sent with them; without any (``None``, not an empty one) an attachment needs a ``fileUrl``. The data
    must be stored as blobs before the plan is stored (``attachments.keep``).

    Refuses everything if one statement is wrong, with the place of the first such statement and the rule: 400, or 413
    over a limit.
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
    """How the statements of one text were sent; *alone* means without data of attachments."""

    sender: _Sender
    version: str
    terms: Terms
    alone: bool


def _all_of(text: bytes, way: _Way) -> list[Prepared]:
    """The statements in *text*, prepared as if they had no data of attachments.

    Their number and sizes are looked at before they are decoded, because a decoded text takes many times its bytes.
    """
    bare = text.strip()
    is_array = bare.startswith(b"[")
    try:
        texts = _texts(bare, way) if is_array else [bare]
        if not is_array:
            _check_size(bare, way)
        tree = parse(text, max_depth=way.terms.settings.max_depth)
    except Refused as refused:
        raise _of_array(refused, is_array=is_array) from refused
    if isinstance(tree, dict):
        return [_checked(tree, texts[0], way)]
    if not isinstance(tree, list):
        several = rule("Communication 2.1.2", way.version)
        raise Refused("the body must be a statement or an array of statements", pointer="", rule=several)
    return _batch(tree, texts, way)


def _texts(text: bytes, way: _Way) -> list[bytes]:
    """The text of each statement in the array *text*."""
    found = slices(text)
    if way.terms.statement_id is not None:
        one = rule("Communication 2.1.1", way.version)
        raise Refused("PUT takes one statement, not an array", pointer="", rule=one)
    most = way.terms.settings.max_batch
    if len(found) > most:
        raise Refused(f"more than {most} statements in a request", status=413, error="too_large")
    for index, part in enumerate(found):
        _check_size(part, way, index)
    return found


def _check_size(text: bytes, way: _Way, index: int | None = None) -> None:
    most = way.terms.settings.max_statement
    if len(text) > most:
        raise in_batch(Refused(f"the statement is larger than {most} bytes", status=413, error="too_large"), index)


def _of_array(refused: Refused, *, is_array: bool) -> Refused:
    """*refused*, with the index of the statement in its array, if that can be found."""
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
    """One statement, *tree* decoded and *text* as received, after it has been validated."""
    asked = way.terms.statement_id
    check(tree, way.version)
    if asked is not None:
        _need_id(tree, asked, way.version)
    if way.alone:
        need_file_url(tree, way.version)
    prepared = _prepared(tree, text, way, index)
    check_keys(len(prepared.keys))
    return prepared


def _need_id(tree: dict[str, Any], asked: str, version: str) -> None:
    """Refuses a PUT whose statement has another id than the request."""
    told = tree.get("id")
    if told is not None and told.lower() != asked.lower():
        raise Refused(
            "the statement's id is not the statementId of the request",
            pointer="/id",
            rule=rule("Communication 2.1.1", version),
        )


def _prepared(tree: dict[str, Any], text: bytes, way: _Way, index: int | None) -> Prepared:
    """One valid statement. It keeps the authority it came with only if its sender may import."""
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
