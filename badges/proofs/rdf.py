"""JSON-LD to canonical N-Quads with PyLD, in safe mode and with bounded work. ``badges.proofs.graph`` is the way in.

Two faults of PyLD are worked around. It drops members that have no term, and takes relative identifiers as relative to
``http://example.org/base/``; both are refused. Its caches are not thread-safe; each thread has its own, so that a slow
document does not block other threads.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from math import factorial
from typing import Any

from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from badges.proofs.alike import MOST_TEXTS, Dataset, Mould, form_of, meaning_of
from badges.proofs.contexts import load
from badges.proofs.unsafe import Unsafe

MAX_PERMUTATIONS = 1_000
"""Permutations of nodes that cannot be told apart, in a whole document: six such nodes beside each other have 720."""
MOST_MEANINGS = 1_000
"""Cached pairs of a context within a context; a badge has about 20."""
MOST_FORMS = 64
"""Forms of documents whose meaning is cached, of about 100 KB each."""

_BASE = "relative://document/"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")


class _Own(threading.local):
    """The caches of one thread: contexts by their address, and the result of each inside another."""

    def __init__(self) -> None:
        self.contexts: dict[str, Any] = {}
        self.meant: dict[tuple[Any, ...], tuple[Any, Any]] = {}


_own = _Own()


def quads(document: Mapping[str, Any], digest: str) -> bytes:
    """The canonical N-Quads of a *document* that was checked, in UTF-8, by the hash *digest*.

    Raises ``Unsafe``, and whatever Python raises where PyLD meets what it did not expect.
    """
    form, texts = form_of(document)
    known = meaning_for(json.dumps(form), len(texts)) if len(texts) <= MOST_TEXTS else None
    dataset = (known and known.of(texts)) or _dataset(document)
    found: str = _Bounded(digest).main(dataset, {"format": "application/n-quads"})
    return found.encode()


def _dataset(document: Mapping[str, Any]) -> Dataset:
    """*document* as RDF. Raises ``Unsafe``, and whatever Python raises where PyLD meets what it did not expect."""
    options = {"documentLoader": load, "contextResolver": ContextResolver(_own.contexts, load), "base": _BASE}
    try:
        found: Dataset = _Safe(on_property_dropped=_dropped).to_rdf(document, options)
    except jsonld.JsonLdError as error:
        raise Unsafe(f"not valid JSON-LD: {(error.__cause__ or error).args[0]}", "not_json_ld") from error
    return found


@functools.lru_cache(MOST_FORMS)
def meaning_for(form: str, count: int) -> Mould | None:
    """What documents of *form*, with *count* marks, are as RDF. ``None`` if each has to be worked out by itself."""
    try:
        return meaning_of(_dataset(json.loads(form)), count)
    except (Unsafe, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None  # the document itself says why


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
    raise Unsafe(f"undefined term: {term!r} is in none of the contexts", "undefined_term")


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
        raise Unsafe(f"{shown!r} is neither a defined term nor an absolute address", "undefined_term")


class _Bounded(URDNA2015):  # type: ignore[misc]  # PyLD has no types
    """RDFC-1.0 that stops at graphs made to take factorial time (RDFC-1.0, section 7.1, "poison graphs")."""

    def __init__(self, digest: str) -> None:
        super().__init__()
        self._digest = digest
        self._work = 0

    def create_hash(self) -> Any:
        return hashlib.new(self._digest)

    def modify_first_degree_component(self, id_: str, component: Mapping[str, str], key: str) -> Mapping[str, str]:  # noqa: ARG002 (PyLD's)
        """As PyLD's, which copies a component deeply to change one text: a tenth of a badge's canonical form."""
        if component["type"] != "blank node":
            return component
        return {"type": "blank node", "value": "_:a" if component["value"] == id_ else "_:z"}

    def create_hash_to_related(self, id_: str, issuer: Any) -> dict[str, list[str]]:
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        self._work += sum(factorial(min(len(nodes), 20)) for nodes in related.values())
        if self._work > MAX_PERMUTATIONS:
            raise Unsafe("too many alike nodes without an id to tell apart", "too_complex")
        return related
