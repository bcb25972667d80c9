"""What planning shows of its counts: at each size near the smallest number, with and without seats."""

from __future__ import annotations

from adapters.planning import figures
from adapters.planning.counts import Count, Counted
from adapters.planning.figures import SEATS, Planning
from tests.told.story import Story


def test_bookings_beside_their_seats(told):
    """Bookings of fewer seats than the smallest number are kept back, also where there are none; seats never are."""
    story = Story()
    for k in (5, 6):
        story.head(f"smallest number {k}")
        for seats in (0, 1, 4, 5, 6, 20):
            for booked in (0, 3, 5, 6):
                centre = f"centre of {seats}"
                counts = (
                    Counted(Count(SEATS, centre, SEATS), seats),
                    Counted(Count(SEATS, centre, "booked"), booked),
                    Counted(Count(SEATS, "another", SEATS), 30),
                    Counted(Count(SEATS, "another", "booked"), 12),
                    Counted(Count("supply", centre, "held"), 7),
                )
                shown = figures.shown(Planning(k=k, counts=counts)).counts
                story.say(
                    f"{seats} seats, {booked} booked: "
                    + ", ".join(
                        f"{what.part} {what.measure} {number}"
                        for what, number in sorted(shown.items())
                        if what.of == centre
                    )
                )

    told(str(story))
