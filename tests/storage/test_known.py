"""A transaction remembers what it has looked for in vain, so that whoever puts it afterwards reads nothing."""

from lrs.storage import Record
from lrs.storage.known import Known, in_its_place

STORED = Record("thing", "a", b"one", rev=3)


class Stored:
    """One record, and the ids that were asked for."""

    def __init__(self):
        self.asked = []

    def get(self, kind, id):
        self.asked.append(id)
        return STORED if (kind, id) == ("thing", "a") else None

    def get_many(self, kind, ids):
        return {id: found for id in ids if (found := self.get(kind, id))}

    def get_all(self, wanted):
        return {(kind, id): found for kind, id in wanted if (found := self.get(kind, id))}


def test_what_was_not_there_is_not_asked_for_again_and_what_was_there_is():
    stored = Stored()
    known = Known(stored)

    found = [known.get("thing", "b"), known.get_many("thing", ["b", "c", "a"]), known.get("thing", "c")]
    again = known.get("thing", "a")

    assert found == [None, {"a": STORED}, None]
    assert again == STORED
    assert stored.asked == ["b", "c", "a", "a"]


def test_what_was_not_there_is_asked_for_once_the_transaction_may_have_written_it():
    stored = Stored()
    known = Known(stored)
    known.get("thing", "b")

    known.forget("thing", "b")
    known.get("thing", "b")

    assert stored.asked == ["b", "b"]


def test_a_record_with_a_revision_is_put_without_a_look_and_one_without_takes_that_of_what_is_there():
    stored = Stored()
    known = Known(stored)

    revisions = [in_its_place(known, Record("thing", id, rev=rev)).rev for id, rev in (("a", 2), ("a", 0), ("b", 0))]

    assert revisions == [2, 3, 0]
    assert stored.asked == ["a", "b"]
