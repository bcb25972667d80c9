"""What statements that refer to statements cost, and what they are found by: bounded, and the same in any order."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest

from lrs.composition.steps import drain
from lrs.xapi.statements import references
from lrs.xapi.statements.chains import MOST_INHERITED, MOST_STEPS, keys_along, link_of
from lrs.xapi.statements.limits import MOST_KEYS, MOST_ROWS
from lrs.xapi.statements.write import COMPARED_INSIDE
from tests.served import VOIDED, new_id, referring, somebody, something, statement, voiding

OWN = 10
"""Keys of a statement about a statement at most: verb, agent, both, related agent and authority, source, reference."""


def chain(length):
    """Statements that each refer to the one before; the first is of a verb of its own."""
    ids = [new_id() for _ in range(length)]
    first = statement(id=ids[0], verb={"id": something()})
    return [first, *(referring(before, id=id) for before, id in itertools.pairwise(ids))]


def keys(lrs, statements):
    """How many search keys each has."""
    found = lrs.tenant.store.get_many("statement", [one["id"] for one in statements])
    return [len(found[one["id"]].keys) for one in statements]


def as_computed_anew(lrs, statements):
    """Whether each that refers to another has the keys that its chain gives it now."""
    store = lrs.tenant.store
    records = [store.get("statement", one["id"]) for one in statements]

    def find(id):
        found = store.get("statement", id)
        return link_of(found) if found else None

    return all(
        set(record.meta.get("held", record.keys)) == set(keys_along(link_of(record), find))
        for record in records
        if "refers" in record.meta
    )


@pytest.mark.parametrize("turn", [1, -1], ids=["oldest first", "newest first"])
def test_a_chain_of_a_thousand_inherits_a_bounded_number_of_keys(lrs, turn):
    statements = chain(1_000)

    lrs.store(statements[::turn])

    counts = keys(lrs, statements)
    assert max(counts) <= OWN + MOST_INHERITED
    assert sum(counts) > 20_000
    assert as_computed_anew(lrs, statements)
    assert lrs.listed(verb=statements[0]["verb"]["id"])[::turn][-2:] == [statements[1]["id"], statements[0]["id"]]


@pytest.mark.parametrize("turn", [1, -1], ids=["oldest first", "newest first"])
def test_in_one_batch_each_has_the_keys_that_it_has_if_they_come_one_by_one(lrs, turn):
    together, apart = chain(4), chain(4)
    lrs.store(together[::turn])
    for one in apart[::turn]:
        lrs.store(one)

    assert as_computed_anew(lrs, together)
    assert keys(lrs, together) == keys(lrs, apart)
    assert [len(lrs.listed(verb=some[0]["verb"]["id"])) for some in (together, apart)] == [4, 4]


def test_what_is_beyond_the_cap_is_not_found_through_a_reference(lrs):
    statements = chain(12)

    lrs.store(statements)

    found = lrs.listed(verb=statements[0]["verb"]["id"])
    assert found == [one["id"] for one in statements[: len(found)]][::-1]
    assert 5 < len(found) <= 1 + MOST_STEPS


def test_a_ring_a_star_and_one_that_refers_to_itself_are_bounded_and_found(lrs):
    verb = something()
    ids = [new_id() for _ in range(100)]
    ring = [referring(ids[n - 1], id=id) for n, id in enumerate(ids)]
    ring[50]["verb"] = {"id": verb}
    middle = statement(id=new_id(), verb={"id": something()})
    star = [middle, *(referring(middle["id"], id=new_id()) for _ in range(99))]
    alone = new_id()
    itself = [referring(alone, id=alone, verb={"id": something()})]

    for batch in (ring, star, itself):
        lrs.store(batch)

        assert max(keys(lrs, batch)) <= OWN + MOST_INHERITED
        assert as_computed_anew(lrs, batch)
    assert lrs.listed(verb=verb)[-3:] == [ids[52], ids[51], ids[50]]
    assert sorted(lrs.listed(verb=middle["verb"]["id"])) == sorted(one["id"] for one in star)
    assert lrs.listed(verb=itself[0]["verb"]["id"]) == [alone]


def test_references_to_statements_stored_before_inherit_what_those_have(each_lrs):
    old = [statement(id=new_id(), verb={"id": something()}) for _ in range(20)]
    each_lrs.store(old)

    new = [referring(one["id"], id=new_id()) for one in old]
    each_lrs.store(new)

    assert as_computed_anew(each_lrs, new)
    for before, after in zip(old, new, strict=True):
        assert each_lrs.listed(verb=before["verb"]["id"]) == [after["id"], before["id"]]


@pytest.mark.mongo_in_soak
def test_targets_that_arrive_late_give_their_keys_to_all_that_wait_in_commits_of_bounded_size(each_lrs, monkeypatch):
    monkeypatch.setattr(references, "IN_COMMIT", 40)
    monkeypatch.setattr(references, "_AT_ONCE", 2)
    targets = [statement(id=new_id(), verb={"id": something()}) for _ in range(8)]
    first = [referring(one["id"], id=new_id()) for one in targets for _ in range(3)]
    second = [referring(one["id"], id=new_id()) for one in first]
    each_lrs.store([*second, *first])

    each_lrs.store(targets)
    waiting = {backlog.step: backlog.waiting for backlog in each_lrs.tenant.store.backlog()}["refs"]
    drain(each_lrs.tenant, ("refs",))

    assert waiting > 5
    assert as_computed_anew(each_lrs, [*first, *second])
    assert all(len(each_lrs.listed(verb=one["verb"]["id"])) == 7 for one in targets)


def test_a_statement_with_too_many_search_keys_is_400_that_names_the_cap(lrs):
    def group(size):
        return statement(actor={"objectType": "Group", "member": [somebody() for _ in range(size)]})

    fits, refused = lrs.post(group(490)), lrs.post([statement(), group(510)])

    assert fits.status_code == 200
    told = refused.json()
    assert (refused.status_code, told["error"], told["pointer"], told["index"]) == (400, "too_many_keys", "/1", 1)
    assert f"at most {MOST_KEYS} are allowed" in told["message"]


def test_a_class_of_four_hundred_with_its_contexts_fits(lrs):
    contexts = {kind: [{"id": something()} for _ in range(20)] for kind in ("parent", "grouping", "category", "other")}
    whole = statement(
        actor={"objectType": "Group", "member": [somebody() for _ in range(370)]},
        context={"registration": new_id(), "contextActivities": contexts},
    )

    id = lrs.store(whole)[0]

    assert lrs.listed(agent=whole["actor"]["member"][369], verb=whole["verb"]["id"]) == [id]
    assert lrs.listed(activity=contexts["other"][19]["id"], related_activities="true") == [id]


def test_a_request_with_too_many_rows_is_413_and_stores_nothing(lrs):
    member = [somebody() for _ in range(490)]
    one = statement(actor={"objectType": "Group", "member": member}, verb={"id": something()})

    refused = lrs.post([one | {"id": new_id()} for _ in range(33)])

    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    assert f"at most {MOST_ROWS} are allowed" in refused.json()["message"]
    assert lrs.listed(verb=one["verb"]["id"]) == []


def test_voiding_many_wide_statements_at_once_counts_their_rows(lrs):
    member = [somebody() for _ in range(490)]
    wide = [statement(actor={"objectType": "Group", "member": member}, id=new_id()) for _ in range(31)]
    lrs.store(wide[:16])
    lrs.store(wide[16:])

    everything = [voiding(one["id"]) for one in wide]
    refused = lrs.post(everything + [statement() for _ in range(200)])
    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    assert lrs.get(voidedStatementId=wide[0]["id"]).status_code == 404

    lrs.store(everything)
    assert all(lrs.get(voidedStatementId=one["id"]).status_code == 200 for one in wide)


def test_large_statements_sent_again_are_compared_outside_the_writer(each_lrs):
    extensions = {something(): "x" * (COMPARED_INSIDE // 2)}
    large = [statement(id=new_id(), result={"extensions": extensions}) for _ in range(3)]
    each_lrs.store(large)

    again = each_lrs.store([*large, new := statement(id=new_id())])
    other = each_lrs.post([*large[:2], large[2] | {"result": {"success": True}}])

    assert again == [*(one["id"] for one in large), new["id"]]
    assert (other.status_code, other.json()["error"], other.json()["index"]) == (409, "conflict", 2)


def test_what_is_stored_under_resent_ids_is_read_only_up_to_a_bound(each_lrs, monkeypatch):
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 50_000)
    stored = [statement(id=new_id(), result={"extensions": {something(): "x" * 20_000}}) for _ in range(3)]
    for one in stored:
        each_lrs.store(one)

    refused = each_lrs.post([statement(id=one["id"]) for one in stored])

    assert (refused.status_code, refused.json()["error"]) == (413, "too_large")
    assert each_lrs.store(stored[:2]) == [one["id"] for one in stored[:2]]


def test_a_batch_that_voids_inside_itself_is_as_if_sent_one_by_one(each_lrs):
    target = statement(id=new_id(), verb={"id": something()})
    voider = voiding(target["id"], id=new_id())
    voids_voider = voiding(voider["id"], id=new_id())

    refused = each_lrs.post([target, voider, voids_voider])
    assert (refused.status_code, refused.json()["index"]) == (400, 2)
    assert "is a voiding statement" in refused.json()["message"]

    each_lrs.store([voids_voider, voider, target])
    assert each_lrs.get(voidedStatementId=target["id"]).status_code == 200
    assert each_lrs.one(voider["id"])["verb"]["id"] == VOIDED
    assert each_lrs.listed(verb=target["verb"]["id"]) == [voider["id"], voids_voider["id"]]


def test_references_of_an_older_version_are_understood(each_lrs):
    """Before, keys of a statement and of what it refers to stood in one set, without a count of its own."""
    target = statement(id=new_id(), verb={"id": something()})
    middle = referring(target["id"], id=new_id())
    each_lrs.store([target, middle])
    store = each_lrs.tenant.store
    record = store.get("statement", middle["id"])
    meta = {name: value for name, value in record.meta.items() if name != "own"}

    former = msgspec.structs.replace(record, meta=meta, keys=tuple(sorted(record.keys)))
    store.write(lambda tx: tx.replace(former)).result()
    last = referring(middle["id"], id=new_id(), actor=somebody())
    each_lrs.store(last)

    assert each_lrs.listed(verb=target["verb"]["id"]) == [last["id"], middle["id"], target["id"]]
    assert each_lrs.listed(agent=middle["actor"], verb=middle["verb"]["id"]) == [last["id"], middle["id"]]
    assert json.loads(store.get("statement", last["id"]).body)["id"] == last["id"]
