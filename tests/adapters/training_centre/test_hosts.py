"""Who may sign off the hours at a host: nobody their own, by whichever identifier, and none of those who ask."""

import pytest

from adapters.reading.people import Ifi, mailbox
from adapters.training_centre import hosts, marks
from lrs.access import learners
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.people import persons
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.ids import ids_of
from lrs.xapi.statements.identity import Identifier, identifier_of

CLEO = Ifi(ULN_HOME_PAGE, "1000000108")


@pytest.fixture
def hosted(centre):
    return centre.session(None, "Cleo Cade, 1000000108", lead="ray", kind="placement", host="Cell Works")


def person(tenant, *identifiers):
    """The one person of *identifiers*."""
    ids = ids_of(tenant)
    for one in identifiers:
        known = identifier_of(one.agent().as_version())
        named = Identifier(ids(known.id), known.ifi, known.sort)
        tenant.store.write(lambda tx, named=named: persons.ensure(tx, [named], lambda _: "cleo")).result()
    return "cleo"


def ask(centre, hosted, address):
    return hosts.ask(centre.day("tess"), hosted.id, centre.who(hosted, "Cleo").id, ("Sue", address), "http://x")


@pytest.mark.parametrize("address", ["cleo@home.example", "Cleo@HOME.example"])
def test_a_learner_enrolled_by_number_does_not_sign_by_another_identifier_of_theirs(centre, hosted, address):
    person(centre.tenant, CLEO, mailbox("cleo@home.example"))

    with pytest.raises(Refused, match="Nobody signs their own hours off"):
        ask(centre, hosted, address)


def test_a_learner_enrolled_by_number_does_not_sign_by_the_address_they_sign_in_with(centre, hosted):
    cleo = person(centre.tenant, CLEO)
    opening = {"address": "in@home.example", "by": "test"}
    centre.tenant.store.write(lambda tx: learners.open_account(tx, cleo, **opening)).result()

    with pytest.raises(Refused, match="Nobody signs their own hours off"):
        ask(centre, hosted, "In@home.example")


@pytest.mark.parametrize("address", ["ray@centre.example", "Tess@Centre.example"])
def test_neither_who_runs_the_session_nor_who_asks_signs_hours_off(centre, hosted, address):
    with pytest.raises(Refused, match="name the supervisor at the host"):
        ask(centre, hosted, address)


def test_somebody_else_at_the_host_is_asked(centre, hosted):
    person(centre.tenant, CLEO, mailbox("cleo@home.example"))

    assert ask(centre, hosted, "sue@host.example").token


def test_who_runs_the_session_does_not_sign_by_another_address_of_theirs(centre, hosted):
    person(centre.tenant, mailbox("ray@centre.example"), mailbox("ray@home.example"))

    with pytest.raises(Refused, match="name the supervisor at the host"):
        ask(centre, hosted, "ray@home.example")


def test_hours_that_are_signed_off_are_not_asked_about_again(centre, hosted):
    hosts.answer(centre.tenant, SUBSCRIPTIONS, ask(centre, hosted, "sue@host.example").token, 30, "")

    with pytest.raises(Refused, match="signed off already"):
        ask(centre, hosted, "sue@host.example")


def test_an_answer_that_says_too_little_or_too_much_uses_no_link_and_a_second_one_finds_none(centre, hosted):
    token = ask(centre, hosted, "sue@host.example").token

    for hours, said, error in ((0, "", "hours"), (2_000.5, "", "hours"), (None, " ", "why"), (None, "x" * 301, "why")):
        with pytest.raises(Refused) as refused:
            hosts.answer(centre.tenant, SUBSCRIPTIONS, token, hours, said)
        assert (refused.value.status, refused.value.error) == (400, error)
    hosts.answer(centre.tenant, SUBSCRIPTIONS, token, 2_000, "x" * 300)

    mark = centre.who(hosted, "Cleo").mark
    assert (mark.value, mark.minutes, mark.by.who) == ("present", 120_000, mailbox("sue@host.example"))
    with pytest.raises(Refused) as refused:
        hosts.answer(centre.tenant, SUBSCRIPTIONS, token, 30, "")
    assert refused.value.status == 410


def test_only_hours_at_a_host_are_signed_off_and_by_somebody_with_a_name(centre, hosted):
    here = centre.session(None, "Cleo Cade, 1000000108", number="S2")

    with pytest.raises(Refused, match="Only hours at a host"):
        ask(centre, here, "sue@host.example")
    for name in (" ", "x" * 301):
        with pytest.raises(Refused, match="the supervisor's name"):
            hosts.ask(centre.day(), hosted.id, centre.who(hosted, "Cleo").id, (name, "sue@host.example"), "http://x")


def test_of_two_links_only_the_one_that_was_sent_last_is_answered(centre, hosted):
    first, last = (ask(centre, hosted, f"{name}@host.example").token for name in ("sue", "sam"))

    with pytest.raises(Refused) as refused:
        hosts.answer(centre.tenant, SUBSCRIPTIONS, first, 30, "")
    assert refused.value.status == 410
    assert centre.who(hosted, "Cleo").mark is None
    hosts.answer(centre.tenant, SUBSCRIPTIONS, last, 30, "")
    assert centre.who(hosted, "Cleo").mark.by.who == mailbox("sam@host.example")


def test_hours_of_somebody_who_was_taken_off_the_roster_are_not_signed_off(centre, hosted):
    token = ask(centre, hosted, "sue@host.example").token
    marks.leave(centre.day(), hosted.id, centre.who(hosted, "Cleo").id, "")

    with pytest.raises(Refused, match="no hours can be signed off"):
        hosts.answer(centre.tenant, SUBSCRIPTIONS, token, 30, "")

    assert centre.who(hosted, "Cleo").mark is None
