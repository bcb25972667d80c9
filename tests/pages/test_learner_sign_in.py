"""How learners come in: by a message to an address that is known, or by an invitation; and what it shows before."""

from __future__ import annotations

import re

import msgspec
import pytest

from lrs.access import learners
from lrs.access.staff import Login
from lrs.kernel.errors import Refused
from lrs.kernel.times import MINUTE
from lrs.outbox.deliveries import KIND
from lrs.outbox.mail import CHANNEL, Mail
from lrs.people import joins, sign_in
from lrs.storage import each
from tests.pages.conftest import Browser, Site, text_of

ANN = "ann@example.org"
ROOT = "http://127.0.0.1:80"


def statement(number, actor):
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "actor": actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": "https://vle.example/gowning"},
    }


@pytest.fixture
def person(site):
    """Ann, who is known by her address."""
    site.world.send(statement(1, {"mbox": f"mailto:{ANN}", "name": "Ann Smith"}))
    site.world.work()
    return sign_in.addressed(site.tenant.store, site.tenant, ANN).person


def mails(site):
    """The mails that are owed, newest last."""
    site.tenant.store.write(lambda _: None).result()  # asking does not wait for its commit
    found = [record for record in each(site.tenant.store, KIND) if record.meta["channel"] == CHANNEL]
    return [msgspec.json.decode(record.body, type=Mail) for record in found]


def ask(browser, email=ANN):
    return browser.send(browser.get("/sign-in/learner"), "/sign-in/learner", email=email)


def path_of(link):
    return re.sub(r"^https?://[^/]+", "", link)


def is_in(browser):
    return browser.get("/account").status_code == 200


# -- a message --------------------------------------------------------------------------------------------------------


def test_the_link_of_a_message_signs_in_once_its_owner_has_said_this_is_them(site, person):
    ask(site.browser)
    [mail] = mails(site)
    page = site.browser.get(path_of(mail.values["link"]))
    shown = site.browser.send(page, path_of(mail.values["link"]))
    before = is_in(site.browser)

    done = site.browser.send(shown, "/sign-in/learner/confirm")

    assert (mail.address, mail.template, mail.person) == (ANN, "learner-sign-in", person)
    assert "Is this you?" in text_of(shown)
    assert "Ann Smith" in text_of(shown)
    assert not before
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert learners.account_of(site.tenant.store, person).addresses == (ANN,)


def test_the_second_time_nothing_is_asked(site, person):
    sign_in.sign_in(site.tenant, person, SIGN_IN, address=ANN)
    ask(site.browser)

    [mail] = mails(site)
    done = site.browser.send(site.browser.get(path_of(mail.values["link"])), path_of(mail.values["link"]))

    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert is_in(site.browser)


SIGN_IN = sign_in.SigningIn("link")


@pytest.mark.usefixtures("person")
def test_six_digits_do_as_well_however_they_are_typed(site):
    sent = ask(site.browser)
    [mail] = mails(site)
    code = mail.values["code"]

    shown = site.browser.send(sent, "/sign-in/learner/code", code=f" {code[:3]} {code[3:]} ")

    assert re.fullmatch(r"\d{6}", code)
    assert "Is this you?" in text_of(shown)


@pytest.mark.usefixtures("person")
def test_a_link_works_only_in_the_browser_that_asked_and_is_not_used_up_elsewhere(site):
    ask(site.browser)
    link = path_of(mails(site)[0].values["link"])
    other = Browser(site.app)
    looked = other.get(link)
    forced = other.ask("POST", link, data={"form": token_in(other.get("/sign-in/learner"))})

    here = site.browser.send(site.browser.get(link), link)

    assert "only in the browser in which you asked for it" in text_of(looked)
    assert forced.status_code == 403
    assert "Is this you?" in text_of(here)


def token_in(page):
    return re.search(r'name="form" value="([^"]+)"', page.text)[1]


@pytest.mark.usefixtures("person")
def test_a_link_that_a_scanner_opened_still_works_and_one_that_was_used_does_not(site):
    ask(site.browser)
    link = path_of(mails(site)[0].values["link"])
    for _ in range(3):
        Browser(site.app).get(link)
    first = site.browser.send(page := site.browser.get(link), link)

    again = site.browser.send(page, link)

    assert "Is this you?" in text_of(first)
    assert again.status_code == 410
    assert site.browser.get(link).status_code == 410


@pytest.mark.usefixtures("person")
def test_link_and_code_end_after_fifteen_minutes(site):
    sent = ask(site.browser)
    [mail] = mails(site)
    site.world.clock.now += 15 * MINUTE

    link = site.browser.get(path_of(mail.values["link"]))
    code = site.browser.send(sent, "/sign-in/learner/code", code=mail.values["code"])

    assert (link.status_code, code.status_code) == (410, 401)


@pytest.mark.usefixtures("person")
def test_after_five_wrong_codes_the_right_one_is_wrong_too(site):
    sent = ask(site.browser)
    code = mails(site)[0].values["code"]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(5):
        assert site.browser.send(sent, "/sign-in/learner/code", code=wrong).status_code == 401

    assert site.browser.send(sent, "/sign-in/learner/code", code=code).status_code == 401


@pytest.mark.usefixtures("person")
def test_the_code_of_another_browser_is_none(site):
    ask(site.browser)
    code = mails(site)[0].values["code"]
    other = Browser(site.app)
    sent = ask(other, "stranger@example.org")

    assert other.send(sent, "/sign-in/learner/code", code=code).status_code == 401


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("email", ["stranger@example.org", "ann@example.com", "x" * 60 + "@example.org"])
def test_the_answer_is_the_same_for_an_address_that_nobody_knows(site, email):
    known, unknown = ask(Browser(site.app)), ask(Browser(site.app), email)

    strip = re.compile(r'(?<=name="form" value=")[^"]+|nonce[-=]\S+')
    assert known.status_code == unknown.status_code == 200
    assert strip.sub("", known.text) == strip.sub("", unknown.text)
    assert [mail.address for mail in mails(site)] == [ANN]


@pytest.mark.usefixtures("person")
def test_the_message_goes_to_the_address_in_the_record_not_to_the_one_that_was_typed(site):
    ask(site.browser, " ANN@Example.org ")

    assert [mail.address for mail in mails(site)] == [ANN]


@pytest.mark.usefixtures("person")
def test_of_two_mailboxes_that_differ_in_case_the_one_with_the_typed_case_is_meant(site):
    site.world.send(statement(2, {"mbox": "mailto:Ann@example.org"}))
    site.world.work()

    for typed in (ANN, "Ann@example.org", "aNN@example.org"):
        ask(Browser(site.app), typed)

    assert [mail.address for mail in mails(site)] == [ANN, "Ann@example.org"]


@pytest.mark.usefixtures("person")
def test_one_address_is_not_sent_more_than_five_messages_in_half_an_hour_and_nobody_is_told(site):
    answers = {ask(Browser(site.app), typed).status_code for typed in [ANN, ANN.upper()] * 4}

    assert answers == {200}
    assert len(mails(site)) == 5


@pytest.mark.usefixtures("person")
def test_what_is_counted_is_counted_for_one_application(site, tmp_path):
    for _ in range(5):
        ask(Browser(site.app))
    (tmp_path / "another").mkdir()
    another = Site(tmp_path / "another")
    another.world.send(statement(1, {"mbox": f"mailto:{ANN}", "name": "Ann Smith"}))
    another.world.work()

    ask(Browser(another.app))

    assert len(mails(another)) == 1
    another.close()


@pytest.mark.usefixtures("person")
def test_a_learner_signs_in_in_welsh_and_the_choice_is_kept(site):
    browser = site.browser

    chosen = browser.get("/sign-in/learner?lang=cy")
    wrong = browser.send(browser.get("/sign-in/learner"), "/sign-in/learner", email="nobody")
    sent = ask(browser)
    guess = browser.send(sent, "/sign-in/learner/code", code="000000")
    used = browser.get("/sign-in/link/unknown")
    [mail] = mails(site)
    link = browser.get(path_of(mail.values["link"]))
    asked = browser.send(link, path_of(mail.values["link"]))

    assert "Gweld eich sgiliau" in text_of(chosen)
    assert 'lang="cy" hreflang="cy" aria-current="true"' in chosen.text
    assert (wrong.status_code, "Nid cyfeiriad e-bost yw hwn." in text_of(wrong)) == (400, True)
    assert "Edrychwch ar eich negeseuon" in text_of(sent)
    assert (guess.status_code, "Nid dyma chwe digid y neges ddiweddaraf" in text_of(guess)) == (401, True)
    assert (used.status_code, "Mae'r ddolen hon wedi'i defnyddio eisoes" in text_of(used)) == (410, True)
    assert mail.language == "cy"
    assert "Un clic, ac rydych wedi mewngofnodi." in text_of(link)
    assert "Ai chi yw hwn?" in text_of(asked)
    assert [page.headers["content-language"] for page in (chosen, wrong, sent, guess, used, link, asked)] == ["cy"] * 7
    assert Browser(site.app).get("/sign-in/learner").headers["content-language"] == "en"


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@example.org", "a b@example.org", "ann@example.org\nx", "x" * 300]
)
def test_what_is_no_address_is_said(site, email):
    answer = ask(site.browser, email)

    assert answer.status_code == 400
    assert "This is no e-mail address" in text_of(answer)


def test_a_browser_without_cookies_is_told_so(site):
    page = site.browser.get("/sign-in/learner")
    bare = Browser(site.app)

    answer = bare.send(page, "/sign-in/learner", email=ANN)

    assert answer.status_code == 403
    assert "Your browser kept no cookie of ours." in text_of(answer)


# -- what an address shows --------------------------------------------------------------------------------------------


def test_a_proven_address_shows_what_the_rules_of_joins_have_joined_and_says_from_where(site, person):
    account = {"account": {"homePage": "https://vle.example", "name": "ann-17"}}
    number = {"account": {"homePage": "https://www.gov.uk/uln", "name": "1000000027"}}
    others = ["https://vle.example|ann-17", "https://ann.example/me", "1000000027"]
    for place, actor in enumerate((account, {"openid": others[1]}, number), 3):
        site.world.send(statement(place, actor))
    site.world.work()

    before = sign_in.preview(site.tenant, person).known_by
    for one in others:
        other = sign_in.person_named(site.tenant, one)
        site.tenant.store.write(lambda tx, other=other: joins.merge(tx, person, other, "test")).result()

    assert before == ("an e-mail address",)
    known_by = ("an e-mail address", "an OpenID", "an account at vle.example", "a learner number")
    assert sign_in.preview(site.tenant, person).known_by == known_by


def test_what_is_told_before_names_no_identifier(site, person):
    ask(site.browser)
    link, other = path_of(mails(site)[0].values["link"]), _account(site)
    site.tenant.store.write(lambda tx: joins.merge(tx, person, other, "test")).result()

    shown = site.browser.send(site.browser.get(link), link)

    assert "an account at vle.example" in text_of(shown)
    assert "ann-17" not in shown.text


def _account(site):
    site.world.send(statement(4, {"account": {"homePage": "https://vle.example", "name": "ann-17"}}))
    site.world.work()
    return sign_in.person_named(site.tenant, "https://vle.example|ann-17")


def test_what_was_proven_is_confirmed_in_the_same_browser_and_soon(site, person):
    ask(site.browser)
    link = path_of(mails(site)[0].values["link"])
    shown = site.browser.send(site.browser.get(link), link)
    proven = re.search(r'name="proven" value="([^"]+)"', shown.text)[1]
    other = Browser(site.app)
    page = other.get("/sign-in/learner")

    stolen = other.ask("POST", "/sign-in/learner/confirm", data={"form": token_in(page), "proven": proven})
    changed = site.browser.send(shown, "/sign-in/learner/confirm", proven=proven[:-2] + "AA")
    site.world.clock.now += 11 * MINUTE
    late = site.browser.send(shown, "/sign-in/learner/confirm")

    assert (stolen.status_code, changed.status_code, late.status_code) == (403, 403, 403)
    assert learners.account_of(site.tenant.store, person) is None


# -- invitations ------------------------------------------------------------------------------------------------------


def test_an_invitation_opens_the_record_of_the_person_it_was_made_for(site):
    person = _account(site)
    made = sign_in.invite(site.tenant, person, ANN, by="test", root=ROOT)
    link = path_of(made.link)
    page = site.browser.get(link)

    done = site.browser.send(page, link)
    again = Browser(site.app).get(link)

    assert "an account at vle.example" in text_of(page)
    assert (done.headers["location"], again.status_code) == ("/me", 410)
    assert [(mail.template, mail.address) for mail in mails(site)] == [("learner-invitation", ANN)]
    ask(Browser(site.app))
    assert [mail.person for mail in mails(site)][-1] == person


def test_an_address_that_somebody_signs_in_with_stays_theirs(site, person):
    sign_in.sign_in(site.tenant, person, SIGN_IN, address=ANN)
    made = sign_in.invite(site.tenant, _account(site), ANN, by="test", root=ROOT)

    site.browser.send(site.browser.get(path_of(made.link)), path_of(made.link))

    assert is_in(site.browser)
    assert learners.person_with_address(site.tenant.store, ANN) == person


def test_a_learner_adds_an_address_by_its_digits(site):
    made = sign_in.invite(site.tenant, _account(site), "", by="test", root=ROOT)
    site.browser.send(site.browser.get(path_of(made.link)), path_of(made.link))
    account = site.browser.get("/account")
    sent = site.browser.send(account, "/account/address", email="New@example.org")
    [mail] = mails(site)

    page = site.browser.get(sent.headers["location"])
    done = site.browser.send(page, "/account/address", code=mail.values["code"])

    assert "By what you are known to us:" in account.text
    assert (mail.template, mail.address) == ("learner-address", "New@example.org")
    assert done.headers["location"] == "/account?done=proven"
    assert learners.person_with_address(site.tenant.store, "NEW@example.org") == made.person


def test_an_address_is_proven_by_who_asked_in_the_same_session_and_is_nobody_elses(site, person):
    store, other = site.tenant.store, _account(site)

    def prove(who, session, spoil=""):
        sign_in.ask_for_address(site.tenant, other, ANN, "a session")
        code = mails(site)[-1].values["code"]
        sign_in.prove_address(site.tenant, who, f"{code[:3]} {code[3:]}{spoil}", session)

    for wrong in ((other, "another session"), (person, "a session"), (other, "a session", "1")):
        with pytest.raises(Refused, match="not the six digits of the message"):
            prove(*wrong)
    assert learners.person_with_address(store, ANN) is None
    sign_in.sign_in(site.tenant, person, SIGN_IN, address=ANN)
    with pytest.raises(Refused, match="Somebody else signs in with this address already"):
        prove(other, "a session")

    assert learners.person_with_address(store, ANN) == person
    assert learners.account_of(store, other) is None


def test_an_account_at_a_provider_signs_in_one_learner_alone_and_an_invitation_is_not_used_up_by_another(site, person):
    store, other, login = site.tenant.store, _account(site), Login("https://login.example", "ann")
    sign_in.sign_in(site.tenant, person, SIGN_IN, login=login)
    token = sign_in.invite(site.tenant, other, "", by="test", root=ROOT).link.rpartition("/")[2]

    for act in (
        lambda: sign_in.use_invitation(site.tenant, token, SIGN_IN, login),
        lambda: sign_in.sign_in(site.tenant, other, SIGN_IN, login=login),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.status, learners.account_of(store, other)) == (409, None)

    sign_in.use_invitation(site.tenant, token, SIGN_IN, Login("https://login.example", "another"))
    assert learners.account_of(store, other).logins == (Login("https://login.example", "another"),)
    assert learners.account_of(store, person).logins == (login,)


def test_a_learner_with_no_evidence_comes_in_too_and_sees_no_page_of_staff(site, person):
    sign_in.sign_in(site.tenant, person, SIGN_IN, address=ANN)
    made = sign_in.invite(site.tenant, person, "", by="test", root=ROOT)
    site.browser.send(site.browser.get(path_of(made.link)), path_of(made.link))

    refused = site.browser.get("/staff/learners")

    assert is_in(site.browser)
    assert refused.status_code == 403
    assert (
        "This page needs a role that you do not have: administrator, steward, trainer, assessor or provider."
        in text_of(refused)
    )


def test_an_account_that_is_closed_ends_the_session_at_once(site, person):
    made = sign_in.invite(site.tenant, person, "", by="test", root=ROOT)
    site.browser.send(site.browser.get(path_of(made.link)), path_of(made.link))
    before = is_in(site.browser)

    site.tenant.store.write(lambda tx: learners.close_account(tx, person, by="test")).result()

    assert before
    assert not is_in(site.browser)
