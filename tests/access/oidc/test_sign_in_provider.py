"""Signing in at a provider, against one in a process of its own that can lie, be down, and rotate its keys."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from lrs.access import learners, staff, staff_acts
from lrs.access.oidc import documents, providers
from lrs.access.oidc.documents import Documents, checked
from lrs.access.oidc.id_token import Untrusted
from lrs.access.oidc.providers import Provider
from lrs.access.roles import Granted
from lrs.access.staff import Login
from lrs.cli import main
from lrs.kernel.errors import Refused
from lrs.kernel.processes import running
from lrs.people import sign_in as people
from lrs.tenancy import audit
from tests.builders import store_in
from tests.pages.conftest import Browser, Site, text_of
from tests.rows import each_of

HERE = Path(__file__).parent
ROOT = "http://127.0.0.1:80"
"""Where the pages are, as ``httpx`` tells the application."""
SECRET = "a secret of the client"
GROUPS = (("lrs-admins", (Granted("administrator"),)), ("north", (Granted("provider", "north"),)))


class Given:
    """The provider, as a test tells it what to do."""

    def __init__(self, address):
        self.address = address
        self.client = httpx.Client(base_url=address, trust_env=False, timeout=60)

    def tell(self, **told):
        self.client.post("/tell", content=json.dumps(told)).raise_for_status()

    def asked(self):
        return self.client.get("/asked").json()


@pytest.fixture(scope="module")
def address():
    with running([sys.executable, str(HERE / "provider.py")]) as process:
        yield process.stdout.readline().strip()


@pytest.fixture
def provider(address):
    given = Given(address)
    given.tell()
    yield given
    given.client.close()


@pytest.fixture
def site(tmp_path, provider):
    made = Site(tmp_path)
    made.world.clock.now = time.time_ns() // 1_000
    add(made, provider)
    yield made
    made.close()


def add(site, provider, **more):
    told = {"audience": "both", "groups": GROUPS} | more
    wanted = Provider("uni", "University", told.pop("issuer", provider.address), "engraft", site.tenant.clock(), **told)
    providers.add(site.tenant, wanted, SECRET, by="test")


def go(browser, provider, start="/sign-in/with/uni"):
    """The answer of our side when *browser* comes back, or the one that does not send it there."""
    left = browser.get(start)
    if left.status_code != 303:
        return left
    return browser.get(back(provider, left.headers["location"]))


def back(provider, there):
    """Where the provider sends a browser that went *there*, as a path."""
    returned = provider.client.get(there)
    assert returned.status_code == 302, returned.text
    parts = urlsplit(returned.headers["location"])
    return f"{parts.path}?{parts.query}"


def in_group(provider, *groups, **claims):
    provider.tell(claims={"groups": list(groups)} | claims)


def is_in(browser):
    return browser.get("/account").status_code == 200


# -- staff ------------------------------------------------------------------------------------------------------------


def test_who_is_in_a_group_with_a_role_comes_in_and_becomes_a_member(site, provider):
    in_group(provider, "lrs-admins", "others")

    answer = go(site.browser, provider, "/sign-in/with/uni?then=/pages/work")

    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/work")
    [(_, member)] = staff.everyone(site.tenant.store)
    assert (member.email, member.name, member.by_group) == ("kim@centre.example", "Kim", (Granted("administrator"),))
    assert member.logins == (Login(provider.address, "sub-1"),)
    assert site.browser.get("/staff/members").status_code == 200


def test_what_is_sent_there_is_what_the_standards_ask_for(site, provider):
    in_group(provider, "lrs-admins")
    left = site.browser.get("/sign-in/with/uni")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(left.headers["location"]).query).items()}
    site.browser.get(back(provider, left.headers["location"]))

    last = provider.asked()["last"]
    assert {"response_type": "code", "client_id": "engraft", "code_challenge_method": "S256"}.items() <= asked.items()
    assert {"openid", "email"} <= set(asked["scope"].split())
    assert (len(asked["state"]) >= 32, len(asked["nonce"]) >= 32, len(asked["code_challenge"])) == (True, True, 43)
    assert asked["redirect_uri"].endswith("/sign-in/return")
    assert last["form"]["grant_type"] == "authorization_code"
    assert last["authorization"].startswith("Basic ")
    assert "client_secret" not in last["form"]


def test_the_roles_of_a_member_are_those_of_the_groups_told_last(site, provider):
    in_group(provider, "lrs-admins")
    go(site.browser, provider)
    in_group(provider, "north")
    other = Browser(site.app)
    go(other, provider)

    [(_, member)] = staff.everyone(site.tenant.store)
    assert member.all_roles == (Granted("provider", "north"),)
    assert not is_in(site.browser)
    assert other.get("/staff/members").status_code == 403


def test_what_a_provider_tells_that_is_no_text_is_left_out_and_a_long_name_is_cut(site, provider):
    provider.tell(claims={"groups": ["lrs-admins", 7, ["north"], None], "name": "K " * 400})

    assert go(site.browser, provider).status_code == 303

    [(_, member)] = staff.everyone(site.tenant.store)
    assert (member.name, member.by_group) == (("K " * 400)[: staff.LONGEST_NAME], (Granted("administrator"),))


def test_who_is_in_no_group_any_more_is_out(site, provider):
    in_group(provider, "lrs-admins")
    go(site.browser, provider)
    in_group(provider)

    answer = go(Browser(site.app), provider)

    assert answer.status_code == 403
    assert "You have no role here any more" in text_of(answer)


def test_nobody_signs_in_without_an_invitation(site, provider):
    answer = go(site.browser, provider)

    assert answer.status_code == 403
    assert "Nobody has let you in here yet." in text_of(answer)
    assert not is_in(site.browser)


def test_an_account_is_never_found_by_its_address(site, provider):
    """Whoever has the address at the provider is not who was invited with it."""
    made = staff_acts.invite(site.tenant, "kim@centre.example", [Granted("administrator")], by="test", root=ROOT)

    stranger = go(site.browser, provider)
    in_group(provider, "north")
    another = go(site.browser, provider)

    assert stranger.status_code == 403
    assert another.status_code == 303
    members = dict(staff.everyone(site.tenant.store))
    assert members[made.id].logins == ()
    assert [(one.email, one.all_roles) for id, one in members.items() if id != made.id] == [
        ("", (Granted("provider", "north"),))
    ]


def test_an_invitation_links_the_account_with_which_it_is_opened(site, provider):
    made = staff_acts.invite(site.tenant, "sam@centre.example", [Granted("steward")], by="test", root="")
    page = site.browser.get(made.link)
    token = made.link.rpartition("/")[2]

    first = go(site.browser, provider, f"/sign-in/with/uni?invitation={token}")
    later = go(Browser(site.app), provider)

    assert f'href="/sign-in/with/uni?invitation={token}"' in page.text
    assert (first.status_code, later.status_code) == (303, 303)
    assert staff.member(site.tenant.store, made.id).logins == (Login(provider.address, "sub-1"),)
    assert site.browser.get(made.link).status_code == 410


def test_a_member_who_is_disabled_does_not_come_in_that_way(site, provider):
    in_group(provider, "lrs-admins")
    go(site.browser, provider)
    [(id, _)] = staff.everyone(site.tenant.store)

    staff_acts.disable(site.tenant, id, by="test", keep_one=False)

    assert go(Browser(site.app), provider).status_code == 403
    assert not is_in(site.browser)


def test_an_address_that_is_not_verified_is_not_taken(site, provider):
    in_group(provider, "lrs-admins", email_verified="true")

    go(site.browser, provider)

    [(_, member)] = staff.everyone(site.tenant.store)
    assert member.email == ""


# -- the way there and back -------------------------------------------------------------------------------------------


def test_an_answer_is_taken_in_the_browser_that_left_and_once(site, provider):
    in_group(provider, "lrs-admins")
    left = site.browser.get("/sign-in/with/uni")
    returned = back(provider, left.headers["location"])
    other = Browser(site.app)
    other.get("/sign-in/with/uni")

    elsewhere = other.get(returned)
    here = site.browser.get(returned)
    again = site.browser.get(returned)

    assert (elsewhere.status_code, here.status_code, again.status_code) == (403, 303, 403)
    assert "This sign-in was not begun in this browser" in text_of(elsewhere)


def test_an_answer_that_comes_too_late_is_not_taken(site, provider):
    left = site.browser.get("/sign-in/with/uni")
    returned = back(provider, left.headers["location"])
    site.world.clock.now += 601 * 1_000_000

    assert site.browser.get(returned).status_code == 403


@pytest.mark.parametrize("path", ["/sign-in/return", "/sign-in/return?code=x&state=y", "/sign-in/return?error=x"])
def test_an_answer_to_nothing_is_not_taken(site, path):
    assert site.browser.get(path).status_code == 403


def test_an_answer_that_names_another_issuer_is_not_taken(site, provider):
    provider.tell(back={"iss": "https://other.example"})

    answer = go(site.browser, provider)

    assert answer.status_code == 502
    assert "the answer is another provider's" in text_of(answer)


def test_an_address_of_the_provider_that_has_parameters_keeps_them(site, provider):
    provider.tell(document={"authorization_endpoint": f"{provider.address}/authorize?tenant=7"})

    there = parse_qs(urlsplit(site.browser.get("/sign-in/with/uni").headers["location"]).query)

    assert (there["tenant"], there["response_type"], there["client_id"]) == (["7"], ["code"], ["engraft"])


def test_who_stops_at_the_provider_is_told_so(site, provider):
    provider.tell(refuse="access_denied")

    answer = go(site.browser, provider)

    assert answer.status_code == 403
    assert "stopped the sign-in" in text_of(answer)


def test_nobody_is_led_elsewhere_afterwards(site, provider):
    in_group(provider, "lrs-admins")

    answer = go(site.browser, provider, "/sign-in/with/uni?then=https://evil.example/")

    assert answer.headers["location"] == "/console"


def test_a_secret_is_that_of_its_own_provider(site, provider):
    add(site, provider)
    uni = providers.provider(site.tenant.store, "uni")

    with pytest.raises(Refused, match="set it again with lrs oidc add"):
        providers.secret_of(site.tenant, msgspec.structs.replace(uni, name="other"))
    assert providers.secret_of(site.tenant, uni) == SECRET


def test_an_unknown_provider_is_none_and_neither_is_one_that_was_removed_or_is_for_others(site, provider):
    assert site.browser.get("/sign-in/with/nobody").status_code == 404

    for audience, other in (("staff", "learners"), ("learners", "staff")):
        add(site, provider, audience=audience)
        there = [site.browser.get(f"/sign-in/with/uni?audience={one}").status_code for one in (audience, other)]
        assert there == [303, 404]
    told = [providers.remove(site.tenant, "uni", by="test") for _ in range(2)]

    assert told == [True, False]
    assert site.browser.get("/sign-in/with/uni?audience=learners").status_code == 404
    last = audit.newest(site.tenant.store, 1)[0]
    assert (last.by, last.action, last.about) == ("test", "oidc-provider.removed", {"provider": "uni"})


def test_the_secret_is_sent_as_the_provider_takes_it_and_a_public_client_says_who_it_is(site, provider):
    sent = {}
    for name, methods, secret in (
        ("basic", None, SECRET),
        ("both", ["client_secret_post", "client_secret_basic"], SECRET),
        ("form", ["client_secret_post"], SECRET),
        ("public", ["client_secret_post"], None),
    ):
        provider.tell(document={"token_endpoint_auth_methods_supported": methods}, claims={"groups": ["lrs-admins"]})
        wanted = Provider(name, name, provider.address, "engraft", site.tenant.clock(), groups=GROUPS)
        providers.add(site.tenant, wanted, secret, by="test")
        assert go(Browser(site.app), provider, f"/sign-in/with/{name}").status_code == 303
        last = provider.asked()["last"]
        sent[name] = last["authorization"], {one: last["form"].get(one) for one in ("client_id", "client_secret")}

    basic = f"Basic {b64encode(f'engraft:{quote(SECRET)}'.encode()).decode()}"
    nothing = {"client_id": None, "client_secret": None}
    assert sent == {
        "basic": (basic, nothing),
        "both": (basic, nothing),
        "form": ("", {"client_id": "engraft", "client_secret": SECRET}),
        "public": ("", {"client_id": "engraft", "client_secret": None}),
    }


# -- tokens that lie --------------------------------------------------------------------------------------------------

NOW = int(time.time())


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"algorithm": "none"}, "signed in a way that is not accepted"),
        ({"algorithm": "HS256"}, "signed in a way that is not accepted"),
        ({"algorithm": "PS256"}, "signed in a way that is not accepted"),
        ({"spoil": True}, "the signature of the token is wrong"),
        ({"signs": "r2"}, "the signature of the token is wrong"),
        ({"kid": "r2"}, "a key that the provider does not publish"),
        ({"kid": "r1", "algorithm": "ES256", "signs": "e1"}, "a key that the provider does not publish"),
        ({"header": {"crit": ["b64"], "b64": True}}, "another kind of token"),
        ({"header": {"typ": "at+jwt"}}, "another kind of token"),
        ({"claims": {"iss": "https://other.example"}}, "another issuer's"),
        ({"claims": {"aud": "somebody"}}, "for somebody else"),
        ({"claims": {"aud": ["engraft", "somebody"]}}, "given to somebody else"),
        ({"claims": {"azp": "somebody"}}, "given to somebody else"),
        ({"claims": {"aud": []}}, "for somebody else"),
        ({"claims": {"exp": NOW - 3_600, "iat": NOW - 100}}, "too old"),
        ({"claims": {"iat": NOW - 3_600}}, "too old"),
        ({"claims": {"iat": NOW + 3_600}}, "from the future"),
        ({"claims": {"nbf": NOW + 3_600}}, "from the future"),
        ({"claims": {"exp": None}}, "does not say how long it holds"),
        ({"claims": {"exp": "soon"}}, "does not say how long it holds"),
        ({"claims": {"nonce": "other"}}, "for another sign-in"),
        ({"claims": {"nonce": None}}, "for another sign-in"),
        ({"claims": {"sub": ""}}, "names nobody"),
        ({"claims": {"sub": 7}}, "names nobody"),
        ({"claims": {"sub": "x" * 256}}, "names nobody"),
        ({"answer": {"id_token": None}}, "did not say who signed in"),
        ({"answer": {"id_token": "WzFd.e30.e30"}}, "it sent no token"),
        ({"refuse": "login_required"}, "University did not sign you in."),
        ({"answer": {"id_token": "a.b"}}, "it sent no token"),
        ({"answer": {"id_token": "x" * 70_000}}, "it sent no token"),
    ],
)
def test_a_token_that_lies_signs_nobody_in(site, provider, told, says):
    provider.tell(**{"claims": {"groups": ["lrs-admins"]} | told.pop("claims", {}), **told})

    answer = go(site.browser, provider)

    assert answer.status_code == 502, text_of(answer)
    assert says in text_of(answer)
    assert not is_in(site.browser)
    assert staff.everyone(site.tenant.store) == []


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "r1"), ("ES256", "e1"), ("EdDSA", "o1")])
def test_each_pinned_algorithm_is_taken(site, provider, algorithm, kid):
    provider.tell(algorithm=algorithm, kid=kid, claims={"groups": ["lrs-admins"], "aud": ["engraft"], "azp": "engraft"})

    assert go(site.browser, provider).status_code == 303


def test_clocks_may_differ_by_a_minute(site, provider):
    provider.tell(claims={"groups": ["lrs-admins"], "iat": int(time.time()) + 50})

    assert go(site.browser, provider).status_code == 303


# -- documents that lie -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://other.example"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"token_endpoint": "http://evil.example/token"}, "is on evil.example"),
        ({"authorization_endpoint": "https://evil.example/authorize"}, "is on evil.example"),
        ({"jwks_uri": "https://evil.example/keys"}, "is on evil.example"),
        ({"jwks_uri": None}, "its jwks_uri is no address"),
        ({"token_endpoint": "javascript:alert(1)"}, "its token_endpoint is no address"),
        ({"token_endpoint": ["https://x"]}, "its token_endpoint is no address"),
        ({"response_types_supported": ["token"]}, "does not offer the authorization code flow"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs in none of"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not know PKCE"),
    ],
)
def test_a_document_that_lies_is_not_believed_and_nothing_is_sent_there(site, provider, document, says):
    provider.tell(document=document)

    answer = site.browser.get("/sign-in/with/uni")

    assert answer.status_code == 502
    assert says in text_of(answer)


def test_of_keys_and_endpoints_only_a_plain_list_and_plain_addresses_are_believed(site, provider):
    for told, says in (
        ({"document": {"authorization_endpoint": f"{provider.address}/authorize#part"}}, "has a fragment"),
        ({"publish": []}, "its list of keys is none"),
        ({"publish": ["r1"] * 101}, "its list of keys is none"),
        ({"fail": "/token", "with": 403}, "it answered 403 when it was asked who signed in"),
    ):
        provider.tell(**told)
        answer = go(Browser(site.app), provider)
        assert (answer.status_code, says in text_of(answer)) == (502, True), says
        site.world.clock.now += 1
        add(site, provider)  # what was known of the former is not used for this one


@each_of(
    "wanted, says",
    [
        ({"name": "Uni"}, "use 1 to 40 lower-case letters"),
        ({"name": "u" * 41}, "use 1 to 40 lower-case letters"),
        ({"client_id": ""}, "needs a client id and a label"),
        ({"label": " "}, "needs a client id and a label"),
    ],
)
def test_a_provider_that_cannot_be_is_not_added(site, provider, wanted, says):
    good = Provider("new", "New", provider.address, "engraft", 0)

    with pytest.raises(Refused, match=says):
        providers.add(site.tenant, msgspec.structs.replace(good, **wanted), None, by="test")


def test_an_issuer_must_be_written_exactly_as_the_provider_writes_it(site, provider):
    add(site, provider, issuer=f"{provider.address}/")

    assert site.browser.get("/sign-in/with/uni").status_code == 502


def test_a_provider_is_checked_by_what_it_says_of_itself(tmp_path, provider):
    def oidc(*words):
        env = {"LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]', "LRS_DATA": str(tmp_path)}
        return CliRunner().invoke(main, ["oidc", *words], env=env)

    store_in(tmp_path)
    oidc("add", "uni", "--issuer", provider.address, "--client-id", "engraft")
    told = json.loads(oidc("check", "uni", "--json").stdout)
    provider.tell(document={"issuer": "https://other.example"})
    other = oidc("check", "uni")

    assert (told["name"], told["keys"]) == ("uni", 3)
    assert (told["authorization"], told["token"]) == (f"{provider.address}/authorize", f"{provider.address}/token")
    assert (other.exit_code, "it calls itself by another issuer" in other.stderr) == (1, True)


def test_endpoints_of_an_https_issuer_are_reached_by_https_on_hosts_that_were_set_up():
    one = Provider("google", "Google", "https://accounts.example", "engraft", 0, hosts=("oauth2.example",))
    document = {
        "issuer": "https://accounts.example",
        "authorization_endpoint": "https://accounts.example/authorize",
        "token_endpoint": "https://oauth2.example/token",
        "jwks_uri": "https://accounts.example/keys",
    }

    found = checked(one, document, Closed)

    assert (found.token, found.is_posting_secret) == ("https://oauth2.example/token", False)
    with pytest.raises(Untrusted, match="not reached by https"):
        checked(one, document | {"token_endpoint": "http://accounts.example/token"}, Closed)


class Closed:
    """Settings that allow calls to the public internet only."""

    outbound_allow = ()


# -- a provider that is down, and keys that rotate --------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def known(site):
    clock = Clock()
    return Documents(clock), clock, providers.provider(site.tenant.store, "uni")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_is_down_is_said_so(site, provider, path):
    provider.tell(fail=path)

    answer = go(site.browser, provider)

    assert answer.status_code == 503
    assert "University does not answer at present." in text_of(answer)
    assert "retry-after" in answer.headers


def test_what_a_provider_said_is_asked_once_an_hour(site, provider, known):
    found, clock, uni = known
    for _ in range(3):
        discovery = found.discovery(site.tenant, uni)
        found.keys(site.tenant, uni, discovery, "r1")
        clock.now += 1_000
    asked = dict(provider.asked()["asked"])
    clock.now += 1_000
    found.discovery(site.tenant, uni)

    assert (asked["/.well-known/openid-configuration"], asked["/keys"]) == (1, 1)
    assert provider.asked()["asked"]["/.well-known/openid-configuration"] == 2


def test_what_a_provider_said_is_used_for_a_day_while_it_is_down(site, provider, known):
    found, clock, uni = known
    before = found.discovery(site.tenant, uni)
    provider.tell(fail="/.well-known/openid-configuration")
    clock.now += documents.STALE - 1

    while_down = found.discovery(site.tenant, uni)
    clock.now += 100

    assert while_down == before
    with pytest.raises(Refused) as refused:
        found.discovery(site.tenant, uni)
    assert refused.value.status == 503


def test_a_key_that_is_new_is_fetched_at_once_and_a_flood_of_unknown_ones_fetches_little(site, provider, known):
    found, clock, uni = known
    discovery = found.discovery(site.tenant, uni)
    found.keys(site.tenant, uni, discovery, "r1")
    provider.tell(publish=["r2"])

    rotated = found.keys(site.tenant, uni, discovery, "r2")
    asked = []
    for wait in (0, 59, 1):
        clock.now += wait
        for number in range(20):
            found.keys(site.tenant, uni, discovery, f"made-up-{number}")
        asked.append(provider.asked()["asked"]["/keys"])

    assert [one["kid"] for one in rotated] == ["r2"]
    assert asked == [3, 3, 4]


def test_after_a_rotation_people_sign_in_with_the_new_key_and_not_with_the_old(site, provider):
    in_group(provider, "lrs-admins")
    before = go(site.browser, provider)
    provider.tell(publish=["r2"], kid="r2", claims={"groups": ["lrs-admins"]})
    new = go(Browser(site.app), provider)
    provider.tell(publish=["r2"], kid="r1", claims={"groups": ["lrs-admins"]})
    old = go(Browser(site.app), provider)

    assert (before.status_code, new.status_code, old.status_code) == (303, 303, 502)


def test_a_document_that_begins_to_lie_is_not_replaced_by_the_one_before(site, provider, known):
    found, clock, uni = known
    found.discovery(site.tenant, uni)
    provider.tell(document={"issuer": "https://other.example"})
    clock.now += documents.FRESH + 1

    with pytest.raises(Untrusted):
        found.discovery(site.tenant, uni)


# -- learners ---------------------------------------------------------------------------------------------------------


def learner(site):
    """The id of the person whose address the provider tells."""
    site.world.send(_statement("mailto:kim@centre.example", 1))
    site.world.work()
    return people.addressed(site.tenant.store, site.tenant, "kim@centre.example").person


def _statement(mbox, number):
    return {
        "id": f"00000000-0000-4000-8000-00000000000{number}",
        "actor": {"mbox": mbox, "name": "Kim"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": "https://vle.example/gowning"},
    }


def test_a_learner_with_a_verified_address_is_told_what_it_shows_before_it_is_shown(site, provider):
    person = learner(site)

    asked = go(site.browser, provider, "/sign-in/with/uni?audience=learners")
    before = is_in(site.browser)
    done = site.browser.send(asked, "/sign-in/learner/confirm")
    later = go(Browser(site.app), provider, "/sign-in/with/uni?audience=learners")

    assert "Is this you?" in text_of(asked)
    assert not before
    assert (done.status_code, later.status_code) == (303, 303)
    assert learners.person_with_login(site.tenant.store, Login(provider.address, "sub-1")) == person


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email": "KIM@centre.example"}, {"email": None}, {"email": ["kim@centre.example"]}],
)
def test_an_address_that_is_not_proven_just_so_shows_nothing(site, provider, claims):
    learner(site)
    provider.tell(claims=claims)

    answer = go(site.browser, provider, "/sign-in/with/uni?audience=learners")

    assert answer.status_code == 403
    assert "We know nobody by what University says of you." in text_of(answer)


def test_a_learner_who_was_invited_needs_no_address(site, provider):
    person = learner(site)
    provider.tell(claims={"email": None, "sub": "other"})
    made = people.invite(site.tenant, person, "", by="test", root="")
    token = made.link.rpartition("/")[2]

    answer = go(site.browser, provider, f"/sign-in/with/uni?invitation={token}")

    assert answer.status_code == 303
    assert learners.person_with_login(site.tenant.store, Login(provider.address, "other")) == person
