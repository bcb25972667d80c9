"""Who may sign off the hours at a host: nobody their own, by whichever identifier, and none of those who ask."""

import pytest

from adapters.reading.people import Ifi, mailbox
from adapters.training_centre import hosts
from lrs.access import learners
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
