"""Conditional changes of documents: If-Match, If-None-Match, and what applies without them. Pure.

Rules: RFC 9110 13.1; xAPI 1.0.3 Communication 3.1; IEEE 9274.1.1 4.1.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from lrs.kernel.errors import Refused
from lrs.xapi.citations import rule

ANY = "*"
_TAG = re.compile(r'(?:W/)?("[^"]*"|[^",\s]+)')
_RULE = "Communication 3.1"


class Conditions(msgspec.Struct, frozen=True):
    """The ETags in a request, without quotes; ``None`` where the header was not sent."""

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    @property
    def given(self) -> bool:
        """Whether the request sent either header."""
        return self.match is not None or self.none_match is not None


def conditions_of(headers: Mapping[str, str]) -> Conditions:
    """The conditions in *headers*, whose names are in lower case."""
    return Conditions(_tags(headers.get("if-match")), _tags(headers.get("if-none-match")))


def _tags(header: str | None) -> frozenset[str] | None:
    """The ETags in *header* without ``W/`` and quotes.

    A proxy that compresses makes our tags weak. Ours are a hash of the exact bytes, so weak and strong ones compare
    alike.
    """
    if header is None:
        return None
    if header.strip() == ANY:
        return frozenset({ANY})
    return frozenset(tag.strip('"') for tag in _TAG.findall(header)) - {ANY}


def matches(tags: frozenset[str], etag: str | None) -> bool:
    """Whether *tags* name a document with *etag*; ``None`` is no document."""
    return etag is not None and (etag in tags or ANY in tags)


def check(conditions: Conditions, etag: str | None, version: str) -> None:
    """Refuses with 412 unless a document with *etag* (``None``: no document) meets the *conditions*."""
    if conditions.match is not None and not matches(conditions.match, etag):
        problem = "the document was changed since" if etag is not None else "there is no such document"
        raise _failed(f"If-Match does not hold: {problem}", version)
    if conditions.none_match is not None and matches(conditions.none_match, etag):
        raise _failed("If-None-Match does not hold: the document exists", version)


def check_put(conditions: Conditions, etag: str | None, version: str, *, profile: bool) -> None:
    """``check``, and the rules for PUT without conditions.

    It never overwrites a profile. In 1.0.3 it may overwrite a State (Communication 3.1: content in use relies on it)
    but not create a profile; in 2.0 the other way round.
    """
    check(conditions, etag, version)
    if conditions.given:
        return
    if etag is not None and (profile or version != "1.0.3"):
        raise Refused(
            "a document with this id exists already: GET it, then send its ETag in If-Match to replace it,"
            " or If-None-Match: * to create only",
            status=409,
            error="conflict",
            rule=rule(_RULE, version),
        )
    if etag is None and profile and version == "1.0.3":
        raise Refused(
            "PUT of a profile needs If-Match or If-None-Match: send If-None-Match: * to create it",
            rule=rule(_RULE, version),
        )


def _failed(message: str, version: str) -> Refused:
    return Refused(message, status=412, error="precondition_failed", rule=rule(_RULE, version))
