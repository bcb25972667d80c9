"""Documents of one form have the canonical form that each has by itself, and other implementations give it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from pyld.jsonld import XSD_DOUBLE

from badges.proofs import rdf
from badges.proofs.contexts import PINNED, context
from badges.proofs.unsafe import Unsafe
from tests.badges.foreign.badges import DOCUMENTS
from tests.badges.proofs.test_graph import BADGE, oracle


def read(text: str) -> dict[str, Any]:
    return {name: part for name, part in json.loads(text).items() if name != "proof"}


FOREIGN = {name: read(text) for name, text in DOCUMENTS.items() if text.startswith('{"@context"')}


def turned(part: Any) -> Any:
    """*part* with other texts, of which the same are the same again."""
    if isinstance(part, str):
        return f"{part}1" if ":" in part else f'{part} "é"\n'
    if isinstance(part, list):
        return [turned(one) for one in part]
    if isinstance(part, dict):
        return {name: one if name in {"@context", "type"} else turned(one) for name, one in part.items()}
    return part


def answer(document: dict[str, Any]) -> bytes | str:
    """The canonical form, or why there is none."""
    try:
        return rdf.quads(deepcopy(document), "sha256")
    except Unsafe as refused:
        return f"{refused.code}: {refused}"


def both(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[bytes | str, bytes | str]:
    """The answer as documents of one form have it, and as PyLD works this one out by itself."""
    found = answer(document)
    with monkeypatch.context() as alone:
        alone.setattr(rdf, "MOST_TEXTS", -1)
        return found, answer(document)


def test_badges_of_one_form_have_the_form_that_each_has_by_itself(monkeypatch):
    rdf.meaning_for.cache_clear()
    for name, badge in {"ours": BADGE, **FOREIGN}.items():
        for one in (badge, turned(badge), badge):
            found, alone = both(one, monkeypatch)
            assert found == alone, name

    assert len(FOREIGN) > 10
    assert rdf.meaning_for.cache_info().hits > len(FOREIGN)
    assert both(turned(BADGE), monkeypatch)[0] == oracle(turned(BADGE))


def test_what_is_put_in_is_what_was_not_worked_out_again(monkeypatch):
    answer(BADGE)
    monkeypatch.setattr(rdf, "_dataset", lambda _: pytest.fail("worked out by itself"))

    assert answer(turned(BADGE)) == oracle(turned(BADGE))


HOSTILE = [
    "ada",
    "",
    "_:b0",
    "@type",
    "Achievement",
    "name",
    "name:ada",
    "schema:name",
    "urn:mark:0.",
    "did:web:example.org",
    "https://schema.org/name",
    "https://example.org/a b",
    "https://example.org/<>",
    "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement",
    "http://www.w3.org/2001/XMLSchema#string",
    "true",
    "1.50",
    "relative://document/x",
    "https://example.org/\u00e9",
]


def test_hostile_texts_are_answered_as_if_nothing_were_kept(monkeypatch):
    answer(BADGE)
    for text in HOSTILE:
        for place in ("id", "name", "validFrom", "image", "url"):
            changed = deepcopy(BADGE)
            changed["issuer"][place] = text
            changed["credentialSubject"]["achievement"]["criteria"]["id"] = text
            found, alone = both(changed, monkeypatch)
            assert found == alone, (place, text)


def test_nodes_that_become_one_are_one(monkeypatch):
    answer(BADGE)
    one = deepcopy(BADGE)
    one["credentialSubject"]["achievement"]["id"] = one["issuer"]["id"]
    one["issuer"]["name"] = one["credentialSubject"]["achievement"]["name"]

    found, alone = both(one, monkeypatch)

    assert found == alone == oracle(one)


def test_a_text_that_is_read_as_a_number_is_worked_out_by_itself(monkeypatch):
    for value in ("1.50", "2", "three"):
        form = {"@context": {"score": {"@id": "https://example.org/score", "@type": XSD_DOUBLE}}, "score": value}
        found, alone = both(form, monkeypatch)
        assert found == alone, value


def test_no_context_changes_an_address_that_is_put_in():
    for url in PINNED:
        for name in words(context(url)):
            assert name not in {"http", "https", "urn", "did"}, url
            assert ":" not in name, (url, name)


def words(part: Any) -> set[str]:
    """Every name that a context gives a meaning, in contexts within it too."""
    if isinstance(part, list):
        return {word for one in part for word in words(one)}
    if not isinstance(part, dict):
        return set()
    return {*part} | {word for one in part.values() for word in words(one)}


def test_no_context_of_ours_has_a_name_that_changes_an_address_kept_as_it_stands():
    beginnings = {"http", "https", "urn", "did"}
    for url in PINNED:
        names = {str(name).partition(":")[0] for name in _names(context(url))}
        assert not names & beginnings, url


def _names(part: Any) -> list[str]:
    """The terms and prefixes of a context, also of those within it; a keyword is none."""
    if isinstance(part, list):
        return [name for one in part for name in _names(one)]
    if isinstance(part, dict):
        return [name for key, one in part.items() for name in (key, *_names(one))]
    return []
