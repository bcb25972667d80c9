"""How staff come in: invited by a link, with a password, with a second factor, and out again at once."""

from __future__ import annotations

import re

import pyotp
import pytest
from argon2 import PasswordHasher
from msgspec.structs import replace

from lrs.access import passwords, staff, staff_acts, staff_once
from lrs.access.roles import Granted
from lrs.access.sessions import list_sessions
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR, MINUTE
from lrs.pages import role_form
from tests.pages.conftest import Browser, forms_of, text_of
from tests.rows import each_of

ROOT = "http://lrs.test"
EMAIL = "Sam@centre.example"
PASSWORD = "a longish sentence"
ADMINISTRATOR = (Granted("administrator"),)


def invited(site, email=EMAIL, roles=ADMINISTRATOR):
    made = staff_acts.invite(site.tenant, email, roles, by="test", root=ROOT)
    return made.id, made.link.removeprefix(ROOT)


def let_in(browser, link, name="Sam Jones", password=PASSWORD, **more):
    given = {"name": name, "password": password, "again": password} | more
    return browser.send(browser.get(link), link, **given)


def sign_in(browser, email=EMAIL, password=PASSWORD, then=""):
    page = browser.get(f"/sign-in?then={then}" if then else "/sign-in")
    return browser.send(page, "/sign-in", email=email, password=password)


@pytest.fixture
def member(site):
    """The id of an administrator, whose browser is ``site.browser``."""
    id, link = invited(site)
    assert let_in(site.browser, link).status_code == 303
    return id


def is_in(browser):
    return browser.get("/account").status_code == 200


# -- invitations ------------------------------------------------------------------------------------------------------


def test_an_invitation_is_opened_with_a_name_and_a_password_and_signs_in(site):
    _, link = invited(site)
    page = site.browser.get(link)

    answer = let_in(site.browser, link)

    assert f"You are invited as {EMAIL}" in text_of(page)
    assert "Administrator : runs the organisation's part of this server" in text_of(page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert "Sam Jones" in text_of(site.browser.get("/account"))


@pytest.mark.usefixtures("member")
def test_an_invitation_works_once(site):
    _, link = invited(site, "kim@centre.example")
    let_in(site.browser, link, "Kim")

    again = Browser(site.app).get(link)
    own = site.browser.get(link)

    assert again.status_code == own.status_code == 410
    assert "This link was used already" in text_of(again)
    assert "You are signed in already" not in text_of(again)
    assert "You are signed in already in this browser." in text_of(own)
    assert '<a href="/console">Go to your first page</a>' in own.text


def test_opening_an_invitation_uses_nothing_for_mail_scanners_do_it_too(site):
    _, link = invited(site)
    for _ in range(3):
        assert Browser(site.app).get(link).status_code == 200
        assert Browser(site.app).ask("HEAD", link).status_code == 200

    assert let_in(site.browser, link).status_code == 303


def test_an_invitation_ends_after_three_days(site):
    _, link = invited(site)
    site.world.clock.now += 72 * HOUR

    answer = site.browser.get(link)

    assert answer.status_code == 410
    assert "This link is too old: it was good for 3 days." in text_of(answer)


def test_a_newer_invitation_takes_the_place_of_the_one_before(site):
    _, first = invited(site)
    _, second = invited(site)

    assert site.browser.get(first).status_code == 410
    assert site.browser.get(second).status_code == 200


# -- a link that signs in once ----------------------------------------------------------------------------------------


def once(site, id):
    return staff_once.link(site.tenant, id, by="test", root=ROOT).link.removeprefix(ROOT)


def test_a_one_time_sign_in_asks_for_no_password_works_once_and_a_password_can_be_set_afterwards(site):
    id, _ = invited(site)
    link = once(site, id)
    page = site.browser.get(link)

    answer = site.browser.send(page, link)
    again = Browser(site.app).get(link)
    account = site.browser.get("/account")
    kept = site.browser.send(account, "/account/password", password=PASSWORD, again=PASSWORD)
    other = {"present": "x", "password": "y" * 12, "again": "y" * 12}
    wrong = site.browser.send(site.browser.get("/account"), "/account/password", **other)

    assert 'type="password"' not in page.text
    assert "signs you in once, without a password, as Sam@centre.example (Administrator)" in text_of(page)
    assert (answer.status_code, answer.headers["location"], again.status_code) == (303, "/console", 410)
    assert "You came in by a link that works once" in text_of(account)
    assert (kept.status_code, wrong.status_code) == (303, 400)
    assert sign_in(Browser(site.app)).status_code == 303
    assert ("staff.sign-in-link", "test") in site.audit()


def test_a_one_time_sign_in_lets_nobody_past_a_second_factor_or_in_who_is_disabled(site, member):
    other, _ = invited(site, "kim@centre.example")
    link = once(site, other)
    staff_acts.disable(site.tenant, other, by="test")
    site.tenant.store.write(
        lambda tx: staff.put(tx, member, replace(staff.member(tx, member), factor="f"), tx.get(staff.KIND, member))
    ).result()

    assert Browser(site.app).get(link).status_code == 410
    with pytest.raises(Refused, match="disabled"):
        once(site, other)
    with pytest.raises(Refused, match="second factor"):
        once(site, member)


def test_a_one_time_sign_in_lets_nobody_past_a_second_factor_that_came_after_it(site, member):
    link = once(site, member)
    page = Browser(site.app)
    shown = page.get(link)
    turn_on(site.browser, site.world.clock)

    answer = page.send(shown, link)

    assert (answer.status_code, is_in(page)) == (409, False)
    assert "has a second factor" in text_of(answer)


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "ü", "a" * 5_000])
def test_a_guessed_link_is_none(site, token):
    assert site.browser.get(f"/invitation/{token}").status_code == 410


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"password": "short", "again": "short"}, "Choose a password of 12 to 1,024 characters"),
        ({"password": "x" * 1_025, "again": "x" * 1_025}, "Choose a password of 12 to 1,024 characters"),
        ({"password": "Password1234", "again": "Password1234"}, "one of the commonest"),
        ({"again": "another sentence"}, "The two passwords are not the same."),
        ({"name": " "}, "Write a name of 1 to 300 characters."),
        ({"name": "x" * 301}, "Write a name of 1 to 300 characters."),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_link_still_works(site, given, says):
    _, link = invited(site)

    refused = let_in(site.browser, link, **given)

    assert refused.status_code == 400
    assert says in text_of(refused)
    assert let_in(site.browser, link).status_code == 303


def test_a_browser_without_cookies_is_told_so_and_its_link_still_works(site):
    _, link = invited(site)
    for page, told in (("/sign-in", {"email": EMAIL, "password": PASSWORD}), (link, {"name": "Sam"})):
        shown = Browser(site.app).get(page)
        form = next(one for one in forms_of(shown.text) if one["action"] == page)["fields"]
        answer = Browser(site.app).ask("POST", page, data=form | told)
        assert (answer.status_code, "Your browser kept no cookie of ours" in text_of(answer)) == (403, True)

    assert let_in(site.browser, link).status_code == 303


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "ע" * 300, "O'Brien & Sons"])
def test_a_name_with_markup_of_300_characters_or_from_right_to_left_is_shown_as_it_is(site, name):
    _, link = invited(site)

    let_in(site.browser, link, name=name)

    page = site.browser.get("/staff/members")
    assert "<script>alert" not in page.text
    assert name in text_of(page)


def test_a_name_that_turns_the_text_around_it_is_refused(site):
    _, link = invited(site)

    assert let_in(site.browser, link, name="\u202eevil").status_code == 400


# -- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("member")
def test_staff_sign_in_with_address_in_any_case_and_password(site):
    browser = Browser(site.app)

    answer = sign_in(browser, " sam@CENTRE.example ", then="/pages/work")

    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/work")
    assert browser.get("/pages/work").status_code == 200


def test_a_password_is_the_same_however_its_letters_are_composed(site):
    _, link = invited(site)
    let_in(site.browser, link, password="Straße nach Köln \u2460")

    assert sign_in(Browser(site.app), password="Straße nach Ko\u0308ln 1").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "another sentence"),
        ("nobody@centre.example", PASSWORD),
        (EMAIL, ""),
        ("", ""),
        (EMAIL, "x" * 100_000),
        (EMAIL, PASSWORD + "\0"),
    ],
)
@pytest.mark.usefixtures("member")
def test_a_wrong_address_and_a_wrong_password_are_answered_alike(site, email, password):
    browser = Browser(site.app)

    answer = sign_in(browser, email[:400], password[:60_000])

    assert answer.status_code in {401, 413}
    if answer.status_code == 401:
        assert "The e-mail address or the password is wrong." in text_of(answer)
    assert not is_in(browser)


def test_who_was_invited_and_has_not_come_cannot_sign_in(site):
    invited(site)

    assert sign_in(Browser(site.app), password="").status_code == 401


@pytest.mark.usefixtures("member")
def test_guesses_at_one_account_are_slowed_down_but_not_in_a_browser_that_was_in_before(site):
    known, stranger = Browser(site.app), Browser(site.app)
    sign_in(known)
    known.send(known.get("/account"), "/sign-out")
    statuses = [sign_in(stranger, password="a wrong sentence").status_code for _ in range(11)]

    right = sign_in(stranger)

    assert statuses == [401] * 10 + [429]
    assert (right.status_code, int(right.headers["retry-after"]) > 60) == (429, True)
    assert sign_in(known).status_code == 303


@pytest.mark.usefixtures("member")
def test_signing_in_gives_a_new_session_whatever_cookie_was_there(site):
    """Session fixation: the cookie that somebody put into the browser before is worth nothing after."""
    victim, thief = Browser(site.app), Browser(site.app)
    sign_in(thief)
    fixed = thief.cookies["engraft.default"]
    victim.cookies.set("engraft.default", fixed, domain="lrs.test", path="/")

    sign_in(victim)

    assert victim.cookies["engraft.default"] != fixed
    assert is_in(victim)
    assert not is_in(thief)


@pytest.mark.usefixtures("member")
def test_a_form_that_was_shown_before_signing_in_is_not_taken_after(site):
    browser = Browser(site.app)
    before = browser.get("/sign-in")
    sign_in(browser)

    answer = browser.send(before, "/sign-in", email=EMAIL, password=PASSWORD)

    assert answer.status_code == 403


def test_a_password_that_was_kept_with_less_is_kept_anew_and_one_that_is_changed_meanwhile_stays(
    site, member, monkeypatch
):
    def keep(password):
        found = replace(staff.member(site.tenant.store, member), password=password)
        site.tenant.store.write(lambda tx: staff.put(tx, member, found, tx.get(staff.KIND, member))).result()
        return password

    def kept():
        return staff.member(site.tenant.store, member).password

    less = keep(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=8).hash(PASSWORD))
    sign_in(Browser(site.app))
    anew = kept()
    keep(less)
    monkeypatch.setattr(passwords, "hashed", lambda _: keep("changed meanwhile") and "kept anew too late")
    sign_in(Browser(site.app))

    assert (passwords.is_outdated(less), passwords.is_outdated(anew), passwords.is_right(PASSWORD, anew)) == (
        *(True, False),
        True,
    )
    assert kept() == "changed meanwhile"


# -- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("member")
def test_a_role_that_is_taken_away_ends_the_session_while_its_page_is_open(site):
    kim, link = invited(site, "kim@centre.example")
    browser = Browser(site.app)
    let_in(browser, link, "Kim")
    page = browser.get("/staff/members")

    staff_acts.set_roles(site.tenant, kim, [Granted("steward")], by="test")

    sent = browser.send(page, "/staff/members", email="new@centre.example", role="steward")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?then=/staff/members&done=over")
    assert "You are not signed in any more, and nothing was changed." in text_of(browser.get(sent.headers["location"]))
    assert staff.with_email(site.tenant.store, "new@centre.example") is None
    sign_in(browser, "kim@centre.example")
    assert browser.get("/staff/members").status_code == 403


@pytest.mark.usefixtures("member")
def test_a_member_who_is_disabled_is_out_at_once_and_cannot_sign_in(site):
    kim, link = invited(site, "kim@centre.example")
    browser = Browser(site.app)
    let_in(browser, link, "Kim")
    was_in = is_in(browser)

    staff_acts.disable(site.tenant, kim, by="test")

    assert was_in
    assert not is_in(browser)
    assert sign_in(Browser(site.app), "kim@centre.example").status_code == 401
    staff_acts.enable(site.tenant, kim, by="test")
    assert sign_in(Browser(site.app), "kim@centre.example").status_code == 303


@pytest.mark.usefixtures("member")
def test_a_password_that_is_changed_ends_all_other_sessions(site):
    other = Browser(site.app)
    sign_in(other)

    changed = site.browser.send(
        site.browser.get("/account"),
        "/account/password",
        present=PASSWORD,
        password="quite another sentence",
        again="quite another sentence",
    )

    assert changed.headers["location"] == "/account?done=changed"
    assert is_in(site.browser)
    assert not is_in(other)
    assert sign_in(Browser(site.app)).status_code == 401
    assert sign_in(Browser(site.app), password="quite another sentence").status_code == 303


def test_of_two_changes_of_a_password_at_once_the_second_is_refused(site, member, monkeypatch):
    hashed, changed = passwords.hashed, []

    def meanwhile(password):
        if not changed:
            changed.append(password)
            staff_acts.change_password(site.tenant, member, PASSWORD, "the first of two sentences", session="")
        return hashed(password)

    monkeypatch.setattr("lrs.access.passwords.hashed", meanwhile)
    with pytest.raises(Refused, match="changed meanwhile"):
        staff_acts.change_password(site.tenant, member, PASSWORD, "the second of two sentences", session="")

    assert sign_in(Browser(site.app), password="the first of two sentences").status_code == 303


@pytest.mark.usefixtures("member")
def test_the_present_password_is_needed_to_change_it(site):
    page = site.browser.get("/account")
    new = {"password": "quite another sentence", "again": "quite another sentence"}

    answer = site.browser.send(page, "/account/password", present="a wrong sentence", **new)

    assert answer.status_code == 400
    assert "The present password is wrong." in text_of(answer)
    assert sign_in(Browser(site.app)).status_code == 303


@pytest.mark.usefixtures("member")
def test_a_new_password_that_is_typed_in_two_ways_changes_nothing(site):
    new = {"password": "quite another sentence", "again": "quite another sentense"}

    answer = site.browser.send(site.browser.get("/account"), "/account/password", present=PASSWORD, **new)

    assert answer.status_code == 400
    assert "The two passwords are not the same." in text_of(answer)
    assert sign_in(Browser(site.app)).status_code == 303


def test_recovery_sets_a_new_password_and_ends_the_sessions(site, member):
    made = staff_acts.recover(site.tenant, member, by="operator", root=ROOT)
    link = made.link.removeprefix(ROOT)
    still_in = is_in(site.browser)
    browser = Browser(site.app)

    page = browser.get(link)
    let_in(browser, link, password="quite another sentence")

    assert "Choose a new password" in text_of(page)
    assert still_in
    assert not is_in(site.browser)
    assert is_in(browser)
    assert sign_in(Browser(site.app)).status_code == 401


def test_the_last_administrator_cannot_be_disabled_or_lose_the_role_by_the_page(site, member):
    page = site.browser.get("/staff/members")

    token = token_in(page)
    off = site.browser.ask("POST", f"/staff/members/{member}/state", data={"form": token, "state": "disabled"})
    less = site.browser.ask("POST", f"/staff/members/{member}/roles", data={"form": token, "role": "steward", "of": ""})

    assert (off.status_code, less.status_code) == (409, 409)
    assert "You cannot disable yourself" in text_of(off)
    assert "Nobody else is an administrator" in text_of(less)
    assert is_in(site.browser)


@pytest.mark.usefixtures("member")
def test_an_administrator_makes_a_link_to_set_a_password_on_the_row_of_a_member(site):
    kim, link = invited(site, "kim@centre.example")
    let_in(Browser(site.app), link, "Kim")
    page = site.browser.get("/staff/members")

    shown = site.browser.send(page, f"/staff/members/{kim}/recovery")

    token = re.search(r"/invitation/([\w-]+)</code>", shown.text)[1]
    assert "kim@centre.example sets a new password with this link" in text_of(shown)
    assert "This address works only on this machine. Ask the operator" in text_of(shown)
    assert "Choose a new password" in text_of(Browser(site.app).get(f"/invitation/{token}"))


@pytest.mark.usefixtures("member")
def test_an_invitation_is_withdrawn_by_its_own_button_and_can_be_made_again(site):
    browser, token = site.browser, token_in(site.browser.get("/staff/members"))
    told = {"form": token, "email": "new@centre.example", "role": "trainer", "of": "North"}
    shown = browser.ask("POST", "/staff/members", data=told)
    link = re.search(r"/invitation/[\w-]+(?=</code>)", shown.text)[0]
    (id,) = [id for id, one in staff.everyone(site.tenant.store) if one.email == "new@centre.example"]

    before = text_of(browser.get("/staff/members"))
    withdrawn = browser.send(browser.get("/staff/members"), f"/staff/members/{id}/state", state="disabled")
    after = browser.get(withdrawn.headers["location"])
    refused = Browser(site.app).get(link)
    again = next(one for one in forms_of(after.text) if one["fields"].get("email") == "new@centre.example")["fields"]
    made = browser.ask("POST", "/staff/members", data=again)

    assert "Withdraw the invitation" in before
    assert "new@centre.example is signed out" not in before
    assert "The invitation is withdrawn: its link does not work any more." in text_of(after)
    assert "Invitation withdrawn" in text_of(after)
    assert refused.status_code == 410
    assert "new@centre.example is invited as Trainer (North)" in text_of(made)
    assert "takes the place of" not in text_of(made)
    assert "staff.withdrawn" in {action for action, _ in site.audit()}


@pytest.mark.usefixtures("member")
def test_the_form_of_roles_keeps_what_was_chosen_and_says_what_its_field_wants(site):
    def invite(**typed):
        return site.browser.ask("POST", "/staff/members", data={"form": token, "email": "t@centre.example"} | typed)

    token = token_in(site.browser.get("/staff/members"))
    none = invite(role="trainer", of="")
    first = invite(role="trainer", of="trainer:Harbour Moodle")
    second = invite(role="steward", of="")

    assert none.status_code == 400
    assert "choose the source, or write the name of a new one" in text_of(none)
    assert 'aria-describedby="of-new-1-error"' in none.text
    assert 'aria-describedby="email-error"' in invite(role="steward", of="", email="nobody").text
    assert '<option value="trainer" selected>' in none.text
    assert "is invited as Trainer (Harbour Moodle)" in text_of(first)
    assert "Nothing here has the name Harbour Moodle yet." in text_of(first)
    assert "takes the place of" not in text_of(first)
    assert "takes the place of an earlier invitation, as Trainer (Harbour Moodle)" in text_of(second)


FILLED_IN = [("of", "lost"), ("role", "trainer"), ("of", " vle "), ("role", ""), ("of", ""), ("role", "steward")]


@each_of(
    ("fields", "given"),
    [
        (FILLED_IN, [Granted("trainer", "vle"), Granted("steward")]),
        ([("role", "trainer"), ("of", "trainer:vle")], [Granted("trainer", "vle")]),
        ([("role", "trainer"), ("of", "vle"), ("of", "")], [Granted("trainer", "vle")]),
        ([("role", "trainer"), ("of", "vle"), ("of", "new ")], [Granted("trainer", "new")]),
        ([("role", "developer:allocator"), ("of", "")], [Granted("developer", "allocator")]),
        ([("role", "steward"), ("of", "vle")], "The role steward is for everything: leave the field beside it empty."),
        ([("role", "developer"), ("of", "")], "The role developer is for one service: write its name"),
        ([("role", "trainer"), ("of", "")], "The role trainer is for one source: choose the source, or write"),
        ([("role", ""), ("of", "vle")], "Choose the role that is for 'vle'."),
    ],
)
def test_what_stands_beside_a_role_is_what_it_is_for_and_a_role_for_everything_has_nothing_there(fields, given):
    if isinstance(given, list):
        assert role_form.roles_in(fields) == given
    else:
        with pytest.raises(Refused, match=given):
            role_form.roles_in(fields)


def test_who_changes_their_own_roles_is_told_why_they_are_signed_out(site, member):
    _, link = invited(site, "kim@centre.example")
    let_in(Browser(site.app), link, "Kim")
    page = site.browser.get("/staff/members")

    answer = site.browser.ask(
        "POST", f"/staff/members/{member}/roles", data={"form": token_in(page), "role": "steward", "of": ""}
    )

    assert answer.headers["location"] == "/sign-in?done=own_roles"
    assert "Your own roles are changed" in text_of(site.browser.get("/sign-in?done=own_roles"))


def token_in(page):
    return re.search(r'name="form" value="([^"]+)"', page.text)[1]


# -- sessions ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("member")
def test_somebody_sees_where_they_are_signed_in_and_ends_it(site):
    phone = Browser(site.app)
    sign_in(phone)
    page = site.browser.get("/account")

    ended = site.browser.send(page, "/account/sessions")

    assert text_of(page).count("Signed in by") == 2
    assert ended.headers["location"] == "/account?done=ended"
    assert not is_in(phone)
    assert is_in(site.browser)


@pytest.mark.usefixtures("member")
def test_nobody_ends_the_session_of_somebody_else(site):
    _, link = invited(site, "kim@centre.example")
    kim = Browser(site.app)
    let_in(kim, link, "Kim")
    [own, _] = [one.id for one in list_sessions(site.tenant.store, site.tenant.clock())]

    answer = kim.ask("POST", "/account/sessions", data={"form": token_in(kim.get("/account")), "id": own})

    assert answer.status_code == 404
    assert is_in(site.browser)


@pytest.mark.usefixtures("member")
def test_two_tabs_with_different_people_do_not_act_for_one_another(site):
    _, link = invited(site, "kim@centre.example")
    let_in(Browser(site.app), link, "Kim")
    of_sam = site.browser.get("/account")
    sign_in(site.browser, "kim@centre.example")

    answer = site.browser.send(of_sam, "/account/name", name="Somebody else")

    assert answer.status_code == 403
    assert "you signed in again since" in text_of(answer)


# -- second factor ----------------------------------------------------------------------------------------------------


def turn_on(browser, clock):
    page = browser.get("/account/second-factor")
    secret = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)[1].replace(" ", "")
    answer = browser.send(page, "/account/second-factor", code=code_of(secret, clock))
    return secret, answer


def code_of(secret, clock):
    return pyotp.TOTP(secret).at(clock.now // 1_000_000)


@pytest.mark.usefixtures("member")
def test_with_a_second_factor_the_password_alone_does_not_sign_in(site):
    secret, answer = turn_on(site.browser, site.world.clock)
    site.world.clock.now += 60 * 1_000_000
    browser = Browser(site.app)

    second = sign_in(browser)
    half = is_in(browser)
    done = browser.send(second, "/sign-in/code", code=code_of(secret, site.world.clock))

    assert "The second factor is on" in text_of(answer)
    assert "Second step" in text_of(second)
    assert not half
    assert done.status_code == 303
    assert is_in(browser)


@pytest.mark.usefixtures("member")
def test_no_code_is_taken_twice_and_not_the_one_that_turned_it_on(site):
    secret, _ = turn_on(site.browser, site.world.clock)
    first, second = Browser(site.app), Browser(site.app)
    at_once = first.send(sign_in(first), "/sign-in/code", code=code_of(secret, site.world.clock))
    site.world.clock.now += 60 * 1_000_000
    code = code_of(secret, site.world.clock)

    once = first.send(sign_in(first), "/sign-in/code", code=code)
    twice = second.send(sign_in(second), "/sign-in/code", code=code)

    assert once.status_code == 303
    assert (at_once.status_code, twice.status_code) == (401, 401)
    assert "The code is wrong, or was used already." in text_of(twice)


@pytest.mark.usefixtures("member")
def test_a_recovery_code_lets_in_once_however_it_is_typed(site):
    _, answer = turn_on(site.browser, site.world.clock)
    codes = re.findall(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", answer.text)
    typed = codes[0].lower().replace("-", " ")
    first, second = Browser(site.app), Browser(site.app)

    once = first.send(sign_in(first), "/sign-in/code", code=typed)
    twice = second.send(sign_in(second), "/sign-in/code", code=codes[0])

    assert len(set(codes)) == 10
    assert (once.status_code, twice.status_code) == (303, 401)
    assert "9 recovery codes are left" in text_of(first.get("/account"))


@pytest.mark.usefixtures("member")
def test_the_second_step_is_of_the_browser_that_gave_the_password(site):
    secret, _ = turn_on(site.browser, site.world.clock)
    site.world.clock.now += 60 * 1_000_000
    shown = sign_in(Browser(site.app))
    other = Browser(site.app)
    other.get("/sign-in")

    answer = other.send(shown, "/sign-in/code", code=code_of(secret, site.world.clock))

    assert answer.status_code == 403
    assert not is_in(other)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            lambda site, id: staff_acts.change_password(
                site.tenant, id, PASSWORD, "quite another sentence", session=""
            ),
            "the account was changed",
        ),
        (lambda site, id: staff_acts.disable(site.tenant, id, by="test", keep_one=False), "the account was changed"),
        (lambda site, _: setattr(site.world.clock, "now", site.world.clock.now + 5 * MINUTE), "the code came too late"),
    ],
    ids=["the password is changed", "the member is disabled", "five minutes pass"],
)
def test_who_is_half_way_in_is_let_in_by_a_code_only_soon_and_while_nothing_was_changed(site, member, act, says):
    secret, _ = turn_on(site.browser, site.world.clock)
    site.world.clock.now += 60 * 1_000_000
    browser = Browser(site.app)
    second = sign_in(browser)

    act(site, member)
    answer = browser.send(second, "/sign-in/code", code=code_of(secret, site.world.clock))

    assert (answer.status_code, is_in(browser)) == (401, False)
    assert f"Sign in again: {says}." in text_of(answer)


@pytest.mark.usefixtures("member")
def test_codes_are_not_guessed_for_ever(site):
    turn_on(site.browser, site.world.clock)
    browser = Browser(site.app)
    page = sign_in(browser)

    statuses = [browser.send(page, "/sign-in/code", code="000000").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]


@pytest.mark.usefixtures("member")
def test_what_the_account_asks_for_is_not_guessed_for_ever_with_all_its_forms_together(site):
    token, new = token_in(site.browser.get("/account")), "quite another sentence"
    forms = [
        ("password", {"present": "a wrong sentence", "password": new, "again": new}),
        ("second-factor", {"secret": "", "code": "000000"}),
        ("second-factor/off", {"password": "a wrong sentence"}),
    ]

    def tried(path, form):
        return site.browser.ask("POST", f"/account/{path}", data={"form": token, **form}).status_code

    guessed = [tried(path, form) for _ in range(3) for path, form in forms] + [tried(*forms[0])]

    assert guessed == [400, 409, 400] * 3 + [400]
    assert [tried(path, form) for path, form in forms] == [429] * 3


@pytest.mark.usefixtures("member")
def test_the_second_factor_goes_off_with_the_password(site):
    turn_on(site.browser, site.world.clock)
    page = site.browser.get("/account/second-factor")

    wrong = site.browser.send(page, "/account/second-factor/off", password="a wrong sentence")
    right = site.browser.send(page, "/account/second-factor/off", password=PASSWORD)

    assert (wrong.status_code, right.status_code) == (400, 303)
    assert sign_in(Browser(site.app)).status_code == 303
