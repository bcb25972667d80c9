"""Columns in words that people read, and the headers that other programs give them: those that sources share. Pure.

``guessed`` proposes what the headers of a file mean. A person sees the proposal and corrects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from lrs.kernel.tables.header import fold

_CLOSE = 0.86
"""How alike a header and a known one must be (difflib's ratio) for one to be proposed for the other."""


class RowDecision(NamedTuple):
    """What a person may decide about a row: in *words*, and the *cell* that says it in a *column* of the row."""

    words: str
    column: str
    cell: str


class ColumnWords(NamedTuple):
    """A column in words, and the headers that it often has elsewhere.

    *decisions* are what a person may decide where a row cannot be told apart by this column, by the problem's code.
    """

    label: str
    headers: tuple[str, ...] = ()
    decisions: Mapping[str, tuple[RowDecision, ...]] = {}


COLUMNS: Mapping[str, ColumnWords] = {
    "uln": ColumnWords("Learner number (ULN)", ("unique learner number", "learner uln", "uln number")),
    "learner_ref": ColumnWords(
        "Your reference for the learner",
        ("learner id", "learnrefnumber", "learner reference number", "learner number", "provider ref", "student ref"),
    ),
    "email": ColumnWords(
        "E-mail address", ("e-mail address", "learner email", "student email", "mail", "email address")
    ),
    "given_names": ColumnWords("Given names", ("first name", "forename", "firstname", "first names", "given name")),
    "family_name": ColumnWords("Family name", ("surname", "last name", "lastname", "familyname")),
    "start_date": ColumnWords(
        "Start of the apprenticeship", ("programme start date", "learnstartdate", "apprenticeship start date")
    ),
    "planned_end_date": ColumnWords(
        "Planned end", ("end date", "learnplanenddate", "expected end date", "planned end", "target end date")
    ),
    "status": ColumnWords("State (learning, break, held …)", ("completion status", "compstatus", "learner status")),
}
"""Columns that several sources have. Those of one source alone stand with it (``Source.named``)."""


def headers_known(columns: Iterable[str], named: Mapping[str, ColumnWords]) -> Mapping[str, str]:
    """The column of *columns* for each folded header: its own name, and those that it often has elsewhere.

    *named* are those of *columns* that stand with their source.
    """
    listed = sorted(columns)
    others = {fold(word): column for column in listed for word in (named.get(column) or COLUMNS[column]).headers}
    return others | {fold(column): column for column in listed}


def guessed(headers: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """For each of *headers* the column that it may mean by those *known* (``headers_known``): its name, or one like it.

    A column is proposed once, for the header that fits best.
    """
    folded = {header: fold(header) for header in headers}
    found: dict[str, str] = {}
    for column_of in (known, _Close(known)):
        for header, name in folded.items():
            column = column_of.get(name)
            if column and header not in found and column not in found.values():
                found[header] = column
    return found


class _Close(Mapping[str, str]):
    """The columns of headers that are like a known one."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> str:
        near = get_close_matches(name, self._known, 1, _CLOSE) if len(name) > 4 else []
        if not near:
            raise KeyError(name)
        return self._known[near[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
