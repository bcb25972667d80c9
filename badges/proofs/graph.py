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
_LONGEST_KNOWN = 100
"""Characters of a name that is cached: one in a document from outside may have 250,000."""


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
    said: dict[tuple[str, str], int] = {}
    for count, (name, part, depth) in enumerate(_walk(value)):
        if count >= MAX_VALUES or depth > MAX_DEPTH:
            raise Unsafe(f"more than {MAX_VALUES} values, or nested deeper than {MAX_DEPTH}", "too_complex")
        if not isinstance(part, str):
            _check_length(name, part, said)
        elif CONTROL.search(part):
            raise Unsafe(f"control character in {name!r}", "control_character")
        if name == "@context":
            contexts += isinstance(part, str)
            if contexts > MAX_CONTEXTS:
                raise Unsafe(f"more than {MAX_CONTEXTS} contexts", "too_complex")
            _check_context(part)
        elif fault := (_fault_of if len(name) > _LONGEST_KNOWN else _known_fault_of)(name):
            raise Unsafe(*fault)
        elif isinstance(part, float) or (type(part) is int and abs(part) >= _LARGEST):
            _check_number(name, part)


def _fault_of(name: str) -> tuple[str, str] | None:
    """Why a member cannot have this *name*, and the code of the reason."""
    if CONTROL.search(name):
        return f"control character in {name!r}", "control_character"
    if name.startswith("@") or ":" in name:
        return f"{name!r}: only plain terms are read, no keywords and no addresses", "not_plain"
    return None


_known_fault_of = functools.lru_cache(1_000)(_fault_of)


def _check_length(name: str, part: Any, said: dict[tuple[str, str], int]) -> None:
    """Checks the length of *part*.

    *said* counts what was said about an id so far, because that is one list for PyLD.
    """
    if isinstance(part, list):
        if _entries(part) > (MAX_TYPES if name == "type" else MAX_ENTRIES):
            raise Unsafe(f"{name!r} has too many entries", "too_complex")
    elif isinstance(part, dict) and isinstance(about := part.get("id"), str):
        for word, value in part.items():
            entries = said[about, word] = said.get((about, word), 0) + _entries(value)
            if entries > MAX_ENTRIES:
                raise Unsafe(f"{word!r} has too many entries", "too_complex")


def _entries(part: Any) -> int:
    """How many entries a list has for JSON-LD, where a list in a list is flattened."""
    return sum(map(_entries, part)) if isinstance(part, list) else 1


def _walk(value: Any) -> Iterator[tuple[str, Any, int]]:
    """Each value in *value*, itself first, with its name and its depth, in the order in which they stand."""
    left: list[tuple[str, Any, int]] = [("", value, 0)]
    while left:
        one = name, part, depth = left.pop()
        yield one
        if isinstance(part, dict):
            left += [(key, inner, depth + 1) for key, inner in reversed(part.items())]
        elif isinstance(part, list):
            left += [(name, inner, depth + 1) for inner in reversed(part)]


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
