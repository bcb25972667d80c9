"""The canonical form of a JSON-LD document, or why the document must not be signed or trusted.

The canonical form is RDFC-1.0 (W3C, "RDF Dataset Canonicalization") as N-Quads. Before that, documents are checked as
in JSON-LD's safe mode: everything that a reader sees must be in what is signed. Knows no keys and no Open Badges.

Two faults of PyLD are worked around. It drops members that have no term, and takes relative identifiers as relative to
``http://example.org/base/``; both are refused. It does not escape control characters as RDFC-1.0 says; those are
refused too. Its caches are not thread-safe; each thread has its own, so that a slow document does not block other
threads.

A document from outside is bounded before any work is done: the number of values, of entries of one list, and of
contexts, because PyLD compares each entry of a list with all before it and processes every context that is named.

The forms of the last few documents are cached by their exact text: signing a badge and then verifying it uses the same
badge three times, and the same status list for every badge.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from math import factorial
from typing import Any

from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from badges.contexts import PINNED, load
from lrs.kernel.plain_text import CONTROL

MAX_DEPTH = 40
MAX_VALUES = 2_000
"""Values in a document: a badge has about 100, one with 100 pieces of evidence 700."""
MAX_ENTRIES = 250
"""Entries of one list, including those of lists in it."""
MAX_CONTEXTS = 12
"""Contexts named in a document, repeated ones included."""
MAX_TYPES = 12
"""Types of one object."""
MAX_PERMUTATIONS = 1_000
"""Permutations of nodes that cannot be told apart, in a whole document: six such nodes beside each other have 720."""
REMEMBERED = 16
MOST_MEANINGS = 1_000
"""Cached pairs of a context within a context; a badge has about 20."""

_BASE = "relative://document/"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_LARGEST = 2**53


class _Own(threading.local):
    """The caches of one thread: contexts by their address, and the result of each inside another."""

    def __init__(self) -> None:
        self.contexts: dict[str, Any] = {}
        self.meant: dict[tuple[Any, ...], tuple[Any, Any]] = {}


_own = _Own()


class Unsafe(Exception):
    """The document contains something that its canonical form would not, or is too expensive to process."""


def canonical(document: Mapping[str, Any]) -> bytes:
    """The canonical N-Quads of *document*, in UTF-8. Raises ``Unsafe`` with the first reason found."""
    found = _canonical(json.dumps(document))
    if isinstance(found, Unsafe):
        raise Unsafe(*found.args)
    return found


@functools.lru_cache(REMEMBERED)
def _canonical(text: str) -> bytes | Unsafe:
    """The form of the document *text*, or the reason why it has none. Both are cached."""
    try:
        return _worked_out(text)
    except Unsafe as refused:
        return refused.with_traceback(None)


def _worked_out(text: str) -> bytes:
    try:
        document = json.loads(text)
        check_json(document)
        options = {"documentLoader": load, "contextResolver": ContextResolver(_own.contexts, load), "base": _BASE}
        dataset = _Safe(on_property_dropped=_dropped).to_rdf(document, options)
        quads: str = _Bounded().main(dataset, {"format": "application/n-quads"})
        return quads.encode()
    except jsonld.JsonLdError as error:
        raise Unsafe(f"not valid JSON-LD: {(error.__cause__ or error).args[0]}") from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Unsafe(f"not valid JSON-LD ({type(error).__name__})") from error  # PyLD meets what it did not expect


def check_json(value: Any) -> None:
    """Refuses valid JSON that can be read in more than one way, or that is too large. Raises ``Unsafe``."""
    contexts = 0
    said: Counter[tuple[str, str]] = Counter()
    for count, (name, part, depth) in enumerate(_walk(value, "", 0)):
        if count >= MAX_VALUES or depth > MAX_DEPTH:
            raise Unsafe(f"more than {MAX_VALUES} values, or nested deeper than {MAX_DEPTH}")
        _check_length(name, part, said)
        if CONTROL.search(name) or (isinstance(part, str) and CONTROL.search(part)):
            raise Unsafe(f"control character in {name!r}")
        if name == "@context":
            contexts += isinstance(part, str)
            if contexts > MAX_CONTEXTS:
                raise Unsafe(f"more than {MAX_CONTEXTS} contexts")
            _check_context(part)
        elif name.startswith("@") or ":" in name:
            raise Unsafe(f"{name!r}: only plain terms are read, no keywords and no addresses")
        elif isinstance(part, float) or (type(part) is int and abs(part) >= _LARGEST):
            _check_number(name, part)


def _check_length(name: str, part: Any, said: Counter[tuple[str, str]]) -> None:
    """Checks the length of *part*.

    *said* counts what was said about an id so far, because that is one list for PyLD.
    """
    if isinstance(part, list) and _entries(part) > (MAX_TYPES if name == "type" else MAX_ENTRIES):
        raise Unsafe(f"{name!r} has too many entries")
    if isinstance(part, Mapping) and isinstance(part.get("id"), str):
        said.update({(part["id"], word): _entries(value) for word, value in part.items()})
        for word in part:
            if said[part["id"], word] > MAX_ENTRIES:
                raise Unsafe(f"{word!r} has too many entries")


def _entries(part: Any) -> int:
    """How many entries a list has for JSON-LD, where a list in a list is flattened."""
    return sum(map(_entries, part)) if isinstance(part, list) else 1


def _walk(value: Any, name: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    yield name, value, depth
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, key, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, name, depth + 1)


def _check_context(value: Any) -> None:
    """Accepts only contexts of the package, named by address.

    A context inside the document could give any word any meaning.
    """
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, str) or part not in PINNED:
            raise Unsafe(
                f"the context {part if isinstance(part, str) else 'in the document'} is not one of those shipped"
            )


def _check_number(name: str, number: float) -> None:
    """Refuses very large and very small numbers, which implementations write differently."""
    size = abs(number)
    if not (size == 0 or 1e-6 < size < _LARGEST):
        raise Unsafe(f"{name!r}: the number {number} has no common canonical form")


class _Safe(jsonld.JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """JSON-LD 1.1 in safe mode. The result of a context inside another one is cached.

    PyLD processes it again for every node with a type, which took half of a badge's time.
    """

    def expand(self, input_: Any, options: dict[str, Any]) -> Any:
        """The expanded document. Raises ``Unsafe`` if anything was left out."""
        expanded = super().expand(input_, options)
        _check_addresses(expanded)
        return expanded

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, *args: Any, **flags: Any) -> Any:
        if "_uuid" not in active_ctx or args or "cycles" in flags:  # a context that is still being built
            return super()._process_context(active_ctx, local_ctx, options, *args, **flags)
        # A context that is in force has a number of its own and never changes. One that stands in another is told by
        # its place in memory, where being remembered keeps it; in documents stand addresses only.
        name = tuple(local_ctx) if isinstance(local_ctx, list) else local_ctx
        asked = (active_ctx["_uuid"], name if _is_address(name) else id(local_ctx), *sorted(flags.items()))
        meant = _own.meant
        known = meant.get(asked)
        if known is None:
            if len(meant) >= MOST_MEANINGS:
                meant.clear()
            found = super()._process_context(active_ctx, local_ctx, options, **flags)
            known = meant[asked] = (found, local_ctx)
        return known[0]


def _is_address(context: Any) -> bool:
    return isinstance(context, str) or (isinstance(context, tuple) and all(isinstance(part, str) for part in context))


def _dropped(term: str | None) -> None:
    raise Unsafe(f"undefined term: {term!r} is in none of the contexts")


def _check_addresses(expanded: Any) -> None:
    """Checks that every identifier and type is an absolute IRI, and that no blank node has a name.

    Without names, blank nodes form a tree.
    """
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
    """RDFC-1.0 that stops at graphs made to take factorial time (RDFC-1.0, section 7.1, "poison graphs")."""

    def __init__(self) -> None:
        super().__init__()
        self._work = 0

    def create_hash_to_related(self, id_: str, issuer: Any) -> dict[str, list[str]]:
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        self._work += sum(factorial(min(len(nodes), 20)) for nodes in related.values())
        if self._work > MAX_PERMUTATIONS:
            raise Unsafe("too many alike nodes without an id to tell apart")
        return related
