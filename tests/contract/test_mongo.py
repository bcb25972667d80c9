"""What only the MongoDB engine can get wrong: indexes, field names, lost answers, writers that died holding the head.

Failures are made with the server's own fail points; a real server needs ``enableTestCommands`` for them.
"""

from __future__ import annotations

import re
import struct
import subprocess
import threading
import time
from datetime import UTC, datetime
from functools import partial

import pytest
from bson import Binary
from gridfs.synchronous.grid_file import GridOut
from pymongo import monitoring
from pymongo.errors import AutoReconnect, OperationFailure

from lrs.kernel.admission import DATABASE, OutcomeUnknown, Overloaded
from lrs.kernel.errors import Misconfigured, Refused, StoreFull
from lrs.storage import Owed, Record, Walk, open_store
from lrs.storage.mongo.heartbeat import Heartbeat
from lrs.storage.mongo.link import connect
from lrs.storage.versions import found_and_known
from tests.conftest import STAND_IN
from tests.contract.acts import WAIT, claim, insert, only, owe, owing, walk
from tests.contract.faults import Wire, failing


class Heard(monitoring.CommandListener):
    """The commands that look for records while it listens; updates and deletions name the one document by its id."""

    def __init__(self) -> None:
        self.listening = False
        self.commands: list[dict] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.listening and event.command_name in {"find", "aggregate", "findAndModify"}:
            self.commands.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not of interest."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not of interest."""


@pytest.fixture(scope="session")
def heard() -> Heard:
    listener = Heard()
    monitoring.register(listener)
    return listener


@pytest.fixture
def store(heard, mongo_url, clock):  # noqa: ARG001 (listeners must be there before the client)
    opened = open_store(mongo_url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def database(mongo_client, mongo_url):
    return mongo_client.get_database(mongo_url.rpartition("/")[2])


def test_a_record_is_a_flat_document_in_which_nothing_of_the_users_is_a_field_name(store, database):
    insert(store, "$where", body=b'{"a.b": 1}', meta={"$set": {"a.b": {"": 1}}}, keys=(1, 1 << 40))

    found = database.record.find_one()

    assert found == {
        "_id": "thing\x1f$where",
        "kind": "thing",
        "id": "$where",
        "seq": 1_838_080_000_000_000_000,
        "rev": 1,
        "meta": b'{"$set":{"a.b":{"":1}}}',
        "keys": [1, 1_099_511_627_776],
        "body": b'{"a.b": 1}',
        "owed": [],
        "owed_rev": 0,
    }


def test_whatever_looks_for_records_uses_an_index_made_for_it(store, database, heard):
    insert(store, "a", keys=(1, 2), owed=(Owed("evaluate"),))
    owing(store, "b", "sync")
    heard.commands.clear()
    heard.listening = True
    store.get("thing", "a")
    store.get_many("thing", ["a", "b"])
    for keys in ((), (1,), (1, 2)):
        walk(store, keys, limit=1)
        walk(store, keys, limit=1, newest_first=True, after=5, until=1 << 62)
        store.count("thing", keys)
    store.get_all([("thing", "a"), ("thing", "b")])
    store.find_any("thing", [1, 2])
    store.write(lambda tx: tx.replace(Record("thing", "a", owed=(Owed("evaluate"),), rev=1))).result(WAIT)
    store.defer(only(claim(store, "sync")), due=0, error="x", parked=True)
    store.settle(claim(store, "evaluate"), lambda tx: tx.delete("thing", "none")).result(WAIT)
    store.is_due(["sync"])
    store.failing()
    store.backlog()
    store.parked()
    store.parked("sync")
    store.write(lambda tx: tx.retry("thing", "b", "sync")).result(WAIT)
    heard.listening = False

    asked = [command for command in heard.commands if "record" in command.values()]
    plans = [(command, str(plan_of(database, command))) for command in asked]

    assert len(asked) > 15
    assert {command["hint"] for command in asked if "hint" in command} == {"by_key", "by_order", "by_step", "_id_"}
    assert [command for command, plan in plans if "COLLSCAN" in plan] == []


def plan_of(database, command):
    sent = {"lsid", "txnNumber", "startTransaction", "autocommit", "readConcern", "writeConcern"}
    asked = {name: value for name, value in command.items() if name not in sent and not name.startswith("$")}
    return database.command("explain", asked)


def test_what_the_server_is_asked_for_is_durable_and_in_majority(store):
    assert store._database.write_concern.document == {"w": "majority", "j": True}  # noqa: SLF001 (a setting)
    assert store._database.read_concern.level == "majority"  # noqa: SLF001 (a setting)


def test_a_writer_that_died_holding_the_head_is_ended(store, database, mongo_client, monkeypatch):
    monkeypatch.setattr("lrs.storage.mongo.writer._STARVED_S", 0.1)
    dead = mongo_client.start_session()
    database.writer.insert_one({"_id": dead.session_id["id"]})
    dead.start_transaction()
    database.head.update_one({"_id": "head"}, {"$inc": {"epoch": 1}}, session=dead)

    assert insert(store, "a").rev == 1

    with pytest.raises(OperationFailure):
        dead.commit_transaction()
    dead.end_session()
    assert store.get("thing", "a") is not None


def test_a_writer_that_shows_life_while_the_silent_are_ended_is_not_forgotten(database, mongo_client):
    own, gone, back = (mongo_client.start_session() for _ in range(3))
    heartbeat = Heartbeat(database, own)
    for one in (gone, back):
        database.writer.insert_one({"_id": one.session_id["id"], "alive": datetime(2026, 1, 1, tzinfo=UTC)})
    server = heartbeat._admin  # noqa: SLF001 (to do something between its two steps)

    class Meanwhile:
        def command(self, what):
            if what != "hello":
                database.writer.update_one({"_id": back.session_id["id"]}, {"$currentDate": {"alive": True}})
            return server.command(what)

    heartbeat._admin = Meanwhile()  # noqa: SLF001 (as above)
    heartbeat.end_the_silent()

    left = {one["_id"] for one in database.writer.find()}
    heartbeat.close()

    assert left == {own.session_id["id"], back.session_id["id"]}
    for one in (own, gone, back):
        one.end_session()


def test_a_writer_that_holds_the_head_and_shows_life_is_not_ended(store, database, mongo_client, monkeypatch):
    monkeypatch.setattr("lrs.storage.mongo.writer._STARVED_S", 0.05)
    monkeypatch.setattr("lrs.storage.mongo.writer._PATIENCE_S", 0.5)
    slow = mongo_client.start_session()
    database.writer.update_one({"_id": slow.session_id["id"]}, {"$currentDate": {"alive": True}}, upsert=True)
    slow.start_transaction()
    database.head.update_one({"_id": "head"}, {"$inc": {"epoch": 1}}, session=slow)

    starved = store.write(lambda tx: tx.insert(Record("thing", "a"))).exception(WAIT)
    slow.commit_transaction()

    assert isinstance(starved, Overloaded)
    assert insert(store, "a").rev == 1
    slow.end_session()


def test_a_process_shows_life_as_long_as_a_group_is_under_way(mongo_url, database, monkeypatch):
    monkeypatch.setattr("lrs.storage.mongo.heartbeat.BEAT_S", 0.01)
    store = open_store(mongo_url)

    def alive():
        return database.writer.find_one()["alive"]

    def decide(_):
        beats = {alive()}
        until = time.monotonic() + WAIT
        while len(beats) < 3 and time.monotonic() < until:
            beats.add(alive())
        return beats

    beats = store.write(decide).result(2 * WAIT)
    store.close()

    assert len(beats) == 3


def test_a_writer_that_lives_and_was_ended_runs_its_group_again(store, mongo_client):
    reached, go_on, runs = threading.Event(), threading.Event(), []

    def decide(tx):
        runs.append(tx.get("thing", "a"))
        stored = tx.insert(Record("thing", "a"))
        reached.set()
        assert go_on.wait(WAIT)
        return stored

    future = store.write(decide)
    assert reached.wait(WAIT)
    mongo_client.admin.command({"killSessions": [store._session.session_id]})  # noqa: SLF001 (what another would do)
    go_on.set()

    assert future.result(WAIT).rev == 1
    assert runs == [None, None]
    assert store.count("thing") == 1


def test_a_closed_store_has_signed_off(mongo_url, database):
    store = open_store(mongo_url)
    signed_on = database.writer.count_documents({})
    store.close()

    assert (signed_on, database.writer.count_documents({})) == (1, 0)


def test_a_commit_whose_answer_is_lost_is_asked_for_until_it_is_known(store, mongo_client):
    with failing(mongo_client, "commitTransaction", times=3, errorCode=262, errorLabels=["RetryableWriteError"]):
        stored = insert(store, "a")

    assert store.get("thing", "a") == stored
    assert store.count("thing") == 1


@pytest.mark.parametrize(
    "labels",
    [{}, {"errorLabels": ["UnknownTransactionCommitResult", "TransientTransactionError"]}],
    ids=["one", "both"],
)
def test_a_group_of_which_nobody_knows_whether_it_was_kept_is_not_run_again(store, mongo_client, monkeypatch, labels):
    monkeypatch.setattr("lrs.storage.mongo.writer._PATIENCE_S", 0.0)
    begun, go_on, runs = threading.Event(), threading.Event(), []

    def first(_):
        begun.set()
        assert go_on.wait(WAIT)

    def decide(name, tx):
        runs.append(name)
        return tx.insert(Record("thing", name))

    lost = {"writeConcernError": {"code": 64, "errmsg": "not replicated in time"}} | labels
    ahead = store.write(first)
    assert begun.wait(WAIT)
    group = [store.write(partial(decide, name)) for name in "ab"]
    with failing(mongo_client, "commitTransaction", times=20, **lost):
        go_on.set()
        errors = [each.exception(WAIT) for each in (ahead, *group)]

    assert [type(error) for error in errors] == [OutcomeUnknown] * 3
    assert (runs, store.count("thing")) == (["a", "b"], 2)
    assert insert(store, "c").rev == 1


@pytest.mark.parametrize("command", ["findAndModify", "update", "commitTransaction"])
def test_a_group_that_meets_a_write_conflict_is_run_again(store, mongo_client, command):
    runs = []
    insert(store, "b")

    def decide(tx):
        runs.append(1)
        tx.owe("thing", "b", Owed("sync"))
        return tx.insert(Record("thing", "a"))

    with failing(mongo_client, command, errorCode=112, errorLabels=["TransientTransactionError"]):
        stored = store.write(decide).result(WAIT)

    assert store.get("thing", "a") == stored
    assert (stored.rev, len(runs)) == (1, 1 if command == "findAndModify" else 2)


def test_the_answer_of_a_decision_that_is_run_again_is_that_of_the_last_time(store, mongo_client):
    runs = []

    def decide(tx):
        runs.append(1)
        if len(runs) == 1:
            raise Refused("not yet")
        return tx.insert(Record("thing", "a"))

    with failing(mongo_client, "commitTransaction", errorCode=112, errorLabels=["TransientTransactionError"]):
        stored = store.write(decide).result(WAIT)

    assert store.get("thing", "a") == stored


def test_a_full_disk_is_store_full_and_nothing_is_kept_and_later_it_goes_on(store, mongo_client):
    with failing(mongo_client, "update", errorCode=14031):
        error = store.write(lambda tx: tx.insert(Record("thing", "a"))).exception(WAIT)

    assert isinstance(error, StoreFull)
    assert str(error) == "the database is full: nothing of this request was stored"
    assert store.get("thing", "a") is None
    assert insert(store, "a").rev == 1


def test_two_claims_of_one_entry_at_once_give_it_to_one_of_them(store, database):
    owing(store, "a", "evaluate")
    found = database.record.find_one()
    owe(store, "a", "sync")

    assert store._set(found, []) is None  # noqa: SLF001 (the compare-and-set the claim stands on)
    assert only(claim(store, "evaluate")).record.id == "a"


def test_a_server_that_went_away_is_overloaded_for_readers_and_writers(tmp_path, clock):
    with subprocess.Popen([*STAND_IN, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        url = child.stdout.readline().decode().strip() + "lrs?serverSelectionTimeoutMS=300"
        store = open_store(url, clock=clock)
        insert(store, "a")
        child.kill()
        child.wait(WAIT)

    for ask in (lambda: store.get("thing", "a"), lambda: store.find(Walk("thing")), store.horizon, store.backlog):
        with pytest.raises(Overloaded) as refused:
            ask()
        assert refused.value.cause is DATABASE
    assert isinstance(store.write(lambda tx: tx.insert(Record("thing", "b"))).exception(4 * WAIT), Overloaded)
    store.close()


def test_a_binary_of_any_kind_is_read_as_bytes(store, database):
    insert(store, "a", body=b"x")
    database.record.update_one({}, {"$set": {"body": Binary(b"x", 0x80)}})

    assert type(store.get("thing", "a").body) is bytes


def test_a_server_that_hangs_is_overloaded_and_the_writer_goes_on_afterwards(mongo_server, mongo_url, clock):
    wire = Wire(mongo_server)
    name = mongo_url.rpartition("/")[2]
    store = open_store(f"{wire.address}/{name}?directConnection=true&timeoutMS=2000", clock=clock)
    insert(store, "a")

    wire.open.clear()
    written = store.write(lambda tx: tx.insert(Record("thing", "b")))
    for ask in (lambda: store.get("thing", "a"), store.failing, lambda: store.blobs.size("a")):
        with pytest.raises(Overloaded) as refused:
            ask()
        assert refused.value.cause is DATABASE
    assert isinstance(written.exception(4 * WAIT), Overloaded)
    wire.open.set()

    assert insert(store, "c").rev == 1
    store.close()
    wire.close()


def test_a_server_that_is_away_while_a_blob_is_read_is_overloaded(store, monkeypatch):
    name = store.blobs.put([b"abc"])

    def away(_file):
        raise AutoReconnect("the server is away")

    monkeypatch.setattr(GridOut, "readchunk", away)

    chunks = store.blobs.open(name)
    with pytest.raises(Overloaded) as refused:
        next(chunks)
    assert refused.value.cause is DATABASE


@pytest.mark.parametrize(
    ("url", "limits"),
    [
        ("mongodb://h/d", (20.0, None)),
        ("mongodb://h/d?socketTimeoutMS=7000", (7.0, None)),
        ("mongodb://h/d?timeoutMS=3000", (20.0, 3.0)),
    ],
)
def test_every_command_has_a_time_limit_and_the_users_own_comes_first(url, limits):
    client, _ = connect(url)
    found = client.options.pool_options.socket_timeout, client.options.timeout
    client.close()

    assert found == limits


def shifted(answer, seconds):
    """The server's *answer* with another time of its clock."""
    head, name, rest = answer.partition(b"\x09localTime\x00")
    if not name:
        return answer
    (then,) = struct.unpack_from("<q", rest)
    return head + name + struct.pack("<q", then + seconds * 1_000) + rest[8:]


def of_6_0(answer):
    """The server's *answer* as one of MongoDB 6.0."""
    return answer.replace(
        b"\x10maxWireVersion\x00" + struct.pack("<i", 27), b"\x10maxWireVersion\x00" + struct.pack("<i", 17)
    )


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_server_whose_clock_is_off_is_refused_with_both_times(mongo_server, mongo_url, clock, seconds):
    wire = Wire(mongo_server, partial(shifted, seconds=seconds))
    url = f"{wire.address}/{mongo_url.rpartition('/')[2]}?directConnection=true"

    refusals = []
    for ask in (lambda: open_store(url, clock=clock), lambda: found_and_known(url)):
        with pytest.raises(Misconfigured) as refused:
            ask()
        refusals.append(str(refused.value))
    wire.close()

    for told in refusals:
        assert "this machine's" in told
        assert told.endswith(": set both by a time server (NTP), then start again")
        theirs, ours = (datetime.fromisoformat(time) for time in re.findall(r"[0-9-]{10}T[0-9:]{8}Z", told))
        assert abs((theirs - ours).total_seconds() - seconds) < 5


def test_a_server_that_is_too_old_is_refused_with_the_oldest_that_will_do(mongo_server, mongo_url, clock):
    wire = Wire(mongo_server, of_6_0)

    with pytest.raises(Misconfigured, match=r"LRS_STORE_URL: this MongoDB is \S+; use 7\.0 or a later one"):
        open_store(f"{wire.address}/{mongo_url.rpartition('/')[2]}?directConnection=true", clock=clock)
    wire.close()
