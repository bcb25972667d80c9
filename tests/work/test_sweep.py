"""Blobs that no record names go a day after that was found, and no other ever goes."""

import os
import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256

import pytest

from lrs.composition.kinds import TENANT
from lrs.kernel.settings import Settings
from lrs.storage import Record, open_store, wall_clock
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant, open_tenant
from lrs.work.sweep import BloomFilter, sweep_blobs, swept
from lrs.work.upkeep import Interrupted, Upkeep
from tests.builders import store_in
from tests.programs import programs, until
from tests.served import new_id, serving, something, statement
from tests.xapi.statements.multipart import attached, fetched, first, mixed, part, send

pytestmark = pytest.mark.mongo_in_soak

NAMING = ("statement", "state", "activity_profile", "agent_profile")
DAY = 24 * 3_600
MICROS = 1_000_000


@pytest.fixture
def tenant(store, clock, tmp_path):
    return Tenant("default", store, Settings(data=tmp_path), Secrets(bytes(32)), clock)


def keep(tenant, content):
    """A blob without a record; its name."""
    return tenant.store.blobs.put([content])


def naming(kind, name):
    meta = {"attachments": {name: name}} if kind == "statement" else {"blob": name}
    return Record(kind, new_id(), meta=meta)


def insert(tenant, record):
    return tenant.store.write(lambda tx: tx.insert(record)).result()


def there(tenant, name):
    try:
        tenant.store.blobs.size(name)
    except KeyError:
        return False
    return True


def sweep_after(tenant, clock, days=1):
    clock.forward(seconds=days * DAY)
    return sweep_blobs(tenant, TENANT)


def test_a_blob_without_a_record_goes_a_day_after_that_was_found(tenant, clock):
    left = keep(tenant, b"left")

    assert sweep_blobs(tenant, TENANT) == 0
    assert sweep_after(tenant, clock) == 0
    assert there(tenant, left)
    assert sweep_after(tenant, clock) == 0
    assert there(tenant, left)
    assert sweep_after(tenant, clock) == 1
    assert not there(tenant, left)


def test_a_file_of_others_among_the_blobs_stays_and_stops_no_sweep(tmp_path, clock):
    with closing(open_store(f"sqlite:///{tmp_path}/store.db", clock=clock)) as store:
        tenant = Tenant("default", store, Settings(data=tmp_path), Secrets(bytes(32)), clock)
        left = keep(tenant, b"left")
        theirs = store.blobs.path_of(left).with_name(".nfs0001")
        theirs.write_bytes(b"theirs")
        os.utime(theirs, (0, 0))

        gone = [sweep_after(tenant, clock) for _ in range(4)]

        assert (sum(gone), there(tenant, left), theirs.exists()) == (1, False, True)


def test_what_is_put_while_a_sweep_reads_the_records_stays_after_a_clock_was_put_right(tenant, clock):
    left = keep(tenant, b"left")
    insert(tenant, naming("agent_profile", keep(tenant, b"other")))
    assert sweep_after(tenant, clock, days=30) == 0
    clock.forward(seconds=-28 * DAY)

    def put_again(_):
        """Called when the statements were read already."""
        insert(tenant, naming("statement", keep(tenant, b"left")))
        return False

    assert sweep_blobs(tenant, TENANT, rest=put_again) == 0
    assert there(tenant, left)


def test_a_sweep_whose_clock_was_ahead_does_not_count_as_the_first_of_two(tenant, clock):
    left = keep(tenant, b"left")
    assert sweep_after(tenant, clock, days=30) == 0
    clock.forward(seconds=-28 * DAY)

    assert sweep_blobs(tenant, TENANT) == 0
    assert there(tenant, left)
    assert sweep_after(tenant, clock) == 1
    assert not there(tenant, left)


@pytest.mark.parametrize("kind", NAMING)
def test_a_blob_that_a_record_names_never_goes(tenant, clock, kind):
    named = keep(tenant, b"named")
    left = keep(tenant, b"left")
    insert(tenant, naming(kind, named))

    dropped = [sweep_after(tenant, clock) for _ in range(6)]

    assert sum(dropped) == 1
    assert there(tenant, named)
    assert not there(tenant, left)


def test_all_records_are_read_a_page_at_a_time_and_every_one_counts(tenant, clock):
    names = [keep(tenant, f"content {n}".encode()) for n in range(150)]
    left = keep(tenant, b"left")

    def decide(tx):
        for name in names:
            tx.insert(naming("statement", name))

    tenant.store.write(decide).result()
    rests = []

    for _ in range(3):
        clock.forward(seconds=DAY)
        sweep_blobs(tenant, TENANT, rest=lambda seconds: rests.append(seconds) is not None)

    assert all(there(tenant, name) for name in names)
    assert not there(tenant, left)
    assert len(rests) == 2 * 3
    assert 0 < max(rests) < 0.1


def test_the_blob_of_a_document_that_was_replaced_stays_for_those_who_still_read_it(tenant, clock):
    old = keep(tenant, b"old")
    record = insert(tenant, naming("state", old))
    for _ in range(3):
        sweep_after(tenant, clock)
    new = keep(tenant, b"new")
    tenant.store.write(lambda tx: tx.replace(Record("state", record.id, meta={"blob": new}, rev=1))).result()

    # A long time without a worker: nobody knows for how long the old one has had no record.
    assert sweep_after(tenant, clock, days=30) == 0
    assert there(tenant, old)
    assert sweep_after(tenant, clock) == 1
    assert not there(tenant, old)
    assert there(tenant, new)


def test_the_blob_of_a_document_that_was_deleted_goes(tenant, clock):
    old = keep(tenant, b"old")
    record = insert(tenant, naming("agent_profile", old))
    sweep_after(tenant, clock)
    tenant.store.write(lambda tx: tx.delete(record.kind, record.id)).result()

    assert [sweep_after(tenant, clock) for _ in range(2)] == [0, 1]
    assert not there(tenant, old)


def test_what_is_put_again_between_two_sweeps_stays_before_its_record_is_there(tenant, clock):
    name = keep(tenant, b"again")
    assert [sweep_after(tenant, clock) for _ in range(2)] == [0, 0]
    clock.forward(seconds=DAY)
    keep(tenant, b"again")

    assert sweep_blobs(tenant, TENANT) == 0

    insert(tenant, naming("statement", name))
    assert [sweep_after(tenant, clock) for _ in range(4)] == [0] * 4
    assert there(tenant, name)


def test_what_is_put_again_between_two_sweeps_that_are_days_apart_stays_however_long_ago(tenant, clock):
    name = keep(tenant, b"again")
    assert [sweep_after(tenant, clock) for _ in range(2)] == [0, 0]
    clock.forward(seconds=DAY)
    keep(tenant, b"again")
    clock.forward(seconds=2 * DAY)

    assert sweep_blobs(tenant, TENANT) == 0
    assert there(tenant, name)


def test_what_is_put_again_and_named_while_a_sweep_reads_stays(tenant, clock):
    name = keep(tenant, b"again")
    insert(tenant, Record("statement", new_id()))
    insert(tenant, Record(NAMING[-1], new_id()))
    sweep_after(tenant, clock)
    sweep_after(tenant, clock)
    clock.forward(seconds=DAY)
    rests = []

    def upload(_seconds):
        # The first time before anything is read; the second time the statements have been read already.
        rests.append(1)
        if len(rests) == 2:
            keep(tenant, b"again")
            insert(tenant, naming("statement", name))
        return False

    assert sweep_blobs(tenant, TENANT, rest=upload) == 0

    assert len(rests) == 2
    assert there(tenant, name)
    assert [sweep_after(tenant, clock) for _ in range(3)] == [0] * 3
    assert there(tenant, name)


def test_of_many_that_ask_at_once_one_sweeps_and_only_once_a_day(tenant, clock):
    told = []
    threads = [threading.Thread(target=lambda: told.append(sweep_blobs(tenant, TENANT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(told, key=str) == [0] + [None] * 7
    clock.forward(seconds=DAY - 1)
    assert sweep_blobs(tenant, TENANT) is None
    clock.forward(seconds=1)
    assert sweep_blobs(tenant, TENANT) == 0


def test_a_sweep_that_was_interrupted_drops_nothing_and_is_begun_anew_hours_later(tenant, clock):
    left = keep(tenant, b"left")
    insert(tenant, Record("statement", new_id()))
    sweep_after(tenant, clock)
    sweep_after(tenant, clock)
    clock.forward(seconds=DAY)

    with pytest.raises(Interrupted):
        sweep_blobs(tenant, TENANT, rest=lambda _: True)

    assert there(tenant, left)
    assert sweep_blobs(tenant, TENANT) is None
    clock.forward(seconds=6 * 3_600)
    assert sweep_blobs(tenant, TENANT) == 1
    assert not there(tenant, left)


@pytest.mark.parametrize("ended", [True, False])
def test_a_sweep_is_not_put_off_by_one_of_a_clock_that_was_a_year_ahead(tenant, clock, ended):
    left = keep(tenant, b"left")
    insert(tenant, Record("statement", new_id()))
    clock.forward(seconds=365 * DAY)
    if ended:
        sweep_blobs(tenant, TENANT)
    else:
        tenant.store.write(lambda tx: tx.insert(Record("sweep", "blobs", meta={"at": 0, "begun": clock.now}))).result()
    clock.forward(seconds=-364 * DAY)

    assert [sweep_after(tenant, clock) for _ in range(3)][-1] is not None
    assert not there(tenant, left)


def test_a_tenant_whose_blobs_cannot_be_swept_keeps_no_other_from_it(tenant, clock, tmp_path):
    left = keep(tenant, b"left")
    gone = open_store(f"sqlite:///{tmp_path}/gone.db")
    gone.close()
    damaged = Tenant("damaged", gone, Settings(data=tmp_path), Secrets(bytes(32)), clock)

    def tenants():
        clock.forward(seconds=DAY)
        return [damaged, tenant]

    sweeper = Upkeep(tenants, [partial(swept, TENANT)], every=0.01)
    try:
        until(lambda: not there(tenant, left), "the sweep of the other")
    finally:
        sweeper.close()


def test_a_sweep_that_another_one_overtook_leaves_the_state_to_it(tenant, clock):
    insert(tenant, Record("statement", new_id()))
    left = keep(tenant, b"left")
    clock.forward(seconds=DAY + 1)
    before = clock.now

    def overtake(_seconds):
        clock.forward(seconds=7 * 3_600)
        assert sweep_blobs(tenant, TENANT) == 0
        return False

    assert sweep_blobs(tenant, TENANT, rest=overtake) == 0

    state = tenant.store.get("sweep", "blobs")
    assert state.meta == {"at": before + 7 * 3_600 * MICROS, "begun": 0}
    assert state.body == bytes.fromhex(left)


def test_attachments_and_large_documents_stay_and_what_replaced_documents_held_goes(store_url, tmp_path):
    file, inner, old, new = (f"{name} {new_id()} ".encode() * 10_000 for name in ("file", "inner", "old", "new"))
    inside = attached(inner)
    outer = attached(file)
    outer["object"] = {"objectType": "SubStatement", **statement(), "attachments": inside["attachments"]}
    voided = attached(b"of a voided one")
    where = {"activityId": something(), "profileId": "p"}
    with serving(tmp_path, store_url=store_url) as lrs:
        assert send(lrs, mixed(first(outer), part(file), part(inner))).status_code == 200
        assert send(lrs, mixed(first(voided), part(b"of a voided one"))).status_code == 200
        target = {"objectType": "StatementRef", "id": voided["id"]}
        lrs.store(statement(verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=target))
        for content, condition in ((old, {"If-None-Match": "*"}), (new, {"If-Match": "*"})):
            headers = {"Content-Type": "application/octet-stream", **condition}
            put = lrs.ask("PUT", "activities/profile", params=where, content=content, headers=headers)
            assert put.status_code == 204, put.text

        later = [replace(lrs.tenant, clock=lambda n=n: wall_clock() + n * DAY * MICROS) for n in range(2, 10, 2)]
        dropped = [sweep_blobs(tenant, TENANT) for tenant in later]

        assert sum(dropped) == 1
        assert not there(lrs.tenant, sha256(old).hexdigest())
        assert lrs.ask("GET", "activities/profile", params=where).content == new
        _, *parts = fetched(lrs, statementId=outer["id"])
        assert [content for _, content in parts] == [file, inner]
        _, *parts = fetched(lrs, voidedStatementId=voided["id"])
        assert [content for _, content in parts] == [b"of a voided one"]


def test_what_is_marked_is_in_and_hardly_anything_else():
    names = [sha256(str(n).encode()).hexdigest() for n in range(4_000)]
    marks = BloomFilter()

    for name in names[:2_000]:
        marks.add(name)

    assert all(name in marks for name in names[:2_000])
    assert not any(name in marks for name in names[2_000:])


def test_upkeep_sweeps_by_itself_and_goes_on_after_the_store_was_away(tenant, clock):
    left = keep(tenant, b"left")
    looks = []

    def tenants():
        looks.append(1)
        if len(looks) % 2:
            raise OSError("away")
        clock.forward(seconds=DAY)
        return [tenant]

    sweeper = Upkeep(tenants, [partial(swept, TENANT)], every=0.01)
    try:
        until(lambda: not there(tenant, left), "the sweep")
    finally:
        sweeper.close()


def test_upkeep_ends_in_the_middle_of_a_sweep(tenant, clock):
    left = keep(tenant, b"left")
    insert(tenant, Record("statement", new_id()))
    clock.forward(seconds=DAY + 1)
    reading = threading.Event()

    def tenants():
        reading.set()
        return [tenant]

    sweeper = Upkeep(tenants, [partial(swept, TENANT)])
    assert reading.wait(60)
    sweeper.close()

    assert there(tenant, left)
    assert not [thread for thread in threading.enumerate() if thread.name == "upkeep"]


def test_lrs_work_sweeps(tmp_path):
    with programs(tmp_path) as held:
        store_in(held.data)
        held.start("work")
        tenant = open_tenant(Settings(data=held.data))
        try:
            until(lambda: (state := tenant.store.get("sweep", "blobs")) and state.meta["at"], "a sweep")
        finally:
            tenant.store.close()
