from __future__ import annotations

import pytest

from adapters.ledger.diff import LedgerEntry, Version, decide
from adapters.ledger.ledger import Ledger, LedgerWrite, Overtaken, write_in


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
