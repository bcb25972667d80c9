"""What services told became of a learner, for the learner's own pages. Pure: no store, no clock, no markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lrs.pages.me.facts import OutcomeSeen
from lrs.web.dates import Dates


def outcomes(found: Iterable[OutcomeSeen], dates: Dates) -> list[dict[str, Any]]:
    """Each outcome with its day and the day on which it was taken back; empty if it was not."""
    return [
        {
            "service": one.service,
            "what": one.outcome.what.outcome,
            "role": one.role,
            "day": dates.day(one.outcome.what.day),
            "corrected": dates.moment(one.outcome.corrected) if one.outcome.corrected is not None else "",
            "gone": dates.moment(one.outcome.withdrawn) if one.outcome.withdrawn is not None else "",
        }
        for one in found
    ]
