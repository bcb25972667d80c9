"""The canonical form of a JSON-LD document, or why the document must not be signed or trusted.

The canonical form is RDFC-1.0 (W3C, "RDF Dataset Canonicalization") as N-Quads. Before that, documents are checked as
in JSON-LD's safe mode: everything that a reader sees must be in what is signed. Knows no keys and no Open Badges.

PyLD, in ``badges.proofs.rdf``, does the rest. It does not escape control characters as RDFC-1.0 says; they are
refused here.

A document from outside is bounded before any work is done: the number of values, of entries of one list, and of
contexts, because PyLD compares each entry of a list with all before it and processes every context that is named.

The forms of the last few documents are cached by their exact text: signing a badge and then verifying it uses the same
badge three times, and the same status list for every badge.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from badges.proofs.contexts import PINNED
from badges.proofs.unsafe import Unsafe
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
REMEMBERED = 16

_LARGEST = 2**53


def canonical(document: Mapping[str, Any], digest: str = "sha256") -> bytes:
    """The canonical N-Quads of *document*, in UTF-8. Raises ``Unsafe`` with the first reason found.

    *digest* names the hash by which nodes are told apart: SHA-384 for keys of the curve P-384.
    """
    found = _canonical(json.dumps(document), digest)
    if isinstance(found, Unsafe):
        raise Unsafe(str(found), found.code)
    return found


@functools.lru_cache(REMEMBERED)
def _canonical(text: str, digest: str) -> bytes | Unsafe:
    """The form of the document *text*, or the reason why it has none. Both are cached."""
    try:
        return _worked_out(text, digest)
    except Unsafe as refused:
        return refused.with_traceback(None)


def _worked_out(text: str, digest: str) -> bytes:
    from badges.proofs.rdf import quads  # noqa: PLC0415 (PyLD takes long to load, and most processes never sign)

    try:
        document = json.loads(text)
        check_json(document)
        return quads(document, digest)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        # PyLD meets what it did not expect
        raise Unsafe(f"not valid JSON-LD ({type(error).__name__})", "not_json_ld") from error


def check_json(value: Any) -> None:
    """Refuses valid JSON that can be read in more than one way, or that is too large. Raises ``Unsafe``."""
    contexts = 0
    said: Counter[tuple[str, str]] = Counter()
    for count, (name, part, depth) in enumerate(_walk(value, "", 0)):
        if count >= MAX_VALUES or depth > MAX_DEPTH:
            raise Unsafe(f"more than {MAX_VALUES} values, or nested deeper than {MAX_DEPTH}", "too_complex")
        _check_length(name, part, said)
        if CONTROL.search(name) or (isinstance(part, str) and CONTROL.search(part)):
            raise Unsafe(f"control character in {name!r}", "control_character")
        if name == "@context":
            contexts += isinstance(part, str)
            if contexts > MAX_CONTEXTS:
                raise Unsafe(f"more than {MAX_CONTEXTS} contexts", "too_complex")
            _check_context(part)
        elif name.startswith("@") or ":" in name:
            raise Unsafe(f"{name!r}: only plain terms are read, no keywords and no addresses", "not_plain")
        elif isinstance(part, float) or (type(part) is int and abs(part) >= _LARGEST):
            _check_number(name, part)


def _check_length(name: str, part: Any, said: Counter[tuple[str, str]]) -> None:
    """Checks the length of *part*.

    *said* counts what was said about an id so far, because that is one list for PyLD.
    """
    if isinstance(part, list) and _entries(part) > (MAX_TYPES if name == "type" else MAX_ENTRIES):
        raise Unsafe(f"{name!r} has too many entries", "too_complex")
    if isinstance(part, Mapping) and isinstance(part.get("id"), str):
        said.update({(part["id"], word): _entries(value) for word, value in part.items()})
        for word in part:
            if said[part["id"], word] > MAX_ENTRIES:
                raise Unsafe(f"{word!r} has too many entries", "too_complex")


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
                f"the context {part if isinstance(part, str) else 'in the document'} is not one of those shipped",
                "unknown_context",
            )


def _check_number(name: str, number: float) -> None:
    """Refuses very large and very small numbers, which implementations write differently."""
    size = abs(number)
    if not (size == 0 or 1e-6 < size < _LARGEST):
        raise Unsafe(f"{name!r}: the number {number} has no common canonical form", "bad_number")
