"""What is kept of an ILR return: the allow-list. Everything that is not named here is gone once an element was read.

So ethnicity, disability, National Insurance number, date of birth, sex, addresses, postcodes of learners, employment
and prior attainment reach no file, no blob and no record. Of the place of delivery the postcode district is kept. Some
fields are looked at while the element is read, and only what follows from them is kept: whether an employer's number
passes its check, whether an assessment has a price, whether the learner starts again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from adapters.reading.cells import DISTRICT
from lrs.kernel.xml import Element


class KeptField(NamedTuple):
    """A column, and the field (element) that it has."""

    column: str
    field: str


OF_LEARNER = (
    KeptField("learner_ref", "LearnRefNumber"),
    KeptField("uln", "ULN"),
    KeptField("given_names", "GivenNames"),
    KeptField("family_name", "FamilyName"),
)
OF_DELIVERY = (
    KeptField("aim_ref", "LearnAimRef"),
    KeptField("aim_type", "AimType"),
    KeptField("aim_number", "AimSeqNumber"),
    KeptField("aim_id", "SWSupAimId"),
    KeptField("start_date", "LearnStartDate"),
    KeptField("planned_end_date", "LearnPlanEndDate"),
    KeptField("learning_end_date", "LearnActEndDate"),
    KeptField("fund_model", "FundModel"),
    KeptField("programme_type", "ProgType"),
    KeptField("standard_code", "StdCode"),
    KeptField("completion_status", "CompStatus"),
    KeptField("withdrawal_reason", "WithdrawReason"),
    KeptField("aim_outcome", "Outcome"),
    KeptField("achievement_date", "AchDate"),
    KeptField("outcome_grade", "OutGrade"),
    KeptField("assessment_org", "EPAOrgID"),
)
WORKED_OUT = ("planned_hours", "actual_hours", "assessment_priced", "restart", "delivery_district")
OF_RETURN = ("ilr_year", "ilr_ukprn", "ilr_made", "ilr_prepared", "ilr_learner", "ilr_line", "ilr_fault")
COLUMNS = (
    *OF_RETURN,
    *(one.column for one in OF_LEARNER),
    *(one.column for one in OF_DELIVERY),
    *WORKED_OUT,
)
"""The columns of the filtered records, in their order."""
FIELDS = frozenset(one.field for one in (*OF_LEARNER, *OF_DELIVERY)) | {"Learner", "LearningDelivery"}
"""The fields in which a fault of the schema is the learner's fault here. Others are for the department to judge."""
PLANNED, ACTUAL = "1", "3"
"""Codes of ``HRSRecord`` (2026-27): planned and actual off-the-job hours."""
_DISTRICT = re.compile(rf"({DISTRICT}) ?[0-9][A-Z]{{2}}")


class FieldReader(NamedTuple):
    """Reads fields of elements in one *namespace*."""

    namespace: str

    def text(self, element: Element, field: str) -> str:
        """What stands in the field, without blanks at its ends; ``""`` if it is not there."""
        return (element.findtext(f"{{{self.namespace}}}{field}") or "").strip()

    def below(self, element: Element, name: str) -> list[Element]:
        """The elements *name* right below *element*."""
        found: list[Element] = element.findall(f"{{{self.namespace}}}{name}")
        return found


def of_learner(read: FieldReader, learner: Element) -> dict[str, str]:
    """What is kept of a ``Learner`` without its deliveries."""
    return {one.column: read.text(learner, one.field) for one in OF_LEARNER}


def of_delivery(read: FieldReader, delivery: Element) -> dict[str, str]:
    """What is kept of a ``LearningDelivery``."""
    kept = {one.column: read.text(delivery, one.field) for one in OF_DELIVERY}
    prices = read.below(delivery, "AppFinRecord")
    fams = (read.text(one, "LearnDelFAMType") for one in read.below(delivery, "LearningDeliveryFAM"))
    postcode = _DISTRICT.fullmatch(read.text(delivery, "DelLocPostCode").upper())
    return kept | {
        "planned_hours": _hours(read, delivery, "PHours", PLANNED),
        "actual_hours": _hours(read, delivery, "OTJActHours", ACTUAL),
        "assessment_priced": _yes(any(_is_assessment_price(read, one) for one in prices)),
        "restart": _yes("RES" in fams),
        "delivery_district": postcode[1] if postcode else "",
    }


def employers_pass(read: FieldReader, learner: Element) -> bool:
    """Whether every employer's number of the learner passes its check (DD05). The numbers themselves are not kept."""
    numbers = (read.text(one, "EmpId") for one in read.below(learner, "LearnerEmploymentStatus"))
    return all(_is_employer(number) for number in numbers if number)


def _is_employer(number: str) -> bool:
    """DD05: 11 less the weighted sum by 11; 11 is 0, and 10 is no number. 999999999 is one that is not known yet."""
    if not re.fullmatch(r"[0-9]{9}", number):
        return False
    digit = 11 - sum(weight * int(sign) for weight, sign in zip(range(9, 1, -1), number, strict=False)) % 11
    return number == "999999999" or (digit % 11 == int(number[8]) and digit != 10)


def _is_assessment_price(read: FieldReader, record: Element) -> bool:
    return read.text(record, "AFinType") == "TNP" and read.text(record, "AFinCode") in {"2", "4"}


def _hours(read: FieldReader, delivery: Element, field: str, code: str) -> str:
    """Hours as the year has them: a field of the delivery (2025-26), or a record with a *code* (2026-27)."""
    records = (one for one in read.below(delivery, "HRSRecord") if read.text(one, "HRSCode") == code)
    return read.text(delivery, field) or next((read.text(one, "HRSAmount") for one in records), "")


def _yes(is_so: bool) -> str:  # noqa: FBT001 (a word for it)
    return "yes" if is_so else "no"
