"""How a learner who books a seat is called on a roster: as the files of that centre would call them."""

import pytest

from adapters.reading.people import Ifi, mailbox
from adapters.reading.vocabulary import iri
from adapters.training_centre.seats import learner_in
from lrs.kernel.errors import Refused
from lrs.people import persons
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.ids import ids_of
from lrs.xapi.statements.identity import Identifier, identifier_of

ULN, OWN = Ifi(ULN_HOME_PAGE, "1000000108"), Ifi(iri("providers", "north"), "L9")
OTHER, MAIL = Ifi("https://vle.example", "cleo"), mailbox("cleo@home.example")


def test_a_learner_is_called_by_the_centres_own_reference_else_by_number_else_by_address(tenant):
    ids = ids_of(tenant)
    for person, some in (("cleo", (MAIL, OTHER, OWN, ULN)), ("dan", (Ifi(OTHER.home, "dan"),))):
        for one in some:
            found = identifier_of(one.agent().as_version())
            named = Identifier(ids(found.id), found.ifi, found.sort)
            tenant.store.write(
                lambda tx, named=named, person=person: persons.ensure(tx, [named], lambda _: person)
            ).result()

    north, south, dan = (
        learner_in(tenant.store, person, centre)
        for person, centre in (("cleo", "north"), ("cleo", "south"), ("dan", "north"))
    )

    assert (north.key, north.identifiers) == ("L9", (ULN, OWN, MAIL))
    assert (south.key, south.identifiers) == ("1000000108", (ULN, MAIL))
    assert (dan.key, dan.identifiers) == ("dan", (Ifi(OTHER.home, "dan"),))
    with pytest.raises(Refused) as refused:
        learner_in(tenant.store, "nobody", "north")
    assert (refused.value.status, refused.value.error) == (409, "unknown_learner")
