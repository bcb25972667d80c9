"""From the text of statements to a plan for storing them. Pure: everything that does not need the store.

Checks the rules of xAPI and the limits, gives ids, makes search keys and side records, verifies signatures, computes
weights. ``write.store_in`` takes the plan and compares it with what is stored. Whatever stores statements uses
both. Knows no HTTP.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from lrs.access import Caller
from lrs.access.switches import DEDUPLICATE, QUARANTINE
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import parse, slices
from lrs.storage import ROWS
from lrs.tenancy.tenants import Tenant
from lrs.xapi.citations import rule
from lrs.xapi.statements.attachments import Attachments, need_file_url, with_data
from lrs.xapi.statements.definitions import side_records
from lrs.xapi.statements.fingerprints import KIND as FINGERPRINT
from lrs.xapi.statements.fingerprints import Prints
from lrs.xapi.statements.habits import recognised
from lrs.xapi.statements.keys import KEY_VERSION, aside_keys, keys_of, refers_key, source_key
from lrs.xapi.statements.limits import check_keys, check_rows, rows_of
from lrs.xapi.statements.plan import (
    AWAITED,
    KIND,
    QUARANTINED,
    AsideSender,
    Plan,
    Prepared,
    SetAside,
    in_batch,
)
from lrs.xapi.statements.sender import StatementSender, sender_of
from lrs.xapi.statements.subscriptions import Subscriptions, questions_of
from lrs.xapi.statements.texts import added, needs_another_text, rewritten
from lrs.xapi.statements.validate import VOIDED, check

_STORED, _STORED_AND_AUTHORITY = frozenset({"stored"}), frozenset({"stored", "authority"})


class Terms(msgspec.Struct, frozen=True):
    """What ``prepare`` needs beside the sender and the text.

    *settings* has the limits. *seen* are ids of insert-only records that are certainly stored. *statement_id* is that
    of a PUT, which has exactly one statement. *tenant* is as in ``Subscription``: without it a statement may owe more.
    """

    settings: Settings
    subscriptions: Subscriptions
    seen: Collection[str] = frozenset()
    statement_id: str | None = None
    tenant: Tenant | None = None


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
    way = _Way(sender_of(caller), version, terms, attachments is None)
    found = _all_of(statements, way)
    batch = [one for one in found if isinstance(one, Prepared)]
    aside = [one for one in found if isinstance(one, SetAside)]
    if attachments is not None or any("attachments" in one.tree for one in batch):
        batch = with_data(batch, attachments, version)
    side = {record.id: record for one in batch for record in one.side if record.id not in terms.seen}
    read = [(kind, one.id) for one in batch for kind in (KIND, AWAITED)]
    read += [(kind, one.id) for one in aside for kind in (KIND, QUARANTINED)]
    read += [(FINGERPRINT, one.fingerprint) for one in found if one.fingerprint]
    questions = questions_of(terms.subscriptions, batch, terms.tenant)
    read += [name for one in questions.values() if one for name in one.reads]
    return Plan(
        statements=batch,
        side=tuple(side.values()),
        subscriptions=terms.subscriptions,
        weight=sum([rows_of(one) for one in batch]) + sum([len(one.keys) + ROWS for one in aside]),
        reads=read,
        aside=aside,
        questions=questions,
    )


class _Way(msgspec.Struct, frozen=True):
    """How the statements of one text were sent; *alone* means without data of attachments."""

    sender: StatementSender
    version: str
    terms: Terms
    alone: bool

    @property
    def prints(self) -> Prints | None:
        """What makes the fingerprints of this text; ``None`` if its source has not asked for them."""
        return Prints(self.sender.source) if DEDUPLICATE in self.sender.switches else None


def _all_of(text: bytes, way: _Way) -> list[Prepared | SetAside]:
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
        return [_printed(_taken(tree, texts[0], way), tree, way.prints)]
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


def _batch(trees: Sequence[Any], texts: Sequence[bytes], way: _Way) -> list[Prepared | SetAside]:
    batch = []
    ids: set[str] = set()
    prints = way.prints
    for index, (tree, text) in enumerate(zip(trees, texts, strict=True)):
        try:
            one = _printed(_taken(tree, text, way, index), tree, prints)
            if one.id in ids:
                twice = rule("Communication 2.1.2", way.version)
                raise Refused("this id stands twice in the batch", pointer="/id", rule=twice)
        except Refused as refused:
            raise in_batch(refused, index) from refused
        ids.add(one.id)
        batch.append(one)
    check_rows([one for one in batch if isinstance(one, Prepared)])
    return batch


def _printed(one: Prepared | SetAside, tree: Mapping[str, Any], prints: Prints | None) -> Prepared | SetAside:
    """*one*, with its fingerprint if it came without an id and *prints* are wanted."""
    if prints is None or "id" in tree:
        return one
    return msgspec.structs.replace(one, fingerprint=prints.of(tree))


def _taken(tree: Any, text: bytes, way: _Way, index: int | None = None) -> Prepared | SetAside:
    """One statement; set aside if it is invalid by a known habit, and its source asked for that."""
    try:
        return _checked(tree, text, way, index)
    except Refused as refused:
        if QUARANTINE in way.sender.switches and (aside := _aside(tree, text, way, refused, index)):
            return aside
        raise


def _aside(tree: Any, text: bytes, way: _Way, refused: Refused, index: int | None) -> SetAside | None:
    """The statement for the quarantine; ``None`` if something else is wrong with it, too."""
    told = tree.get("id") if isinstance(tree, dict) else None
    sent = told if isinstance(told, str) else way.terms.statement_id or str(uuid.uuid4())
    found = recognised(tree, refused, way.version, sent.lower())
    if found is None:
        return None
    habits, mended = found
    if way.terms.statement_id is not None:
        _need_id(mended, way.terms.statement_id, way.version)
    sender = way.sender
    rights = {"statements.import": sender.imports, "definitions.write": sender.defines}
    own = tuple(right for right, has in rights.items() if has)
    who = AsideSender(sender.source, sender.key, msgspec.Raw(sender.authority), way.version, own)
    keys = (*aside_keys(mended), source_key(sender.source))
    check_keys(len(keys))
    return SetAside(sent.lower(), sent, text, mended, habits, refused, keys, who, index)


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
