"""A launch: its two halves, every check of its token, and where it leads."""

import base64
import hmac
import json
import time
from dataclasses import dataclass

import msgspec
import pytest
from msgspec.structs import replace

from adapters.lms.lti import launch, login, platforms
from lrs.access.throttle import Throttle
from lrs.composition.steps import drain
from lrs.kernel.admission import RetryLater
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import MINUTE
from lrs.people.persons import identifiers_of
from lrs.storage import each
from tests.adapters.lms.lti.platform import CLAIM, FOREIGN, ISSUER, MEMBERSHIP, OWN_PAGE, PATH, TOOL, cookies
from tests.badges.made import put_award
from tests.pages.conftest import Browser, text_of
from tests.rows import each_of


def test_a_login_leads_to_the_platform_with_what_the_standard_asks(world):
    answer = world.log_in()

    asked = world.asked()
    assert answer.headers["location"].startswith(f"{ISSUER}/mod/lti/auth.php?")
    assert {name: value for name, value in asked.items() if name not in {"state", "nonce"}} == {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "tool",
        "redirect_uri": f"{TOOL}/launch",
        "login_hint": "2",
        "lti_message_hint": '{"cmid":"7"}',
    }
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    assert asked["state"] != asked["nonce"]


def test_the_cookie_of_a_login_comes_back_in_a_frame_and_to_this_host_only(world):
    ((name, told),) = cookies(world.log_in()).items()

    assert name.startswith("__Host-engraft.default.lti.login.")
    assert told.partition("; ")[2] == "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"


def test_a_login_by_get_is_the_same(world):
    answer = world.browser.ask(
        "GET", f"{PATH}/login", params={"iss": ISSUER, "login_hint": "2", "target_link_uri": f"{TOOL}/launch"}
    )

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ({"iss": "https://elsewhere.example"}, 404, "is not registered here"),
        ({"client_id": "another"}, 404, "is not registered here"),
        ({"iss": None}, 400, "did not say who it is (iss)"),
        ({"login_hint": None}, 400, "did not say who comes (login_hint)"),
        ({"target_link_uri": "https://evil.example/launch"}, 400, "which is not ours"),
        ({"target_link_uri": f"{TOOL}.evil.example/launch"}, 400, "which is not ours"),
        ({"lti_message_hint": "x" * 4_001}, 400, "longer than 4000 characters"),
        (dict.fromkeys(("lti_message_hint", "login_hint", "lti_storage_target"), "x" * 3_000), 400, "more than 8 KiB"),
        ({"lti_message_hint": "\u20ac" * 3_000}, 400, "more than 8 KiB"),
    ],
)
def test_a_login_that_cannot_be_is_refused(world, given, status, says):
    answer = world.log_in(**given)

    assert answer.status_code == status
    assert says in text_of(answer)
    assert "set-cookie" not in answer.headers


def test_what_one_login_keeps_is_bounded_and_so_are_logins_from_one_address_and_at_one_tenant(world):
    now = [0.0]
    logins = login.Logins(lambda: now[0])
    most, seconds = login.FROM_ONE
    for _ in range(most):
        logins.count(world.tenant, "192.0.2.1")
    with pytest.raises(RetryLater, match="Too many people come from there") as refused:
        logins.count(world.tenant, "192.0.2.1")
    logins.count(world.tenant, "192.0.2.2")
    now[0] += seconds + 1
    logins.count(world.tenant, "192.0.2.1")

    world.log_in(login_hint="x" * 4_000, lti_message_hint="x" * 3_900)
    kept = [len(one.body) for one in each(world.store, "lti-login")]

    assert (refused.value.status, dict(refused.value.headers)["retry-after"]) == (429, str(seconds + 1))
    assert max(kept) < login.LARGEST + 500
    assert login.OF_A_TENANT[0] * login.LARGEST < 100 * 1024 * 1024


def test_a_login_too_many_is_answered_429_and_keeps_nothing(world, monkeypatch):
    monkeypatch.setattr(login.Throttle, "left", lambda *_: 7)
    before = world.store.count("lti-login")

    answer = world.log_in()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert world.store.count("lti-login") == before


def test_our_keys_are_told_once_while_they_stay(world):
    first = world.browser.get(f"{PATH}/jwks")
    again = world.browser.ask("GET", f"{PATH}/jwks", headers={"if-none-match": first.headers["etag"]})
    other = world.browser.ask("GET", f"{PATH}/jwks", headers={"if-none-match": '"other"'})

    assert first.headers["cache-control"] == "public, max-age=600"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["cache-control"] == "public, max-age=600"
    assert (other.status_code, other.json()) == (200, first.json())


def test_a_login_that_could_be_of_two_registrations_is_refused_unless_it_names_one(world, platform):
    one, other = (platform.described(id, issuer="https://twice.example", deployments=(id,)) for id in ("a", "b"))
    world.add(one)
    world.add(other)

    unclear = world.log_in(iss="https://twice.example", client_id=None)
    by_client = world.asked(iss="https://twice.example", client_id="b")
    by_deployment = world.asked(iss="https://twice.example", client_id=None, lti_deployment_id="a")

    assert (unclear.status_code, by_client["client_id"], by_deployment["client_id"]) == (400, "b", "a")
    assert "registered several times" in text_of(unclear)


def test_a_learner_sees_their_own_skills_in_a_frame_of_the_platform_alone(world):
    browser = world.new_browser()

    launched = world.launch()
    seen = browser.get(f"{PATH}/me")

    assert launched.status_code == 303
    assert launched.headers["location"] == f"{PATH}/me"
    assert "No skill is held at present" in text_of(seen)
    assert f"frame-ancestors {ISSUER};" in seen.headers["content-security-policy"]
    assert "x-frame-options" not in seen.headers
    assert f'action="{PATH}/me/questions"' in seen.text
    assert "/account" not in seen.text
    assert browser.get(f"{PATH}/me/roles").status_code == 200
    assert browser.get("/me").headers["location"] == "/sign-in/learner?then=/me"
    assert browser.get("/staff").headers["location"].startswith("/sign-in")


def test_a_learner_takes_and_shares_a_badge_in_the_frame(world):
    browser = world.new_browser()
    world.launch(sub="71", email="cas@example.org")
    user = next(one for one in each(world.store, "lti-user") if b'"sub":"71"' in one.body)
    person = json.loads(user.body)["person"]
    put_award(world.tenant, person=person)
    drain(world.tenant, ("issue",))
    badge = next(one for one in each(world.tenant.store, "credential") if one.meta["person"] == person)
    place = f"{PATH}/me/badges/{badge.id}/take"

    page = browser.get(place)
    shared = browser.send(page, place, act="share")
    stopped = browser.send(browser.get(place), place, act="stop")

    assert f'href="{place}"' in browser.get(f"{PATH}/me").text
    assert page.status_code == 200
    assert f"frame-ancestors {ISSUER};" in page.headers["content-security-policy"]
    assert f'href="{PATH}/me/badges/{badge.id}?form=pdf"' in page.text
    assert browser.get(f"{PATH}/me/badges/{badge.id}?form=pdf").content.startswith(b"%PDF-")
    assert shared.headers["location"] == f"{place}?done=badge_shared"
    assert stopped.headers["location"] == f"{place}?done=badge_unshared"
    world.launch(sub="99", email="bea@school.example")
    assert browser.get(place).status_code == 404


def test_a_learner_asks_the_staff_from_the_frame(world):
    browser = world.new_browser()
    world.launch(sub="77", email="", **{CLAIM + "ext": {}})
    page = browser.get(f"{PATH}/me")

    sent = browser.send(page, f"{PATH}/me/questions", text="A course is missing.")

    assert sent.headers["location"] == f"{PATH}/me?done=asked"
    assert "A course is missing." in text_of(browser.get(f"{PATH}/me"))


def test_a_teacher_sees_that_one_course_and_no_page_of_ours(world):
    browser = world.new_browser()
    world.launch()

    launched = world.launch(sub="9", name="Tess Teacher", email="", **teacher())
    place = launched.headers["location"]
    seen = browser.get(place)
    another = world.launch(sub="9", **teacher(), **{CLAIM + "context": {"id": "8", "title": "Other"}})

    assert "\nAnn Learner,Learner," in browser.get(f"{place}.csv").text.replace("\r", "")
    assert {one["part"] for one in browser.get(f"{place}.json").json()} >= {"Learner", "Teacher"}
    assert browser.get(f"{place}.xlsx").status_code == 404
    assert place.startswith(f"{PATH}/courses/")
    assert "Gowning" in text_of(seen)
    assert "Ann Learner" in text_of(seen)
    assert another.headers["location"] != place
    assert browser.get("/staff/learners").headers["location"].startswith("/sign-in")
    alone = Browser(world.app, browser.address)
    ((name, value),) = cookies(another).items()
    alone.cookies.set(name, value.partition(";")[0])
    assert alone.get(place).status_code == 401
    assert alone.get(another.headers["location"]).status_code == 200


def test_the_token_of_a_launch_opens_nothing_as_that_of_a_sign_in_and_the_other_way_round(world):
    world.new_browser()
    token = cookies(world.launch())["__Host-engraft.default.lti.me"].partition(";")[0]
    staff = world.staff().cookies

    as_staff, as_launch = (
        Browser(world.app, "https://skills.example.org"),
        Browser(world.app, "https://skills.example.org"),
    )
    as_staff.cookies.set("__Host-engraft.default", token)
    as_launch.cookies.set("__Host-engraft.default.lti.me", staff["__Host-engraft.default"])

    assert as_staff.get("/me").status_code == 303
    assert as_launch.get(f"{PATH}/me").status_code == 401


@pytest.mark.parametrize(
    "role",
    [
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#SysAdmin",
        "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator",
        "urn:lti:instrole:ims/lis/Administrator",
        "https://vendor.example/roles#Instructor",
    ],
)
def test_whoever_administers_the_platform_is_no_administrator_and_no_teacher_here(world, role):
    answer = world.launch(**{CLAIM + "roles": [role]})

    assert answer.headers["location"] == f"{PATH}/me"


@pytest.mark.parametrize("role", ["Instructor", MEMBERSHIP + "Instructor", MEMBERSHIP + "Administrator"])
def test_short_and_long_names_of_roles_are_one(world, role):
    assert "/courses/" in world.launch(sub="9", **{CLAIM + "roles": [role]}).headers["location"]


@pytest.mark.parametrize("role", ["Mentor", MEMBERSHIP + "Mentor", MEMBERSHIP.replace("#", "/") + "Mentor#Advisor"])
def test_a_parent_who_looks_on_does_not_see_who_else_is_in_the_course(world, role):
    alone = world.launch(sub="9", **{CLAIM + "roles": [role]})
    beside = world.launch(sub="9", **{CLAIM + "roles": [MEMBERSHIP + "Learner", role]})

    assert [one.headers["location"] for one in (alone, beside)] == [f"{PATH}/me"] * 2


@each_of("state", ["pending", "suspended"])
def test_a_platform_that_may_launch_nothing_shows_in_its_frame_why(world, platform, state):
    own = world.add(platform.described(state, issuer=f"https://still-{state}.example", state=state))

    answer = world.log_in(iss=own.issuer, client_id=state)
    world.store.write(lambda tx: platforms.remove(tx, own.id, "test")).result()

    assert answer.status_code == 403
    _, _, framing = answer.headers["content-security-policy"].partition("frame-ancestors ")
    assert own.issuer in framing.partition(";")[0].split()
    assert "tell your teacher, or whoever looks after the learning platform" in text_of(answer)


def test_a_platform_that_is_suspended_signs_out_who_came_from_it(world, platform):
    own = world.add(platform.described("suspended", issuer="https://suspended.example"))
    browser = world.new_browser()
    login = {"iss": own.issuer, "client_id": "suspended"}
    world.launch(login=login, iss=own.issuer, aud="suspended")
    before = browser.get(f"{PATH}/me").status_code

    world.store.write(lambda tx: platforms.set_state(tx, own.id, "suspended", "test")).result()

    assert (before, browser.get(f"{PATH}/me").status_code) == (200, 401)
    assert world.log_in(**login).status_code == 403


@dataclass(frozen=True)
class FromNow:
    """So many seconds from when the token is made."""

    seconds: int


BAD = {
    "another issuer": ({"iss": "https://elsewhere.example"}, "token_issuer"),
    "another tool": ({"aud": "another"}, "token_audience"),
    "several tools and no party": ({"aud": ["tool", "another"]}, "token_party"),
    "several tools and another party": ({"aud": ["tool", "another"], "azp": "another"}, "token_party"),
    "one tool and another party": ({"azp": "another"}, "token_party"),
    "another nonce": ({"nonce": "of another launch"}, "token_nonce"),
    "no nonce": ({"drop": ("nonce",)}, "token_nonce"),
    "a nonce that is no text": ({"nonce": 7}, "token_nonce"),
    "too old": ({"exp": FromNow(-61)}, "token_expired"),
    "made long ago": ({"iat": FromNow(-900), "exp": FromNow(900)}, "token_expired"),
    "from the future": ({"iat": FromNow(300), "exp": FromNow(400)}, "token_early"),
    "not yet": ({"nbf": FromNow(300)}, "token_early"),
    "no times": ({"drop": ("exp",)}, "token_times"),
    "no time of making": ({"drop": ("iat",)}, "token_times"),
    "times that are texts": ({"exp": "never"}, "token_times"),
    "another version": ({CLAIM + "version": "1.1"}, "token_version"),
    "another message": ({CLAIM + "message_type": "LtiSubmissionReviewRequest"}, "message_type"),
    "a deployment that nobody knows": ({CLAIM + "deployment_id": "77"}, "token_deployment"),
    "no deployment": ({"drop": (CLAIM + "deployment_id",)}, "message_incomplete"),
    "a deployment that is too long": ({CLAIM + "deployment_id": "x" * 256}, "message_incomplete"),
    "no roles": ({"drop": (CLAIM + "roles",)}, "message_incomplete"),
    "no link": ({CLAIM + "resource_link": {}}, "message_incomplete"),
    "a name of somebody that is no text": ({"sub": 5}, "message_incomplete"),
    "a name of somebody that is too long": ({"sub": "x" * 256}, "message_incomplete"),
    "nobody": ({"drop": ("sub",)}, "anonymous"),
    "a key that is not published": ({"header": {"kid": "two"}}, "token_kid"),
    "no key named": ({"header": {"kid": None}}, "token_kid"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_refused_with_its_reason_and_put_into_the_record_of_actions(world, name):
    changes, code = BAD[name]
    now = int(time.time())
    changes = {claim: now + one.seconds if isinstance(one, FromNow) else one for claim, one in changes.items()}
    world.new_browser()

    answer = world.launch(**changes)

    assert answer.status_code in {400, 403}
    assert "The launch was refused: " in text_of(answer)
    assert "Go back to your learning platform" in text_of(answer)
    assert world.audit()[-1] == ("lti.launch-refused", {"platform": world.platform.described().id, "why": code})
    assert world.browser.get(f"{PATH}/me").status_code == 401


def test_of_a_platform_that_named_no_deployment_each_waits_until_somebody_accepts_it(world, platform):
    own = world.add(platform.described("new", issuer="https://new.example", deployments=()))
    world.new_browser()

    answer = world.launch(login={"iss": own.issuer, "client_id": "new"}, iss=own.issuer, aud="new")

    assert (answer.status_code, world.browser.get(f"{PATH}/me").status_code) == (403, 401)
    assert platforms.platform(world.store, own.id).waiting == ("1",)


def test_of_one_platform_only_so_many_refused_launches_are_put_down(world, platform, monkeypatch):
    own = world.add(platform.described("many", issuer="https://many.example"))
    monkeypatch.setattr(launch, "_audited", Throttle(2, 3_600.0))

    for issuer, client in [(own.issuer, "many")] * 3 + [(ISSUER, "tool")]:
        world.launch(login={"iss": issuer, "client_id": client}, iss=issuer, aud=client, nonce="of another launch")

    put_down = [told["platform"] for action, told in world.audit() if action == "lti.launch-refused"]
    assert (put_down.count(own.id), put_down[-1] == own.id) == (2, False)


def test_a_token_that_another_key_of_the_same_name_signed_is_refused(world, platform):
    answer = world.launch(key=platform.other)

    assert answer.status_code == 403
    assert "the signature of its token is wrong" in text_of(answer)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "one"},
        {"alg": "HS256", "kid": "one"},
        {"alg": "RS384", "kid": "one"},
        {"kid": "one"},
        {"alg": "RS256", "kid": "one", "crit": ["exp"], "exp": 1},
    ],
)
def test_no_other_algorithm_is_taken_whatever_the_token_says(world, platform, header):
    asked = world.asked()
    payload, signature = world.token(asked["nonce"]).split(".")[1:]
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    if header.get("alg") == "HS256":  # signed with the public key as if that were a secret
        mac = hmac.digest(platform.key.as_pem(private=False), f"{head}.{payload}".encode(), "sha256")
        signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")

    answer = world.send(asked["state"], f"{head}.{payload}.{'' if header.get('alg') == 'none' else signature}")

    assert answer.status_code == 403
    assert "is not signed with RS256" in text_of(answer)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.b.c", "e30.e30.e30", "x" * 60_000])
def test_what_is_no_token_is_refused(world, token):
    answer = world.send(world.asked()["state"], token)

    assert answer.status_code in {400, 403}


def test_a_launch_works_once(world):
    asked = world.asked()
    token = world.token(asked["nonce"])

    first, second = world.send(asked["state"], token), world.send(asked["state"], token)

    assert (first.status_code, second.status_code) == (303, 403)
    assert "used already" in text_of(second)


@pytest.mark.parametrize(("minutes", "status"), [(9, 303), (10, 403)])
def test_a_launch_takes_less_than_ten_minutes(world, minutes, status):
    asked = world.asked()
    record = world.store.get(login.KIND, digest_of(asked["state"]))
    begun = msgspec.json.decode(record.body, type=login.LtiLogin)
    earlier = msgspec.json.encode(replace(begun, begun=begun.begun - minutes * MINUTE))
    world.store.write(lambda tx: tx.replace(replace(record, body=earlier))).result()

    assert world.send(asked["state"], world.token(asked["nonce"])).status_code == status


def test_a_platform_that_is_suspended_while_somebody_comes_from_it_lets_nobody_in(world, platform):
    own = world.add(platform.described("paused", issuer="https://paused.example"))
    asked = world.asked(iss=own.issuer, client_id="paused")
    world.store.write(lambda tx: platforms.set_state(tx, own.id, "suspended", "test")).result()

    answer = world.send(asked["state"], world.token(asked["nonce"], iss=own.issuer, aud="paused"))

    assert answer.status_code == 403


def test_a_nonce_is_good_for_its_own_state_alone(world):
    one, other = world.asked(), world.asked()

    answer = world.send(other["state"], world.token(one["nonce"]))

    assert answer.status_code == 403
    assert "for another launch (nonce)" in text_of(answer)


@pytest.mark.parametrize("state", ["", "made-up", "é\n"])
def test_a_state_that_nobody_was_given_is_refused(world, state):
    answer = world.send(state, "a.b.c")

    assert answer.status_code == 403
    assert "did not begin here" in text_of(answer)


def test_an_error_of_the_platform_is_told(world):
    answer = world.send(world.asked()["state"], "", error="login_required", error_description="Session lost <b>")

    assert answer.status_code == 403
    assert "Session lost <b>" in text_of(answer)


def test_a_launch_in_another_browser_is_not_used_up_and_offers_a_window_of_its_own(world):
    first = world.new_browser()
    asked = world.asked()
    token = world.token(asked["nonce"])

    world.new_browser()
    elsewhere = world.send(asked["state"], token)
    world.browser = first
    here = world.send(asked["state"], token)

    assert elsewhere.status_code == 403
    assert 'target="_blank"' in elsewhere.text
    assert f'action="{PATH}/login"' in elsewhere.text
    assert 'name="login_hint" value="2"' in elsewhere.text
    assert here.status_code == 303


def test_where_no_cookie_is_kept_the_platform_keeps_what_shows_the_same_browser(world):
    world.new_browser()
    begun = world.log_in(lti_storage_target="_parent")
    proof = begun.text.partition('data-value="')[2].partition('"')[0]
    address = begun.text.partition('href="https://moodle')[2].partition('"')[0].replace("&amp;", "&")
    asked = dict(pair.split("=", 1) for pair in address.partition("?")[2].split("&"))
    token = world.token(asked["nonce"])
    world.new_browser()

    recalling = world.send(asked["state"], token)
    wrong = world.send(asked["state"], token, headers=OWN_PAGE, proof="0" * 64, recalled="yes")
    foreign = world.send(asked["state"], token, proof=proof, recalled="yes")
    right = world.send(asked["state"], token, headers=OWN_PAGE, proof=proof, recalled="yes")

    assert f'data-origin="{ISSUER}"' in begun.text
    assert f"frame-ancestors {ISSUER};" in begun.headers["content-security-policy"]
    assert "data-recall" in recalling.text
    assert 'target="_blank"' in wrong.text
    assert right.status_code == 303
    # whoever began it knows the proof: a page of theirs signs no other browser in as them
    assert 'target="_blank"' in foreign.text
    assert "set-cookie" not in foreign.headers


def test_a_new_deployment_waits_until_it_is_accepted(world):
    waiting = world.launch(login={"lti_deployment_id": "new"}, **{CLAIM + "deployment_id": "new"})
    known = platforms.platform(world.store, world.platform.described().id)

    world.store.write(lambda tx: platforms.accept_deployment(tx, known.id, "new", "test")).result()
    accepted = world.launch(**{CLAIM + "deployment_id": "new"})

    assert "waits until an administrator accepts it" in text_of(waiting)
    assert "new" in known.waiting
    assert accepted.status_code == 303


def test_one_launch_teaches_the_names_by_which_content_of_the_platform_knows_the_learner(world):
    world.launch(sub="31", email="bea@example.org", **{CLAIM + "ext": {"user_username": "bea"}})

    person = next(r for r in each(world.store, "lti-user") if b'"sub":"31"' in r.body)
    known = identifiers_of(world.store, json.loads(person.body)["person"])
    names = {one["account"]["name"] for one in known}
    assert names == {"31", "bea", "bea@example.org"}
    assert {one["account"]["homePage"] for one in known} == {ISSUER}


def test_the_user_name_in_a_parameter_of_a_link_is_nobodys_account(world):
    world.launch(sub="32", email="", **{CLAIM + "ext": {}, CLAIM + "custom": {"engraft_username": "bea"}})

    record = next(r for r in each(world.store, "lti-user") if b'"sub":"32"' in r.body)
    known = identifiers_of(world.store, json.loads(record.body)["person"])
    assert [one["account"]["name"] for one in known] == ["32"]


def test_a_form_of_another_site_is_taken_for_a_launch_and_for_nothing_else(world):
    answer = world.browser.ask("POST", f"{PATH}/me/questions", data={"text": "x"}, headers=FOREIGN)

    assert answer.status_code == 403
    assert "sent by a page that is not ours" in text_of(answer)


def teacher():
    return {CLAIM + "roles": [MEMBERSHIP + "Instructor"], CLAIM + "ext": {}}
