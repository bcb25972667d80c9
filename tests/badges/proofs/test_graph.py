"""The gate before the signature, and the canonical form against an implementation nobody here wrote."""

from __future__ import annotations

import inspect
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.jsonld import JsonLdProcessor

from badges.proofs import contexts, graph, rdf
from badges.proofs.contexts import CREDENTIALS_V2, EXTENSIONS, OPEN_BADGES, PINNED, UnknownContext, context, load
from badges.proofs.graph import canonical
from badges.proofs.unsafe import Unsafe
from lrs.kernel.errors import Misconfigured
from tests.rows import each_of

BADGE: dict[str, Any] = {
    "@context": [CREDENTIALS_V2, OPEN_BADGES],
    "id": "urn:uuid:11111111-2222-4333-8444-555555555555",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Gowning",
    "issuer": {"id": "did:web:example.org", "type": ["Profile"], "name": "Example"},
    "validFrom": "2026-11-21T12:00:00Z",
    "credentialSubject": {
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": "ada", "identityType": "userName"},
            {"type": "IdentityObject", "hashed": False, "identityHash": "Ada", "identityType": "name"},
        ],
        "achievement": {
            "id": "urn:uuid:99999999-2222-4333-8444-555555555555",
            "type": ["Achievement"],
            "name": "Gowning",
            "description": "Gowns without touching the outside",
            "criteria": {"narrative": "Observed twice"},
        },
    },
}


def with_name(name: str) -> dict[str, Any]:
    return {**BADGE, "name": name}


def oracle(document: dict[str, Any]) -> bytes:
    """The canonical form by Oxigraph's RDFC-1.0, from quads whose blank nodes were named anew and shuffled."""
    quads = jsonld.to_rdf(document, {"documentLoader": load, "format": "application/n-quads"})
    lines = [line.replace("_:b", "_:other") for line in quads.split("\n")]
    dataset = pyoxigraph.Dataset(pyoxigraph.parse("\n".join(reversed(lines)), pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{quad} .\n" for quad in dataset)).encode()


def test_the_canonical_form_is_the_one_that_another_implementation_of_rdfc_gives():
    form = canonical(BADGE)

    assert form == oracle(BADGE)
    assert b'<urn:uuid:11111111-2222-4333-8444-555555555555> <https://schema.org/name> "Gowning" .\n' in form


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f", min_codepoint=32), max_size=60))
def test_any_text_of_people_has_the_form_that_the_other_implementation_gives(text):
    assert canonical(with_name(f'Gowning {text}\t\r\n"\\')) == oracle(with_name(f'Gowning {text}\t\r\n"\\'))


def test_the_order_of_names_and_of_list_entries_is_not_part_of_what_is_said():
    turned = deepcopy(dict(reversed(BADGE.items())))
    turned["credentialSubject"]["identifier"].reverse()

    assert canonical(turned) == canonical(BADGE)


@each_of(
    ("change", "why"),
    [
        ({"nickname": "Gown"}, "undefined term"),
        ({"credentialSubject": {**BADGE["credentialSubject"], "grade": "A"}}, "undefined term"),
        ({"type": ["VerifiableCredential", "GownBadge"]}, "'GownBadge' is neither"),
        ({"id": "badges/7"}, "'badges/7' is neither"),
        ({"id": "_:b0"}, "'_:b0' is neither"),
        ({"id": "https://example.org/a b"}, "neither a defined term nor an absolute"),
        ({"name": "Gow\x07ning"}, "control character"),
        ({"name": "Gow\x7fning"}, "control character"),
        ({"name": {"@value": "Gowning"}}, "no keywords"),
        ({"@graph": []}, "no keywords"),
        ({"id": ["urn:x:1"]}, "not valid JSON-LD: Invalid"),
        ({"https://schema.org/name": "Gowning"}, "no addresses"),
        ({"@context": [CREDENTIALS_V2, OPEN_BADGES, {"name": "https://example.org/x"}]}, "not one of those shipped"),
        ({"@context": [CREDENTIALS_V2, "https://example.org/context"]}, "not one of those shipped"),
        (
            {"credentialSchema": {"id": "https://x.org/s", "type": "1EdTechJsonSchemaValidator2019"}},
            "neither a defined",
        ),
        ({"credentialSubject": {**BADGE["credentialSubject"], "creditsEarned": 1e-7}}, "no common canonical form"),
        ({"credentialSubject": {**BADGE["credentialSubject"], "creditsEarned": 2**53}}, "no common canonical form"),
        ({"evidence": [{"id": f"urn:x:{n}", "type": ["Evidence"]} for n in range(4000)]}, "too many entries"),
    ],
)
def test_what_a_reader_sees_and_a_signature_would_not_cover_is_refused(change, why):
    with pytest.raises(Unsafe, match=why):
        canonical({**BADGE, **change})


def test_of_a_document_from_outside_no_long_name_is_kept_in_memory():
    name = "n" * 5_000
    before = sys.getrefcount(name)

    graph.check_json({name: 1})

    assert sys.getrefcount(name) == before


def test_the_extensions_are_understood_when_their_context_is_named():
    schema = {"id": "https://example.org/schema.json", "type": "1EdTechJsonSchemaValidator2019"}
    badge = {**BADGE, "@context": [CREDENTIALS_V2, OPEN_BADGES, EXTENSIONS], "credentialSchema": [schema]}

    assert b"1EdTechJsonSchemaValidator2019" in canonical(badge)


@given(st.lists(st.sampled_from(range(4)), min_size=2, max_size=8), st.uuids())
def test_the_form_does_not_depend_on_what_was_read_before(order, id):
    kinds = [
        BADGE,
        {**BADGE, "@context": [CREDENTIALS_V2, OPEN_BADGES, EXTENSIONS]},
        {"@context": CREDENTIALS_V2, "type": ["VerifiableCredential"], "credentialSubject": {"name": "nobody"}},
        {**BADGE, "credentialSubject": BADGE["credentialSubject"]["achievement"]},
    ]
    for place, kind in enumerate(order):
        document = {**kinds[kind], "id": f"urn:uuid:{id}#{place}"}
        assert canonical(document) == oracle(document)


def test_a_document_too_deep_to_walk_is_refused():
    deep: Any = {"id": "urn:x:1", "type": ["Evidence"]}
    for _ in range(60):
        deep = {"related": deep}

    with pytest.raises(Unsafe, match="nested deeper"):
        canonical({**BADGE, "evidence": [deep]})


@pytest.mark.timeout(60)  # measured under 1 s; without the cap it takes hours
def test_a_graph_made_to_take_for_ever_is_given_up_on():
    twin = {"type": ["Address"], "geo": {"type": ["GeoCoordinates"]}}
    profile = {"type": ["Profile"], "otherIdentifier": [deepcopy(twin) for _ in range(11)]}
    poison = {**BADGE, "evidence": [{"type": ["Evidence"], "audience": "x"} for _ in range(3)]}
    poison["credentialSubject"] = [deepcopy({**BADGE["credentialSubject"], "source": profile}) for _ in range(3)]

    with pytest.raises(Unsafe, match="alike nodes"):
        canonical(poison)


def grown(part: Any, count: int) -> Any:
    return [deepcopy(part) for _ in range(count)]


PERSON = BADGE["credentialSubject"]
COSTLY = {
    "contexts": ({"@context": BADGE["@context"] * 7}, "more than 12 contexts"),
    "contexts within": ({"evidence": grown({"@context": BADGE["@context"], "type": ["Evidence"]}, 6)}, "12 contexts"),
    "types": ({"type": [*BADGE["type"] * 7]}, "'type' has too many"),
    "alike nodes": ({"evidence": grown({"type": ["Evidence"]}, 251)}, "'evidence' has too many"),
    "names": ({"name": [f"name {number}" for number in range(251)]}, "'name' has too many"),
    "a list in a list": ({"name": [[f"{row} {at}" for at in range(126)] for row in range(2)]}, "'name' has too many"),
    "one id": ({"evidence": grown({"id": "urn:e:1", "narrative": ["x"] * 126}, 2)}, "'narrative' has too many"),
    "values": ({"evidence": grown({"type": ["Evidence"], "name": ["x"] * 10}, 200)}, "more than 2000"),
    "permutations": (
        {"credentialSubject": grown({**PERSON, "identifier": grown({"type": "IdentityObject"}, 8)}, 9)},
        "alike",
    ),
}


@each_of("name", COSTLY)
def test_a_document_that_would_cost_much_is_refused_before_the_work_is_done(name):
    change, why = COSTLY[name]

    with pytest.raises(Unsafe, match=why):
        canonical({**BADGE, **change})


def test_nodes_that_nothing_tells_apart_are_given_up_on_before_they_cost_much(monkeypatch):
    """A badge and the list it names may each be the costliest document there is: together half a second."""
    hashed = 0
    plain = rdf.URDNA2015.hash_related_blank_node

    def counting(self: Any, *args: Any) -> Any:
        nonlocal hashed
        hashed += 1
        return plain(self, *args)

    monkeypatch.setattr(rdf.URDNA2015, "hash_related_blank_node", counting)
    alike = {"type": "IdentityObject", "salt": [f"v{number}" for number in range(150)], "identityHash": ["x"]}

    with pytest.raises(Unsafe, match="alike nodes"):
        canonical(
            {**BADGE, "credentialSubject": grown({"type": ["AchievementSubject"], "identifier": grown(alike, 6)}, 2)}
        )

    assert hashed < 2_500


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_a_few_nodes_that_nothing_tells_apart_have_a_form(count):
    document = {**BADGE, "evidence": grown({"type": ["Evidence"]}, count)}

    assert canonical(document) == oracle(document)


def test_why_a_document_has_no_form_is_worked_out_once(monkeypatch):
    poison = {**BADGE, "credentialSubject": grown({**PERSON, "identifier": grown({"type": "IdentityObject"}, 8)}, 9)}

    with pytest.raises(Unsafe) as first:
        canonical(poison)
    monkeypatch.setattr(graph, "_worked_out", None)

    with pytest.raises(Unsafe) as second:
        canonical(poison)

    assert str(first.value) == str(second.value)


def test_a_thread_that_works_on_a_document_holds_up_no_other():
    entered, go = threading.Event(), threading.Event()

    def slow(term: str | None) -> None:
        entered.set()
        assert go.wait(30)
        raise Unsafe(str(term))

    document = {**BADGE, "undefined": "x"}
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(rdf, "_dropped", slow)
        waiting = pool.submit(canonical, document)
        assert entered.wait(30)
        other = canonical({**BADGE, "name": "read meanwhile"})
        go.set()

        assert isinstance(waiting.exception(30), Unsafe)
    assert b"read meanwhile" in other


@each_of("url", sorted(PINNED))
def test_every_shipped_context_is_the_file_that_is_pinned(url):
    assert "@context" in context(url)


def test_no_other_context_is_ever_loaded():
    with pytest.raises(UnknownContext):
        load("https://www.w3.org/ns/credentials/examples/v2")


def test_a_shipped_context_that_was_changed_is_not_used(tmp_path, monkeypatch):
    changed = (contexts.FOLDER / "credentials-v2.json").read_bytes() + b" "
    (tmp_path / "credentials-v2.json").write_bytes(changed)
    monkeypatch.setattr(contexts, "FOLDER", tmp_path)
    contexts.context.cache_clear()

    with pytest.raises(Misconfigured, match=r"credentials-v2\.json is not the published file"):
        context(CREDENTIALS_V2)


def test_the_private_methods_of_pyld_that_are_overridden_are_those_that_it_calls():
    private = dict(inspect.getmembers(JsonLdProcessor, inspect.isfunction))
    processing = inspect.signature(private["_process_context"]).parameters
    hashing = inspect.signature(URDNA2015.create_hash_to_related).parameters

    assert list(processing) == [
        *("self", "active_ctx", "local_ctx", "options"),
        *("override_protected", "propagate", "validate_scoped", "cycles"),
    ]
    assert list(hashing) == ["self", "id_", "issuer"]
    assert "create_hash_to_related(" in inspect.getsource(URDNA2015.hash_n_degree_quads)
    assert "_process_context(" in inspect.getsource(private["_expand"])
