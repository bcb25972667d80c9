"""The demonstration as a process: what it leaves is what it tells, and holds for somebody who has only the files."""

from __future__ import annotations

import json
import subprocess
import sys


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
