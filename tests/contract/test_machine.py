"""The same operations on SQLite, on MongoDB and on a small model in memory give the same answers, whatever they are.

Records that share a place come in an order of the engine's own, so walks are compared with such ties sorted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lrs.kernel.times import MINUTE
from lrs.storage import NEWEST, Exists, Owed, Record, Stale, Walk, first_seq, open_store, pages
from lrs.storage.sqlite.keys import SegmentSizes
from tests.builders import retried
from tests.conftest import SetClock
from tests.contract.acts import WAIT
from tests.contract.merging import MergedByHand
from tests.contract.model import Entry, Model

IDS = some.sampled_from(["a", "b", "c", "é.1"])
KINDS = some.sampled_from(["thing", "other"])
KEYS = some.lists(some.integers(1, 4), max_size=3).map(tuple)
STEPS = some.sampled_from(["evaluate", "sync"])
BODIES = some.binary(max_size=3).map(lambda some: some * 60)  # some are compressed
DUES = some.integers(-5, 5)
AT_ONCE_OR_LATER = some.none() | DUES
OWED = some.lists(some.tuples(STEPS, AT_ONCE_OR_LATER), max_size=2)
SIZES = SegmentSizes(entries=3, fan_out=2, step=2)
"""So small that every example has segments of several levels."""
PLACES = some.sampled_from([0, 0, 0, 0, 7, 8, first_seq(SetClock().now) + 4096])


class OneContract(RuleBasedStateMachine):
    """Subclassed with the addresses of the stores."""

    folder: str
    mongo_server: str
    drop: ClassVar[Callable[[str], object]]

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.model = Model(self.clock)
        self.database = f"lrs_machine_{secrets.token_hex(6)}"
        urls = [f"{self.mongo_server.rstrip('/')}/{self.database}"] if self.mongo_server else []
        self.by_hand = MergedByHand(f"{self.folder}/{self.database}.db", clock=self.clock, segments=SIZES)
        self.stores = [self.by_hand, *(open_store(url, clock=self.clock) for url in urls)]
        self.claims: dict[tuple[str, str, str], list[Any]] = {}

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        if self.mongo_server:
            self.drop(self.database)

    def everywhere(self, decide):
        """The outcome of *decide* on the model, after it was the same on every store."""
        before = (dict(self.model.records), {name: Entry(**vars(e)) for name, e in self.model.owed.items()})
        last = self.model.last
        expected = outcome(lambda: decide(self.model))
        if isinstance(expected, type):
            self.model.records, self.model.owed = before
            self.model.last = last
        for store in self.stores:
            assert outcome(lambda store=store: store.write(decide).result(WAIT)) == expected
        return expected

    @initialize(back=some.integers(0, 2), owing=some.lists(IDS, max_size=2, unique=True))
    def begin(self, back, owing):
        """Some records that owe work: leases would seldom be met otherwise."""
        self.clock.forward(seconds=-back)
        for id in owing:
            record = Record("thing", id, owed=(Owed("evaluate"), Owed("sync")))
            self.everywhere(lambda tx, record=record: bare(tx.insert(record)))

    @rule(kind=KINDS, id=IDS, body=BODIES, keys=KEYS, owed=OWED, seq=PLACES)
    def insert(self, kind, id, body, keys, owed, seq):
        record = Record(kind, id, body, {"m": len(keys)}, keys, entries(self.clock, owed), seq)
        self.everywhere(lambda tx: bare(tx.insert(record)))

    @rule(kind=KINDS, id=IDS, body=BODIES, keys=KEYS, owed=OWED, seq=PLACES, off=some.sampled_from([0, 0, 0, 1]))
    def replace(self, kind, id, body, keys, owed, seq, off):
        old = self.model.records.get((kind, id))
        rev = (old.rev if old else 1) + off
        record = Record(kind, id, body, {}, keys, entries(self.clock, owed), seq or (old.seq if old else 0), rev)
        self.everywhere(lambda tx: bare(tx.replace(record)))

    @rule(kind=KINDS, id=IDS, body=BODIES, keys=KEYS, owed=OWED, seq=PLACES, seen=some.sampled_from([None, None, 0, 1]))
    def put(self, kind, id, body, keys, owed, seq, seen):
        """Whatever is there, or (*seen*) with the revision of what is there, or one off."""
        old = self.model.records.get((kind, id))
        rev = 0 if seen is None else (old.rev if old else 0) + seen
        record = Record(kind, id, body, {}, keys, entries(self.clock, owed), seq, rev)
        self.everywhere(lambda tx: bare(tx.put(record)))

    @rule(kind=KINDS, id=IDS, bodies=some.lists(BODIES, min_size=2, max_size=3), looks=some.booleans())
    def put_again_in_one_decision(self, kind, id, bodies, looks):
        def decide(tx):
            for body in bodies:
                if looks:
                    tx.get(kind, id)
                tx.put(Record(kind, id, body))

        self.everywhere(decide)

    @precondition(lambda self: self.model.records)
    @rule(data=some.data(), body=BODIES, off=some.sampled_from([0, 1, -1]))
    def replace_what_is_there(self, data, body, off):
        """As ``replace``, which seldom meets a record: one revision off is stale."""
        name = data.draw(some.sampled_from(sorted(self.model.records)))
        record = msgspec.structs.replace(self.model.records[name], body=body, rev=self.model.records[name].rev + off)
        assert (self.everywhere(lambda tx: bare(tx.replace(record))) is Stale) is (off != 0)

    @rule(kind=KINDS, id=IDS)
    def move(self, kind, id):
        old = self.model.records.get((kind, id))
        if old:
            self.everywhere(lambda tx: bare(tx.replace(msgspec.structs.replace(old, seq=0))))

    @rule(kind=KINDS, id=IDS)
    def delete(self, kind, id):
        self.everywhere(lambda tx: tx.delete(kind, id))
        self.claims = {name: claims for name, claims in self.claims.items() if name[:2] != (kind, id)}

    @rule(kind=KINDS, id=IDS, step=STEPS, due=AT_ONCE_OR_LATER)
    def owe(self, kind, id, step, due):
        (owed,) = entries(self.clock, [(step, due)])
        self.everywhere(lambda tx: tx.owe(kind, id, owed))

    @rule(kind=KINDS, ids=some.lists(IDS, min_size=1, max_size=3, unique=True), fails=some.booleans())
    def several_in_one_decision(self, kind, ids, fails):
        def decide(tx):
            for id in ids:
                tx.delete(kind, id)
                tx.insert(Record(kind, id, b"several", keys=(1, 2)))
            if fails:
                raise ZeroDivisionError

        self.everywhere(decide)
        if not fails:
            self.claims = {n: claims for n, claims in self.claims.items() if n[0] != kind or n[1] not in ids}

    @rule(steps=some.integers(1, 4))
    def merge(self, steps):
        """So that what comes next meets segments that are merged in part."""
        for _ in range(steps):
            self.by_hand.merge()

    @rule(seconds=some.sampled_from([0, 1, 61, -1, -3_600]))
    def time_passes(self, seconds):
        self.clock.forward(seconds=seconds, micros=3)

    @rule(steps=some.sets(STEPS, min_size=1))
    def claim(self, steps):
        due = self.model.due(steps)
        self.leased(due, [store.claim(sorted(steps), limit=100, lease=MINUTE) for store in self.stores], alone=False)

    @rule(steps=some.sets(STEPS, min_size=1))
    def claim_what_was_lost(self, steps):
        """One by one, until none is left: which comes first is the engine's choice."""
        lost = self.model.due(steps, lost=True)
        for entry in lost.values():
            entry.tries += entry.alone
        per_store = [
            list(iter(lambda store=store: store.claim_lost(sorted(steps), lease=MINUTE), None)) for store in self.stores
        ]
        self.leased(lost, per_store, alone=True)

    def leased(self, due, per_store, *, alone):
        for name, entry in due.items():
            entry.at, entry.leased, entry.alone = self.clock() + MINUTE, True, alone
            if name in self.claims:
                self.lose(name)
            self.claims[name] = []
        for claims in per_store:
            named = {(each.record.kind, each.record.id, each.owed.step): each for each in claims}
            assert named.keys() == due.keys()
            assert len(claims) == len(due)
            for name, each in named.items():
                entry = self.model.owed[name]
                assert each.owed == Owed(name[2], entry.due, entry.tries, entry.error)
                assert each.record == self.model.records[name[:2]]
                self.claims[name].append(each)

    def lose(self, name):
        """What was claimed as *name* is owed or claimed anew: the former lease is good for nothing."""
        for store, claim in zip(self.stores, self.claims.pop(name), strict=True):
            assert outcome(lambda s=store, c=claim: s.settle([c], lambda _: None).result(WAIT)) is Stale
            assert store.defer(claim, due=self.clock(), error="late", parked=True) is False

    @precondition(lambda self: self.claims)
    @rule(data=some.data())
    def owe_what_is_leased(self, data):
        name = data.draw(some.sampled_from(sorted(self.claims)))
        if name in self.model.owed:
            self.everywhere(lambda tx: tx.owe(*name[:2], Owed(name[2])))
            self.lose(name)

    def live(self, name):
        return name in self.model.owed and self.model.owed[name].leased

    @rule(data=some.data())
    def settle(self, data):
        if not self.claims:
            return
        name = data.draw(some.sampled_from(sorted(self.claims)))
        expected = Stale if not self.live(name) else None
        for store, claim in zip(self.stores, self.claims.pop(name), strict=True):
            decide = lambda tx: tx.delete("none", "none") and None  # noqa: E731 (a decision that writes nothing)
            assert outcome(lambda s=store, c=claim, d=decide: s.settle([c], d).result(WAIT) or None) == expected
        if expected is None:
            del self.model.owed[name]

    @rule(data=some.data(), due=DUES, parked=some.booleans())
    def defer(self, data, due, parked):
        if not self.claims:
            return
        name = data.draw(some.sampled_from(sorted(self.claims)))
        live, at = self.live(name), self.clock() + due
        for store, claim in zip(self.stores, self.claims.pop(name), strict=True):
            assert store.defer(claim, due=at, error="why", parked=parked) is live
        if live:
            entry = self.model.owed[name]
            self.model.owed[name] = Entry(NEWEST if parked else at, at, entry.tries + 1, "why")

    @rule(step=some.none() | STEPS, kind=some.none() | KINDS)
    def retry(self, step, kind):
        chosen = [
            entry
            for name, entry in self.model.owed.items()
            if entry.at == NEWEST and step in {None, name[2]} and kind in {None, name[0]}
        ]
        for entry in chosen:
            entry.at, entry.due, entry.tries = 0, self.clock(), 0  # due at once, whatever the clock says later
        assert [retried(store, step, kind=kind) for store in self.stores] == [len(chosen)] * len(self.stores)

    @rule(
        kind=KINDS,
        keys=KEYS,
        newest_first=some.booleans(),
        limit=some.integers(1, 4),
        bounds=some.sampled_from([(0, NEWEST), (7 - 1, 7), (7, NEWEST), (0, first_seq(SetClock().now) + 2048)]),
    )
    def find(self, kind, keys, newest_first, limit, bounds):
        after, until = bounds
        expected = self.model.find(kind, keys, after, until)
        for store in self.stores:
            found = []
            asked = Walk(kind, keys, after=after, until=until, newest_first=newest_first, limit=limit)
            for page in pages(store, asked):
                assert len(page.records) <= limit
                found += page.records
            places = [record.seq for record in found]
            assert places == sorted(places, reverse=newest_first)
            assert sorted(found, key=lambda each: (each.seq, each.id)) == expected
            assert (after, until) != (0, NEWEST) or store.count(kind, keys) == len(expected)

    @invariant()
    def all_hold_the_same(self):
        for store in self.stores:
            assert store.wrong_keys() == 0
            for kind in ("thing", "other"):
                assert store.get_many(kind, ["a", "b", "c", "é.1", "none"]) == {
                    id: record for (k, id), record in self.model.records.items() if k == kind
                }
            assert store.backlog() == self.model.backlog()


def entries(clock, owed):
    return tuple(Owed(step, 0 if due is None else clock() + due) for step, due in owed)


def bare(record):
    return msgspec.structs.replace(record, owed=())


def outcome(act):
    """What *act* returns, or the class of what it raises."""
    try:
        return act()
    except (Exists, Stale, ZeroDivisionError) as error:
        return type(error)


@pytest.mark.parametrize(
    ("engines", "examples", "steps"),
    [
        ("sqlite", 60, 40),
        ("sqlite and mongo", 8, 25),
        pytest.param("sqlite", 1_000, 40, marks=pytest.mark.soak),
        pytest.param("sqlite and mongo", 100, 25, marks=pytest.mark.soak),
    ],
)
@pytest.mark.timeout(600)
def test_every_engine_does_what_the_model_does(request, tmp_path, engines, examples, steps):
    mongo = "mongo" in engines

    class Machine(OneContract):
        folder = str(tmp_path)
        mongo_server = request.getfixturevalue("mongo_server") if mongo else ""
        drop = staticmethod(request.getfixturevalue("mongo_client").drop_database) if mongo else None

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
