"""The record of actions: what somebody who can write the store, but has not its key, cannot do unseen."""

import json
from hashlib import sha256

import msgspec
import pytest

from lrs.kernel.settings import Settings
from lrs.storage import Record, Walk, open_store
from lrs.storage.about import Whose
from lrs.tenancy import audit
from lrs.tenancy.tenants import open_tenant
from tests.audits import broken_at


def put(store, decide):
    return store.write(decide).result()


def acted(store, *actions):
    for action in actions:
        put(store, lambda tx, action=action: audit.append(tx, "test", action, {}))


def bodies(store):
    return [json.loads(record.body) for record in store.find(Walk("audit")).records]


def written(store, number, **changes):
    """Rewrites entry *number* as it would be without a key: each later one holds the plain hash of the one before."""
    last = store.get("audit-head", "head").meta["number"]
    previous = None
    for at in range(number, last + 1):
        record = store.get("audit", f"{at:012d}")
        entry = json.loads(record.body) | (changes if at == number else {"previous": previous})
        body = msgspec.json.encode(entry)
        put(store, lambda tx, r=record, b=body: tx.replace(msgspec.structs.replace(r, body=b)))
        previous = sha256(body).hexdigest()
    set_head(store, number=last, hash=previous)


def set_head(store, **meta):
    head = store.get("audit-head", "head")
    put(store, lambda tx: tx.replace(msgspec.structs.replace(head, meta=dict(head.meta) | meta)))


def test_a_chain_that_nobody_touched_is_whole_and_its_head_is_its_last_entry(store):
    acted(store, "one", "two", "three")

    walked = list(audit.walk(store))

    assert [(entry.number, entry.action) for entry, _ in walked] == [(1, "one"), (2, "two"), (3, "three")]
    assert audit.head_of(store) == audit.Head(3, walked[-1][1])
    assert [[entry.number for entry in audit.newest(store, count)] for count in (2, 9)] == [[3, 2], [3, 2, 1]]


def test_somebody_is_shown_what_was_done_about_them_and_not_about_whom_else(store):
    about = {"one": "ann", "other": "bea"}
    entry = put(store, lambda tx: audit.append(tx, "staff zoe", "suggestion.dismissed", about))
    (record,) = store.find(Walk("audit")).records
    kind = next(one for one in audit.KINDS if one.name == "audit")

    shown = [kind.shown(record, Whose((person,), (), ())) for person in ("ann", "bea")]

    assert [one["about"] for one in shown] == [{"one": "ann"}, {"other": "bea"}]
    assert {one["by"] for one in shown} == {"staff"}
    since = [audit.of_person(store, "bea", entry.action, at, 9) for at in (entry.at, entry.at + 1)]
    assert since == [[entry], []]


def test_no_hash_of_the_chain_can_be_worked_out_without_the_key(store):
    acted(store, "one", "two")
    first, second = store.find(Walk("audit")).records

    assert json.loads(second.body)["previous"] != sha256(first.body).hexdigest()
    assert store.get("audit-head", "head").meta["hash"] != sha256(second.body).hexdigest()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_entry_rewritten_with_every_hash_after_it_worked_out_anew_is_found(store, number):
    acted(store, "one", "two", "three")

    written(store, number, action="other")

    assert broken_at(store) is not None


def test_an_end_that_was_cut_off_is_found_though_the_hash_of_the_new_end_stands_in_the_store(store):
    acted(store, "one", "two", "three")
    hash_of_two = json.loads(store.get("audit", "000000000003").body)["previous"]

    put(store, lambda tx: tx.delete("audit", "000000000003"))
    set_head(store, number=2, hash=hash_of_two)

    assert broken_at(store) == 2


def test_a_chain_replaced_by_unkeyed_entries_is_found_and_not_sealed_at_the_next_start(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    acted(tenant.store, "one", "two")
    head = tenant.store.get("audit-head", "head")
    for record in tenant.store.find(Walk("audit")).records:
        put(tenant.store, lambda tx, id=record.id: tx.delete("audit", id))
    put(tenant.store, lambda tx: tx.replace(msgspec.structs.replace(head, meta=unkeyed(tx, "forged", "forged"))))
    tenant.store.close()

    again = open_tenant(Settings(data=tmp_path))
    at_start = broken_at(again.store)
    acted(again.store, "three")
    later = broken_at(again.store)
    again.store.close()

    assert (at_start, later) == (2, 3)


def test_unkeyed_entries_put_after_keyed_ones_are_found(store):
    acted(store, "one")
    end = audit.head_of(store).hash
    body = msgspec.json.encode(audit.AuditEntry(1, 2, 0, "test", "forged", {}, end))
    put(store, lambda tx: tx.insert(Record("audit", "000000000002", body)))
    set_head(store, number=2, hash=sha256(body).hexdigest())

    found = broken_at(store)
    acted(store, "three")

    assert (found, broken_at(store)) == (2, 2)


def unkeyed(tx, *actions):
    """Entries as versions before 0.2 wrote them; the meta of their head."""
    previous = audit.START
    for number, action in enumerate(actions, 1):
        body = msgspec.json.encode(audit.AuditEntry(1, number, 0, "test", action, {}, previous))
        tx.insert(Record("audit", f"{number:012d}", body))
        previous = sha256(body).hexdigest()
    return {"number": len(actions), "hash": previous}


@pytest.fixture
def before(tmp_path):
    """The settings of a store that an earlier version wrote two entries into."""
    settings = Settings(data=tmp_path)
    (tmp_path / "master.key").write_text("ab" * 32)
    (tmp_path / "tenants" / "default").mkdir(parents=True)
    store = open_store(f"sqlite:///{tmp_path}/tenants/default/store.db")
    put(store, lambda tx: tx.insert(Record("audit-head", "head", meta=unkeyed(tx, "one", "two"))))
    store.close()
    return settings


def test_entries_from_before_they_were_keyed_are_sealed_by_one_entry_at_the_first_start(before):
    for _ in range(2):
        tenant = open_tenant(before)
        entries, broken = bodies(tenant.store), broken_at(tenant.store)
        tenant.store.close()

    assert broken is None
    assert [(entry["v"], entry["action"]) for entry in entries] == [(1, "one"), (1, "two"), (2, "audit.sealed")]
    assert entries[2]["about"] == {"entries": "2", "hash": entries[2]["previous"]}


def test_a_keyed_entry_after_unkeyed_ones_that_nobody_sealed_is_found(store):
    put(store, lambda tx: tx.insert(Record("audit-head", "head", meta=unkeyed(tx, "one", "two"))))
    acted(store, "three", "four")

    assert broken_at(store) == 3


def test_sealed_entries_that_are_rewritten_afterwards_are_found(before):
    tenant = open_tenant(before)
    acted(tenant.store, "three")

    written(tenant.store, 1, action="other")
    broken = broken_at(tenant.store)
    tenant.store.close()

    assert broken == 4


def test_a_fresh_store_has_a_sealed_head_and_no_entry(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    entries, head = bodies(tenant.store), audit.head_of(tenant.store)
    tenant.store.close()

    assert (entries, head) == ([], audit.Head(0, "0" * 64))


def test_a_store_that_was_opened_without_a_secret_makes_no_entry(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db")

    with pytest.raises(RuntimeError, match="opened without a secret"):
        acted(store, "one")
    entries = bodies(store)
    store.close()

    assert entries == []


def test_two_open_stores_write_one_chain(store, store_url, clock):
    other = open_store(store_url, clock=clock, secret=bytes(32))
    writes = [
        each.write(lambda tx, n=n: audit.append(tx, "test", str(n), {})) for n in range(20) for each in (store, other)
    ]
    for written_ in writes:
        written_.result()
    other.close()

    assert broken_at(store) is None
    assert audit.head_of(store).number == 40
