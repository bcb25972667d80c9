"""Finds out what a file is: its sort, its headers, the adapter that knows most of them, and what they may mean.

Pure but for reading the file; knows no store. A person sees what was found, and corrects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.imports.mappings import SavedProfile
from adapters.imports.sources import SOURCES
from adapters.reading.columns import guessed, headers_known
from adapters.reading.profile import MappingProfile
from adapters.reports.mended import own_headers, repaired_import
from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import KnownHeaders, fold
from lrs.kernel.tables.heads import FileHeads, heads_of
from lrs.kernel.tables.sort import Sort
from lrs.kernel.tables.table import Table


class Look(msgspec.Struct, frozen=True):
    """What a file says of itself: its *sort*, its *headers* as it writes them, and (sheet, row) of each header.

    *known* is the name of the saved profile that fits, *before* the file of the import that it is read like. *guesses*
    are headers whose column is a guess; *given* says that the sender named the adapter, and how the columns are read.
    """

    sort: str
    headers: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    known: str = ""
    guesses: tuple[str, ...] = ()
    before: str = ""
    given: bool = False


class FoundFile(msgspec.Struct, frozen=True):
    """A look, and how the file would be read: by *adapter*, with *profile*.

    *mends* is the id of the import whose rows it repairs, *samples* are the first values beneath each header.
    """

    look: Look
    adapter: str
    profile: MappingProfile
    mends: str = ""
    samples: Mapping[str, tuple[str, ...]] = {}


OTHERS: Sequence[tuple[Sequence[str], str, str]] = (
    (("activity", "verb", "competency", "level"), "a table of rules", "Rules"),
    (("role", "region", "year", "headcount"), "a table of how many people are wanted", "Planning"),
    (("district", "region"), "a table of postcode districts", "Planning"),
    (("checklist", "step", "text"), "a table of checklists", "Checklists"),
    (("offering", "title", "competency"), "a table of the catalogue", "Catalogue"),
)
"""Tables of ours that are no file of learners: headers that tell each, what it is, and the page that takes it."""
USUAL = "eportfolio"
"""The adapter of a file whose headers say no more of one than of another, from a provider of whom nothing is known."""


def look_at(
    path: Path, saved: Sequence[SavedProfile], adapter: str = "", before: Sequence[FoundFile] = ()
) -> FoundFile:
    """What the file at *path* is. *saved* are the profiles that its provider has.

    *before* are files of the provider that came in, newest first: one of the same form says how this one is read, too,
    with its dates and hours. Else it is read by *adapter*, if somebody chose one, or by the one that knows most of its
    headers, of several that know as many by that of the newest file. Raises ``Refused`` for a file that is no table
    or no table of learners, and says what it is instead.
    """
    if not adapter:
        _check_learners(path)
    saved = [one for one in saved if adapter in {"", one.adapter}]
    heads = heads_of(path, _every_header(saved))
    headers = own_headers(heads.headers)
    mends = repaired_import(heads.headers)
    best = max(saved, key=lambda one: _known_to(one, headers), default=None)
    guesses = [_guess(name, heads, headers) for name in ([adapter] if adapter else SOURCES)]
    usual = before[0].adapter if before else USUAL
    guess = max(guesses, key=lambda one: (_columns(one), one.adapter == usual))
    if best is not None and _known_to(best, headers) >= _columns(guess):
        look = msgspec.structs.replace(guess.look, known=best.name, guesses=())
        return FoundFile(look, best.adapter, best.profile, mends, heads.samples)
    like = next((one for one in before if adapter in {"", one.adapter} and _is_alike(one, headers)), None)
    if like is not None:
        look = msgspec.structs.replace(guess.look, before=like.look.before, guesses=())
        return FoundFile(look, like.adapter, like.profile, mends, heads.samples)
    return msgspec.structs.replace(guess, mends=mends, samples=heads.samples)


def _check_learners(path: Path) -> None:
    """Raises ``Refused`` for one of ``OTHERS``."""
    known = KnownHeaders({fold(header): header for headers, _, _ in OTHERS for header in headers})
    there = {fold(one) for one in heads_of(path, known).headers}
    names_learners = not there.isdisjoint(headers_known(("uln", "learner_ref", "email"), {}))
    for headers, what, page in OTHERS:
        if not names_learners and there.issuperset(map(fold, headers)):
            message = f"this is {what}, and no file of learners: send it on the page {page}"
            raise Refused(message, error="other_table")


def look_given(table: Table) -> Look:
    """The look of a file whose sender said how it is read: what was read of it as *table*."""
    sort: Sort = ("json" if table.dialect.is_json else "text") if table.dialect else "workbook"
    headers = dict.fromkeys(name for one in table.sheets for name in one.header.written.values() if name)
    places = tuple((one.title, one.header.row) for one in table.sheets)
    return Look(sort, tuple(headers), places, given=True)


def profile_for(headers: Iterable[str], chosen: dict[str, str], base: MappingProfile) -> MappingProfile:
    """*base*, but with the column *chosen* for each of *headers*; ``""`` for one that is not read.

    A header that has the name of a column, and is not to mean it, gives way to the one that is.
    """
    listed: dict[str, list[str]] = {}
    for header in headers:
        if chosen.get(header):
            listed.setdefault(chosen[header], []).append(header)
    return msgspec.structs.replace(base, headers=listed)


def column_of(header: str, adapter: str, profile: MappingProfile) -> str:
    """The column that *header* means to *adapter* under *profile*, or ``""``."""
    name = fold(header)
    own = {fold(column): column for column in SOURCES[adapter].columns}
    return (own | profile.aliases()).get(name, "")


def _guess(adapter: str, heads: FileHeads, headers: Sequence[str]) -> FoundFile:
    source = SOURCES[adapter]
    meant = guessed(headers, headers_known(source.columns, source.named))
    exact = {fold(column) for column in source.columns}
    others = {header: column for header, column in meant.items() if fold(header) not in exact}
    places = tuple((head.title, head.row) for head in heads.sheets)
    look = Look(heads.sort, tuple(headers), places, guesses=tuple(others))
    profile = profile_for(headers, others, MappingProfile())
    return FoundFile(look, adapter, profile)


def _is_alike(before: FoundFile, headers: Iterable[str]) -> bool:
    """Whether a file with *headers* has the form of *before*: the same headers, or all that a given profile names."""
    names, aliases = {fold(header) for header in headers}, set(before.profile.aliases())
    is_named = before.look.given and bool(aliases) and aliases <= names
    return is_named or names == {fold(header) for header in before.look.headers}


def _columns(found: FoundFile) -> int:
    """How many columns of its adapter the file has."""
    return len({column_of(one, found.adapter, found.profile) for one in found.look.headers} - {""})


def _known_to(saved: SavedProfile, headers: Iterable[str]) -> int:
    return len({column_of(one, saved.adapter, saved.profile) for one in headers} - {""})


def _every_header(saved: Iterable[SavedProfile]) -> KnownHeaders:
    known: dict[str, str] = {}
    for one in SOURCES.values():
        known |= headers_known(one.columns, one.named)
    return KnownHeaders(known | {name: column for one in saved for name, column in one.profile.aliases().items()})
