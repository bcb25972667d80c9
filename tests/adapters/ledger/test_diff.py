from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from adapters.ledger import pipeline
from adapters.ledger.diff import LedgerEntry, Version, decide, key_of
from adapters.ledger.ledger import Ledger, LedgerWrite, Overtaken, write_in
from adapters.ledger.pipeline import StatementsRefused
from adapters.reading.source import Fact, LedgerNote, Mapped, RowPlace, Unusable


def test_nobody_knows_it_so_it_is_new_and_once_known_it_is_unchanged():
    assert decide(None, "a", 1).status == "new"
    assert decide(LedgerEntry(Version(1, "a", 1)), "a", 1).status == "unchanged"
    assert decide(None, "", 1).status == "absent"


def test_what_may_have_been_sent_is_sent_again_alike_or_voided():
    maybe = LedgerEntry(Version(1, "a", 1), (Version(2, "b", 3),))

    alike, other, back = decide(maybe, "b", 3), decide(maybe, "c", 1), decide(maybe, "a", 1)

    assert (alike.target, alike.voids) == (Version(2, "b", 3), (Version(1, "a", 1),))
    assert (other.target, other.voids) == (Version(3, "c", 1), (Version(1, "a", 1), Version(2, "b", 3)))
    assert (back.target, back.voids) == (Version(3, "a", 1), (Version(1, "a", 1), Version(2, "b", 3)))
    assert other.settled == LedgerEntry(Version(3, "c", 1))


def test_an_entry_that_another_job_wrote_meanwhile_is_decided_anew(tenant):
    one, other = LedgerEntry(Version(1, "a", 1)), LedgerEntry(Version(1, "b", 1))

    def write(job, entry):
        row = LedgerWrite("key", entry, expected=None)
        tenant.store.write(lambda tx: write_in(tx, "eportfolio/north", job, [row])).result()

    write("first", one)
    write("first", one)  # the job was interrupted, and is run again
    with pytest.raises(Overtaken):
        write("second", other)

    assert Ledger(tenant.store, "eportfolio", "north").get("key") == one


def test_whatever_a_job_has_written_it_finds_what_was_there_before_it_when_it_goes_on(tenant):
    former, once, twice = (LedgerEntry(Version(number, letter, 1)) for number, letter in enumerate("abc", 1))

    def write(job, key, entry, expected):
        row = LedgerWrite(key, entry, expected)
        tenant.store.write(lambda tx: write_in(tx, "eportfolio/north", job, [row])).result()

    write("before", "old", former, None)
    for key, there in (("old", former), ("new", None)):
        write("job", key, once, there)
        write("job", key, twice, once)

    again = Ledger(tenant.store, "eportfolio", "north", "job")
    assert [(again.before(key), again.done(key)) for key in ("old", "new")] == [(former, twice), (None, twice)]
    assert dict(again.all_before()) == {"old": former}
    after = Ledger(tenant.store, "eportfolio", "north", "after")
    assert [(after.before(key), after.done(key)) for key in ("old", "new")] == [(twice, None), (twice, None)]


class Said(msgspec.Struct):
    what: str = "done"


@dataclass
class NotedLater:
    """A source whose first row corrects a fact, and whose second has a problem and keeps more of the same fact."""

    template: int = 1

    def read(self, _table, _earlier):
        yield Mapped((RowPlace("", 1),), (Fact("log", ("one",), Said()),))
        noted = LedgerNote("log", ("one",), "more")
        yield Mapped((RowPlace("", 2),), problem=Unusable("unknown", "", "", "?"), noted=(noted,))

    def statements(self, _fact):
        return []


@pytest.mark.parametrize(("refused", "revision"), [(False, 2), (True, 1)])
def test_what_the_store_refused_was_told_to_no_later_row(tenant, monkeypatch, refused, revision):
    monkeypatch.setattr(pipeline, "CHUNK", 1)
    key = key_of("log", ("one",))
    former = [LedgerWrite(key, LedgerEntry(Version(1, "former", 1)), None)]
    tenant.store.write(lambda tx: write_in(tx, "eportfolio/north", "before", former)).result()
    asked = []

    def apply(_names, _rows, due):
        asked.extend(one.row.entry.live for one in due)
        return {one.row.key: StatementsRefused(413, "too large") for one in due if refused and len(asked) == 1}

    list(pipeline.run(NotedLater(), None, Ledger(tenant.store, "eportfolio", "north"), apply))

    assert [(one.revision, one.kept) for one in asked] == [(2, ""), (revision, "more")]
