"""Attachments of statements: which data belongs to which, kept as blobs, and sent again. Knows no HTTP request.

Rules: xAPI 1.0.3 Data 2.4.11 and Communication 1.5; IEEE 9274.1.1 4.2.9. The declared ``length`` is not held against
the data: the conformance suite sends a wrong one and wants 200; the hash says more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from lrs.xapi.citations import rule
from lrs.xapi.statements.parts import Part, attachment_hash, malformed
from lrs.xapi.statements.prepare import Prepared, in_batch
from lrs.xapi.statements.signatures import LARGEST, USAGE_TYPE, VERDICTS, check_signature, trust_anchors

_decode = msgspec.json.Decoder().decode


def attachments_of(statement: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The attachments of a statement and of its SubStatement, each with its pointer."""
    listed = _listed(statement, "/attachments")
    if statement["object"].get("objectType") == "SubStatement":
        listed += _listed(statement["object"], "/object/attachments")
    return listed


def _listed(statement: dict[str, Any], pointer: str) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{pointer}/{number}", one) for number, one in enumerate(statement.get("attachments", ()))]


def need_file_url(statement: dict[str, Any], version: str) -> None:
    """Refuses an attachment whose data is neither here nor linked to."""
    for pointer, attachment in attachments_of(statement):
        if "fileUrl" not in attachment:
            raise Refused(
                "an attachment without fileUrl needs its data: send the request as multipart/mixed",
                pointer=pointer,
                rule=rule("Communication 1.5.1", version),
            )


def keep_data(tenant: Tenant, batch: Sequence[Prepared], parts: Sequence[Part], version: str) -> list[Prepared]:
    """*batch* with its data kept as blobs and its signatures judged; data comes first, so that no record lacks it.

    Refuses parts that are missing, unasked for, or not what their hash says; nothing is kept then. Data that comes
    twice is taken once: a sender only SHOULD not repeat it (Communication 1.5.2).
    """
    data = {attachment_hash(part, version): part for part in parts}
    asked = _match(batch, data, version)
    judged = judge(tenant, batch, data, version)
    blobs = {sha2: tenant.store.blobs.put(data[sha2].chunks()) for sha2 in asked}
    return [_with_blobs(prepared, blobs) for prepared in judged]


def _match(batch: Sequence[Prepared], data: dict[str, Part], version: str) -> set[str]:
    asked: set[str] = set()
    for prepared in batch:
        for pointer, attachment in attachments_of(prepared.tree):
            sha2 = attachment["sha2"].lower()
            if sha2 in data:
                asked.add(sha2)
            elif "fileUrl" not in attachment:
                missing = malformed(f"the data of the attachment with sha2 {sha2[:16]}… is missing", version)
                raise in_batch(missing.inside(pointer), prepared.index)
    if extra := data.keys() - asked:
        raise malformed(f"no attachment has the sha2 {min(extra)[:16]}… of a part", version)
    return asked


def judge(tenant: Tenant, batch: Sequence[Prepared], data: Mapping[str, Part], version: str) -> list[Prepared]:
    """The statements with the verdict on their signatures; it is kept, whatever it says, unless one is malformed."""
    judged = []
    for prepared in batch:
        if "attachments" not in prepared.tree:
            judged.append(prepared)
            continue
        try:
            verdicts = _verdicts(tenant, prepared, data, version)
        except Refused as refused:
            raise in_batch(refused, prepared.index) from refused
        best = next((verdict for verdict in VERDICTS if verdict in verdicts), None)
        meta = {**prepared.meta, "signature": best} if best else prepared.meta
        judged.append(msgspec.structs.replace(prepared, meta=meta))
    return judged


def _verdicts(tenant: Tenant, prepared: Prepared, data: Mapping[str, Part], version: str) -> list[str]:
    verdicts = []
    for pointer, one in _listed(prepared.tree, "/attachments"):
        if one["usageType"] != USAGE_TYPE:
            continue
        part = data.get(one["sha2"].lower())
        signature, trust = (part.read(LARGEST + 1), trust_anchors(tenant.settings)) if part else (None, ())
        try:
            verdicts.append(check_signature(prepared.tree, one, signature, version, trust, at=tenant.clock()))
        except Refused as refused:
            raise refused.inside(pointer) from refused
    return verdicts


def _with_blobs(prepared: Prepared, blobs: dict[str, str]) -> Prepared:
    mine = {sha2: blobs[sha2] for _, a in attachments_of(prepared.tree) if (sha2 := a["sha2"].lower()) in blobs}
    return msgspec.structs.replace(prepared, meta={**prepared.meta, "attachments": mine}) if mine else prepared


def multipart(tenant: Tenant, body: bytes, records: Iterable[Record], boundary: str) -> Iterator[bytes]:
    """*body*, then each attachment's data once (xAPI 1.0.3 Communication 1.5.2), read as it is sent."""
    line = f"--{boundary}\r\n".encode()
    yield line + b"Content-Type: application/json\r\n\r\n" + body + b"\r\n"
    sent: set[str] = set()
    for record in records:
        blobs: dict[str, str] = record.meta.get("attachments", {})
        for _, attachment in attachments_of(_decode(record.body)) if blobs else ():
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
