"""The channel ``xapi``: sends statements to another LRS, many at once, and finds the ones that it will not take.

A batch that is refused is halved until the one statement is found that is to blame; that alone is set apart, as a
delivery of its own, and the others go on. Sending again is safe: a statement keeps its id, and where an LRS answers 409
it is asked what it has under it. Rules: xAPI 1.0.3 Communication 1.5 and 2.1; IEEE 9274.1.1 4.2.
"""

from __future__ import annotations

import base64
import functools
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode

import msgspec

from lrs.kernel import outbound
from lrs.kernel.names import name
from lrs.kernel.outbound import Answer
from lrs.kernel.plain_text import one_line
from lrs.kernel.sealed import NotOurs, reveal
from lrs.kernel.settings import MIB, Settings
from lrs.outbox import deliveries
from lrs.outbox.channel import Destination, End, Message, Outcome, Undeliverable, Unneeded, outcome_of
from lrs.outbox.deliveries import Delivery
from lrs.storage import Record, Tx, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.transfer import forwards
from lrs.transfer.batch import Batch, next_batch, version_of
from lrs.transfer.forwards import ACTIVE, CHANNEL, DISABLED, PAUSED, SECRET, Forward
from lrs.xapi.statements.attachments import multipart
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.plan import is_stamped

REFUSED_IN_A_ROW = 20
"""So many refused one after the other are no fault of the statements: the destination is paused."""
_LONGEST_REASON = 300
_PIECE = 64 * 1024
_decode = msgspec.json.Decoder().decode


class Single(msgspec.Struct, frozen=True):
    """The content of a delivery: one statement, by its id."""

    statement: str
    v: int = 1


def compose(tenant: Tenant, record: Record) -> Message:
    """The next batch of a forward, or the one statement of a delivery. See ``Channel.compose``."""
    if record.kind == deliveries.KIND:
        forward, statement = _single(tenant, record)
        return Message(forward.id, functools.partial(_send, _call(tenant, forward, (statement,))))
    forward = forwards.read(record)
    if forward.state != ACTIVE:
        raise Unneeded(forward.state, forward.reason or "")
    batch = next_batch(tenant.store, forward)
    advance = functools.partial(_advance, id=forward.id, batch=batch)
    if not batch.records:
        return Message(forward.id, lambda _: Outcome(End.DELIVERED), advance)
    return Message(forward.id, functools.partial(_send, _call(tenant, forward, batch.records)), advance)


def stop(tx: Tx, to: str, outcome: Outcome) -> str:
    """Pauses the forward, or ends it. See ``Channel.stop``."""
    state = DISABLED if outcome.end is End.GONE else PAUSED
    if tx.get(forwards.KIND, to):
        forwards.stop(tx, to, state, outcome.reason)
    return f"the forward is {state}: {outcome.reason}"


def destinations(tenant: Tenant) -> Iterator[Destination]:
    """The forwards, each with the time of the first statement that it has not got."""
    for one in forwards.everyone(tenant.store):
        since = forwards.behind_since(tenant.store, one)
        yield Destination(CHANNEL, one.id, one.state, one.reason, waiting=None, since=since)


def about(record: Record) -> Mapping[str, Any]:
    """The forward and the statement's id."""
    try:
        statement = msgspec.json.decode(record.body, type=Single).statement
    except msgspec.MsgspecError:
        statement = "?"
    return {"to": record.meta.get("to", "?"), "what": statement, "statement": statement}


# -- what is sent ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, and the texts of its statements; with attachments' data the body is in a file."""

    url: str
    headers: Mapping[str, str]
    body: bytes | IO[bytes]
    texts: tuple[bytes, ...]


def _single(tenant: Tenant, record: Record) -> tuple[Forward, Record]:
    id = msgspec.json.decode(record.body, type=Single).statement
    forward = forwards.get(tenant.store, record.meta["to"])
    if forward is None:
        raise Undeliverable("the forward was removed")
    if forward.state != ACTIVE:
        raise Undeliverable(f"the forward is {forward.state}: {forward.reason}")
    statement = tenant.store.get("statement", id)
    if statement is None:
        raise Undeliverable("the statement is not in the store")
    return forward, statement


def _call(tenant: Tenant, forward: Forward, records: tuple[Record, ...]) -> _Call:
    try:
        access: list[str] = reveal(tenant.secret(SECRET), forward.access, list[str])
    except NotOurs as error:
        raise Undeliverable("its key cannot be read: remove the forward and add it again") from error
    texts = tuple(record.body for record in records)
    body = b"[%s]" % b",".join(texts)
    boundary = secrets.token_hex(16)  # that nobody's data can hold
    has_data = any(record.meta.get("attachments") for record in records)
    size, kept = _filed(multipart(tenant.store.blobs, body, records, boundary)) if has_data else (len(body), body)
    headers = {
        "authorization": "Basic " + base64.b64encode(":".join(access).encode()).decode(),
        "content-type": f"multipart/mixed; boundary={boundary}" if has_data else "application/json",
        "content-length": str(size),
        "x-experience-api-version": version_of(records[0]),
    }
    return _Call(f"{forward.url}/statements", headers, kept, texts)


def _filed(pieces: Iterator[bytes]) -> tuple[int, IO[bytes]]:
    """The length of all *pieces*, and a file of them that whoever sends it closes; small ones stay in memory."""
    file = tempfile.SpooledTemporaryFile(2 * MIB)  # noqa: SIM115 (see above)
    for piece in pieces:
        file.write(piece)
    size = file.tell()
    file.seek(0)
    return size, file


def _post(call: _Call, settings: Settings) -> Answer:
    if isinstance(call.body, bytes):
        return outbound.post(call.url, call.body, call.headers, settings)
    with call.body as file:
        return outbound.post(call.url, iter(lambda: file.read(_PIECE), b""), call.headers, settings)


def _send(call: _Call, settings: Settings) -> Outcome:
    """Any failure of a request of many that may lie in one of them, or in how many they are, is ``REFUSED``."""
    is_one = len(call.texts) == 1
    try:
        answer = _post(call, settings)
        if answer.status == 409 and is_one:
            return _compared(call, settings)
    except outbound.Blocked as blocked:
        return Outcome(End.DENIED, f"not sent: {blocked}")
    except outbound.Silent as silent:
        return Outcome(End.LATER if is_one else End.REFUSED, str(silent))
    return _meaning(answer)


def _meaning(answer: Answer) -> Outcome:
    told = one_line(answer.body.decode(errors="replace"))[:_LONGEST_REASON]
    reason = f"answered {answer.status}" + (f": {told}" if told else "")
    if answer.status in {400, 409, 413, 422}:
        return Outcome(End.REFUSED, reason, answer.status)
    if answer.status in {401, 403}:
        return Outcome(End.DENIED, reason, answer.status)
    return outcome_of(answer)


def _compared(call: _Call, settings: Settings) -> Outcome:
    """What a 409 means: the same statement there is as good as one that arrived."""
    ours = _decode(call.texts[0])
    headers = {name: call.headers[name] for name in ("authorization", "x-experience-api-version")}
    for asked in ("statementId", "voidedStatementId"):
        answer = outbound.ask(f"{call.url}?{urlencode({asked: ours['id']})}", headers, settings)
        if answer.status == 200:
            return _held_against(answer, ours, is_stamped(call.texts[0]))
        if answer.status != 404:
            return _meaning(answer)
    return Outcome(End.REFUSED, "answered 409, but shows no statement with this id", 409)


def _held_against(answer: Answer, ours: dict[str, Any], stamped: bool) -> Outcome:  # noqa: FBT001 (one of two facts)
    try:
        theirs = _decode(answer.body)
    except msgspec.DecodeError:
        theirs = None
    if isinstance(theirs, dict) and same(theirs, ours, stamped=stamped):
        return Outcome(End.DELIVERED, "has it already", 409)
    return Outcome(End.REFUSED, "answered 409: another statement has this id there", 409)


# -- what follows ---------------------------------------------------------------------------------------------------


def _advance(tx: Tx, outcome: Outcome, *, id: str, batch: Batch) -> None:
    """Moves the place in the order, as far as the outcome allows. What was read may have moved meanwhile."""
    record = tx.get(forwards.KIND, id)
    if record is None:
        return
    forward = forwards.read(record)
    if forward.position == batch.after:
        forward = _moved(tx, forward, batch, outcome)
    forwards.put(tx, record, forward)


def _moved(tx: Tx, forward: Forward, batch: Batch, outcome: Outcome) -> Forward:
    count = len(batch.records)
    if outcome.end is End.DELIVERED:
        left = max(0, forward.suspect - count)
        refused = 0 if count else forward.refused
        return msgspec.structs.replace(forward, position=batch.until, suspect=left, refused=refused)
    if outcome.end is not End.REFUSED:
        state = DISABLED if outcome.end is End.GONE else PAUSED
        return msgspec.structs.replace(forward, state=state, reason=outcome.reason)
    if count > 1:
        return msgspec.structs.replace(forward, suspect=count)
    _set_apart(tx, forward, batch.records[0])
    return _past(forward, batch.until, outcome.reason)


def _past(forward: Forward, until: int, reason: str) -> Forward:
    """Goes on behind a statement that was set apart, unless too many were, one after the other."""
    refused = forward.refused + 1
    past = msgspec.structs.replace(forward, position=until, suspect=0, refused=refused)
    if refused < REFUSED_IN_A_ROW:
        return past
    why = f"{refused} statements in a row were refused, the last one with: {reason}"
    return msgspec.structs.replace(past, state=PAUSED, reason=why)


def _set_apart(tx: Tx, forward: Forward, statement: Record) -> None:
    """Makes a delivery of a refused statement: it is tried once more by itself, then put aside with the reason."""
    id = name(deliveries.KIND, CHANNEL, forward.id, statement.id)
    if tx.get(deliveries.KIND, id):
        deliveries.again(tx, id)
        return
    content = msgspec.json.encode(Single(statement.id))
    deliveries.queue(tx, Delivery(id=id, channel=CHANNEL, to=forward.id, content=content), micros_of(tx.next_seq()))
