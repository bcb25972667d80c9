"""Behind a path prefix: what the server sends out leads back through the proxy, which takes the prefix off or not."""

import json
import re
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError

from badges.keys.issuer import did_url, issuer_of
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.access.keys import create_key
from lrs.app import create_app
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.matching.registry import register
from lrs.tenancy.tenants import open_tenant
from tests.badges.made import NOON, Clock, badge_in, put_award, run_issue, tenant_in
from tests.matching.world import answer_form, bearer
from tests.proxy import proxying
from tests.served import Lrs, new_id, serving, something, statement

PREFIX = "/engraft"
PUBLIC = f"https://skills.example.org{PREFIX}"


@pytest.fixture(params=[True, False], ids=["stripped", "left on"])
def proxy(request):
    with proxying(PREFIX, strips=request.param) as running:
        yield running


@pytest.fixture
def lrs(tmp_path, proxy):
    """The server as it is seen through the proxy."""
    with serving(tmp_path, public_url=f"{proxy.address}{PREFIX}") as direct:
        proxy.to = direct.address
        yield Lrs(f"{proxy.address}{PREFIX}", direct.tenant, direct.auth, direct.clients, direct.app)


def test_more_leads_on_through_the_proxy_for_each_tenants_address(lrs):
    activity = something()
    ids = lrs.store([statement(object={"id": activity}) for _ in range(5)])

    for at in (lrs, Lrs(f"{lrs.address}/t/default", lrs.tenant, lrs.auth, lrs.clients, lrs.app)):
        path = urlsplit(at.address).path
        assert at.get(activity=activity, limit=2).json()["more"].startswith(f"{path}/xapi/statements?more=")
        assert at.listed(activity=activity, limit=2, ascending="true") == ids


def test_clients_that_send_more_slashes_and_refusals_work_through_the_proxy(lrs):
    answer = lrs.ask("POST", "/statements", json=statement(id=(id := new_id())))
    unknown = lrs.ask("GET", "nothing")
    authority = lrs.one(id)["authority"]["account"]["homePage"]

    assert (answer.status_code, unknown.status_code) == (200, 404)
    assert answer.headers["x-experience-api-version"] == unknown.headers["x-experience-api-version"] == "1.0.3"
    assert authority == f"{lrs.address}/t/default"


def test_the_pages_lead_from_one_to_the_other_and_keep_their_session(lrs):
    operator = create_key(lrs.tenant, "operator", ["admin"])
    lrs.store(statement(actor={"mbox": "mailto:ann@example.org"}))
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        led = browser.get(f"{lrs.address}/pages/work")
        entry = browser.get(f"{lrs.address}/pages/sign-in?then={PREFIX}/pages/work")
        form = re.search(r'name="form" value="([^"]+)"', entry.text)[1]
        to = re.search(r'action="([^"]+)"', entry.text)[1]
        given = {"form": form, "then": f"{PREFIX}/pages/work", "key": operator.key, "secret": operator.secret}
        work = browser.post(f"http://{entry.url.netloc.decode()}{to}", data=given)
        cookies = {cookie.path for cookie in browser.cookies.jar}
        again = browser.get(f"{lrs.address}/pages")

    links = re.findall(r'(?:href|action)="(/[^"]*)"', led.text + entry.text + work.text + again.text)
    assert (led.url.path, led.url.params["then"]) == (f"{PREFIX}/sign-in", f"{PREFIX}/pages/work")
    assert (work.status_code, work.url.path) == (200, f"{PREFIX}/pages/work")
    assert (again.status_code, again.url.path) == (200, f"{PREFIX}/staff/learners")
    assert cookies == {"/"}  # a name that begins with __Host- asks for it
    assert len(links) > 5
    assert {link.split("/")[2] for link in links if link.startswith(f"{PREFIX}/")} >= {"", "pages", "static"}
    assert [link for link in links if not link.startswith(f"{PREFIX}/")] == []


def test_a_learner_agrees_on_a_link_through_the_proxy(lrs):
    made = register(lrs.tenant, "Matcher", webhook=None, scopes=["profiles:read"], purpose="To suggest jobs", by="test")
    wish = {"learner": {"mbox": "mailto:ann@example.org"}, "scopes": ["profiles:read"], "reference": "our-ann"}
    with httpx.Client(base_url=lrs.address, trust_env=False) as service:
        link = service.post("/api/links", json=wish, headers=bearer(service, made)).json()["link"]
        document = service.get("/openapi.json").json()
    with httpx.Client(trust_env=False) as browser:
        answered = answer_form(browser, link)
        path = {cookie.path for cookie in browser.cookies.jar}

    token_url = document["components"]["securitySchemes"]["service"]["flows"]["clientCredentials"]["tokenUrl"]
    assert link.startswith(f"{lrs.address}/links/")
    assert answered.status_code == 200, answered.text
    assert path <= {urlsplit(link).path}
    assert (token_url, document["servers"]) == (f"{PREFIX}/oauth/token", [{"url": PREFIX}])


def test_a_badge_can_be_verified_by_what_stands_at_its_permanent_addresses(tmp_path, proxy):
    tenant = open_tenant(Settings(data=tmp_path, public_url=PUBLIC), clock=Clock())
    put_award(tenant)
    run_issue(tenant)
    badge, issuer = badge_in(tenant)[1], issuer_of(tenant)
    tenant.store.close()
    stranger = tenant_in(tmp_path / "stranger", "https://elsewhere.example.org")
    asked = []

    def outbound(url):
        asked.append(url)
        return httpx.get(url.replace("https://skills.example.org", proxy.address), trust_env=False).content

    with serving(tmp_path, public_url=PUBLIC) as lrs:
        proxy.to = lrs.address
        seen = verify(
            json.dumps(badge).encode(),
            at=NOON,
            resolve=resolver(stranger, outbound),
            fetch=status_lists(stranger, outbound),
        )
        achievement = json.loads(outbound(badge["credentialSubject"]["achievement"]["id"]))
    stranger.store.close()

    assert issuer.id == badge["issuer"]["id"] == "did:web:skills.example.org:engraft:t:default"
    assert did_url(issuer.id) == f"{PUBLIC}/t/default/did.json"
    assert [(check.name, check.why) for check in seen.checks if not check.ok] == []
    assert achievement == badge["credentialSubject"]["achievement"]
    assert {url.rpartition("/")[0] for url in asked} == {
        f"{PUBLIC}/t/default",
        f"{PUBLIC}/t/default/status",
        f"{PUBLIC}/t/default/achievements",
    }


@pytest.mark.parametrize("path", ["xapi", "t/one", "pages", "links/", "api", "oauth", "openapi.json", "health"])
def test_a_prefix_that_begins_as_an_address_of_the_server_is_refused_at_the_start(tmp_path, path):
    with pytest.raises(Misconfigured, match=f"its path begins with /{path.split('/')[0]}, as addresses of this"):
        create_app(Settings(data=tmp_path, public_url=f"https://skills.example.org/{path}"))


@pytest.mark.parametrize("path", ["//a", "/a//b", "/..", "/a/./b", "/a b", "/a%20b", "/a;b", "/\u00fc", "/a:b"])
def test_a_path_that_cannot_be_a_prefix_is_refused(path):
    with pytest.raises(ValidationError, match="a path that cannot be a prefix"):
        Settings(public_url=f"https://skills.example.org{path}")


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        (None, ""),
        ("https://skills.example.org", ""),
        ("https://skills.example.org/", ""),
        ("https://skills.example.org/engraft/", "/engraft"),
        ("http://127.0.0.1:8080/a/.b-c_~", "/a/.b-c_~"),
    ],
)
def test_the_prefix_is_the_path_of_the_public_address(url, prefix):
    assert Settings(public_url=url).prefix == prefix


def test_what_only_begins_with_the_letters_of_the_prefix_is_not_under_it(tmp_path):
    with serving(tmp_path, public_url=PUBLIC) as lrs:
        answers = [
            lrs.clients[0].get(f"{lrs.address}{path}health").status_code for path in ("/engraft/", "/", "/engrafted/")
        ]

    assert answers == [200, 200, 404]


def test_the_metadata_for_wallets_are_found_in_both_well_known_forms_with_the_prefix_of_the_issuer(lrs, proxy):
    issuer = f"{lrs.address}/t/default"

    with httpx.Client(trust_env=False) as client:
        between = client.get(f"{proxy.to}/.well-known/openid-credential-issuer{PREFIX}/t/default")
        server = client.get(f"{proxy.to}/.well-known/oauth-authorization-server{PREFIX}/t/default")
        after = client.get(f"{issuer}/.well-known/openid-credential-issuer")

    assert between.json() == after.json()
    assert between.json()["credential_issuer"] == server.json()["issuer"] == issuer
    assert between.json()["credential_endpoint"] == f"{issuer}/oid4vci/credential"
