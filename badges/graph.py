"""What a JSON-LD document says, in its one canonical form, or why it must not be signed or believed.

The canonical form is RDFC-1.0 (W3C, "RDF Dataset Canonicalization") as N-Quads. Before it stands the gate that JSON-LD
calls safe mode: nothing the reader sees may be missing from what is signed. Knows no keys and no Open Badges.

Two works of PyLD are mended here. It drops what it has no term for, and takes relative identifiers as relative to
``http://example.org/base/``; both are refused. It does not escape control characters as RDFC-1.0 says; those are
refused too. Its caches are not safe between threads; one lock stands around it.

The form of the last few documents is remembered by their exact text: whoever signs a badge and then reads it as a
stranger would comes here with the same badge three times, and with the same status list for every badge.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from math import factorial
from typing import Any

from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from badges.contexts import PINNED, load

MAX_DEPTH = 40
MAX_VALUES = 10_000
MAX_PERMUTATIONS = 10_000
REMEMBERED = 16
MOST_MEANINGS = 1_000
"""Of contexts within contexts; a badge has about 20."""

_BASE = "relative://document/"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LARGEST = 2**53
_lock = threading.Lock()
_contexts: dict[str, Any] = {}
_meant: dict[tuple[Any, ...], tuple[Any, Any]] = {}


class Unsafe(Exception):
    """The document says something that its canonical form would not, or that takes too much work to find out."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """The canonical N-Quads of *document*, in UTF-8. Raises ``Unsafe`` with the first reason found."""
    try:
        with _lock:
            return _canonical(json.dumps(document))
    except jsonld.JsonLdError as error:
        raise Unsafe(f"not valid JSON-LD: {(error.__cause__ or error).args[0]}") from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Unsafe(f"not valid JSON-LD ({type(error).__name__})") from error  # PyLD meets what it did not expect


def check_json(value: Any) -> None:
    """Refuses what is legal JSON but not one plain reading. Raises ``Unsafe``."""
    for count, (name, part, depth) in enumerate(_walk(value, "", 0)):
        if count >= MAX_VALUES or depth > MAX_DEPTH:
            raise Unsafe("too many values, or too deeply nested")
        if _CONTROL.search(name) or (isinstance(part, str) and _CONTROL.search(part)):
            raise Unsafe(f"control character in {name!r}")
        if name == "@context":
            _check_context(part)
        elif name.startswith("@") or ":" in name:
            raise Unsafe(f"{name!r}: only plain terms are read, no keywords and no addresses")
        elif isinstance(part, float) or (type(part) is int and abs(part) >= _LARGEST):
            _check_number(name, part)


def _walk(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    yield name, value, depth
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, key, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, name, depth + 1)


def _check_context(value: Any) -> None:
    """Only shipped contexts, by address: one written into the document could give any word any meaning."""
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, str) or part not in PINNED:
            raise Unsafe(
                f"the context {part if isinstance(part, str) else 'in the document'} is not one of those shipped"
            )


def _check_number(name: str, number: float) -> None:
    """Implementations write very large and very small numbers differently (badges.md, pitfall 3)."""
    size = abs(number)
    if not (size == 0 or 1e-6 < size < _LARGEST):
        raise Unsafe(f"{name!r}: the number {number} has no common canonical form")


@functools.lru_cache(REMEMBERED)
def _canonical(text: str) -> bytes:
    document = json.loads(text)
    check_json(document)
    options = {"documentLoader": load, "contextResolver": ContextResolver(_contexts, load), "base": _BASE}
    dataset = _Safe(on_property_dropped=_dropped).to_rdf(document, options)
    quads: str = _Bounded().main(dataset, {"format": "application/n-quads"})
    return quads.encode()


class _Safe(jsonld.JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """JSON-LD 1.1 in safe mode. What a context means inside another is worked out once.

    PyLD works it out anew for every node with a type, which took half of a badge's time.
    """

    def expand(self, input_: Any, options: dict[str, Any]) -> Any:
        """The expanded document, if nothing of it was left out."""
        expanded = super().expand(input_, options)
        _check_addresses(expanded)
        return expanded

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, *args: Any, **flags: Any) -> Any:
        if "_uuid" not in active_ctx or args or "cycles" in flags:  # one that is only being made
            return super()._process_context(active_ctx, local_ctx, options, *args, **flags)
        # A context that is in force has a number of its own and never changes. One that stands in another is told by
        # its place in memory, where being remembered keeps it; in documents stand addresses only.
        name = tuple(local_ctx) if isinstance(local_ctx, list) else local_ctx
        asked = (active_ctx["_uuid"], name if _is_address(name) else id(local_ctx), *sorted(flags.items()))
        known = _meant.get(asked)
        if known is None:
            if len(_meant) >= MOST_MEANINGS:
                _meant.clear()
            found = super()._process_context(active_ctx, local_ctx, options, **flags)
            known = _meant[asked] = (found, local_ctx)
        return known[0]


def _is_address(context: Any) -> bool:
    return isinstance(context, str) or (isinstance(context, tuple) and all(isinstance(part, str) for part in context))


def _dropped(term: str | None) -> None:
    raise Unsafe(f"undefined term: {term!r} is in none of the contexts")


def _check_addresses(expanded: Any) -> None:
    """Every identifier and type is an absolute IRI, and no blank node has a name (so they form a tree)."""
    if isinstance(expanded, list):
        for part in expanded:
            _check_addresses(part)
    elif isinstance(expanded, Mapping) and expanded.get("@type") != "@json":
        for name, value in expanded.items():
            if name in {"@id", "@type"}:
                for address in value if isinstance(value, list) else [value]:
                    _check_address(address)
            elif name != "@value":
                _check_addresses(value)


def _check_address(address: Any) -> None:
    if not isinstance(address, str) or address.startswith((_BASE, "_:")) or not _ABSOLUTE.fullmatch(address):
        shown = address.removeprefix(_BASE) if isinstance(address, str) else address
        raise Unsafe(f"{shown!r} is neither a defined term nor an absolute address")


class _Bounded(URDNA2015):  # type: ignore[misc]  # PyLD has no types
    """RDFC-1.0 that gives up on graphs made to take factorial time (RDFC-1.0, section 7.1, "poison graphs")."""

    def __init__(self) -> None:
        super().__init__()
        self._work = 0

    def create_hash_to_related(self, id_: str, issuer: Any) -> dict[str, list[str]]:
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        self._work += sum(factorial(min(len(nodes), 20)) for nodes in related.values())
        if self._work > MAX_PERMUTATIONS:
            raise Unsafe("too many alike nodes without an id to tell apart")
        return related
