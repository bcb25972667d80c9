"""From a request's bytes to prepared statements: read, parse, check, prepare. Stores nothing but attachments' data.

Rules: xAPI 1.0.3 Communication 1.5 and 2.1; limits are the settings'.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import parse, slices
from lrs.storage.edge import compute, read, turn
from lrs.xapi.citations import rule
from lrs.xapi.request import JSON, Request, too_large
from lrs.xapi.statements.attachments import judge, keep_data, need_file_url
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.limits import check_keys, check_rows
from lrs.xapi.statements.parts import Parts, close_parts, malformed
from lrs.xapi.statements.prepare import Prepared, in_batch, prepare, with_id
from lrs.xapi.statements.validate import check

MIXED = "multipart/mixed"
ON_THE_LOOP = 32 * 1024
"""Smaller bodies are parsed at once; larger ones would hold up the loop."""
SMALL = 4 * 1024
"""Bytes of a body up to which it is prepared on the event loop, one in each round, so that queries run in between."""


@dataclass(frozen=True, slots=True)
class Intake:
    """How the statements of one request came: by which rules, from whom, with the id of a PUT, with data or without."""

    version: str
    caller: Caller
    settings: Settings
    statement_id: str | None = None
    with_data: bool = False


async def receive(request: Request, statement_id: str | None = None) -> list[Prepared]:
    """The request's statements, ready to be stored; *statement_id* is that of a PUT, which holds exactly one."""
    settings = request.tenant.settings
    if request.media_type == JSON:
        body = await request.body(settings.max_body)
        intake = Intake(request.version, request.caller, settings, statement_id)
        if len(body) > ON_THE_LOOP:
            batch = await compute(prepare_all, body, intake)
        else:
            if len(body) <= SMALL:
                await turn()
            batch = prepare_all(body, intake)
        return judge(request.tenant, batch, {}, request.version)
    if request.media_type != MIXED:
        raise request.wrong("the Content-Type must be application/json or multipart/mixed", "Communication 1.5")
    taking = Parts(
        request.headers["content-type"],
        request.hold,
        request.version,
        most_parts=settings.max_attachments,
        largest_first=settings.max_body,
    )
    try:
        first, *data = await taking.take(request.chunks(settings.max_body_with_attachments))
        if first.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise malformed("the first part must be the statements, as application/json", request.version)
        request.hold(first.size)  # a second time: as a file, and read from it
        request.enter(first.size)
        intake = Intake(request.version, request.caller, settings, statement_id, with_data=True)
        batch = await compute(prepare_all, first.read(), intake)
        return await read(keep_data, request.tenant, batch, data, request.version)
    finally:
        close_parts(taking)


def prepare_all(body: bytes, intake: Intake) -> list[Prepared]:
    """Parses and checks *body*, a statement or an array of them. Refuses all for the first one that is wrong."""
    try:
        tree = parse(body, max_depth=intake.settings.max_depth)
    except Refused as refused:
        raise _of_array(refused, body) from refused
    if isinstance(tree, dict):
        return [_prepared(tree, body.strip(), intake)]
    if not isinstance(tree, list):
        several = rule("Communication 2.1.2", intake.version)
        raise Refused("the body must be a statement or an array of statements", pointer="", rule=several)
    if intake.statement_id is not None:
        one = rule("Communication 2.1.1", intake.version)
        raise Refused("PUT takes one statement, not an array", pointer="", rule=one)
    if len(tree) > intake.settings.max_batch:
        raise Refused(f"more than {intake.settings.max_batch} statements in a request", status=413, error="too_large")
    return _prepared_batch(tree, slices(body), intake)


def _of_array(refused: Refused, body: bytes) -> Refused:
    """*refused*, of a whole body that is no JSON: of an array, which statement, if that can be known."""
    is_array = body.lstrip().startswith(b"[")
    return refused.inside("", int(refused.pointer.split("/")[1]) if refused.pointer and is_array else None)


def _prepared_batch(trees: Sequence[Any], texts: Sequence[bytes], intake: Intake) -> list[Prepared]:
    batch = []
    ids: set[str] = set()
    for index, (tree, text) in enumerate(zip(trees, texts, strict=True)):
        try:
            one = _prepared(tree, text, intake, index)
            if one.id in ids:
                twice = rule("Communication 2.1.2", intake.version)
                raise Refused("this id stands twice in the batch", pointer="/id", rule=twice)
        except Refused as refused:
            raise in_batch(refused, index) from refused
        ids.add(one.id)
        batch.append(one)
    check_rows(batch)
    return batch


def _prepared(tree: Any, text: bytes, intake: Intake, index: int | None = None) -> Prepared:
    if len(text) > intake.settings.max_statement:
        raise too_large("statement", intake.settings.max_statement)
    check(tree, intake.version)
    if intake.statement_id is not None:
        with_id(tree, intake.statement_id, intake.version)
    if not intake.with_data:
        need_file_url(tree, intake.version)
    prepared = prepare(
        tree,
        text,
        version=intake.version,
        caller=intake.caller,
        authority=_identity(intake.caller.authority),
        statement_id=intake.statement_id or tree.get("id") or str(uuid.uuid4()),
        index=index,
    )
    check_keys(len(prepared.keys))
    return prepared


@lru_cache(maxsize=1_024)
def _identity(authority: bytes) -> str | None:
    return ifi_text(msgspec.json.decode(authority)) if authority else None
