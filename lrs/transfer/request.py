"""One request to another LRS: builds it, sends it, and interprets the answer. Knows no place in the order.

Rules: xAPI 1.0.3 Communication 1.5 and 2.1; IEEE 9274.1.1 4.2.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any
from urllib.parse import urlencode

import msgspec

from lrs.kernel import outbound
from lrs.kernel.outbound import Response
from lrs.kernel.plain_text import one_line
from lrs.kernel.settings import MIB, Settings
from lrs.outbox import channel, destinations
from lrs.outbox.channel import Destination, End, Outcome, outcome_of
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.transfer.batch import version_of
from lrs.xapi.statements.attachments import multipart
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.plan import is_stamped

LONGEST = 100.0
"""Seconds that a request may take, with any amount of data; less than the lease of the step that sends it."""
_LONGEST_REASON = 300
_PIECE = 64 * 1024
_decode = msgspec.json.Decoder().decode


class Call(msgspec.Struct, frozen=True):
    """One request, with the texts of its statements. If it has attachments' data the body is in a file."""

    url: str
    headers: Mapping[str, str]
    body: bytes | IO[bytes]
    texts: tuple[bytes, ...]

    @property
    def seconds(self) -> float:
        """How long it may take: longer for much data, but less than a lease."""
        return min(outbound.IN_ALL + int(self.headers["content-length"]) / MIB, LONGEST)

    @property
    def longest(self) -> float:
        """Seconds that it takes at most, with the two questions after a 409."""
        return self.seconds + 2 * outbound.IN_ALL + channel.LONGEST - outbound.IN_ALL


def call_for(tenant: Tenant, destination: Destination, records: tuple[Record, ...]) -> Call:
    """The request with *records*, all of one version.

    Raises ``Undeliverable``, and ``KeyError`` if the store lacks the data of an attachment.
    """
    access = destinations.access(tenant, destination)
    texts = tuple(record.body for record in records)
    body = b"[%s]" % b",".join(texts)
    boundary = secrets.token_hex(16)  # random, so that no data contains it
    has_data = any(record.meta.get("attachments") for record in records)
    size, kept = _filed(multipart(tenant.store.blobs, body, records, boundary)) if has_data else (len(body), body)
    headers = {
        "authorization": "Basic " + base64.b64encode(":".join(access).encode()).decode(),
        "content-type": f"multipart/mixed; boundary={boundary}" if has_data else "application/json",
        "content-length": str(size),
        "x-experience-api-version": version_of(records[0]),
    }
    return Call(f"{destination.address}/statements", headers, kept, texts)


def _filed(pieces: Iterator[bytes]) -> tuple[int, IO[bytes]]:
    """The length of all *pieces*, and a file with them, which the sender closes. Small ones stay in memory."""
    file = tempfile.SpooledTemporaryFile(2 * MIB)  # noqa: SIM115 (see above)
    try:
        for piece in pieces:
            file.write(piece)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    return size, file


def _post(call: Call, settings: Settings) -> Response:
    if isinstance(call.body, bytes):
        return outbound.post_again(call.url, call.body, call.headers, settings)
    with call.body as file:
        pieces = iter(lambda: file.read(_PIECE), b"")
        return outbound.post(call.url, pieces, call.headers, settings, seconds=call.seconds)


def send(call: Call, settings: Settings) -> Outcome:
    """Sends the request. A failure that may depend on one statement of several, or on their number, is ``REFUSED``."""
    is_one = len(call.texts) == 1
    try:
        answer = _post(call, settings)
        if answer.status == 409 and is_one:
            return _compared(call, settings)
    except outbound.Blocked as blocked:
        return Outcome(End.DENIED, f"not sent: {blocked}")
    except outbound.Silent as silent:
        return Outcome(End.FAILED if is_one else End.REFUSED, str(silent))
    if answer.status == 500:
        return Outcome(End.FAILED if is_one else End.REFUSED, _reason(answer), answer.status)
    return _meaning(answer)


def _meaning(answer: Response) -> Outcome:
    reason = _reason(answer)
    if answer.status in {400, 409, 413, 422}:
        return Outcome(End.REFUSED, reason, answer.status)
    if answer.status in {401, 403}:
        return Outcome(End.DENIED, reason, answer.status)
    return outcome_of(answer)


def _reason(answer: Response) -> str:
    told = one_line(answer.body.decode(errors="replace"))[:_LONGEST_REASON]
    return f"answered {answer.status}" + (f": {told}" if told else "")


def _compared(call: Call, settings: Settings) -> Outcome:
    """What a 409 means. If the other LRS has the same statement, it counts as delivered."""
    ours = _decode(call.texts[0])
    headers = {name: call.headers[name] for name in ("authorization", "x-experience-api-version")}
    for asked in ("statementId", "voidedStatementId"):
        answer = outbound.ask(f"{call.url}?{urlencode({asked: ours['id']})}", headers, settings)
        if answer.status == 200:
            return _held_against(answer, ours, is_stamped(call.texts[0]))
        if answer.status != 404:
            return _meaning(answer)
    return Outcome(End.REFUSED, "answered 409, but shows no statement with this id", 409)


def _held_against(answer: Response, ours: dict[str, Any], stamped: bool) -> Outcome:  # noqa: FBT001 (one of two facts)
    try:
        theirs = _decode(answer.body)
    except msgspec.DecodeError:
        theirs = None
    if isinstance(theirs, dict) and same(theirs, ours, stamped=stamped):
        return Outcome(End.DELIVERED, "has it already", 409)
    return Outcome(End.REFUSED, "answered 409: another statement has this id there", 409)
