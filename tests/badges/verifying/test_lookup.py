"""Where DID documents and status lists come from: our own from the store, others' through the way out that is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from badges.verifying.lookup import outbound_within, resolver, status_lists
from badges.verifying.verdict import Unavailable
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.settings import Settings
from tests.badges.made import list_in
from tests.kernel.test_outbound import LOOPBACK, serving

INSIDE = ("127.0.0.0/8",)


def test_our_own_did_and_list_are_not_asked_for_outside(issued, issuer):
    asked: list[str] = []

    did = resolver(issued, lambda url: asked.append(url) or b"")(issuer.id)
    listed = status_lists(issued, lambda url: asked.append(url) or b"")(list_in(issued)["id"])

    assert did == issuer.did_document()
    assert b"BitstringStatusListCredential" in listed
    assert asked == []


def test_a_list_from_before_the_address_changed_is_found_under_the_address_it_has(issued):
    url = list_in(issued)["id"]
    moved = replace(issued, settings=Settings(data=issued.settings.data, public_url="https://elsewhere.example.org"))

    assert status_lists(moved, None)(url) == status_lists(issued, None)(url)


def test_others_are_asked_at_the_address_their_did_stands_for(issued):
    answers = {
        "https://other.example.org/issuers/7/did.json": b'{"id": "did:web:other.example.org:issuers:7"}',
        "https://other.example.org/list": b"{}",
    }

    did = resolver(issued, answers.__getitem__)("did:web:other.example.org:issuers:7")

    assert did == {"id": "did:web:other.example.org:issuers:7"}
    assert status_lists(issued, answers.__getitem__)("https://other.example.org/list") == b"{}"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b" " * 2_000_000])
def test_an_answer_that_is_no_did_document_is_none(issued, answer):
    with pytest.raises(Unavailable, match=r"no DID document of did:web:other\.example\.org"):
        resolver(issued, lambda _url: answer)("did:web:other.example.org")


@pytest.mark.parametrize("error", [Blocked("only https"), Unreachable("answered 500")])
def test_a_call_that_may_not_or_cannot_be_made_is_told_as_it_is(issued, error):
    def outbound(_url: str) -> bytes:
        raise error

    with pytest.raises(Unavailable, match=str(error)):
        status_lists(issued, outbound)("https://other.example.org/list")
    with pytest.raises(Unavailable, match=str(error)):
        resolver(issued, outbound)("did:web:other.example.org")


def test_a_did_that_has_no_address_is_not_asked_for(issued):
    with pytest.raises(Unavailable, match="not a did:web"):
        resolver(issued, lambda _url: b"{}")("did:web:")


def test_calls_of_one_check_share_their_time_and_what_is_too_long_is_not_taken():
    with serving() as server:
        address = f"http://127.0.0.1:{server.server_port}"
        get = outbound_within(Settings(), 20, inside=INSIDE)

        assert get(f"{address}/list") == b"hello"
        with pytest.raises(Unavailable, match="/long gave no answer that can be used"):
            get(f"{address}/long")
        with pytest.raises(Unavailable, match="/list gave no answer that can be used"):
            outbound_within(Settings(), 0, inside=INSIDE)(f"{address}/list")
        assert len(server.hosts) == 2
        with pytest.raises(Unavailable, match="/gone says that it is gone") as told:
            get(f"{address}/gone")
        assert told.value.code == "gone"


def test_a_redirect_is_not_followed():
    with serving() as server, pytest.raises(Unavailable, match="gave no answer that can be used"):
        outbound_within(Settings(), 20, inside=INSIDE)(f"http://127.0.0.1:{server.server_port}/moved")


def test_what_is_open_for_our_own_systems_is_not_open_for_strangers_and_they_learn_nothing_of_it():
    with serving() as server:
        get = outbound_within(LOOPBACK, 20)
        for place in (f"http://127.0.0.1:{server.server_port}", "https://127.0.0.1", "https://nowhere.invalid"):
            with pytest.raises(Unavailable) as told:
                get(f"{place}/list")
            assert (str(told.value), told.value.code) == (
                f"{place}/list gave no answer that can be used",
                "unavailable",
            )
        assert server.hosts == []
