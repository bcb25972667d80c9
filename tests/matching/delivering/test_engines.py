"""The way of a profile to a service, on each engine, with what ``evaluate`` really writes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from lrs.competency.frameworks.levels import Level
from lrs.competency.shapes import AboutCompetency, Profile, ProfileEntry
from lrs.matching import pull, services
from lrs.storage import Owed, Record, Store
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from tests.matching.world import Receiver, agree, put_badge, put_person, put_service, run_all, settings_in, take_back


def test_a_profile_is_told_shown_and_cut_off(store: Store, tmp_path: Path, clock, receiving: Receiver) -> None:
    tenant = Tenant("default", store, settings_in(tmp_path), Secrets(bytes(32)), clock)
    made = put_service(tenant, receiving.url)
    person = put_person(tenant, "mailto:ana@example.org")
    entry = ProfileEntry(
        competency=AboutCompetency("i1", "Gowning", "https://fw.test/gmp", 2, "G1"),
        level=Level(2, "t2", "Practitioner"),
        state="expiring",
        since=dt.date(2026, 1, 1),
        valid_until=dt.date(2026, 12, 1),
        evidence_count=3,
        award="a1",
    )
    body = msgspec.json.encode(Profile(1, person, 1, (entry,)))
    store.write(lambda tx: tx.insert(Record("profile", person, body, owed=(Owed("sync"),)))).result()
    agree(tenant, person)
    run_all(tenant)
    put_badge(tenant, person, "b1")
    run_all(tenant)
    page = pull.feed(tenant, made.service, None, 10)
    take_back(tenant, person)
    run_all(tenant)
    after = pull.feed(tenant, made.service, page["cursor"], 10)

    subject = services.pairwise(tenant, "career-converter", person)
    assert sorted(receiving.events[:2]) == ["consent.given", "profile.updated"]
    assert sorted(receiving.events[2:4]) == ["badge.issued", "profile.updated"]
    assert receiving.events[4:] == ["consent.withdrawn"]
    assert page["profiles"][0]["profile"]["competencies"] == [
        {
            "competency": {
                "id": "i1",
                "label": "Gowning",
                "framework": "https://fw.test/gmp",
                "version": 2,
                "code": "G1",
            },
            "level": {"ordinal": 2, "code": "t2", "label": "Practitioner"},
            "state": "expiring",
            "since": "2026-01-01",
            "validUntil": "2026-12-01",
        }
    ]
    assert [(one["subject"], one["deleted"]) for one in after["profiles"]] == [(subject, True)]
