"""Reads an ILR return while it arrives, and gives what is kept of it: CSV, one row for each learning delivery.

A learner who is complete is checked against the schema of the year, reduced to the columns of ``kept``, and dropped.
So no more than one learner is in memory, and nothing else of the file ever reaches a blob or a file of ours. Knows no
store.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from copy import deepcopy

from adapters.apprenticeship.ilr import kept
from adapters.apprenticeship.ilr.kept import COLUMNS, FIELDS, FieldReader
from adapters.apprenticeship.ilr.years import IlrYear, schema_of, year_of
from lrs.kernel.errors import Refused
from lrs.kernel.xml import Element, SchemaFault, XmlFeed

MOST_LEARNER = 2 * 1024 * 1024
"""Bytes of one learner. Those of real returns have a few thousand."""
_NAME = re.compile(
    r"ILR-([0-9]{8})-([0-9]{4})-([0-9]{8})-([0-9]{6})(?:-[0-9]{2})?(?: ?\([0-9]+\))?\.XML", re.IGNORECASE
)
_ELEMENT = re.compile(r"Element '(?:\{[^}]*\})?([A-Za-z0-9]{1,40})'")
_LAST_LINE = 65_535
"""libxml2 counts no further."""


class ReturnFilter:
    """One ILR return, given in blocks; *name* is the name of its file, if it has one.

    Raises ``Refused`` for another document, another year, two providers, or a header that is not as the schema says.
    """

    def __init__(self, name: str = "") -> None:
        self._name = _NAME.fullmatch(name)
        self._year: IlrYear | None = None
        self._read = FieldReader("")
        self._header: dict[str, str] = {}
        self._ukprn = ""
        self._learners = 0
        self._frame: Element = None
        tags = [
            f"{{*}}{name}" for name in ("Header", "LearningProvider", "Learner", "LearnerDestinationandProgression")
        ]
        self._feed = XmlFeed("the return", tags, MOST_LEARNER, self._began)

    def feed(self, block: bytes) -> bytes:
        """The records that end in *block*."""
        return self._records(self._feed.feed(block))

    def close(self) -> bytes:
        """The last records. Refuses a return without a learner."""
        last = self._records(self._feed.close())
        if not self._learners:
            raise Refused("the return has no learner: there is nothing to bring in", error="no_rows")
        return last

    def _began(self, root: str) -> None:
        self._year = year_of(root)
        self._read = FieldReader(self._year.namespace)

    def _records(self, elements: Iterator[Element]) -> bytes:
        made = io.StringIO()
        writer = csv.DictWriter(made, COLUMNS, restval="", lineterminator="\n")
        for element in elements:
            name = element.tag.rpartition("}")[2]
            if name == "Header" and not self._header:
                self._take_header(element)
                writer.writeheader()
            elif name == "LearningProvider":
                self._take_provider(element)
            elif name == "Learner":
                writer.writerows(self._learner(element))
            drop_earlier(element)
        return made.getvalue().encode()

    def _take_header(self, header: Element) -> None:
        """Keeps who made the return for which year, and when. Refuses what contradicts itself."""
        year = self._year
        details, source = self._only(header, "CollectionDetails"), self._only(header, "Source")
        told, self._ukprn = self._read.text(details, "Year"), self._read.text(source, "UKPRN")
        if year is None or told != year.code:
            raise Refused(
                "Header_4: the year in the header is not that of the schema (its namespace): make the return again",
                error="ilr_two_years",
            )
        if self._name and self._name[1] != self._ukprn:
            message = "Header_3: the UKPRN in the file's name is not the one in the header: it is another provider's"
            raise Refused(message, error="ilr_two_providers")
        if self._name and self._name[2] != year.code:
            message = "Filename_4: the year in the file's name is not the one in the header: name it as it was made"
            raise Refused(message, error="ilr_two_years")
        above = header.getparent()
        self._frame = above.makeelement(above.tag, nsmap=above.nsmap)
        self._frame.append(deepcopy(header))
        self._header = {
            "ilr_year": year.code,
            "ilr_ukprn": self._ukprn,
            "ilr_made": self._read.text(source, "DateTime"),
            "ilr_prepared": self._read.text(details, "FilePreparationDate"),
        }

    def _only(self, above: Element, name: str) -> Element:
        found = self._read.below(above, name)
        if len(found) != 1:
            raise Refused(f"the header of the return has no {name}: make the return again", error="bad_ilr")
        return found[0]

    def _take_provider(self, provider: Element) -> None:
        if self._read.text(provider, "UKPRN") != self._ukprn:
            message = "UKPRN_03: the learning provider's UKPRN is not the one in the header: make the return again"
            raise Refused(message, error="ilr_two_providers")
        self._frame.append(deepcopy(provider))
        found = schema_of(self._year.code).found(self._frame) if self._year else []
        outside = next((one for one in found if _element(one) != "Message"), None)
        if outside:
            raise Refused(f"the header of the return is not as the schema says: {_spoken(outside)}", error="bad_ilr")

    def _faults(self, learner: Element, year: IlrYear) -> list[SchemaFault]:
        """What the learner breaks in a return of its own: the header, the provider and this learner."""
        alone = deepcopy(learner)
        self._frame.append(alone)
        found = schema_of(year.code).found(self._frame)
        self._frame.remove(alone)
        return found

    def _learner(self, learner: Element) -> Iterator[dict[str, str]]:
        """A row for each delivery of *learner*; one row if there is none."""
        year, read = self._year, self._read
        if year is None or not self._header:
            raise Refused("the return has learners before its header: make the return again", error="bad_ilr")
        self._learners += 1
        found = self._faults(learner, year)
        fault = next((_spoken(one) for one in found if _is_kept(one)), "")
        if not fault and not kept.employers_pass(read, learner):
            fault = "EmpId_01: the number of an employer does not pass its check"
        own = self._header | kept.of_learner(read, learner) | {"ilr_learner": str(self._learners), "ilr_fault": fault}
        deliveries = read.below(learner, "LearningDelivery")
        for delivery in deliveries:
            yield own | kept.of_delivery(read, delivery) | {"ilr_line": _line(delivery.sourceline)}
        if not deliveries:
            yield own | {"ilr_line": _line(learner.sourceline)}


def drop_earlier(element: Element) -> None:
    """Removes all before *element* from the tree. The element itself stays for now: the parser is still at it."""
    above = element.getparent()
    while above is not None and (before := element.getprevious()) is not None:
        above.remove(before)


def _is_kept(fault: SchemaFault) -> bool:
    return _element(fault) in FIELDS


def _element(fault: SchemaFault) -> str:
    found = _ELEMENT.match(fault.message)
    return found[1] if found else ""


def _spoken(fault: SchemaFault) -> str:
    """The fault without what stands in the field."""
    what = "does not belong here" if "ELEMENT_CONTENT" in fault.kind else "is not written as the schema says"
    return f"Schema: {_element(fault) or 'an element'} {what} (line {_line(fault.line)})"


def _line(number: int | None) -> str:
    return str(number) if number and number < _LAST_LINE else "?"
