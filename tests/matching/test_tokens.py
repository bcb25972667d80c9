"""Access tokens: who gets one, what it opens, and for how long."""

from __future__ import annotations

import base64
from functools import partial

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from lrs.matching import services
from lrs.tenancy.tenants import Tenant
from lrs.web.refusals import newest
from tests.matching.world import HOUR, SECOND, Clock, bearer, put_service, web
from tests.programs import until


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
    assert by_form.json()["scope"] == "profiles:read profiles:read.evidence badges:read roles:read gap:read"
    assert by_header.json()["scope"] == "roles:read"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": ["roles:read", "gap:read"]}, 400, "invalid_request"),
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


@pytest.mark.parametrize("body", [b"grant_type=%ff", b"\xff", b"&".join([b"a=b"] * 21), b"scope=x"])
def test_a_form_that_cannot_be_read_or_lacks_the_grant_type_is_invalid(tenant: Tenant, body: bytes) -> None:
    with web(tenant) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = client.post("/oauth/token", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_who_guesses_secrets_is_told_to_wait_and_the_right_one_is_still_taken(tenant: Tenant) -> None:
    made = put_service(tenant)
    form = {"grant_type": "client_credentials"}

    with web(tenant) as client:
        guess = partial(client.post, "/oauth/token", data=form, auth=("career-converter", "wrong"))
        wrong = [guess().status_code for _ in range(100)]
        over = guess()
        right = client.post("/oauth/token", data=form, auth=("career-converter", made.client_secret))
        until(lambda: len(newest(tenant.settings.data, 200)) == 101, "the refusals")

    assert set(wrong) == {401}
    assert (over.status_code, over.json()["error"]) == (429, "too_many_attempts")
    assert 1 <= int(over.headers["retry-after"]) <= 61
    assert right.status_code == 200
    first, last = (newest(tenant.settings.data, 200)[at] for at in (0, -1))
    assert (first.resource, first.tenant, first.status, first.error) == (
        "/oauth/token",
        "default",
        401,
        "invalid_client",
    )
    assert (last.status, last.cause) == (429, "credentials")


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
        tenant.store.write(lambda tx: services.disable(tx, "career-converter", "test", by="test")).result()
        answer = client.get("/api/profiles", headers=headers)
        again = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("career-converter", made.client_secret)
        )

    assert answer.status_code == 401
    assert again.status_code == 401


def test_a_scope_taken_from_a_service_is_taken_from_its_open_tokens_at_once(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        headers = bearer(client, made)
        before = [client.get(path, headers=headers).status_code for path in ("/api/profiles", "/api/roles")]
        take = lambda service: msgspec.structs.replace(service, scopes=("roles:read",))  # noqa: E731 (reads best here)
        tenant.store.write(lambda tx: services.change(tx, "career-converter", take)).result()
        after = [client.get(path, headers=headers).status_code for path in ("/api/profiles", "/api/roles")]

    assert before == [200, 200]
    assert after == [403, 200]


def test_a_token_without_our_signature_opens_nothing(tenant: Tenant) -> None:
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
