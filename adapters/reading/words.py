"""The words that people use for one meaning, by column: one table, which a mapping profile extends. Pure.

Words are compared without case, hyphens, underscores and blanks (``folded_word``). A row with an unknown word is
quarantined, with the list of known words. Words that only say that there is nothing (``NOTHING``) make a cell empty, in
every column that is not free text, unless the column's own table has them: a step's result ``n/a`` means that the step
does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from lrs.kernel.tables.row import Row

Words = Mapping[str, str]
"""The meaning of each folded word; the meaning ``""`` is nothing."""
_LONGEST = 40
"""Characters of the longest cell that can say nothing."""
EVERY = "*"
"""Stands for every column in a mapping profile's ``values``. Its words can only mean nothing."""


_STROKES = str.maketrans(dict.fromkeys("_-\u2010\u2011\u2012\u2013\u2014\u2212", " "))


def folded_word(word: str) -> str:
    """*word* without differences of writing: case, dashes, underscores, blanks, a full stop at the end."""
    return " ".join(word.casefold().translate(_STROKES).split()).removesuffix(".")


_folded_cell = lru_cache(maxsize=16_384)(folded_word)
"""The same for short cells, which come again and again in a file."""


def _table(**meanings: str) -> Words:
    """A table from each meaning and its words, divided by ``;``. The meaning itself is a word too."""
    words = {}
    for meaning, listed in meanings.items():
        for word in (meaning, *(listed.split(";") if listed else ())):
            words[folded_word(word)] = meaning
    return MappingProxyType(words)


NOTHING = _table(
    **{
        "": "-;.;n/a;n\\a;na;n.a;n/k;nk;none;nil;null;nan;undefined;unknown;tbc;tba;tbd;t.b.c;to be confirmed;"
        "to be advised;to be agreed;to be arranged;to be determined;to be decided;not applicable;not available;"
        "not known;not set;not given;not recorded;not entered;not yet known;no data;blank;empty;(blank);(none);(null);"
        "(empty);[null];<null>;00/00/0000;0000-00-00"
    }
)
YES_NO = _table(yes="y;true;t;1;x;\u2713;\u2714;on", no="n;false;f;0;off")
ENROLMENT = _table(
    learning="in learning;live;active;continuing;on programme;on program;current;enrolled;in training;in progress;"
    "started",
    **{"break": "on break;on a break;break in learning;bil;paused;suspended;on hold"},
    withdrawn="left;leaver;early leaver;withdrew;dropped out",
    completed="complete;achieved;finished",
)
EVIDENCE = _table(
    accepted="approved;signed off;passed;pass;met;achieved;competent",
    submitted="awaiting review;in review;under review;for review;awaiting assessment;awaiting marking;pending;"
    "submitted for review;ready for review",
    draft="in progress;not submitted;not started;started",
    rejected="referred;refer;declined;not accepted;returned;resubmit;not met;fail;failed;not yet competent",
)
_GRADED = {
    "pass": "passed;p;merit;m;distinction;d;dist;distinction*;d*;high pass",
    "fail": "failed;f;refer;referred;unsuccessful;not passed;did not pass;ungraded;u",
}
GRADE = _table(**_GRADED)
OUTCOME = _table(
    **_GRADED, pending="awaiting result;awaiting results;awaiting outcome;booked;scheduled;not yet taken;deferred"
)
KIND = _table(
    practical="hands on;practical session;lab;laboratory;workshop",
    classroom="classroom session;theory;lecture;seminar",
    vr="virtual;virtual reality",
    placement="work placement",
    work_experience="virtual work experience;work experience placement",
    fellowship="technology transfer fellowship;technology fellowship",
)
SESSION = _table(
    held="completed;complete;done;delivered;finished;took place",
    scheduled="planned;upcoming;booked;confirmed",
    cancelled="canceled;called off",
)
ATTENDANCE = _table(
    present="attended;p;/;\\;\u2713;\u2714;yes;y;true;1;on time;in attendance;checked in",
    late="l;arrived late;present late",
    left_early="left;le;early leave",
    excused="e;authorised absence;authorized absence;authorised;authorized;sick;ill;holiday;leave",
    absent="a;ab;abs;no show;noshow;dna;did not attend;not attended;non attendance;unauthorised absence;"
    "unauthorized absence;no;n;false;0",
    unmarked="not checked in;not marked;",
)
RESULT = _table(
    **{"pass": "passed;p;competent;yes;y;true;met;achieved;satisfactory;\u2713;\u2714"},
    fail="failed;f;not yet competent;nyc;not competent;no;n;false;not met;not achieved;unsatisfactory;refer;referred",
    na="n/a;not applicable",
)
RECORD = _table(
    session="sessions;event;events",
    roster="rosters;register;attendance;attendances",
    observation="observations;checklist;checklists",
)


def known_words(words: Words) -> str:
    """The *words* of a column for a person: each meaning, with its other words in brackets."""
    return ", ".join(_meaning(words, meaning) for meaning in dict.fromkeys(words.values()) if meaning)


def _meaning(words: Words, meaning: str) -> str:
    others = [word for word, meant in words.items() if meant == meaning and word not in {"", folded_word(meaning)}]
    return f"{meaning} ({', '.join(others)})" if others else meaning


class Silence(msgspec.Struct, frozen=True):
    """Which cells say nothing.

    *free* are columns of free text, *words* those with a table, *nothing* the words for all. *constants* replace cells
    that say nothing, as they do empty cells.
    """

    free: frozenset[str]
    words: Mapping[str, Words]
    constants: Mapping[str, str] = {}
    nothing: Words = NOTHING

    def row(self, row: Row) -> Row:
        """*row*, in which cells that say nothing are empty."""
        silent = [column for column, cell in row.cells.items() if cell and self._is_silent(column, cell)]
        if not silent:
            return row
        values = {column: value for column, value in row.values.items() if column not in silent}
        told = {column: self.constants.get(column, "") for column in silent}
        return msgspec.structs.replace(row, cells={**row.cells, **told}, values=values)

    def _is_silent(self, column: str, cell: str) -> bool:
        own = self.words.get(column)
        if len(cell) > _LONGEST or (own is None and column in self.free):
            return False
        word = _folded_cell(cell)
        if own is not None and word in own:
            return not own[word]
        return column not in self.free and word in self.nothing
