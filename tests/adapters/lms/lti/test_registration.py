"""A platform registers: by an invitation, by hand, and what becomes of both; and the keys of the tool."""

import json
import re

import pytest
from msgspec.structs import replace

from adapters.lms.lti import invitations, manual, platforms, platforms_view, tool_keys
from adapters.lms.lti.addresses import why_unusable
from adapters.lms.lti.tool_routes import OpenedRegistration
from lrs.access import one_time
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import hide, reveal
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR, MINUTE
from tests.adapters.lms.lti.platform import PATH, TOOL, World
from tests.pages.conftest import forms_of, text_of


@pytest.fixture
def config(platform):
    """What the platform says of itself; changed by a test, put back after it."""
    told = {
        "issuer": platform.address,
        "authorization_endpoint": f"{platform.address}/auth",
        "token_endpoint": f"{platform.address}/token",
        "jwks_uri": f"{platform.address}/jwks",
        "registration_endpoint": f"{platform.address}/register",
        "scopes_supported": ["openid", "https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "moodle"},
    }
    setup = "https://purl.imsglobal.org/spec/lti-tool-configuration"
    platform.says("/configuration", told)
    platform.says("/register", {"client_id": "given", setup: {"deployment_id": "4"}}, 201)
    platform.asked.clear()
    return told


def invited(world, name="Moodle"):
    address, _ = invitations.invite(world.tenant, name, by="test", root=TOOL)
    assert address.startswith(f"{TOOL}/register/")
    return address.removeprefix("https://skills.example.org")


def opened(world, path, platform, token="secret-token"):
    query = {"openid_configuration": f"{platform.address}/configuration", "registration_token": token}
    return world.browser.ask("GET", path, params=query)


def sent(world, page, path, who="named"):
    (form,) = forms_of(page.text)
    return world.browser.ask("POST", path, data=form["fields"] | {"who": who})


def send(browser, page, action, **given):
    """Fills in and sends the form of *page* with this *action* that changes something."""
    told = next(one["fields"] for one in forms_of(page.text) if one["action"] == action and "form" in one["fields"])
    return browser.ask("POST", action, data=told | given)


def forget(world, platform, client="given"):
    id = platforms.platform_id(platform.address, client)
    world.store.write(lambda tx: tx.delete(platforms.KIND, id)).result()


@pytest.mark.usefixtures("config")
def test_a_platform_registers_by_an_invitation_and_waits_for_approval(world, platform):
    path = invited(world)

    page = opened(world, path, platform)
    answer = sent(world, page, path)
    again = opened(world, path, platform)
    found = platforms.platform(world.store, platforms.platform_id(platform.address, "given"))
    forget(world, platform)

    assert f"frame-ancestors {platform.address};" in page.headers["content-security-policy"]
    assert "secret-token" not in page.text
    assert f"Address of the tool {TOOL}" in text_of(page)
    assert "is registered, and waits until an administrator of Engraft approves it" in text_of(answer)
    assert 'href="https://skills.example.org/t/default/staff/lms"' in answer.text
    assert again.status_code == 410
    assert (found.state, found.deployments, found.family, found.name) == ("pending", ("4",), "moodle", "Moodle")
    method, asked, headers, body = next(one for one in platform.asked if one[0] == "POST")
    told = json.loads(body)
    assert (method, asked, headers["authorization"]) == ("POST", "/register", "Bearer secret-token")
    assert told["initiate_login_uri"] == f"{TOOL}/login"
    assert told["redirect_uris"] == [f"{TOOL}/launch"]
    assert told["jwks_uri"] == f"{TOOL}/jwks"
    assert told["token_endpoint_auth_method"] == "private_key_jwt"
    assert told["scope"] == "https://purl.imsglobal.org/spec/lti-ags/scope/score"
    setup = told["https://purl.imsglobal.org/spec/lti-tool-configuration"]
    assert setup["domain"] == "skills.example.org"
    assert setup["claims"] == ["iss", "sub", "name", "given_name", "family_name", "email"]
    assert [one["type"] for one in setup["messages"]] == ["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]
    assert world.audit()[-1] == ("lti-platform.added", {"platform": found.id, "state": "pending"})


@pytest.mark.usefixtures("config")
def test_names_are_not_asked_for_where_learners_are_known_by_a_number(world, platform):
    path = invited(world)

    sent(world, opened(world, path, platform), path, who="pseudonymous")
    forget(world, platform)

    told = json.loads(next(one for one in platform.asked if one[0] == "POST")[3])
    setup = told["https://purl.imsglobal.org/spec/lti-tool-configuration"]
    assert (setup["claims"], setup["custom_parameters"]) == (["iss", "sub"], {})


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"issuer": "https://elsewhere.example"}, 400, "but describes itself at 127.0.0.1"),
        ({"issuer": 7}, 400, "its issuer is no address"),
        ({"token_endpoint": "http://10.0.0.1/token"}, 400, "only https"),
        ({"jwks_uri": "https://10.0.0.1/jwks"}, 400, "outside the public internet"),
        ({"authorization_endpoint": "javascript:alert(1)"}, 400, "its authorization_endpoint cannot be used"),
        ({"registration_endpoint": None}, 400, "its registration_endpoint cannot be used"),
    ],
)
def test_what_a_platform_says_of_itself_is_checked_and_the_invitation_stays(
    world, platform, config, change, status, says
):
    platform.says("/configuration", {**config, **change})
    path = invited(world)

    answer = sent(world, opened(world, path, platform), path)

    assert (answer.status_code, says in text_of(answer)) == (status, True), text_of(answer)
    assert [one for one in platform.asked if one[0] == "POST"] == []
    assert opened(world, path, platform).status_code == 200


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("path", "answer", "status", "says"),
    [
        ("/configuration", (200, {}, b"<html>"), 502, "its answer is no JSON"),
        ("/configuration", (200, {}, b"[]"), 502, "its answer is no JSON object"),
        ("/configuration", (302, {"location": "https://example.org"}, b""), 503, "answered 302"),
        ("/configuration", (200, {}, b" " * (1024 * 1024 + 1)), 503, "longer than"),
        ("/register", (400, {}, b'{"error":"invalid_token"}'), 502, "invalid_token"),
        ("/register", (200, {}, b"{}"), 502, "it gave no client_id"),
    ],
)
def test_a_platform_that_answers_wrongly_is_not_registered(world, platform, path, answer, status, says):
    platform.answers[path] = answer
    place = invited(world)

    page = sent(world, opened(world, place, platform), place)

    assert (page.status_code, says in text_of(page)) == (status, True), text_of(page)
    assert platforms.platform(world.store, platforms.platform_id(platform.address, "given")) is None


@pytest.mark.usefixtures("config")
def test_a_form_is_taken_for_an_hour(world, platform):
    path = invited(world)
    (form,) = forms_of(opened(world, path, platform).text)
    secret = world.tenant.secret("lti-registration")
    shown = reveal(secret, form["fields"]["told"], OpenedRegistration)
    over = hide(secret, replace(shown, until=world.tenant.clock()))

    answer = world.browser.ask("POST", path, data=form["fields"] | {"told": over, "who": "named"})

    assert 59 * MINUTE < shown.until - world.tenant.clock() <= HOUR
    assert answer.status_code == 403
    assert "it took over an hour" in text_of(answer)


def test_an_invitation_whose_time_is_over_is_not_listed(world):
    invited(world, "Late")
    now = world.tenant.clock()

    listed = [one.about for one in one_time.waiting(world.store, invitations.PURPOSE, now)]
    later = [one.about for one in one_time.waiting(world.store, invitations.PURPOSE, now + 72 * HOUR)]

    assert "Late" in listed
    assert later == []


@pytest.mark.usefixtures("config")
def test_a_form_of_another_invitation_registers_nothing(world, platform):
    one, other = invited(world, "One"), invited(world, "Other")

    answer = sent(world, opened(world, one, platform), other)

    assert answer.status_code == 403
    assert "not the one that was shown" in text_of(answer)


def test_without_https_the_page_says_whom_to_ask(tmp_path, platform):
    world = World(tmp_path, platform, public_url="http://skills.example.org")
    made = world.store.write(lambda tx: one_time.make(tx, world.tenant, "lti-registration", "Moodle")).result()

    answer = world.browser.get(f"{PATH}/register/{made.token}")
    staff = world.staff().get("/staff/lms")
    with pytest.raises(Refused, match="Set LRS_PUBLIC_URL") as refused:
        invited(world)

    assert (answer.status_code, refused.value.status) == (409, 409)
    assert "Make the invitation" not in staff.text
    for page in (answer, staff):
        assert "Ask the operator of this server for an https address." in text_of(page)
        assert "LRS_PUBLIC_URL" not in page.text
    assert why_unusable(Settings(public_url="http://localhost:8080")) == ""
    world.close()


def test_without_an_address_the_tool_is_told_on_the_port_where_it_is(tmp_path, platform):
    world = World(tmp_path, platform, public_url=None)
    browser = world.staff()
    browser.address = "https://skills.example.org:9123"

    page = browser.get("/staff/lms/new")

    assert "http://localhost:9123/t/default/lti/launch" in text_of(page)
    world.close()


def test_two_platforms_of_one_issuer_have_keys_from_one_host(world, platform):
    same = platform.described("second")
    false = platform.described("third", jwks="https://evil.example/jwks")

    world.add(same)
    with pytest.raises(Refused, match="with keys from another host") as refused:
        world.add(false)

    assert refused.value.status == 409
    world.store.write(lambda tx: tx.delete(platforms.KIND, same.id)).result()


def test_an_administrator_registers_by_hand_and_approves_what_waits(world):
    browser = world.staff()
    given = {
        "name": "Canvas of North",
        "issuer": "https://canvas.instructure.com",
        "client_id": "10000000000001",
        "authorization": "https://sso.canvaslms.com/api/lti/authorize_redirect",
        "token": "https://sso.canvaslms.com/login/oauth2/token",
        "jwks": "https://sso.canvaslms.com/api/lti/security/jwks",
        "deployments": "1:abc\n\n2:def\n",
    }

    page = browser.get("/staff/lms/new?product=canvas")
    made = send(browser, page, "/staff/lms/new", **given)
    place = made.headers["location"].partition("?")[0]
    shown = browser.get(place)
    send(browser, shown, f"{place}/state", state="suspended")
    suspended = text_of(browser.get(place))
    send(browser, browser.get(place), f"{place}/deployments", deployment="3:ghi")
    found = platforms.platform(world.store, place.rpartition("/")[2])

    assert f"{TOOL}/launch" in text_of(page)
    assert made.status_code == 303
    assert "Approved" in text_of(shown)
    assert "Suspended" in suspended
    assert found.deployments == ("1:abc", "2:def", "3:ghi")
    assert "Canvas of North" in text_of(browser.get("/staff/lms"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"deployments": "x" * 256}, "A deployment id has 1 to 255 characters."),
        ({"issuer": "moodle"}, "The issuer is no address"),
        ({"client_id": ""}, "The client id is missing"),
        ({"jwks": "ftp://x.example"}, "The address of its keys is no address"),
        ({"name": " "}, "The name is missing"),
        ({"issuer": "https://SITE"}, "SITE in https://SITE stands for something of the platform's own"),
        ({"token": "https://n.example/token/NUMBER"}, "NUMBER in https://n.example/token/NUMBER stands for"),
    ],
)
def test_a_form_that_cannot_be_is_shown_again_with_why(world, change, says):
    browser = world.staff()
    given = {"name": "N", "issuer": "https://n.example", "client_id": "1", "deployments": ""}
    given |= dict.fromkeys(("authorization", "token", "jwks"), "https://n.example/x") | change

    answer = send(browser, browser.get("/staff/lms/new"), "/staff/lms/new", **given)

    assert answer.status_code == 400
    assert text_of(answer).count(says) == 2  # on top, and beside the field
    (field,) = change
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text


@pytest.mark.parametrize("name", manual.PRODUCTS)
def test_what_the_form_does_not_know_whole_is_a_hint_and_no_value(world, name):
    page = world.staff().get(f"/staff/lms/new?product={name}")

    (form,) = (one for one in forms_of(page.text) if "client_id" in one["fields"])
    values = {field: form["fields"][field] for field in manual.ADDRESSES}
    assert not any(stand_in in value for stand_in in manual.STAND_INS for value in values.values())
    assert all(values.values()) is (name == "canvas")
    for example in platforms_view.examples(manual.product(name), "").values():
        assert f"Such as {example}" in text_of(page)


def test_a_platform_is_removed_and_can_be_registered_again(world, platform):
    browser, one = world.staff(), platform.described("removed")
    world.add(one)
    place = f"/staff/lms/platforms/{one.id}"

    answer = send(browser, browser.get(place), f"{place}/remove")
    again = browser.ask("POST", f"{place}/remove", data={"form": "none"})

    assert answer.status_code == 303
    assert "The platform is removed" in text_of(browser.get(answer.headers["location"]))
    assert browser.get(place).status_code == 404
    assert again.status_code in {403, 404}
    assert world.audit()[-1] == ("lti-platform.removed", {"platform": one.id})
    world.add(one)
    world.store.write(lambda tx: platforms.remove(tx, one.id, "test")).result()


def test_the_console_names_a_platform_that_waits_and_leads_to_where_it_is_approved(world, platform):
    one = replace(platform.described("pending"), state="pending", name="Moodle of North")
    world.add(one)

    page = world.staff().get("/console")
    world.store.write(lambda tx: platforms.remove(tx, one.id, "test")).result()

    says = "Nothing is sent to Moodle of North : Paused, it waits for approval. Put it right on its page."
    assert says in text_of(page)
    assert "lrs lms approve" not in page.text
    assert f'href="/staff/lms/platforms/{one.id}"' in page.text


def test_an_invitation_is_made_on_the_page(world):
    browser = world.staff()

    sent = send(browser, browser.get("/staff/lms"), "/staff/lms", name="Moodle of North Centre")
    answer = browser.get(sent.headers["location"].partition("#")[0])
    nameless = send(browser, browser.get("/staff/lms"), "/staff/lms", name="")

    assert sent.status_code == 303
    assert f"{TOOL}/register/" in text_of(answer)
    assert "Moodle of North Centre works once" in text_of(answer)
    assert "Moodle: Site administration, Plugins, External tool, Manage tools" in text_of(answer)
    assert "to send grades back, add it under Learning platforms" in text_of(browser.get("/connect"))
    assert nameless.status_code == 400


def test_the_page_of_an_invitation_that_is_loaded_again_shows_the_same_one_until_it_is_used(world):
    browser = world.staff()
    sent = send(browser, browser.get("/staff/lms"), "/staff/lms", name="Moodle of East")
    place = sent.headers["location"].partition("#")[0]

    first, again, other = browser.get(place), browser.get(place), world.staff().get(place)
    address = re.search(rf"{TOOL}/register/([\w-]+)", text_of(first))
    waiting = [one.about for one in invitations.waiting(world.tenant)].count("Moodle of East")
    invitations.withdraw(world.tenant, "Moodle of East", by="test")
    ended = browser.get(place)

    assert address[0] in text_of(again)
    assert address[1] not in place
    assert waiting == 1
    for gone in (other, ended, browser.get("/staff/lms?made=x")):
        assert gone.status_code == 410
        assert address[0] not in text_of(gone)
        assert "cannot be shown any more" in text_of(gone)


def test_canvas_gets_the_tool_as_json(world):
    answer = world.staff().get("/staff/lms/canvas.json")

    told = answer.json()
    assert told == manual.canvas_json(TOOL, "Engraft")
    assert told["oidc_initiation_url"] == f"{TOOL}/login"
    assert [one["placement"] for one in told["extensions"][0]["settings"]["placements"]] == [
        "link_selection",
        "assignment_selection",
        "course_navigation",
    ]


@pytest.mark.parametrize("name", manual.PRODUCTS)
def test_each_product_has_its_form(world, name):
    answer = world.staff().get(f"/staff/lms/new?product={name}&site=https://lms.example.org/")

    assert answer.status_code == 200
    assert manual.PRODUCTS[name].says in text_of(answer)


def test_the_next_key_is_published_before_it_signs_and_the_former_one_after(tmp_path, platform):
    world = World(tmp_path, platform)
    before = world.browser.get(f"{PATH}/jwks").json()["keys"]

    signing = tool_keys.rotate(world.tenant, by="test")
    after = world.browser.get(f"{PATH}/jwks").json()["keys"]

    kids = [{one["kid"] for one in keys} for keys in (before, after)]
    assert len(kids[0]) == 2
    assert signing in kids[0]
    assert kids[0] < kids[1]
    assert len(kids[1]) == 3
    assert {(one["kty"], one["alg"], one["use"], "d" in one) for one in after} == {("RSA", "RS256", "sig", False)}
    assert world.audit()[-1] == ("lti-key.rotated", {"key": signing})
    world.close()


def test_an_invitation_that_waits_is_listed_and_withdrawn(world):
    address = invited(world, "Moodle of the South")
    staff = world.staff()
    page = staff.get("/staff/lms")
    assert "Moodle of the South" in text_of(page)

    gone = staff.send(page, "/staff/lms/withdraw", name="Moodle of the South")
    again = staff.ask(
        "POST", "/staff/lms/withdraw", data={"form": forms_of(page.text)[0]["fields"]["form"], "name": "X"}
    )

    assert gone.headers["location"] == "/staff/lms?done=lms_withdrawn"
    assert world.browser.get(address).status_code == 410
    assert "Moodle of the South" not in {one.about for one in invitations.waiting(world.tenant)}
    assert (again.status_code, "No invitation for" in text_of(again)) == (409, True)
    assert ("lti-platform.uninvited", {}) in world.audit()
