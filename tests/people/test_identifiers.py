"""Reading identifiers out of agents, and the learner number's check digit."""

from hashlib import sha1

import pytest

from lrs.people.identifiers import ULN_HOME_PAGE, matches_nobody, same_mailbox_but_case, uln_fault
from lrs.xapi.statements.identity import identifier_of
from tests.rows import each_of

ANN = {"mbox": "mailto:ann@example.org"}


def test_a_mailbox_and_its_hash_are_one_identifier():
    hashed = sha1(b"mailto:ann@example.org").hexdigest()

    assert identifier_of(ANN).id == identifier_of({"mbox_sha1sum": hashed}).id
    assert identifier_of({"mbox_sha1sum": hashed.upper()}).id == identifier_of(ANN).id


def test_mailboxes_that_differ_in_case_are_two_identifiers_that_look_alike():
    upper = identifier_of({"mbox": "mailto:ANN@example.org"})

    assert upper.id != identifier_of(ANN).id
    assert same_mailbox_but_case(upper, identifier_of(ANN))
    assert not same_mailbox_but_case(identifier_of(ANN), identifier_of(ANN))


@pytest.mark.parametrize(
    ("agent", "ifi"),
    [
        ({"name": "Ann", **ANN}, ANN),
        ({"openid": "https://ann.example"}, {"openid": "https://ann.example"}),
        ({"account": {"homePage": "urn:x", "name": "1"}}, {"account": {"homePage": "urn:x", "name": "1"}}),
    ],
)
def test_an_identifier_is_the_agent_without_its_name(agent, ifi):
    assert identifier_of(agent).ifi == ifi


@pytest.mark.parametrize("agent", [None, [], {}, {"mbox": 1}, {"account": {"homePage": "urn:x"}}, {"name": "Ann"}])
def test_what_has_no_identifier_has_none(agent):
    assert identifier_of(agent) is None


def test_accounts_of_one_home_page_are_of_one_sort_and_mailboxes_of_none():
    assert identifier_of({"account": {"homePage": "urn:x", "name": "1"}}).sort == "account urn:x"
    assert identifier_of(ANN).sort is None


@pytest.mark.parametrize("uln", ["1000000027", "1000000043", "1234567899"])
def test_a_learner_number_with_the_right_check_digit_is_good(uln):
    assert uln_fault(uln) is None


@each_of(
    ("uln", "reason"),
    [
        ("1000000028", "check digit is wrong"),
        ("9999999999", "temporary"),
        ("123456789", "ten digits"),
        ("'1000000027", "ten digits"),
        ("1.23E+09", "spreadsheet has rounded"),
        ("1,23457E+09", "spreadsheet has rounded"),
        ("", "ten digits"),
        ("\uff11000000027", "ten digits"),
    ],
)
def test_a_learner_number_that_cannot_be_one_says_why(uln, reason):
    assert reason in uln_fault(uln)


def test_of_accounts_with_a_name_only_learner_numbers_can_match_nobody():
    assert matches_nobody(identifier_of({"account": {"homePage": ULN_HOME_PAGE, "name": "9999999999"}}))
    assert matches_nobody(identifier_of({"account": {"homePage": "urn:x", "name": "9999999999"}})) is None
    assert matches_nobody(identifier_of(ANN)) is None
