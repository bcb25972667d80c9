"""Attachments of statements: which data belongs to which, kept as blobs, and sent again. Knows no HTTP request.

Rules: xAPI 1.0.3 Data 2.4.11 and Communication 1.5; IEEE 9274.1.1 4.2.9. The declared ``length`` is not held against
the data: the conformance suite sends a wrong one and wants 200; the hash says more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lrs.errors import Refused
from lrs.statements.parts import RULE, Part, attachment_hash
from lrs.statements.prepare import Prepared
from lrs.statements.signatures import LARGEST, USAGE_TYPE, VERDICTS, check_signature, trust_anchors
from lrs.storage import Record
from lrs.tenants import Tenant

_decode = msgspec.json.Decoder().decode


def attachments_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """The attachments of a statement and of its SubStatement."""
    listed: list[dict[str, Any]] = list(statement.get("attachments", ()))
    if statement["object"].get("objectType") == "SubStatement":
        listed.extend(statement["object"].get("attachments", ()))
    return listed


def need_file_url(attachments: Iterable[dict[str, Any]]) -> None:
    """Refuses an attachment whose data is neither here nor linked to."""
    for attachment in attachments:
        if "fileUrl" not in attachment:
            raise Refused(
                "an attachment without fileUrl needs its data: send the request as multipart/mixed",
                pointer="/attachments",
                rule="xAPI 1.0.3 Communication 1.5.1",
            )


def keep_data(tenant: Tenant, batch: Sequence[Prepared], parts: Sequence[Part], version: str) -> list[Prepared]:
    """*batch* with its data kept as blobs and its signatures judged; data comes first, so that no record lacks it.

    Refuses parts that are missing, twice there, unasked for, or not what their hash says; nothing is kept then.
    """
    data: dict[str, Part] = {}
    for part in parts:
        sha2 = attachment_hash(part)
        if sha2 in data:
            raise Refused("two parts have the same X-Experience-API-Hash", rule=RULE)
        data[sha2] = part
    asked = _match(batch, data)
    judged = _judge(tenant, batch, data, version)
    blobs = {sha2: tenant.store.blobs.put(data[sha2].chunks()) for sha2 in asked}
    return [_with_blobs(prepared, blobs) for prepared in judged]


def _match(batch: Sequence[Prepared], data: dict[str, Part]) -> set[str]:
    asked: set[str] = set()
    for index, prepared in enumerate(batch):
        for attachment in attachments_of(prepared.tree):
            sha2 = attachment["sha2"].lower()
            if sha2 in data:
                asked.add(sha2)
            elif "fileUrl" not in attachment:
                message = f"the data of the attachment with sha2 {sha2[:16]}… is missing"
                raise _of(batch, index, Refused(message, pointer="/attachments", rule=RULE))
    if extra := data.keys() - asked:
        raise Refused(f"no attachment has the sha2 {min(extra)[:16]}… of a part", rule=RULE)
    return asked


def _of(batch: Sequence[Prepared], index: int, refused: Refused) -> Refused:
    """*refused* as it is told: of several statements, which one."""
    return refused.inside(f"/{index}", index) if len(batch) > 1 else refused


def _judge(tenant: Tenant, batch: Sequence[Prepared], data: dict[str, Part], version: str) -> list[Prepared]:
    """The statements with the verdict on their signatures; it is kept, whatever it says, unless one is malformed."""
    judged = []
    for index, prepared in enumerate(batch):
        try:
            verdicts = _verdicts(tenant, prepared, data, version)
        except Refused as refused:
            raise _of(batch, index, refused) from refused
        best = next((verdict for verdict in VERDICTS if verdict in verdicts), None)
        meta = {**prepared.meta, "signature": best} if best else prepared.meta
        judged.append(msgspec.structs.replace(prepared, meta=meta))
    return judged


def _verdicts(tenant: Tenant, prepared: Prepared, data: dict[str, Part], version: str) -> list[str]:
    signatures = [
        (one, part)
        for one in prepared.tree.get("attachments", ())
        if one["usageType"] == USAGE_TYPE and (part := data.get(one["sha2"].lower()))
    ]
    return [
        check_signature(
            prepared.tree, one, part.read(LARGEST + 1), version, trust_anchors(tenant.settings), at=tenant.clock()
        )
        for one, part in signatures
    ]


def _with_blobs(prepared: Prepared, blobs: dict[str, str]) -> Prepared:
    mine = {sha2: blobs[sha2] for a in attachments_of(prepared.tree) if (sha2 := a["sha2"].lower()) in blobs}
    return msgspec.structs.replace(prepared, meta={**prepared.meta, "attachments": mine}) if mine else prepared


def multipart(tenant: Tenant, body: bytes, records: Iterable[Record], boundary: str) -> Iterator[bytes]:
    """*body*, then each attachment's data once (xAPI 1.0.3 Communication 1.5.2), read as it is sent."""
    line = f"--{boundary}\r\n".encode()
    yield line + b"Content-Type: application/json\r\n\r\n" + body + b"\r\n"
    sent: set[str] = set()
    for record in records:
        blobs: dict[str, str] = record.meta.get("attachments", {})
        for attachment in attachments_of(_decode(record.body)) if blobs else ():
            sha2 = attachment["sha2"].lower()
            if sha2 in sent or sha2 not in blobs:
                continue
            sent.add(sha2)
            yield (
                line
                + (
                    f"Content-Type: {attachment['contentType']}\r\nContent-Transfer-Encoding: binary\r\n"
                    f"X-Experience-API-Hash: {attachment['sha2']}\r\n\r\n"
                ).encode()
            )
            yield from tenant.store.blobs.open(blobs[sha2])
            yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
