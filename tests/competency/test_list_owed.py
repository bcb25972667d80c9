"""Of whom a statement brings news for the list of learners: a source, a name, or somebody who is not in it."""

from __future__ import annotations

from lrs.competency.evidence import Meaning
from lrs.competency.list_owed import unlisted
from lrs.competency.listed import list_learners
from lrs.people.ids import identified, ids_of
from lrs.people.joins import merge
from lrs.storage import Walk
from tests.competency.world import ANN, ANN_ACCOUNT, World, statement


def test_a_source_or_a_name_is_news_once_also_of_somebody_who_was_joined_to_another(tmp_path):
    world = World(tmp_path)
    for name, actor in (("one", ANN), ("two", ANN_ACCOUNT)):
        world.send(statement(name, {**actor, "name": "Ann"}))
        world.work()
    ids = ids_of(world.tenant)
    mailbox, account = (identified(one, ids) for one in (ANN, ANN_ACCOUNT))
    persons = [world.store.get("identifier", one.id).meta["person"] for one in (mailbox, account)]
    world.write(lambda tx: merge(tx, *persons, "test"))
    world.work()

    def news(who, source, name):
        meaning = Meaning("s", source, learners=(who,), names={who.id: name})
        return [("mailbox", "account")[persons.index(one)] for one in unlisted(world.store, [meaning])]

    told = [
        news(who, *said) for who in (mailbox, account) for said in (("vle", "Ann"), ("vle", "Anne"), ("centre", ""))
    ]
    world.store.close()
    assert told == [[], ["mailbox"], ["mailbox"], [], ["account"], ["account"]]


def test_news_of_one_learner_that_comes_meanwhile_keeps_nobody_else_of_the_batch_off_the_list(tmp_path):
    world = World(tmp_path)
    bob = {"mbox": "mailto:bob@example.org"}
    world.send(statement("one", {**ANN, "name": "Ann"}))
    world.send(statement("two", bob))
    world.work("match")
    claims = world.store.claim(["list"], limit=10, lease=60_000_000)
    world.send(statement("three", {**ANN, "name": "Anne"}))
    world.work("match")

    list_learners(world.tenant, claims)

    listed = [record.id for record in world.store.find(Walk("learner")).records]
    owed = [claim.record.id for claim in world.store.claim(["list"], limit=10, lease=1)]
    ann, bob = world.person(ANN), world.person(bob)
    world.store.close()
    assert (len(claims), listed, owed) == (2, [bob], [ann])
