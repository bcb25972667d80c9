"""The files of the sample programme, as fresh on any day as on the day they were written. Knows no store and no clock.

Its evidence holds for a year or two: with dates that stood still, what the story tells would one day have expired.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

WRITTEN = date(2026, 11, 20)
"""The day that the dates in the files are right for: the practical was last week."""
FILES = ("framework.csv", "rules.csv", "roles.csv", "training-centre.csv", "portfolio.csv", "portfolio-profile.json")
_DATE = re.compile(r"\b(?:(\d{4})-(\d{2})-(\d{2})|(\d{2})/(\d{2})/(\d{4}))\b")


def moved(text: str, day: date) -> str:
    """*text* with every date (2026-11-10 or 10/11/2026) moved by the whole weeks that *day* is after ``WRITTEN``.

    Whole weeks, so that nobody teaches on a Sunday; rounded down, so that nothing lies in the future.
    """
    by = timedelta(weeks=(day - WRITTEN).days // 7)

    def later(found: re.Match[str]) -> str:
        year, month, of_month, before, between, after = found.groups()
        if year:
            return (date(int(year), int(month), int(of_month)) + by).isoformat()
        return (date(int(after), int(between), int(before)) + by).strftime("%d/%m/%Y")

    return _DATE.sub(later, text)


def write(folder: Path, day: date) -> None:
    """Puts the files into *folder*, as they are on *day*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        text = (files("lrs.ops.demo") / name).read_text("utf-8")
        (folder / name).write_text(moved(text, day), "utf-8", newline="")
