"""Documents that differ only in their texts: what PyLD makes of one is kept, and the texts of the next are put in.

Badges of one form have the same members, types and contexts. What becomes of those as RDF costs more than half of a
badge, and no text has a part in it: a text is a literal or the address of a node as it stands. The form of a document
has a mark for each different text, so two texts are the same in one document where they are in the other. What the
form means is worked out by PyLD, and only the canonical form depends on texts. Where this does not hold, nothing is
kept: ``badges.proofs.rdf`` works out each document by itself. Knows no PyLD.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Dataset = dict[str, list[dict[str, dict[str, str]]]]
"""RDF as PyLD has it: by the name of a graph its triples, each with subject, predicate and object."""

MOST_TEXTS = 200
"""Different texts in a document; others have no form. A badge has about 60."""
_MARK = f"urn:mark:{secrets.token_hex(16)}:"
"""No document has it: it is drawn when the process starts."""
_FIXED = frozenset({"@context", "type"})
"""Members whose texts say what others mean."""
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_DOUBLE = "http://www.w3.org/2001/XMLSchema#double"
_ADDRESS = re.compile(r"(?:https?://|urn:uuid:|did:[a-z]+:)[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")
"""Addresses that are absolute and stand for themselves: no context has a prefix or a term that would change them."""


def form_of(document: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """*document* with a mark for each different text, and the texts by the number of their mark."""
    marks: dict[str, str] = {}

    def marked(part: Any) -> Any:
        if isinstance(part, str):
            return marks.get(part) or marks.setdefault(part, f"{_MARK}{len(marks)}.")
        if isinstance(part, list):
            return [marked(one) for one in part]
        if isinstance(part, Mapping):
            return {name: one if name in _FIXED else marked(one) for name, one in part.items()}
        return part

    return marked(document), tuple(marks)


class Mould(msgspec.Struct, frozen=True):
    """What documents of one form are as RDF.

    *addresses* are the numbers of the texts that are addresses in it, *fixed* is what stands in it whatever the texts.
    """

    dataset: Dataset
    addresses: frozenset[int]
    fixed: frozenset[str]

    def of(self, texts: tuple[str, ...]) -> Dataset | None:
        """The RDF of the document with these *texts*.

        ``None`` if one that must be an address may not be one, or if one says what is fixed and so might be left out.
        """
        if not self.fixed.isdisjoint(texts) or not all(_ADDRESS.fullmatch(texts[one]) for one in self.addresses):
            return None
        given = {f"{_MARK}{number}.": text for number, text in enumerate(texts)}
        return {
            given.get(graph, graph): [
                {place: term | {"value": given.get(term["value"], term["value"])} for place, term in triple.items()}
                for triple in triples
            ]
            for graph, triples in self.dataset.items()
        }


def meaning_of(dataset: Dataset, count: int) -> Mould | None:
    """The meaning of a form with *count* marks that is *dataset* as RDF; ``None`` if a text may have a part in it."""
    found, addresses, fixed = set[int](), set[int](), set[str]()
    for is_address, text in _texts(dataset):
        if _MARK not in text:
            fixed.add(text)
            continue
        number = text.removeprefix(_MARK).removesuffix(".")
        if not number.isdecimal() or text != f"{_MARK}{number}.":
            return None
        found.add(int(number))
        if is_address:
            addresses.add(int(number))
    is_plain = len(found) == count and not any(map(_is_read, (one for part in dataset.values() for one in part)))
    return Mould(dataset, frozenset(addresses), frozenset(fixed)) if is_plain else None


def _texts(dataset: Dataset) -> Iterator[tuple[bool, str]]:
    """Every text in *dataset*, and whether it is the address of a node or graph."""
    for graph, triples in dataset.items():
        yield True, graph
        for triple in triples:
            for term in triple.values():
                for name, text in term.items():
                    yield name == "value" and term["type"] != "literal", text


def _is_read(triple: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a mark stands where a text would be read: as a type, a predicate, a kind of literal or a number."""
    kinds = (triple["predicate"]["value"], triple["object"].get("datatype", ""), triple["object"].get("language", ""))
    is_type = triple["predicate"]["value"] == _TYPE or triple["object"].get("datatype") == _DOUBLE
    return any(_MARK in kind for kind in kinds) or (is_type and _MARK in triple["object"]["value"])
