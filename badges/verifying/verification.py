"""What one verification has at hand: the time, where keys and lists come from, and how much work may still be done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from badges.proofs.graph import MAX_DEPTH, MAX_VALUES, canonical
from badges.proofs.unsafe import Unsafe
from badges.verifying.verdict import Invalid, Unavailable
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.kernel.strict_json import JsonView, parse
from lrs.kernel.times import micros_of_timestamp, zoned_micros

MAX_LIST = 1024 * 1024
"""Bytes of a status list or a DID document."""
MAX_FETCHES = 20
MAX_WORK = 2 * MAX_VALUES
"""Values of all documents of one verification whose canonical form is worked out."""
LEAST_WORK = 250
"""Values that a document counts for at the least: its nodes may be alike, which costs time with few values."""

Resolve = Callable[[str], JsonView]
"""The DID document of a did:web. Raises ``Unavailable``."""
Fetch = Callable[[str], bytes]
"""What is at an address: a status list, a key. Raises ``Unavailable``."""


@dataclass(slots=True)
class Verification:
    """One verification at the time *at* (microseconds UTC). Nothing is fetched twice, and not more than 20 times."""

    at: int
    resolve: Resolve
    fetch: Fetch
    work: int = MAX_WORK
    had: dict[str, Any] = field(default_factory=dict)
    canonical_forms: dict[str, bytes] = field(default_factory=dict)
    may_ask: bool = True
    """Whether addresses may be asked. Not for what a badge names whose signature does not hold."""

    def canonical(self, document: Mapping[str, Any], digest: str = "sha256") -> bytes:
        """The canonical form of *document*, worked out once. Raises ``Unsafe`` once that has cost too much."""
        name = f"{digest} {json.dumps(document, sort_keys=True)}"
        if name not in self.canonical_forms:
            self.work -= max(_values(document), LEAST_WORK)
            if self.work < 0:
                raise Unsafe("too much is signed here to check all of it", "too_complex")
            self.canonical_forms[name] = canonical(document, digest)
        return self.canonical_forms[name]

    def did_document(self, did: str) -> JsonView:
        """The document of a did:web. Raises ``Unavailable``."""
        found: JsonView = self._once(did, lambda: self.resolve(did))
        return found

    def body(self, url: str) -> bytes:
        """What is at *url*. Raises ``Unavailable``."""
        found: bytes = self._once(url, lambda: self.fetch(url))
        return found

    def document(self, url: str) -> dict[str, Any]:
        """The JSON object at *url*. Raises ``Unavailable``."""
        try:
            return read(self.body(url), MAX_LIST)
        except Invalid as error:
            raise Unavailable(f"{url}: {error}") from error

    def _once(self, name: str, get: Callable[[], Any]) -> Any:
        if name not in self.had and not self.may_ask:
            raise Unavailable("not asked for, because the signature does not hold", "not_asked")
        if name not in self.had:
            if len(self.had) >= MAX_FETCHES:
                raise Unavailable(f"more than {MAX_FETCHES} addresses would have to be asked")
            self.had[name] = _tried(get)
        found = self.had[name]
        if isinstance(found, Unavailable):
            raise Unavailable(str(found), found.code)
        return found


def _tried(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except Unavailable as error:
        return error.with_traceback(None)


def read(document: bytes, limit: int) -> dict[str, Any]:
    """The JSON object in *document*.

    Raises ``Invalid`` for anything else, for more than *limit* bytes and for a repeated key.
    """
    if len(document) > limit:
        raise Invalid(f"larger than {sized(limit)}", "too_large")
    try:
        value = parse(document, max_depth=MAX_DEPTH)
    except Refused as error:
        raise Invalid(error.message.replace("The body", "the text", 1), "not_json") from error
    if not isinstance(value, dict):
        raise Invalid("not a JSON object", "not_json")
    return value


def moment(part: JsonView, name: str) -> int:
    """The time *name* of *part* in microseconds UTC. Raises ``Invalid``."""
    text = str(part.get(name))
    try:
        micros_of_timestamp(text)
    except ValueError as error:
        raise Invalid(f"{name} is not a date and time", "bad_date") from error
    try:
        return zoned_micros(text)
    except ValueError as error:
        raise Invalid(f"{name} has no time zone", "bad_date") from error


def site_of(address: Any) -> SplitResult:
    """An https address in its parts. Raises ``Invalid`` for anything else."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        if parts.scheme == "https" and parts.hostname:
            return parts
    except ValueError:
        pass
    raise Invalid("the issuer is neither a DID nor an https address", "did_not_supported")


def _values(part: Any) -> int:
    if isinstance(part, str):
        return 1
    inside = part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ()
    return 1 + sum(map(_values, inside))
