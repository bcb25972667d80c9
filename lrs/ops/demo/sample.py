"""The files of the sample programme, with dates moved to the present. Knows no store and no clock.

Evidence is valid for a year or two, so with fixed dates the levels of the story would expire one day.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

WRITTEN = date(2026, 11, 20)
"""The day for which the dates in the files were written: the practical was the week before."""
FILES = (
    *("framework.csv", "rules.csv", "roles.csv", "training-centre.csv", "portfolio.csv", "portfolio-profile.json"),
    *("standard.json", "catalogue.csv", "checklists.csv", "demand.csv", "districts.csv"),
    *("occupations.csv", "skills.csv", "occupationSkillRelations.csv"),
)
_DATE = re.compile(r"\b(?:(\d{4})-(\d{2})-(\d{2})|(\d{2})/(\d{2})/(\d{4}))\b")


def moved(text: str, day: date) -> str:
    """*text* with every date (2026-11-10 or 10/11/2026) moved by the whole weeks from ``WRITTEN`` to *day*.

    Whole weeks, so that no lesson is on a Sunday; rounded down, so that no date of evidence is in the future.
    """
    by = timedelta(weeks=(day - WRITTEN).days // 7)

    def later(found: re.Match[str]) -> str:
        year, month, of_month, before, between, after = found.groups()
        if year:
            return (date(int(year), int(month), int(of_month)) + by).isoformat()
        return (date(int(after), int(between), int(before)) + by).strftime("%d/%m/%Y")

    return _DATE.sub(later, text)


def write(folder: Path, day: date) -> None:
    """Writes the files to *folder* with the dates for *day*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        text = (files("lrs.ops.demo") / name).read_text("utf-8")
        (folder / name).write_text(moved(text, day), "utf-8", newline="")
