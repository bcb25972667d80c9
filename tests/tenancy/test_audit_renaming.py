"""Entries of the record of actions are put under other ids, a page at a time; the chain stays as whole as it was."""

import json
from hashlib import sha256

import msgspec
import pytest

from lrs.storage import Record, Walk, each
from lrs.tenancy import audit
from lrs.tenancy.audit_renaming import rename_entries
from tests.audits import broken_at

pytestmark = pytest.mark.mongo_in_soak

GUESSED = {"new@example.org": "8a5dba34", "eve@example.org": "77b1c0de"}
"""Names that anybody computes, as entries have them."""
MADE = {"8a5dba34": "made-1", "77b1c0de": "made-2"}


def about(told):
    return {word: MADE.get(text, text) for word, text in told.items()}


def put(store, decide):
    return store.write(decide).result()


def before_keys(tx, *told):
    """Entries as versions before 0.2 wrote them."""
    previous = audit.START
    for number, one in enumerate(told, 1):
        body = msgspec.json.encode(audit.AuditEntry(1, number, number, "test", "consent.given", one, previous))
        tx.insert(Record("audit", f"{number:012d}", body))
        previous = sha256(body).hexdigest()
    tx.insert(Record("audit-head", "head", meta={"number": len(told), "hash": previous}))


def acted(store, *told):
    for one in told:
        put(store, lambda tx, one=one: audit.append(tx, "test", "consent.given", one))


@pytest.fixture
def chain(store):
    """Six entries without a key, the one that seals them, and four keyed ones; some name somebody."""
    one, other = ({"identifier": name} for name in GUESSED.values())
    put(store, lambda tx: before_keys(tx, {"key": "k"}, one, {"key": "l"}, {"key": "m"}, other, {"key": "n"}))
    put(store, audit.begin)
    acted(store, {"key": "o"}, one, {"identifier": "made-3"}, other)
    return store


def rename(store, size):
    """All of it, in pages of *size*; looked at after each commit."""
    start, more = None, True
    while more:
        page = store.find(Walk("audit", limit=size, start=start))
        put(store, lambda tx, page=page: rename_entries(tx, page.records, about))
        yield
        start, more = page.next, page.next is not None


def stored(store):
    return [(record.body, dict(record.meta)) for record in each(store, "audit")]


def numbered(store):
    return {entry.number: hash for entry, hash in audit.walk(store)}


def told(store):
    return [entry.about for entry, _ in audit.walk(store)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 100])
def test_after_each_page_the_chain_is_whole_and_ends_as_before(chain, size):
    keyed = {number: hash for number, hash in numbered(chain).items() if number > 6}
    head = audit.head_of(chain)

    for _ in rename(chain, size):
        assert broken_at(chain) is None
        assert audit.head_of(chain) == head

    assert {number: hash for number, hash in numbered(chain).items() if number > 6} == keyed


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 100])
def test_afterwards_nothing_in_the_store_tells_a_name_or_lets_one_be_tried(chain, size):
    before = stored(chain)
    tried = {sha256(body).hexdigest() for body, _ in before[1:6]}  # the first entry names nobody

    for _ in rename(chain, size):
        pass

    after = repr(stored(chain))
    assert not [name for name in GUESSED.values() if name in after]
    assert not [hash for hash in tried if hash in after]
    assert [one.get("identifier") for one in told(chain)] == [
        *(None, "made-1", None, None, "made-2", None),
        *(None, None, "made-1", "made-3", "made-2"),
    ]


def test_a_second_time_changes_nothing(chain):
    for _ in rename(chain, 2):
        pass
    once = stored(chain)

    for _ in rename(chain, 3):
        pass

    assert stored(chain) == once


def test_entries_that_name_nobody_stay_byte_for_byte(store):
    put(store, lambda tx: before_keys(tx, {"key": "k"}, {"key": "l"}))
    put(store, audit.begin)
    acted(store, {"key": "o"})
    before = stored(store)

    for _ in rename(store, 2):
        pass

    assert stored(store) == before


def test_the_record_goes_on_after_it(chain):
    for _ in rename(chain, 4):
        pass

    acted(chain, {"key": "later"})

    assert broken_at(chain) is None
    assert told(chain)[-1] == {"key": "later"}


@pytest.mark.parametrize("number", [2, 5, 7, 9, 11])
def test_a_renamed_entry_that_somebody_changes_is_found(chain, number):
    for _ in rename(chain, 4):
        pass
    record = chain.get("audit", f"{number:012d}")
    entry = json.loads(record.body) | {"by": "somebody else"}
    changed = msgspec.structs.replace(record, body=msgspec.json.encode(entry))

    put(chain, lambda tx: tx.replace(changed))

    assert broken_at(chain) in {number, number + 1}


def test_an_entry_that_somebody_changes_and_gives_its_former_hash_is_found(chain):
    record = chain.get("audit", f"{8:012d}")
    hash = numbered(chain)[8]
    entry = json.loads(record.body) | {"by": "somebody else"}
    seal = sha256(hash.encode() + record.body).hexdigest()
    changed = msgspec.structs.replace(record, body=msgspec.json.encode(entry), meta={"hash": hash, "seal": seal})

    put(chain, lambda tx: tx.replace(changed))

    assert broken_at(chain) == 8
