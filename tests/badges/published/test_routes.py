"""The public addresses a badge points to, over HTTP; and that a badge itself is not one of them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from badges.forms import FORMS, Form, NotInThisForm, StoredBadge
from badges.keys.issuer import issuer_of
from badges.published.public import sends
from lrs.access.keys import NewKey, create_key
from lrs.app import Application, create_app
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import Tenant
from tests.badges.made import BODY, badge_in, list_in, put_award, run_issue


@pytest.fixture(params=["https://skills.example.org"])
def app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Application]:
    made = create_app(Settings(data=tmp_path, public_url=request.param, worker=False))
    yield made
    made.tenants.close()


@pytest.fixture
def tenant(app: Application) -> Tenant:
    opened = app.tenants.take("default")
    put_award(opened, competency={**BODY["competency"], "label": "Gowning <b>& more</b>"})
    run_issue(opened)
    return opened


class Client:
    """Asks the app without a socket between them; *admin* is the header of a key that may see badges."""

    def __init__(self, app: Application, new: NewKey) -> None:
        self.app = app
        self.admin = {"authorization": f"Basic {b64encode(f'{new.key}:{new.secret}'.encode()).decode()}"}

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client(app: Application, tenant: Tenant) -> Client:
    return Client(app, create_key(tenant, "operator", ["admin"]))


def test_the_did_document_is_where_the_did_says(client, tenant):
    answer = client.get("/t/default/did.json")

    assert answer.status_code == 200
    assert answer.json() == issuer_of(tenant).did_document()


@pytest.mark.parametrize("app", [None], indirect=True)
def test_a_demonstration_issuer_has_no_did_document(client):
    assert client.get("/t/default/did.json").status_code == 404


def test_the_status_list_is_where_the_badge_says_and_may_be_kept_for_a_minute(client, tenant):
    url = badge_in(tenant)[1]["credentialStatus"]["statusListCredential"]

    answer = client.get(url.removeprefix("https://skills.example.org"))

    assert answer.json() == list_in(tenant)
    assert answer.headers["content-type"] == "application/vc"
    assert answer.headers["cache-control"] == "public, max-age=60"


def test_the_achievement_is_where_the_badge_says_and_names_no_learner(client, tenant):
    achievement = badge_in(tenant)[1]["credentialSubject"]["achievement"]

    answer = client.get(achievement["id"].removeprefix("https://skills.example.org"))

    assert answer.json() == achievement
    assert tenant.store.count("person") == 0
    assert "ada" not in answer.text


def test_a_verifier_in_a_browser_may_read_what_a_badge_points_to_but_no_badge(client, tenant):
    record, badge = badge_in(tenant)
    pointed = (badge["credentialStatus"]["statusListCredential"], badge["credentialSubject"]["achievement"]["id"])

    public = ["/t/default/did.json", *(url.removeprefix("https://skills.example.org") for url in pointed)]
    allowed = client.get(f"/t/default/credentials/{record.id}", headers=client.admin)

    assert [client.get(path).headers.get("access-control-allow-origin") for path in public] == ["*", "*", "*"]
    assert "access-control-allow-origin" not in allowed.headers


def test_a_browser_gets_a_page_in_which_no_markup_of_others_runs(client, tenant):
    path = badge_in(tenant)[1]["credentialSubject"]["achievement"]["id"].removeprefix("https://skills.example.org")

    answer = client.get(path, headers={"accept": "text/html"})

    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1><bdi>Gowning &lt;b&gt;&amp; more&lt;/b&gt;: Practitioner</bdi></h1>" in answer.text
    assert "<li><bdi>Practitioner</bdi> <strong>(this one)</strong></li>" in answer.text
    assert "<bdi>GMP-4.2 Gowning &lt;b&gt;&amp; more&lt;/b&gt;</bdi></a> of <bdi>GMP skills</bdi>." in answer.text
    assert f"Open Badge of <bdi>{issuer_of(tenant).name}" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_badge_is_shown_to_nobody_but_keys_of_the_scope_admin(client, tenant):
    record, badge = badge_in(tenant)

    without = client.get(f"/t/default/credentials/{record.id}")
    unknown = client.get("/t/default/credentials/00000000-0000-4000-8000-000000000000")
    allowed = client.get(f"/t/default/credentials/{record.id}", headers=client.admin)

    assert (without.status_code, unknown.status_code, allowed.status_code) == (401, 401, 200)
    assert allowed.json() == badge
    assert allowed.headers["cache-control"] == "no-store"


def test_a_badge_is_given_in_the_form_that_is_asked_for_and_else_in_the_first(client, tenant, monkeypatch):
    initials = Form("initials", "text/x-initials", ".txt", lambda badge: badge.id[:2].encode(), "Initials", "Short.")
    monkeypatch.setattr("badges.published.routes.FORMS", (*FORMS, initials))
    record, badge = badge_in(tenant)
    asking = client.admin

    of_that_form = client.get(f"/t/default/credentials/{record.id}", {**asking, "accept": "text/x-initials"})
    of_any = client.get(f"/t/default/credentials/{record.id}", {**asking, "accept": "text/x-unknown"})

    assert (of_that_form.text, of_that_form.headers["content-type"]) == (
        record.id[:2],
        "text/x-initials; charset=utf-8",
    )
    assert (of_any.json(), of_any.headers["content-type"]) == (badge, "application/vc")
    assert {of_that_form.headers["vary"], of_any.headers["vary"]} == {"accept"}


def test_a_form_that_this_badge_cannot_be_had_in_is_406_with_the_sentence(client, tenant, monkeypatch):
    def refuse(_: StoredBadge) -> bytes:
        raise NotInThisForm("The holder of this badge has no id.")

    monkeypatch.setattr(
        "badges.published.routes.FORMS", (*FORMS, Form("never", "text/x-never", ".txt", refuse, "Never", "Refused."))
    )
    record, _ = badge_in(tenant)

    answer = client.get(f"/t/default/credentials/{record.id}", {**client.admin, "accept": "text/x-never"})

    assert answer.status_code == 406
    assert (answer.json()["error"], answer.json()["message"]) == (
        "not_in_this_form",
        "The holder of this badge has no id.",
    )


def test_a_badge_is_saved_under_its_id_with_the_ending_of_the_form(client, tenant):
    record, _ = badge_in(tenant)

    answer = client.get(f"/t/default/credentials/{record.id}", client.admin)

    assert answer.headers["content-disposition"] == f'inline; filename="{record.id}.json"'


def test_only_json_is_an_object_in_the_openapi_document():
    sent = sends("application/vc", "application/ld+json", "application/vc+jwt", "image/svg+xml", "text/html")

    types = {kind: told["schema"]["type"] for kind, told in sent[200]["content"].items()}

    assert types == {
        "application/vc": "object",
        "application/ld+json": "object",
        "application/vc+jwt": "string",
        "image/svg+xml": "string",
        "text/html": "string",
    }


@pytest.mark.parametrize(
    "path", ["status/revocation-9", "achievements/x", "status/..%2f..%2fdid.json", "credentials/x"]
)
def test_what_is_not_there_is_a_404_of_ours(client, path):
    answer = client.get(f"/t/default/{path}", headers=client.admin)

    assert answer.status_code == 404


def test_an_unknown_tenant_is_a_404(client):
    assert client.get("/t/nobody/did.json").status_code == 404


@pytest.mark.parametrize("app", ["https://skills.example.org/engraft"], indirect=True)
def test_behind_a_path_the_keys_of_sd_jwts_stand_between_the_host_and_the_path_of_their_issuer(client, tenant):
    told = client.get("/.well-known/jwt-vc-issuer/engraft/t/default").json()

    assert told["issuer"] == "https://skills.example.org/engraft/t/default"
    assert told["jwks"] == issuer_of(tenant).jwks()
    assert client.get("/.well-known/jwt-vc-issuer/elsewhere/t/default").status_code == 404
