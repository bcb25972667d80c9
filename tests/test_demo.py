"""The demonstration as a process: what it leaves is what it tells, and holds for somebody who has only the files."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lrs.demo import sample


def test_the_sample_is_as_it_was_written_on_the_day_it_was_written_for(tmp_path):
    sample.write(tmp_path, date(2026, 11, 20))

    source = Path(sample.__file__).parent
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: (source / name).read_bytes() for name in sample.FILES
    }


def test_a_year_later_its_dates_are_a_year_later_and_nothing_else_is_different(tmp_path):
    sample.write(tmp_path, date(2027, 12, 24))

    centre, portfolio = ((tmp_path / f"{name}.csv").read_text("utf-8") for name in ("training-centre", "portfolio"))
    # 57 weeks: from Tuesday, 10 November 2026, to Tuesday, 14 December 2027.
    assert "practical,2027-12-14 09:00,2027-12-14 17:00,r.adeyemi@" in centre
    assert "Batch record: T cell expansion;07/12/2027;Signed off;" in portfolio
    assert ";ST1406;1.0;05/10/2026;03/10/2028;Live;" in portfolio
    assert "2026" not in centre
    assert "11/2026" not in portfolio
    assert (tmp_path / "rules.csv").read_bytes() == (Path(sample.__file__).parent / "rules.csv").read_bytes()


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2027, 11, 26), date(2028, 2, 29), date(2032, 3, 1)])
def test_on_any_day_the_practical_was_in_the_last_weeks_and_on_working_days(day):
    taught = date.fromisoformat(sample.moved("2026-11-11", day))
    later = [date.fromisoformat(sample.moved("2026-11-11", day + timedelta(days=count))) for count in range(8)]

    assert 9 <= (day - taught).days <= 15
    assert taught.weekday() == date(2026, 11, 11).weekday()
    assert later[7] == taught + timedelta(weeks=1)
    assert set(later) == {taught, taught + timedelta(weeks=1)}


def test_the_demonstration_leaves_what_it_tells(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lrs", "demo", "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    badge, verdict, profile, gap = (
        json.loads((out / f"{name}.json").read_text("utf-8")) for name in ("badge", "verify", "profile", "gap")
    )

    summary = json.loads(done.stdout)
    assert summary == {
        "out": str(out),
        "badge": badge["id"],
        "verified": True,
        "competencies": 4,
        "match": 88.9,
    }
    assert {check["name"]: check["ok"] for check in verdict["checks"]} == {
        "form": True,
        "badge": True,
        "signature": True,
        "dates": True,
        "status": True,
    }
    assert badge["name"] == "Gowning: Practitioner"
    assert sorted(
        (one["competency"]["code"], one["level"]["ordinal"], one["level"]["label"]) for one in profile["competencies"]
    ) == [
        ("A1", 2, "Practitioner"),
        ("A2", 2, "Practitioner"),
        ("B1", 2, "Practitioner"),
        ("C1", 2, "Practitioner"),
    ]
    # Gowning holds for a year after the practical, whenever this is played.
    until = next(one["validUntil"] for one in profile["competencies"] if one["competency"]["code"] == "A1")
    assert 340 < (date.fromisoformat(until) - datetime.now(UTC).date()).days < 360
    assert gap["subject"] == profile["subject"]
    # A1 and A2 weigh 3, C1 2, C2 1; all but C2 are met: 8 of 9 are 88.89 %.
    assert (gap["match"], gap["full"]) == (88.9, False)
    assert gap["essentials"] == {"required": 3, "met": 3, "match": 100.0}
    assert [(one["competency"], one["weight"], one["required"], one["result"]) for one in gap["requirements"]] == [
        ("A1", 3.0, 2, "met"),
        ("A2", 3.0, 2, "met"),
        ("C1", 2.0, 1, "met"),
        ("C2", 1.0, 1, "missing"),
    ]
    # Somebody who knows nothing but the files finds the same: the issuer is a key that the badge itself names.
    changed = out / "changed.json"
    changed.write_text(json.dumps(badge | {"name": "Gowning: Expert"}), "utf-8")
    assert [one["check"] for one in failed_checks(changed, tmp_path)] == ["signature"]


def failed_checks(path, folder):
    command = [
        sys.executable,
        "-m",
        "lrs",
        "badges",
        "verify",
        str(path),
        "--offline",
        "--json",
        "--data",
        str(folder / "else"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, check=False)
    return [
        {"check": one["name"]} for one in json.loads(done.stdout)["checks"] if not one["ok"] and one["name"] != "status"
    ]
