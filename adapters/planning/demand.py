"""How many people are wanted: in which role, region and year, says whom. And the table of postcode districts.

Records: ``demand`` (id: of role, region, year and source) and ``planning-regions`` (id ``districts``: the region of
each postcode district). Columns of a demand file: ``role``, ``region``, ``year``, ``headcount``; optional ``source``.
Columns of a table of districts: ``district`` (the first half of a postcode), ``region``. A row that cannot be used is
left out alone, with its reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from adapters.reading.cells import DISTRICT
from lrs.competency.tables import read_table
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.tables.row import Row
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Role
from lrs.storage import ROWS, Reader, Record, Store, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND, REGIONS, DISTRICTS = "demand", "planning-regions", "districts"
COLUMNS: Mapping[str, tuple[str, ...]] = {"role": (), "region": (), "year": (), "headcount": ("people",), "source": ()}
REGION_COLUMNS: Mapping[str, tuple[str, ...]] = {"district": ("postcode district",), "region": ()}
MOST_PEOPLE, LONGEST = 1_000_000, 100
_DISTRICT = re.compile(DISTRICT)
RowReason = tuple[int, str]
T = TypeVar("T")


class Demand(msgspec.Struct, frozen=True, order=True):
    """*headcount* people are wanted in *role* (its id) and *region* in *year*; *source* says so."""

    role: str
    region: str
    year: int
    headcount: int
    source: str = ""
    v: int = 1

    @property
    def id(self) -> str:
        """The id of its record: a file with another number replaces it."""
        return name(KIND, self.role, self.region, str(self.year), self.source)


class DistrictTable(msgspec.Struct, frozen=True):
    """The region of each postcode district."""

    regions: dict[str, str]
    v: int = 1


def read_demand(
    content: Path | bytes, known: Mapping[str, str], regions: Collection[str]
) -> tuple[list[Demand], list[RowReason]]:
    """The rows of a demand file about *known* roles and *regions*, and why others are left out. Raises ``Refused``.

    *known* has the id of each role by what a file may call it.
    """
    rows, faults = read_table(content, COLUMNS, needed=("role", "region", "year", "headcount"))
    found, lost = _each(rows, lambda row: _demand(row, known, regions))
    told = {one.id: one for one in found}
    return list(told.values()), sorted([*((one.row, str(one.reason)) for one in faults), *lost])


def read_regions(content: Path | bytes) -> tuple[dict[str, str], list[RowReason]]:
    """The region of each district of a table, and why rows are left out. Raises ``Refused``."""
    rows, faults = read_table(content, REGION_COLUMNS, needed=("district", "region"))
    found, lost = _each(rows, _district)
    return dict(found), sorted([*((one.row, str(one.reason)) for one in faults), *lost])


def _each(rows: list[Row], read: Callable[[Row], T]) -> tuple[list[T], list[RowReason]]:
    found: list[T] = []
    lost: list[RowReason] = []
    for row in rows:
        try:
            found.append(read(row))
        except ValueError as error:
            lost.append((row.place.row, str(error)))
    return found, lost


def _demand(row: Row, known: Mapping[str, str], regions: Collection[str]) -> Demand:
    role = known.get(row["role"])
    if role is None:
        raise ValueError("role: there is no such role here: bring it in first, or write it as in the list of roles")
    region = _line(row, "region")
    if region not in regions:
        raise ValueError("region: no postcode district is in this region, so nobody is counted there")
    year = row["year"]
    if not re.fullmatch("20[0-9]{2}", year, re.ASCII):
        raise ValueError("year: write a year from 2000 to 2099")
    return Demand(role, region, int(year), _people(row["headcount"]), _line(row, "source"))


def _people(text: str) -> int:
    if text.startswith(("-", "\N{MINUS SIGN}")):
        raise ValueError("headcount: nobody can want fewer than 0 people")
    if not re.fullmatch("[0-9]{1,7}", text, re.ASCII) or int(text) > MOST_PEOPLE:
        raise ValueError(f"headcount: write a whole number of people from 0 to {MOST_PEOPLE}")
    return int(text)


def _district(row: Row) -> tuple[str, str]:
    district, region = row["district"].upper(), _line(row, "region")
    if not _DISTRICT.fullmatch(district):
        raise ValueError("district: write the first half of a postcode, such as SG1 or EC1A")
    if not region:
        raise ValueError("region: it is empty")
    return district, region


def _line(row: Row, column: str) -> str:
    text = " ".join(row[column].split())
    if len(text) > LONGEST or hidden_character(text):
        raise ValueError(f"{column}: write it in at most {LONGEST} characters")
    return text


class DemandTaken(msgspec.Struct, frozen=True):
    """What came of a demand file: how many rows did what, and which were left out, with the reason."""

    outcomes: dict[str, int]
    lost: list[RowReason]


def take(store: Store, content: Path | bytes, by: str) -> DemandTaken:
    """Brings a demand file in. Raises ``Refused`` for a file that is no such table, or has no row that can be used."""
    known = _names(roles.everyone(store))
    found, lost = read_demand(content, known, set(regions_of(store).values()))
    _check_some(found, lost)
    weight = ROWS * (1 + len(found))
    return DemandTaken(store.write(lambda tx: keep(tx, found, by), weight=weight).result(), lost)


def _names(known: Iterable[Role]) -> dict[str, str]:
    """The id of each role by what a file may call it: its id, or its label if no other role has that."""
    listed = list(known)
    labels = Counter(one.label for one in listed)
    return {one.label: one.id for one in listed if labels[one.label] == 1} | {one.id: one.id for one in listed}


def take_regions(store: Store, content: Path | bytes, by: str) -> list[RowReason]:
    """Brings a table of districts in, and gives the rows that were left out. Raises ``Refused`` as ``take`` does."""
    found, lost = read_regions(content)
    _check_some(found, lost)
    store.write(lambda tx: keep_regions(tx, found, by)).result()
    return lost


def _check_some(found: Collection[object], lost: Sequence[RowReason]) -> None:
    if not found and not lost:
        raise Refused("The file has no rows.", error="bad_file")
    if not found:
        row, reason = lost[0]
        raise Refused(f"No row of this file can be used. The first is row {row}: {reason}.", error="bad_file")


def keep(tx: Tx, found: Collection[Demand], by: str) -> dict[str, int]:
    """Stores what a file said; rows that it does not have stay. Gives how many were new, updated, unchanged."""
    done = {"new": 0, "updated": 0, "unchanged": 0}
    known = tx.get_many(KIND, [one.id for one in found]) if found else {}
    for one in found:
        body, old = msgspec.json.encode(one), known.get(one.id)
        outcome = "new" if old is None else "unchanged" if old.body == body else "updated"
        done[outcome] += 1
        if outcome != "unchanged":
            tx.put(Record(KIND, one.id, body, rev=old.rev if old else 0))
    audit.append(tx, by, "demand.imported", {"rows": str(len(found))})
    return done


def keep_regions(tx: Tx, found: Mapping[str, str], by: str) -> None:
    """Stores the table of districts in the place of the one before."""
    tx.put(Record(REGIONS, DISTRICTS, msgspec.json.encode(DistrictTable(dict(found)), order="sorted")))
    audit.append(tx, by, "regions.imported", {"districts": str(len(found))})


def everything(reader: Reader) -> Iterator[Demand]:
    """All that is wanted, in the order in which it came."""
    return (msgspec.json.decode(one.body, type=Demand) for one in each(reader, KIND))


def regions_of(reader: Reader) -> dict[str, str]:
    """The region of each postcode district; empty if no table was brought in."""
    record = reader.get(REGIONS, DISTRICTS)
    return msgspec.json.decode(record.body, type=DistrictTable).regions if record else {}


KINDS = (
    Kind(KIND, "fact", Demand, 1, subjects=None, retention="configuration", exported=True),
    Kind(REGIONS, "fact", DistrictTable, 1, subjects=None, retention="configuration", exported=True),
)
