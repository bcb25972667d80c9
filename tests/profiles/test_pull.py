"""What services ask for over HTTP: tokens, the feed, one profile, the gap, the roles."""

from __future__ import annotations

import base64

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from lrs.profiles import roles, services
from lrs.tenants import Tenant
from tests.profiles.world import (
    HOUR,
    SECOND,
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


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_given_for_the_secret_in_the_header_or_in_the_form(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        form = {"grant_type": "client_credentials", "client_id": "career-converter"}
        by_form = client.post("/oauth/token", data={**form, "client_secret": made.client_secret})
        by_header = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials", "scope": "roles:read"},
            auth=("career-converter", made.client_secret),
        )

    assert by_form.status_code == 200
    assert by_form.headers["cache-control"] == "no-store"
    assert by_form.json()["token_type"] == "Bearer"
    assert by_form.json()["expires_in"] == 3600
    assert by_form.json()["scope"] == "profiles:read profiles:read.evidence roles:read gap:read"
    assert by_header.json()["scope"] == "roles:read"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "somebody-else"}, 401, "invalid_client"),
    ],
)
def test_errors_of_the_token_endpoint_have_the_shape_of_rfc_6749(
    tenant: Tenant, form: dict[str, str], status: int, error: str
) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        answer = client.post("/oauth/token", data=form, auth=("career-converter", made.client_secret))

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize(("id", "secret"), [("career-converter", "wrong"), ("nobody", "wrong"), ("", "")])
def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(tenant: Tenant, id: str, secret: str) -> None:
    put_service(tenant)

    with web(tenant) as client:
        answer = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(id, secret))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="engraft"'
    assert answer.json() == {
        "error": "invalid_client",
        "error_description": "unknown client, wrong secret, or a client that was disabled",
    }


@pytest.mark.parametrize("header", ["Basic !!!", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Basic YQ=="])
def test_a_header_that_cannot_be_read_is_an_unknown_client(tenant: Tenant, header: str) -> None:
    with web(tenant) as client:
        form = {"grant_type": "client_credentials"}
        answer = client.post("/oauth/token", data=form, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_request_that_is_no_form_is_refused(tenant: Tenant) -> None:
    with web(tenant) as client:
        answer = client.post("/oauth/token", json={"grant_type": "client_credentials"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_token_ends_after_an_hour(tenant: Tenant, clock: Clock) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        headers = bearer(client, made)
        clock.now += HOUR - SECOND
        before = client.get("/api/profiles", headers=headers)
        clock.now += SECOND
        after = client.get("/api/profiles", headers=headers)

    assert before.status_code == 200
    assert after.status_code == 401
    assert after.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_disabling_a_service_closes_its_open_tokens_at_once(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        headers = bearer(client, made)
        tenant.store.write(lambda tx: services.disable(tx, "career-converter", "test")).result()
        answer = client.get("/api/profiles", headers=headers)
        again = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("career-converter", made.client_secret)
        )

    assert answer.status_code == 401
    assert again.status_code == 401


def test_a_token_signed_by_somebody_else_or_by_nobody_opens_nothing(tenant: Tenant) -> None:
    made = put_service(tenant)
    claims = {"aud": "engraft/access", "sub": "career-converter", "salt": made.service.salt, "scope": "profiles:read"}
    forged = jwt.encode({"alg": "HS256"}, {**claims, "exp": 9_999_999_999}, OctKey.import_key(b"k" * 32))
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    unsigned = f"{header}.{forged.split('.')[1]}."

    with web(tenant) as client:
        answers = [
            client.get("/api/profiles", headers={"Authorization": f"Bearer {text}"})
            for text in (forged, unsigned, "x", "a.b.c")
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401]


def test_without_a_token_the_answer_is_401_and_without_the_scope_403_in_our_one_shape(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        nobody = client.get("/api/roles")
        narrow = client.get("/api/roles", headers=bearer(client, made, "profiles:read"))

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert nobody.json()["error"] == "unauthorized"
    assert narrow.status_code == 403
    assert narrow.json()["error"] == "insufficient_scope"


# -- the feed -------------------------------------------------------------------------------------------------------


def walk(client: httpx.Client, headers: dict[str, str], cursor: str | None = None, limit: int = 2) -> tuple[list, str]:
    """Follows the feed to its end: the entries, and where to go on next time."""
    entries = []
    while True:
        answer = client.get(
            "/api/profiles", headers=headers, params={"limit": limit, **({"cursor": cursor} if cursor else {})}
        )
        assert answer.status_code == 200, answer.text
        entries += answer.json()["profiles"]
        cursor = answer.json()["cursor"]
        if not answer.json()["more"]:
            return entries, cursor


def test_the_feed_shows_each_consented_profile_once_and_goes_on_where_it_stopped(tenant: Tenant) -> None:
    made = put_service(tenant)
    people = put_learners(tenant, 5)

    with web(tenant) as client:
        headers = bearer(client, made)
        first, cursor = walk(client, headers)
        nothing, same = walk(client, headers, cursor)
        put_profile(tenant, people[1], held("gown", 3))
        run_sync(tenant)
        changed, _ = walk(client, headers, same)

    assert sorted(entry["subject"] for entry in first) == sorted(subject_of(tenant, person) for person in people)
    assert nothing == []
    assert [(entry["subject"], entry["version"]) for entry in changed] == [(subject_of(tenant, people[1]), 2)]
    assert changed[0]["profile"]["competencies"][0]["level"]["ordinal"] == 3


def test_a_profile_that_changes_during_a_walk_is_met_again_and_none_is_missed(tenant: Tenant) -> None:
    made = put_service(tenant)
    people = put_learners(tenant, 4)

    with web(tenant) as client:
        headers = bearer(client, made)
        page = client.get("/api/profiles", headers=headers, params={"limit": 2}).json()
        seen = page["profiles"][0]["subject"]
        person = next(one for one in people if subject_of(tenant, one) == seen)
        put_profile(tenant, person, held("gown", 4))
        run_sync(tenant)
        rest, _ = walk(client, headers, page["cursor"])

    subjects = [entry["subject"] for entry in page["profiles"] + rest]
    assert sorted(set(subjects)) == sorted(subject_of(tenant, one) for one in people)
    assert subjects.count(seen) == 2
    assert subjects[-1] == seen


def test_a_cursor_that_was_changed_or_is_another_services_is_refused(tenant: Tenant) -> None:
    made, other = put_service(tenant), put_service(tenant, name="Other")
    put_learners(tenant, 1)

    with web(tenant) as client:
        headers = bearer(client, made)
        cursor = client.get("/api/profiles", headers=headers).json()["cursor"]
        middle = len(cursor) // 2
        tampered = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
        bad = [tampered, cursor[:-3], "x", "", "é", "A" * 10_000]
        answers = [client.get("/api/profiles", headers=headers, params={"cursor": text}) for text in bad]
        foreign = client.get("/api/profiles", headers=bearer(client, other), params={"cursor": cursor})

    assert [answer.status_code for answer in [*answers, foreign]] == [400] * 7
    assert {answer.json()["error"] for answer in [*answers, foreign]} == {"bad_cursor"}


@pytest.mark.parametrize("limit", ["0", "1001", "many", "-1"])
def test_a_limit_out_of_range_is_400_in_our_one_shape(tenant: Tenant, limit: str) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        answer = client.get("/api/profiles", headers=bearer(client, made), params={"limit": limit})

    assert answer.status_code == 400
    assert set(answer.json()) >= {"error", "message"}


def test_a_withdrawn_profile_is_a_tombstone_even_before_the_worker_has_run(tenant: Tenant) -> None:
    made = put_service(tenant)
    person, other = put_learners(tenant, 2)

    with web(tenant) as client:
        headers = bearer(client, made)
        _, cursor = walk(client, headers)
        take_back(tenant, person)
        at_once, _ = walk(client, headers)
        gone = client.get(f"/api/profiles/{subject_of(tenant, person)}", headers=headers)
        run_sync(tenant)
        news, _ = walk(client, headers, cursor)

    tombstones = [entry for entry in at_once if entry["deleted"]]
    assert [entry["subject"] for entry in tombstones] == [subject_of(tenant, person)]
    assert "profile" not in tombstones[0]
    assert [entry["subject"] for entry in at_once if not entry["deleted"]] == [subject_of(tenant, other)]
    assert gone.status_code == 404
    assert [(entry["subject"], entry["deleted"]) for entry in news] == [(subject_of(tenant, person), True)]


def test_a_consent_that_ends_by_itself_ends_the_view_and_leaves_a_tombstone(tenant: Tenant, clock: Clock) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:a@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person, expires=clock.now + HOUR)
    run_sync(tenant)

    with web(tenant) as client:
        before, cursor = walk(client, bearer(client, made))
        clock.now += HOUR
        run_sync(tenant)
        headers = bearer(client, made)
        after, _ = walk(client, headers, cursor)

    assert [entry["deleted"] for entry in before] == [False]
    assert [entry["deleted"] for entry in after] == [True]


def test_two_services_know_the_same_learner_by_names_that_have_nothing_in_common(tenant: Tenant) -> None:
    one, two = put_service(tenant), put_service(tenant, name="Other")
    person = put_person(tenant, "mailto:a@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    agree(tenant, person, "other")
    run_sync(tenant)

    with web(tenant) as client:
        first, _ = walk(client, bearer(client, one))
        second, _ = walk(client, bearer(client, two))
        crossed = client.get(f"/api/profiles/{first[0]['subject']}", headers=bearer(client, two))

    assert len(first) == len(second) == 1
    assert first[0]["subject"] != second[0]["subject"]
    assert person not in (first[0]["subject"], second[0]["subject"])
    assert crossed.status_code == 404


# -- one profile ----------------------------------------------------------------------------------------------------


def test_a_profile_has_an_etag_and_is_not_sent_again_while_it_is_the_same(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)
    path = f"/api/profiles/{subject_of(tenant, person)}"

    with web(tenant) as client:
        headers = bearer(client, made)
        first = client.get(path, headers=headers)
        tag = first.headers["etag"]
        same = client.get(path, headers={**headers, "If-None-Match": f'"other", W/{tag}'})
        listed, _ = walk(client, headers)
        put_profile(tenant, person, held("gown", 3))
        run_sync(tenant)
        changed = client.get(path, headers={**headers, "If-None-Match": tag})

    assert first.status_code == 200
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert listed[0]["etag"] == tag
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_a_profile_shows_what_was_agreed_to_and_nothing_that_speaks_against_the_learner(tenant: Tenant) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:ana.secret@example.org")
    put_profile(tenant, person, held("gown"), held("fill", state="revoked"), held("clean", state="not held"))
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
                "id": "urn:uuid:b1",
                "achievement": "https://lrs.test/achievements/1",
                "name": "Gowning",
                "validFrom": "2026-11-01T09:00:00Z",
                "validUntil": None,
                "state": "issued",
            }
        ],
    }
    assert wide.json()["competencies"][0]["evidenceCount"] == 3
    assert "secret" not in wide.text
    assert person not in wide.text


def test_consent_for_another_purpose_shows_nothing(tenant: Tenant) -> None:
    made = put_service(tenant)
    (person,) = put_learners(tenant, 1)

    def repurposed(service: services.Service) -> services.Service:
        return msgspec.structs.replace(service, purpose="To sell you things")

    tenant.store.write(lambda tx: services.change(tx, "career-converter", repurposed)).result()

    with web(tenant) as client:
        answer = client.get(f"/api/profiles/{subject_of(tenant, person)}", headers=bearer(client, made))

    assert answer.status_code == 404


# -- gap and roles --------------------------------------------------------------------------------------------------


def put_roles(tenant: Tenant) -> None:
    found, _ = roles.read_roles("role,role_label,competency,level,weight\ntech,Technician,gown,4,1\n")
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
