"""Two persons who may be one: what is known of each, the reasons for and against. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lrs.competency.listed import ListedLearner
from lrs.kernel.plain_text import capital
from lrs.pages.views import NO_NAME, identifier_shown, known_by
from lrs.people.search import folded
from lrs.web.dates import written_moment
from lrs.web.listing import ListColumn, ListRow

COLUMNS = (
    ListColumn("one", "One", sortable=False),
    ListColumn("other", "Other", sortable=False),
    ListColumn("reason", "What suggests it", facet=True),
    ListColumn("source", "Who suggests it", facet=True, sources=True),
    ListColumn("against", "Against it", facet=True),
)
NOTHING = "Nothing"


class Side(msgspec.Struct, frozen=True):
    """What is known of one of the two: its group, and when it was first seen (microseconds UTC)."""

    person: str
    members: tuple[str, ...]
    listed: ListedLearner
    first: int
    has_account: bool
    consents: int


def rows(found: Iterable[Mapping[str, Any]], names: Mapping[str, str], root: str) -> list[ListRow]:
    """The suggestions, in the form of ``joins.shown``; *names* are those of persons who have one."""
    return [_row(one, names, root) for one in found]


def _row(one: Mapping[str, Any], names: Mapping[str, str], root: str) -> ListRow:
    first, second = one["persons"]
    texts = [_text(side, names.get(side["person"], "")) for side in (first, second)]
    return ListRow(
        {
            "one": texts[0],
            "other": texts[1],
            "reason": one["reason"],
            "source": one["source"],
            "against": one["conflict"] or NOTHING,
        },
        {"reason": capital(one["reason"]), "against": capital(one["conflict"] or NOTHING)},
        links={"one": f"{root}/staff/same-person/{first['person']}/{second['person']}"},
        moods={"against": "bad"} if one["conflict"] else {},
    )


def _text(side: Mapping[str, Any], name: str) -> str:
    """One of a pair: the name, if there is one, and the identifier that the pair is about."""
    identifier = " ".join(reversed(identifier_shown(side["identifier"])))
    return f"{name}, {identifier}" if name else identifier


def side(one: Side, zone: str) -> dict[str, Any]:
    """The page's text about one of the two."""
    return {
        "person": one.person,
        "name": next(iter([*one.listed.names, *known_by(each.ifi for each in one.listed.known)]), NO_NAME),
        "names": one.listed.names[1:],
        "known": [
            {"text": identifier_shown(each.ifi)[1], "sort": identifier_shown(each.ifi)[0], "sources": each.sources}
            for each in one.listed.known
        ],
        "skills": [f"{skill.text}: {skill.level}" for skill in one.listed.skills],
        "first": written_moment(one.first, zone),
        "has_account": one.has_account,
        "consents": one.consents,
        "others": len(one.members) - 1,
    }


def for_it(one: ListedLearner, other: ListedLearner, suggested: Iterable[Mapping[str, Any]]) -> list[str]:
    """The reasons for one person."""
    found = [f"{capital(each['reason'])} (from {each['source']})" for each in suggested]
    here, there = ({folded(name): name for name in each.names} for each in (one, other))
    found += [f"Both are called {here[name]}" for name in here if name in there]
    return found


def against_it(one: ListedLearner, other: ListedLearner, conflict: str | None) -> list[str]:
    """The reasons against it."""
    found = [capital(conflict)] if conflict else []
    names, others = ({folded(name) for name in each.names} for each in (one, other))
    if names and others and not names & others:
        found.append(f"One is called {one.names[0]}, the other {other.names[0]}")
    return found
