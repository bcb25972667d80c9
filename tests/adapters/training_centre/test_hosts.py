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


def test_hours_of_somebody_who_was_taken_off_the_roster_are_not_signed_off(centre, hosted):
    token = ask(centre, hosted, "sue@host.example").token
    marks.leave(centre.day(), hosted.id, centre.who(hosted, "Cleo").id, "")

    with pytest.raises(Refused, match="no hours can be signed off"):
        hosts.answer(centre.tenant, SUBSCRIPTIONS, token, 30, "")

    assert centre.who(hosted, "Cleo").mark is None
