"""Attachments of statements: which data belongs to which, kept as blobs, and sent again. Knows no HTTP request.

Rules: xAPI 1.0.3 Data 2.4.11 and Communication 1.5; IEEE 9274.1.1 4.2.9. The declared ``length`` is not compared with
the data, because the conformance suite sends a wrong one and expects 200; the hash is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from cryptography.x509 import Certificate

from lrs.kernel.errors import Refused
from lrs.storage import Blobs, Record
from lrs.xapi.citations import rule
from lrs.xapi.statements.parts import Attached, malformed
from lrs.xapi.statements.plan import Prepared, in_batch
from lrs.xapi.statements.signatures import LARGEST, USAGE_TYPE, VERDICTS, check_signature

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
    """Refuses an attachment that has neither data in the request nor a ``fileUrl``."""
    for pointer, attachment in attachments_of(statement):
        if "fileUrl" not in attachment:
            raise Refused(
                "an attachment without fileUrl needs its data: send the request as multipart/mixed",
                pointer=pointer,
                rule=rule("Communication 1.5.1", version),
            )


class Attachments(msgspec.Struct, frozen=True):
    """The data sent with statements, by its SHA-2, and what signatures in it are verified with.

    *trust* are the certificates of trusted authorities; signers must be valid at *now* (microseconds UTC).
    """

    data: Mapping[str, Attached]
    trust: Sequence[Certificate]
    now: int


_NOTHING = Attachments({}, (), 0)


def with_data(batch: Sequence[Prepared], attachments: Attachments | None, version: str) -> list[Prepared]:
    """*batch* with the names of its blobs, and the verdict on its signatures.

    Refuses missing data, data that belongs to no attachment, and malformed signatures. Any other verdict is stored.
    """
    if attachments is not None:
        _match(batch, attachments.data, version)
    given = attachments or _NOTHING
    return [_judged(_with_blobs(one, given.data), given, version) for one in batch]


def _match(batch: Sequence[Prepared], data: Mapping[str, Attached], version: str) -> None:
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


def _with_blobs(prepared: Prepared, data: Mapping[str, Attached]) -> Prepared:
    mine = {sha2: data[sha2].blob for _, a in attachments_of(prepared.tree) if (sha2 := a["sha2"].lower()) in data}
    return msgspec.structs.replace(prepared, meta={**prepared.meta, "attachments": mine}) if mine else prepared


def _judged(prepared: Prepared, attachments: Attachments, version: str) -> Prepared:
    try:
        verdicts = _verdicts(prepared, attachments, version)
    except Refused as refused:
        raise in_batch(refused, prepared.index) from refused
    best = next((verdict for verdict in VERDICTS if verdict in verdicts), None)
    return msgspec.structs.replace(prepared, meta={**prepared.meta, "signature": best}) if best else prepared


def _verdicts(prepared: Prepared, attachments: Attachments, version: str) -> list[str]:
    verdicts = []
    for pointer, one in _listed(prepared.tree, "/attachments"):
        if one["usageType"] != USAGE_TYPE:
            continue
        came = attachments.data.get(one["sha2"].lower())
        signature = came.part.read(LARGEST + 1) if came is not None else None
        try:
            verdict = check_signature(prepared.tree, one, signature, version, attachments.trust, at=attachments.now)
        except Refused as refused:
            raise refused.inside(pointer) from refused
        verdicts.append(verdict)
    return verdicts


def keep(blobs: Blobs, attachments: Attachments) -> None:
    """Stores the data as blobs, before the statements that name it are stored, so that no record lacks its blob."""
    for one in attachments.data.values():
        blobs.put(one.part.chunks())


def multipart(blobs: Blobs, body: bytes, records: Iterable[Record], boundary: str) -> Iterator[bytes]:
    """*body*, then the data of each attachment once (xAPI 1.0.3 Communication 1.5.2), read while it is sent."""
    line = f"--{boundary}\r\n".encode()
    yield line + b"Content-Type: application/json\r\n\r\n" + body + b"\r\n"
    sent: set[str] = set()
    for record in records:
        named: dict[str, str] = record.meta.get("attachments", {})
        for _, attachment in attachments_of(_decode(record.body)) if named else ():
            sha2 = attachment["sha2"].lower()
            if sha2 in sent or sha2 not in named:
                continue
            sent.add(sha2)
            yield (
                line
                + (
                    f"Content-Type: {attachment['contentType']}\r\nContent-Transfer-Encoding: binary\r\n"
                    f"X-Experience-API-Hash: {attachment['sha2']}\r\n\r\n"
                ).encode()
            )
            yield from blobs.open(named[sha2])
            yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
