"""One profile, the gap and the roles over HTTP."""

from __future__ import annotations

import base64

import msgspec
from httpx import Response

from lrs.competency.frameworks import frameworks
from lrs.competency.frameworks.framework import item_id
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.kernel.sealed import seal
from lrs.matching import services
from lrs.matching.roles import roles
from lrs.storage import Walk
from lrs.tenancy.tenants import Tenant
from tests.competency.world import SHEET, URI
from tests.matching.world import (
    HOUR,
    START,
    Clock,
    agree,
    bearer,
    held,
    put_badge,
    put_person,
    put_profile,
    put_service,
    run_sync,
    take_back,
    token,
    web,
)

ALL = ("profiles:read", "profiles:read.evidence", "gap:read")


def subject_of(tenant: Tenant, person: str, service: str = "career-converter") -> str:
    return services.pairwise(tenant, service, person)


def put_learners(tenant: Tenant, count: int) -> list[str]:
    people = [put_person(tenant, f"mailto:learner{number}@example.org") for number in range(count)]
    for person in people:
        put_profile(tenant, person, held("gown"))
        agree(tenant, person)
    run_sync(tenant)
    return people


def test_a_profile_has_an_etag_and_is_not_sent_again_while_it_is_the_same(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)
    path = f"/api/profiles/{subject_of(tenant, person)}"

    with web(tenant) as client:
        headers = bearer(client, made)
        first = client.get(path, headers=headers)
        tag = first.headers["etag"]
        same = client.get(path, headers={**headers, "If-None-Match": f'"other", W/{tag}'})
        listed = client.get("/api/profiles", headers=headers).json()["profiles"]
        put_profile(tenant, person, held("gown", 3))
        run_sync(tenant)
        changed = client.get(path, headers={**headers, "If-None-Match": tag})

    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert listed[0]["etag"] == tag
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_a_profile_shows_what_was_agreed_to_and_nothing_that_speaks_against_the_learner(tenant: Tenant) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:ana.secret@example.org")
    put_profile(tenant, person, held("gown"))
    put_badge(tenant, person, "b1")
    put_badge(tenant, person, "b2", "revoked")
    agree(tenant, person)
    run_sync(tenant)
    path = f"/api/profiles/{subject_of(tenant, person)}"

    with web(tenant) as client:
        headers = bearer(client, made)
        narrow = client.get(path, headers=headers)
        agree(tenant, person, scopes=("profiles:read", "profiles:read.evidence"))
        wide = client.get(path, headers=headers)

    assert narrow.json() == {
        "subject": subject_of(tenant, person),
        "version": 1,
        "competencies": [
            {
                "competency": {
                    "id": "gown",
                    "label": "About gown",
                    "framework": "gmp",
                    "version": 1,
                    "code": "GOWN",
                },
                "level": {"ordinal": 2, "code": "t2", "label": "Tier 2"},
                "state": "held",
                "since": "2026-10-01",
                "validUntil": "2027-09-30",
            }
        ],
        "badges": [
            {
                "id": services.badge_reference(tenant, "career-converter", "urn:uuid:b1"),
                "achievement": "https://lrs.test/achievements/1",
                "name": "Gowning",
                "validFrom": "2026-11-01T00:00:00Z",
                "validUntil": None,
                "state": "issued",
            }
        ],
    }
    assert wide.json()["competencies"][0]["evidenceCount"] == 3
    assert "secret" not in wide.text
    assert person not in wide.text


def test_two_services_have_no_name_for_a_badge_in_common(tenant: Tenant) -> None:
    one, other = put_service(tenant), put_service(tenant, name="Other")
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person)
    for id in ("b1", "b2", "b3"):
        put_badge(tenant, person, id)
    agree(tenant, person)
    agree(tenant, person, service="other")
    run_sync(tenant)

    with web(tenant) as client:
        told = [client.get("/api/profiles", headers=bearer(client, made)).json() for made in (one, other)]

    names = [[badge["id"] for badge in feed["profiles"][0]["profile"]["badges"]] for feed in told]
    assert [len(set(ids)) for ids in names] == [3, 3]
    assert not set(names[0]) & set(names[1])
    assert "urn:uuid" not in str(told)


def test_the_badge_itself_needs_the_learners_consent_to_just_that(tenant: Tenant) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person)
    put_badge(tenant, person, "b1")
    put_badge(tenant, person, "b2", "revoked")
    put_badge(tenant, person, "b3")
    agree(tenant, person)
    run_sync(tenant)
    names = [services.badge_reference(tenant, "career-converter", f"urn:uuid:{id}") for id in ("b1", "b2", "b3")]
    path = f"/api/profiles/{subject_of(tenant, person)}/badges"

    with web(tenant) as client:
        headers = bearer(client, made)
        without = client.get(f"{path}/{names[0]}", headers=headers)
        agree(tenant, person, scopes=("profiles:read", "badges:read"))
        found = client.get(f"{path}/{names[0]}", headers=headers)
        third = client.get(f"{path}/{names[2]}", headers=headers)
        others = [client.get(f"{path}/{name}", headers=headers) for name in (names[1], "urn:uuid:b1", "b1")]

    assert (without.status_code, without.json()["error"]) == (404, "badge_unknown")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/vc")
    assert found.headers["cache-control"] == "private, no-cache"
    assert (found.json()["id"], third.json()["id"]) == ("urn:uuid:b1", "urn:uuid:b3")
    assert [answer.status_code for answer in others] == [404] * 3


def test_consent_for_another_purpose_shows_nothing(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)

    def repurposed(service: services.Service) -> services.Service:
        return msgspec.structs.replace(service, purpose="To sell you things")

    tenant.store.write(lambda tx: services.change(tx, "career-converter", repurposed)).result()

    with web(tenant) as client:
        answer = client.get(f"/api/profiles/{subject_of(tenant, person)}", headers=bearer(client, made))

    assert answer.status_code == 404


def put_roles(tenant: Tenant) -> None:
    found, _ = roles.read_roles(b"role,role_label,competency,level,weight\ntech,Technician,gown,4,1\n")
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()


def test_the_gap_needs_the_learners_consent_to_just_that(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)
    put_roles(tenant)
    path = f"/api/profiles/{subject_of(tenant, person)}/gap"

    with web(tenant) as client:
        headers = bearer(client, made)
        without = client.get(path, headers=headers, params={"role": "tech"})
        agree(tenant, person, scopes=ALL)
        found = client.get(path, headers=headers, params={"role": "tech"})
        unknown = client.get(path, headers=headers, params={"role": "pilot"})
        unnamed = client.get(path, headers=headers)

    assert without.status_code == 404
    assert found.json() == {
        "subject": subject_of(tenant, person),
        "on": "2026-11-18",
        "inEffect": True,
        "validFrom": None,
        "validUntil": None,
        "role": {"id": "tech", "label": "Technician"},
        "match": 50.0,
        "full": False,
        "essentials": {"required": 1, "met": 0, "match": 50.0},
        "requirements": [
            {
                "competency": "gown",
                "label": "About gown",
                "essential": True,
                "weight": 1.0,
                "required": 4,
                "level": 2,
                "result": "shortfall",
                "shortfall": 2,
                "validUntil": "2027-09-30",
            }
        ],
    }
    assert (unknown.status_code, unknown.json()["error"]) == (404, "role_unknown")
    assert unnamed.status_code == 400


def test_the_gap_to_a_role_says_whether_it_is_in_effect_on_the_day_that_is_asked_for(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)
    agree(tenant, person, scopes=ALL)
    found, _ = roles.read_roles(b"role,competency,valid_from,valid_until\ntech,gown,2028-01-01,2028-12-31\n")
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()
    path = f"/api/profiles/{subject_of(tenant, person)}/gap"

    with web(tenant) as client:
        headers = bearer(client, made)

        def asked(**more: str) -> Response:
            return client.get(path, headers=headers, params={"role": "tech", **more})

        days = ("2027-12-31", "2028-01-01", "2028-12-31", "2029-01-01")
        told = [(one["on"], one["inEffect"]) for one in (asked(on=day).json() for day in days)]
        today = asked().json()
        wrong = asked(on="2028-02-30")

    assert told == [("2027-12-31", False), ("2028-01-01", True), ("2028-12-31", True), ("2029-01-01", False)]
    assert (today["inEffect"], today["validFrom"], today["validUntil"]) == (False, "2028-01-01", "2028-12-31")
    assert today["match"] == 100.0
    assert wrong.status_code == 400


def put_framework(tenant: Tenant, sheet: str, *, published: bool = True) -> None:
    framework, faults = framework_from_sheet(sheet.encode(), uri=URI, title="Therapies", scale=PRESETS["tiers"])
    assert faults == ()
    tenant.store.write(lambda tx: frameworks.keep(tx, framework)).result()
    if published:
        tenant.store.write(lambda tx: frameworks.publish(tx, URI, "test")).result()


def test_what_neither_the_role_nor_the_profile_has_a_label_for_is_called_as_its_framework_calls_it(
    tenant: Tenant,
) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)
    agree(tenant, person, scopes=ALL)
    put_framework(tenant, SHEET)
    put_framework(tenant, SHEET.replace("Gowning", "Not yet published"), published=False)
    asked = (
        "role,competency,label,framework\n"
        f"tech,GOWN,,{URI}\n"
        f"tech,{item_id(URI, 'ASEP')},,\n"
        f"tech,GOWN-1,Our word,{URI}\n"
        "tech,ASEP,,\n"
        "tech,gown,,\n"
    )
    found, _ = roles.read_roles(asked.encode())
    tenant.store.write(lambda tx: [roles.keep(tx, role) for role in found]).result()

    with web(tenant) as client:
        headers = bearer(client, made)
        path = f"/api/profiles/{subject_of(tenant, person)}/gap"
        gap = client.get(path, headers=headers, params={"role": "tech"}).json()
        (role,) = client.get("/api/roles", headers=headers).json()["roles"]

    # A code without its framework names nothing; "gown" is the id of what the learner holds.
    words = ["Gowning", "Aseptic technique", "Our word", None]
    assert [row["label"] for row in gap["requirements"]] == [*words, "About gown"]
    assert [row["label"] for row in role["requirements"]] == [*words, None]


def test_no_gap_is_told_once_profiles_read_is_withdrawn_or_has_ended(tenant: Tenant, clock: Clock) -> None:
    made = put_service(tenant)
    one, other = put_learners(tenant, 2)
    put_roles(tenant)
    for person in (one, other):
        agree(tenant, person, scopes=ALL)
    agree(tenant, other, scopes=("profiles:read",), expires=START + HOUR)
    paths = [f"/api/profiles/{subject_of(tenant, person)}/gap" for person in (one, other)]

    with web(tenant) as client:
        headers = bearer(client, made)
        before = [client.get(path, headers=headers, params={"role": "tech"}).status_code for path in paths]
        take_back(tenant, one, scope="profiles:read")
        withdrawn = client.get(paths[0], headers=headers, params={"role": "tech"})
        agree(tenant, one, scopes=("profiles:read",))
        given_again = client.get(paths[0], headers=headers, params={"role": "tech"})
        clock.now += HOUR
        headers = bearer(client, made)
        ended = client.get(paths[1], headers=headers, params={"role": "tech"})

    assert before == [200, 200]
    assert (withdrawn.status_code, withdrawn.json()["error"]) == (404, "profile_unknown")
    assert given_again.status_code == 404  # what was withdrawn with it is asked for anew
    assert ended.status_code == 404


def test_roles_are_listed_with_what_they_ask_for(tenant: Tenant) -> None:
    made = put_service(tenant)
    put_roles(tenant)

    with web(tenant) as client:
        answer = client.get("/api/roles", headers=bearer(client, made))

    assert answer.json() == {
        "roles": [
            {
                "id": "tech",
                "label": "Technician",
                "source": None,
                "validFrom": None,
                "validUntil": None,
                "requirements": [
                    {
                        "competency": "gown",
                        "label": None,
                        "framework": None,
                        "level": 4,
                        "essential": True,
                        "weight": 1.0,
                    }
                ],
            }
        ]
    }


def test_the_same_routes_stand_under_the_tenants_own_path_and_an_unknown_tenant_is_404(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        headers = {"Authorization": f"Bearer {token(client, made)}"}

        assert client.get("/t/default/api/profiles", headers=headers).status_code == 200
        assert client.get("/t/elsewhere/api/profiles", headers=headers).status_code == 404


def test_two_services_cannot_join_a_learner_by_a_cursor_or_by_the_second_of_a_badge(tenant: Tenant) -> None:
    made = [put_service(tenant), put_service(tenant, name="Other")]
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person)
    put_badge(tenant, person, "b1")
    agree(tenant, person)
    agree(tenant, person, service="other")
    run_sync(tenant)

    with web(tenant) as client:
        told = [client.get("/api/profiles", headers=bearer(client, one)).json() for one in made]

    places = [str(record.seq) for record in tenant.store.find(Walk("change", limit=10)).records]
    assert len(places) == 2
    for feed in told:
        read = base64.urlsafe_b64decode(feed["cursor"] + "==").decode("latin-1")
        assert not [place for place in places if place[:8] in read]
        assert [one["validFrom"] for one in feed["profiles"][0]["profile"]["badges"]] == ["2026-11-01T00:00:00Z"]


def test_a_cursor_that_version_0_1_0_gave_out_still_says_where_to_go_on(tenant: Tenant) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person)
    agree(tenant, person)
    run_sync(tenant)
    (record,) = tenant.store.find(Walk("change", limit=10)).records
    former = seal(tenant.secret("cursor"), ("career-converter", record.seq))

    with web(tenant) as client:
        answer = client.get("/api/profiles", headers=bearer(client, made), params={"cursor": former})

    assert (answer.status_code, answer.json()["profiles"]) == (200, [])
