"""A key with `statements/read/mine` cannot find out through a reference of its own what others' statements say."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from lrs.xapi.statements import read
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.query import Query, keys_for
from tests.served import new_id, referring, somebody, something, statement, voiding


@pytest.fixture
def mine(each_lrs):
    """A source that writes, and reads only what it sent itself."""
    return each_lrs.as_key("statements/write", "statements/read/mine", name=f"source {new_id()[:8]}")


def rich():
    """A statement, and every filter that finds it."""
    actor, verb, activity, registration, teacher, course = (
        *(somebody(), something(), something(), new_id()),
        *(somebody(), something()),
    )
    made = statement(
        actor=actor,
        verb={"id": verb},
        object={"id": activity},
        context={
            "registration": registration,
            "instructor": teacher,
            "contextActivities": {"parent": [{"id": course}]},
        },
    )
    filters = [
        {"agent": actor},
        {"verb": verb},
        {"activity": activity},
        {"registration": registration},
        {"agent": teacher, "related_agents": "true"},
        {"activity": course, "related_activities": "true"},
        {"agent": actor, "verb": verb, "activity": activity, "registration": registration},
        {"agent": teacher, "related_agents": "true", "verb": verb},
        {"agent": teacher, "activity": course, "related_agents": "true", "related_activities": "true"},
        {"agent": actor, "activity": activity},
        {"registration": registration, "verb": verb},
    ]
    return made, filters


@pytest.mark.parametrize("late", [False, True], ids=["target first", "reference first"])
def test_no_filter_finds_an_own_reference_to_what_somebody_else_sent(each_lrs, mine, late):
    made, filters = rich()
    foreign = made | {"id": new_id()}
    if not late:
        each_lrs.store(foreign)
    reference = mine.store(referring(foreign["id"]))[0]
    if late:
        each_lrs.store(foreign)

    for one in filters:
        told = mine.get(**one).json()
        assert (told["statements"], told["more"]) == ([], "")
        assert each_lrs.listed(**one) in ([reference, foreign["id"]], [foreign["id"], reference])
    assert mine.listed() == [reference]


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("late", [False, True], ids=["target first", "reference first"])
def test_every_filter_finds_an_own_reference_to_an_own_statement(mine, late):
    made, filters = rich()
    target = made | {"id": new_id()}
    reference = referring(target["id"], id=new_id())
    for one in [reference, target] if late else [target, reference]:
        mine.store(one)

    for one in filters:
        assert sorted(mine.listed(**one)) == sorted([target["id"], reference["id"]])


@pytest.mark.mongo_in_soak
def test_what_the_reference_says_itself_is_found_whoever_sent_its_target(each_lrs, mine):
    foreign = each_lrs.store(statement())[0]
    actor, verb = somebody(), something()
    reference = mine.store(referring(foreign, actor=actor, verb={"id": verb}))[0]

    assert mine.listed(agent=actor, verb=verb) == [reference]
    assert mine.listed(agent=actor, related_agents="true") == [reference]


@pytest.mark.mongo_in_soak
def test_a_chain_is_followed_as_far_as_it_is_ones_own(each_lrs, mine):
    verbs = [something() for _ in range(4)]
    senders = [mine, each_lrs, mine, mine]
    ids = [senders[0].store(statement(verb={"id": verbs[0]}))[0]]
    for sender, verb in zip(senders[1:], verbs[1:], strict=True):
        ids.append(sender.store(referring(ids[-1], verb={"id": verb}))[0])

    # 3 -> 2 -> (1, of somebody else) -> 0
    assert [mine.listed(verb=verb) for verb in verbs] == [[ids[0]], [], [ids[3], ids[2]], [ids[3]]]
    assert each_lrs.listed(verb=verbs[0]) == ids[::-1]
    assert each_lrs.listed(verb=verbs[1]) == [ids[3], ids[2], ids[1]]


@pytest.mark.mongo_in_soak
def test_a_voided_target_is_found_through_a_reference_if_it_was_ones_own(each_lrs, mine):
    own, other = something(), something()
    mine_target = mine.store(statement(verb={"id": own}))[0]
    foreign_target = each_lrs.store(statement(verb={"id": other}))[0]
    references = [mine.store(referring(target))[0] for target in (mine_target, foreign_target)]
    voider = mine.store(voiding(mine_target))[0]
    each_lrs.store(voiding(foreign_target))

    assert mine.listed(verb=own) == [voider, references[0]]
    assert mine.get(verb=other).json() == {"statements": [], "more": ""}
    assert references[1] in each_lrs.listed(verb=other)


@pytest.mark.mongo_in_soak
def test_conditions_on_two_statements_of_a_chain_meet_on_none(mine):
    actor, teacher, verb = somebody(), somebody(), something()
    target = mine.store(statement(actor=actor, context={"instructor": teacher}))[0]
    mine.store(referring(target, verb={"id": verb}))

    assert mine.listed(agent=teacher, related_agents="true", verb=verb) == []


@pytest.mark.parametrize("foreign", ["agent", "registration", "activity"])
def test_of_four_filters_at_once_none_may_be_met_by_what_somebody_else_sent_alone(lrs, foreign, monkeypatch):
    """The references say the verb and two of the others themselves, their target the verb and the third.

    Nor does a `more` tell that there is something that was left out.
    """
    monkeypatch.setattr(read, "ROUNDS", 1)
    monkeypatch.setattr(read, "AT_ONCE", 2)
    mine = lrs.as_key("statements/write", "statements/read/mine", name=f"source {new_id()[:8]}")
    asked = {"agent": somebody(), "verb": something(), "activity": something(), "registration": new_id()}
    verb, course = {"id": asked["verb"]}, {"contextActivities": {"parent": [{"id": asked["activity"]}]}}

    def said(one, *names):
        more = {"actor": asked["agent"]} if "agent" in names else {}
        context = (course if "activity" in names else {}) | (
            {"registration": asked["registration"]} if "registration" in names else {}
        )
        return one | more | {"verb": verb, "context": context}

    names = {"agent", "registration", "activity"}
    target = lrs.store(said(statement(), foreign))[0]
    mine.store([said(referring(target), *(names - {foreign})) for _ in range(6)])
    own = mine.store(said(referring(new_id()), *names))[0]

    told = mine.get(**asked, related_activities="true").json()
    assert ([one["id"] for one in told["statements"]], told["more"]) == ([own], "")


@pytest.mark.mongo_in_soak
def test_a_thousand_guesses_leave_no_trace_in_more_either(each_lrs, mine, monkeypatch):
    """A page that is filled up in vain ends with a `more`; whether it does must not depend on others' statements."""
    monkeypatch.setattr(read, "ROUNDS", 1)
    monkeypatch.setattr(read, "AT_ONCE", 2)
    made, filters = rich()
    foreign = each_lrs.store(made)[0]
    mine.store([referring(foreign) for _ in range(10)])

    for one in filters:
        assert mine.get(**one).json() == {"statements": [], "more": ""}


def test_the_store_counts_for_a_source_what_it_would_list(each_lrs, mine):
    made, _ = rich()
    foreign = each_lrs.store(made)[0]
    own = mine.store(made | {"id": new_id()})[0]
    mine.store([referring(foreign), referring(foreign), referring(own)])
    source = each_lrs.tenant.store.get("statement", own).meta["source"]
    query = Query(agent=ifi_text(made["actor"]), verb=made["verb"]["id"], activity=made["object"]["id"])

    assert each_lrs.tenant.store.count("statement", keys_for(query, source)) == 2
    assert each_lrs.tenant.store.count("statement", keys_for(query, None)) == 5


def test_references_stored_by_an_older_version_tell_nothing_either(each_lrs, mine):
    """They bear no marks; what is found is looked at once more."""
    made, filters = rich()
    foreign = each_lrs.store(made)[0]
    reference = mine.store(referring(foreign))[0]
    store = each_lrs.tenant.store
    record = store.get("statement", reference)
    meta = {name: value for name, value in record.meta.items() if name != "own"}
    unmarked = {key for key in store.get("statement", foreign).keys if key in record.keys}
    keys = tuple({*record.keys[: record.meta["own"] + 2], *unmarked})

    store.write(lambda tx: tx.replace(msgspec.structs.replace(record, meta=meta, keys=keys))).result()

    assert all(mine.listed(**one) == [] for one in filters)
    assert all(each_lrs.listed(**one) == [reference, foreign] for one in filters)


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("size", [1, 3])
def test_pages_of_ones_own_go_on_past_references_that_are_left_out(each_lrs, mine, size):
    verb = something()
    foreign = each_lrs.store(statement(verb={"id": verb}))[0]
    own = []
    for number in itertools.count():
        own += mine.store(statement(verb={"id": verb}))
        mine.store(referring(foreign))
        if number == 5:
            break

    assert mine.listed(verb=verb, limit=size) == own[::-1]


@pytest.mark.mongo_in_soak
def test_voiding_does_not_tell_whether_what_somebody_else_sent_voids_something(each_lrs, mine):
    plain = each_lrs.store(statement())[0]
    voider = each_lrs.store(voiding(new_id()))[0]

    answers = [mine.post(voiding(target)) for target in (plain, voider)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["message"].replace(plain, "") == answers[1].json()["message"].replace(voider, "")
