"""Completion marks that were set and later taken off. Pure; knows no store.

Moodle sends ``completed`` when the mark of an activity is set, ``uncompleted`` when a teacher or the learner takes it
off. The latter takes back what earlier statements with a completing verb prove, under any rule: statements of the same
source and activity, about any identifier of the same person. Earlier means by timestamp, and by the place in the store
where timestamps are equal. So only the latest of several matters. A pass, a score or an attendance is a separate result
and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from lrs.competency.seen import SeenStatement

COMPLETED = frozenset({"http://adlnet.gov/expapi/verbs/completed"})
"""The verb that Moodle's logstore_xapi, in old and new versions, sends when a mark is set."""
UNCOMPLETED = frozenset(
    {
        "http://id.tincanapi.com/verb/uncompleted",
        "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/uncompleted",
    }
)
"""The verbs of Moodle's logstore_xapi for a mark that is taken off, the older one first."""


class Completion(msgspec.Struct, frozen=True):
    """The activity that a statement says is completed, and the statement's ``seq`` (its place in the store)."""

    activity: str
    seq: int


class Uncompletion(msgspec.Struct, frozen=True):
    """A statement that takes a mark off, for one identifier; the body of an ``uncompletion`` record.

    *event* is microseconds UTC, *seq* the statement's place in the store.
    """

    v: int
    statement: str
    identifier: str
    source: str
    activity: str
    timestamp: str
    event: int
    seq: int


LatestUncompletions = Mapping[tuple[str, str], Uncompletion]
"""The latest uncompletion of a person by source and activity."""
NO_MARKS: LatestUncompletions = {}


def completion_in(seen: SeenStatement, seq: int) -> Completion | msgspec.UnsetType:
    """The completion that a statement reports; ``UNSET`` if it reports none."""
    if seen.verb.id in COMPLETED and seen.object.objectType == "Activity":
        return Completion(seen.object.id, seq)
    return msgspec.UNSET


def latest(found: Iterable[Uncompletion]) -> LatestUncompletions:
    """The latest uncompletion of each mark."""
    last: dict[tuple[str, str], Uncompletion] = {}
    for one in sorted(found, key=lambda one: (one.event, one.seq, one.identifier)):
        last[one.source, one.activity] = one
    return last
