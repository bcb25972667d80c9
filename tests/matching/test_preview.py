"""What a service would get of a learner: the very profile that it is sent then, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs.matching import preview, services
from lrs.matching.preview import BadgeSeen, RoleSeen, Seen, SkillSeen
from lrs.matching.registry import Registered
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Requirement, Role
from lrs.tenancy.tenants import Tenant
from lrs.web.page import environment
from tests.matching.world import (
    Clock,
    agree,
    bearer,
    held,
    put_badge,
    put_person,
    put_profile,
    run_sync,
    tenant_in,
    web,
)

EVERYTHING = ("profiles:read", "profiles:read.evidence", "badges:read", "gap:read")


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with tenant_in(tmp_path, Clock()) as opened:
        yield opened


@pytest.fixture
def ana(tenant: Tenant) -> str:
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"), held("clean", state="expiring"))
    put_badge(tenant, person, "b-1")
    return person


@pytest.mark.parametrize("scopes", [EVERYTHING[:1], EVERYTHING[:2], EVERYTHING])
def test_what_is_shown_before_is_what_is_sent_after(
    tenant: Tenant, made: Registered, ana: str, scopes: tuple[str, ...]
) -> None:
    before = preview.would_get(tenant, made.service, ana, scopes)
    none = preview.gets(tenant, made.service, ana)

    agree(tenant, ana, scopes=scopes)
    run_sync(tenant)
    with web(tenant) as client:
        (entry,) = client.get("/api/profiles", headers=bearer(client, made)).json()["profiles"]
    version = entry["profile"].pop("version")

    assert version == 1
    assert none is None
    assert before == entry["profile"] == preview.gets(tenant, made.service, ana)
    assert before["competencies"][0]["competency"]["label"] == "About gown"


def test_a_preview_says_what_each_scope_would_add(tenant: Tenant, made: Registered, ana: str) -> None:
    role = Role("cleaner", "Cleaner", (Requirement("gown"), Requirement("gmp", label="Good practice")))
    tenant.store.write(lambda tx: roles.keep(tx, role)).result()

    found = preview.preview(tenant, made.service, ana, EVERYTHING)

    gown = SkillSeen("About gown", "Tier 2", "held", "1 October 2026", "30 September 2027", None)
    badge = BadgeSeen("Gowning", "1 November 2026", "")
    assert found.seen.skills[0] == gown
    assert found.seen.badges == (badge,)
    assert [one.evidence for one in found.adds["profiles:read.evidence"]] == [3, 3]
    assert found.adds["badges:read"] == (badge,)
    assert found.adds["gap:read"] == (RoleSeen("Cleaner", 50.0, ("Good practice",)),)


def test_a_preview_adds_nothing_for_a_scope_that_is_not_asked_for(tenant: Tenant, made: Registered, ana: str) -> None:
    found = preview.preview(tenant, made.service, ana, EVERYTHING[:1])

    assert found.adds == {}
    assert found.seen.skills[0].evidence is None


def test_a_learner_without_evidence_has_an_empty_preview(tenant: Tenant, made: Registered) -> None:
    person = put_person(tenant, "mailto:new@example.org")

    assert preview.preview(tenant, made.service, person, EVERYTHING[:3]).seen == Seen((), ())


def test_a_service_that_is_shut_out_gets_nothing(tenant: Tenant, made: Registered, ana: str) -> None:
    agree(tenant, ana)
    shut = tenant.store.write(lambda tx: services.disable(tx, made.service.id, "test", by="test")).result()

    assert preview.gets(tenant, shut, ana) is None


def test_the_words_of_a_profile_stand_on_the_page(tenant: Tenant, made: Registered, ana: str) -> None:
    seen = preview.in_words(preview.would_get(tenant, made.service, ana, EVERYTHING[:2]))

    words = " ".join(environment().get_template("shared/sharing.html").module.profile(seen).split())

    assert "About gown" in words
    assert "until 30 September 2027" in words
    assert "ends soon, on 30 September 2027" in words
    assert "3 results count" in words
    assert "Gowning" in words
