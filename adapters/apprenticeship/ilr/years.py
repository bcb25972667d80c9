"""The teaching years whose returns are read: namespace, schema, first day. Pure.

Source: Department for Education, ILR schemas 2025-26 and 2026-27 (``schema-….xsd`` beside this module).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lrs.kernel.errors import Refused
from lrs.kernel.xml import XmlSchema


class IlrYear(NamedTuple):
    """A teaching year: 1 August (*first*) to 31 July. *code* is how a return writes it."""

    code: str
    namespace: str
    first: date

    @property
    def last(self) -> date:
        """The last day."""
        return date(self.first.year + 1, 7, 31)

    @property
    def spoken(self) -> str:
        """The year as people write it: 2025 to 2026."""
        return f"{self.first.year} to {self.first.year + 1}"


YEARS = (
    IlrYear("2526", "ESFA/ILR/2025-26", date(2025, 8, 1)),
    IlrYear("2627", "ILR/2026-27", date(2026, 8, 1)),
)
BY_CODE = {year.code: year for year in YEARS}


def year_of(root: str) -> IlrYear:
    """The year of a document by the name of its *root* (``{namespace}Message``).

    Refuses (400) any other document, and a return of a year that is not read.
    """
    namespace, _, name = root.removeprefix("{").rpartition("}")
    for year in YEARS:
        if (namespace, name) == (year.namespace, "Message"):
            return year
    listed = " and ".join(one.spoken for one in YEARS)
    if "ILR" in namespace.upper().split("/"):
        message = f"this is an ILR return of another year or form: those of {listed} are read"
        raise Refused(message, error="ilr_other_year")
    raise Refused(f"the file is XML, but no ILR return of {listed}: send the table as .xlsx or CSV", error="no_ilr")


@lru_cache(maxsize=len(YEARS))
def schema_of(code: str) -> XmlSchema:
    """The schema of the year with this *code*."""
    return XmlSchema(Path(__file__).with_name(f"schema-{code}.xsd"))
