"""A learner's calendar, read by ical.js (npm), the parser of Thunderbird and Nextcloud, which nobody here wrote."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.catalogue import feed
from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import CentreSession
from lrs.kernel.times import HOUR

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
SUMMER = 1_814_515_200_000_000
"""2027-07-02 09:00 in London, which is 08:00 UTC."""
TITLE = 'Gwisgo; "gradd B", dydd 1 \\ ymarfer ŵ' + " é" * 60


def test_ical_js_reads_the_dates_of_a_plan_as_they_are_meant(node: Any) -> None:
    first = CentreSession(
        "north", "S1", TITLE, "practical", SUMMER, SUMMER + HOUR, "Europe/London", 0, "t", place="Leeds, 2"
    )
    other = CentreSession("north", "S2", "Placement", "placement", SUMMER, SUMMER + 40 * HOUR, "Europe/London", 0, "t")
    seats = [
        Attendee(first.id, "L1", (), "Ann", "booked", 0, "t"),
        Attendee(other.id, "L1", (), "Ann", "waiting", 0, "t"),
    ]

    read = node("ical", {"calendar": feed.calendar(zip((first, other), seats, strict=True), "My plan", SUMMER, str)})

    assert read["name"] == "My plan"
    assert [(one["summary"], one["location"], one["status"]) for one in read["events"]] == [
        (TITLE, "Leeds, 2, north", "CONFIRMED"),
        ("Placement", "north", "TENTATIVE"),
    ]
    assert [(one["starts"], one["ends"]) for one in read["events"]] == [
        ("2027-07-02T08:00:00.000Z", "2027-07-02T09:00:00.000Z"),
        ("2027-07-02T08:00:00.000Z", "2027-07-04T00:00:00.000Z"),
    ]
    assert [one["uid"] for one in read["events"]] == [f"{first.id}@engraft", f"{other.id}@engraft"]
