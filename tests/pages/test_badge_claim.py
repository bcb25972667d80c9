"""Getting a badge by a link, and showing it to others: what each page says, and what it does not let happen."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from badges.achievements import counts
from badges.claims import claims
from badges.held import shares, stops
from badges.views import badge_view
from lrs.access import learners
from lrs.composition.steps import drain
from lrs.kernel.times import DAY
from lrs.outbox.mail import Mail
from lrs.people import joins, minors
from lrs.storage import each
from tests.competency.world import ANN
from tests.matching.world import put_person
from tests.pages.conftest import Browser, text_of
from tests.pages.test_me import lived, signed_in

HOLDER = "Ann Smith"


@pytest.fixture
def ann(site):
    return lived(site)


@pytest.fixture
def badge(site, ann):
    return next(one for one in each(site.tenant.store, "credential") if one.meta["person"] == ann)


def link(site, badge, address=""):
    """The path of a new claim link."""
    made = site.tenant.store.write(lambda tx: claims.make(tx, site.tenant, badge, address)).result()
    return f"/claim/{made.token}"


def accepted(site, path, browser=None):
    browser = browser or Browser(site.app)
    answer = browser.send(browser.get(path), path, act="accept")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    return browser


def uses(site, badge):
    record = site.tenant.store.get("badge-use", badge.id)
    return set(json.loads(record.body)["first"]) if record else set()


def shared_path(page):
    return urlsplit(re.search(r'id="share">([^<]+)<', page.text)[1]).path


def test_whoever_has_the_link_sees_what_was_earned_before_accepting_it(site, badge):
    path = link(site, badge)

    page = Browser(site.app).get(path)

    text = text_of(page)
    assert page.status_code == 200
    assert "You have earned this badge" in text
    assert "Who gave it Engraft, default (demonstration)" in text
    assert "Accept this badge" in text
    assert "Certificate" not in text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert uses(site, badge) == {"opened"}


def test_before_a_badge_is_accepted_its_link_gives_its_picture_and_no_file_and_nothing_counts_as_taken(site, badge):
    path, browser = link(site, badge), Browser(site.app)
    page = browser.get(path)

    shown = browser.get(re.search(r'<img src="([^"]+)"', page.text)[1].replace("&amp;", "&"))
    files = [browser.get(f"{path}/file?form={form}") for form in ("json", "jwt", "png", "svg", "sd-jwt", "pdf")]

    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/svg+xml")
    assert b"proofValue" not in shown.content
    assert [file.status_code for file in files] == [409] * 6
    assert "Accept the badge first." in text_of(files[0])
    assert uses(site, badge) == {"opened"}


def test_looking_at_ones_own_badges_with_their_pictures_takes_none(site, ann, badge):
    browser = signed_in(site, ann)

    for page in ("/me", f"/me/badges/{badge.id}/take"):
        pictures = re.findall(r'<img src="([^"]+)"', browser.get(page).text)
        assert {browser.get(one.replace("&amp;", "&")).status_code for one in pictures} == {200}

    assert uses(site, badge) == {"opened"}


def test_an_accepted_badge_is_taken_in_every_form_under_its_own_name(site, badge):
    path = link(site, badge)
    browser = accepted(site, path)

    page = browser.get(path)
    files = {form: browser.get(f"{path}/file?form={form}") for form in ("json", "jwt", "png", "svg", "sd-jwt", "pdf")}

    assert "Keep it as a file" in text_of(page)
    assert {form: file.status_code for form, file in files.items()} == dict.fromkeys(files, 200)
    name = json.loads(badge.body)["credentialSubject"]["achievement"]["name"].replace(": ", " ")
    assert all(f'filename="{name}.' in file.headers["content-disposition"] for file in files.values())
    assert files["json"].content == badge.body
    assert browser.get(f"{path}/file?form=gif").status_code == 404
    assert uses(site, badge) == {"opened", "claimed"}


def test_before_a_badge_is_accepted_its_link_shares_it_with_nobody_and_opens_no_wallet(site, badge):
    path, browser = link(site, badge), Browser(site.app)
    form = browser.get(path)

    answers = [browser.send(form, path, act=act, name="yes") for act in ("share", "wallet", "name", "void")]

    assert [answer.status_code for answer in answers] == [409] * 4
    assert shares.share_of(site.tenant.store, badge.id) is None
    assert uses(site, badge) == {"opened"}


def test_a_second_claim_of_one_link_is_refused_and_says_what_to_do(site, badge):
    path = link(site, badge)
    other = Browser(site.app)
    form = other.get(path)
    mine = accepted(site, path)

    late = other.send(form, path, act="accept")
    looked = other.get(path)

    assert late.status_code == looked.status_code == 410
    assert "This link was used already, in another browser." in text_of(late)
    assert "all your badges are among your skills" in text_of(looked)
    assert mine.get(path).status_code == 200
    assert accepted(site, path, mine)  # the same browser may press it twice


def test_an_expired_a_guessed_and_a_replaced_link_each_say_so(site, badge):
    old, path = link(site, badge), link(site, badge)
    browser = Browser(site.app)
    site.world.clock.now += 30 * DAY

    told = [text_of(answer) for answer in (browser.get("/claim/guessed"), browser.get(old), browser.get(path))]

    assert [browser.get(one).status_code for one in ("/claim/guessed", old, path)] == [404, 404, 410]
    assert all("This link is not known." in one for one in told[:2])
    assert "This link is too old: it was good for 30 days." in told[2]
    assert all("To my skills" in one for one in told)


def test_a_link_that_went_to_an_address_that_is_not_the_learners_any_more_opens_nothing(site, ann, badge):
    site.tenant.store.write(lambda tx: learners.open_account(tx, ann, address="ann@new.example", by="test")).result()
    path, kept = link(site, badge, "ann@old.example"), None
    browser = Browser(site.app)

    answer = browser.get(path)
    posted = browser.ask("POST", path, data={"act": "accept"})
    kept = browser.get(link(site, badge, "Ann@New.example"))
    other = put_person(site.tenant, "mailto:ann@work.example")
    site.tenant.store.write(lambda tx: learners.open_account(tx, other, address="ann@home.example", by="test")).result()
    site.tenant.store.write(lambda tx: joins.merge(tx, other, ann, "test")).result()
    joined = browser.get(link(site, badge, "ann@home.example"))

    assert answer.status_code == 410
    assert "This link went to an address that is not yours any more." in text_of(answer)
    assert posted.status_code == 403  # it had no form of ours
    assert (kept.status_code, joined.status_code) == (200, 200)


def test_a_badge_that_was_revoked_meanwhile_is_not_given_out(site, badge):
    path = link(site, badge)
    browser = accepted(site, path)
    stops.stop(site.tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(site.tenant, ["issue", "publish"])

    assert browser.get(path).status_code == 410
    assert browser.get(f"{path}/file").status_code == 410
    assert "This badge does not count any more." in text_of(browser.get(path))


def test_a_new_badge_is_mailed_once_if_the_organisation_wants_it_and_the_link_in_the_mail_works(site):
    wanted = msgspec.structs.replace(site.tenant.record, badge_mails=True)
    object.__setattr__(site.tenant, "record", wanted)
    ann = lived(site)
    drain(site.tenant, ["evaluate", "issue"])

    mails = [msgspec.json.decode(one.body, type=Mail) for one in each(site.tenant.store, "delivery")]

    assert sorted(mail.template for mail in mails) == ["badge", "badge"]
    assert {(mail.address, mail.person) for mail in mails} == {(ANN["mbox"].removeprefix("mailto:"), ann)}
    page = Browser(site.app).get(urlsplit(mails[0].values["link"]).path)
    assert page.status_code == 200
    assert mails[0].values["badge"] in text_of(page)


def test_nothing_is_mailed_unless_the_organisation_wants_it_nor_about_what_is_old_news(site):
    lived(site)
    unasked = list(each(site.tenant.store, "delivery"))
    object.__setattr__(site.tenant, "record", msgspec.structs.replace(site.tenant.record, badge_mails=True))
    badge = next(iter(each(site.tenant.store, "credential")))
    reworded = site.tenant.store.write(lambda tx: claims.tell(tx, site.tenant, badge)).result()

    def told(awarded):
        body = json.dumps({**json.loads(badge.body), "awardedDate": awarded}).encode()
        new = msgspec.structs.replace(badge, rev=0, body=body)
        return site.tenant.store.write(lambda tx: claims.tell(tx, site.tenant, new)).result()

    assert (unasked, reworded) == ([], False)
    assert told("2026-10-22T00:00:00Z") is True
    assert told("2026-10-21T00:00:00Z") is False


def test_a_badge_is_shared_only_when_its_holder_says_so_and_without_their_name_unless_they_want_it(site, badge):
    path = link(site, badge)
    browser = accepted(site, path)

    before = browser.get(path)
    browser.send(before, path, act="share", name="")
    page = browser.get(path)
    public = Browser(site.app).get(shared_path(page))

    assert "The badge is not shared." in text_of(before)
    assert "Your name is not shown there." in text_of(page)
    assert public.status_code == 200
    assert "This badge is genuine. Checked just now" in text_of(public)
    assert not re.search(f"{HOLDER}|ann@", public.text)
    assert public.headers["x-robots-tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in public.text
    assert f'<meta property="og:image" content="http://lrs.test{shared_path(page)}/badge.png">' in public.text
    assert uses(site, badge) == {"opened", "claimed", "shared", "verified"}
    told = counts.counts_of(site.tenant.store)[counts.achievement_of(badge)]
    assert told == {"issued": 1, "opened": 1, "claimed": 1, "shared": 1, "verified": 1}


def test_a_holder_who_wants_it_is_named_and_stops_sharing_for_good(site, ann, badge):
    site.tenant.store.write(lambda tx: joins.trust(tx, "vle", "test")).result()
    browser = signed_in(site, ann)
    place = f"/me/badges/{badge.id}/take"
    page = browser.get(place)
    done = browser.send(page, place, act="share", name="yes")
    address = shared_path(browser.get(place))
    named = Browser(site.app).get(address)

    browser.send(browser.get(place), place, act="stop")
    gone = Browser(site.app).get(address)
    browser.send(browser.get(place), place, act="share")
    again = shared_path(browser.get(place))

    assert done.headers["location"] == f"{place}?done=badge_shared"
    assert HOLDER in text_of(named)
    assert gone.status_code == 404
    assert Browser(site.app).get(f"{address}/badge.png").status_code == 404
    assert again != address


def test_programs_get_the_signed_badge_at_the_shared_address_and_browsers_the_page(site, badge):
    site.tenant.store.write(lambda tx: shares.share(tx, site.tenant, badge, with_name=False, by="test")).result()
    address = f"/t/default/shared/{shares.share_of(site.tenant.store, badge.id).token}"
    browser = Browser(site.app)

    as_json = browser.ask("GET", address, headers={"accept": "application/json"})
    as_vc = browser.ask("GET", address, headers={"accept": "application/vc, */*;q=0.1"})
    as_page = browser.ask("GET", address, headers={"accept": "text/html"})
    picture = browser.get(f"{address}/badge.png")

    assert as_json.content == as_vc.content == badge.body
    assert (as_json.headers["content-type"], as_vc.headers["content-type"]) == ("application/json", "application/vc")
    assert as_json.headers["access-control-allow-origin"] == "*"
    assert as_page.headers["content-type"].startswith("text/html")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert b"openbadgecredential" in picture.content
    assert browser.get("/t/default/shared/guessed").status_code == 404


def test_a_shared_badge_that_is_suspended_revoked_or_changed_says_so_in_red(site, badge):
    site.tenant.store.write(lambda tx: shares.share(tx, site.tenant, badge, with_name=False, by="test")).result()
    address = f"/t/default/shared/{shares.share_of(site.tenant.store, badge.id).token}"
    browser = Browser(site.app)
    body = json.loads(badge.body) | {"awardedDate": "2020-01-01T00:00:00Z"}
    changed = msgspec.structs.replace(badge, body=json.dumps(body).encode(), rev=0, seq=0)
    site.tenant.store.write(lambda tx: tx.put(changed)).result()
    bad = browser.get(address)
    site.tenant.store.write(lambda tx: tx.put(msgspec.structs.replace(badge, rev=0, seq=0))).result()
    stops.stop(site.tenant, [badge.id], "suspended", reason="A check", by="test")
    at_once = browser.get(address)
    drain(site.tenant, ["issue"])
    aside = browser.get(address)
    stops.resume(site.tenant, badge.id, by="test")
    stops.stop(site.tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(site.tenant, ["issue"])
    revoked = browser.get(address)

    assert ["has set it aside for now" in text_of(one) for one in (at_once, aside)] == [True, True]
    assert "could not be shown to be genuine" in text_of(bad)
    assert "whoever gave it has taken it back" in text_of(revoked)
    assert "genuine." not in text_of(revoked)


def test_nobody_under_age_shares_and_what_was_shared_before_is_not_shown(site, ann, badge):
    site.tenant.store.write(lambda tx: shares.share(tx, site.tenant, badge, with_name=True, by="test")).result()
    address = f"/t/default/shared/{shares.share_of(site.tenant.store, badge.id).token}"
    site.tenant.store.write(lambda tx: minors.note(tx, ann, None, by="test")).result()
    browser, place = signed_in(site, ann), f"/me/badges/{badge.id}/take"
    site.tenant.store.write(lambda tx: shares.stop(tx, "another", by="test")).result()

    hidden = Browser(site.app).get(address)
    stopped = browser.send(browser.get(place), place, act="stop")
    page = browser.get(place)
    form = re.search(r'name="form" value="([^"]+)"', page.text)[1]
    tried = browser.ask("POST", place, data={"form": form, "act": "share"})

    assert hidden.status_code == 404
    assert stopped.status_code == 303
    assert "nothing of yours is shown in public" in text_of(page)
    assert tried.status_code == 403


def test_a_learner_takes_no_badge_of_somebody_else(site, badge):
    bea = lived(site, {"mbox": "mailto:bea@example.org"}, "Bea")

    answer = signed_in(site, bea).get(f"/me/badges/{badge.id}/take")

    assert answer.status_code == 404
    assert Browser(site.app).get(f"/me/badges/{badge.id}/take").status_code == 303


def test_linkedin_is_given_the_badge_its_issuer_its_days_and_where_it_is_seen(site, ann, badge):
    browser, place = signed_in(site, ann), f"/me/badges/{badge.id}/take"
    browser.send(browser.get(place), place, act="share")
    page = browser.get(place)
    address = re.search(r'href="(https://www\.linkedin\.com/[^"]+)"', page.text)[1].replace("&amp;", "&")

    told = parse_qs(urlsplit(address).query)

    assert told["startTask"] == ["CERTIFICATION_NAME"]
    assert told["organizationName"] == ["Engraft, default (demonstration)"]
    assert (told["issueYear"], told["issueMonth"]) == (["2026"], ["11"])
    assert told["certId"] == [f"urn:uuid:{badge.id}"]
    assert told["certUrl"] == [f"http://lrs.test{shared_path(page)}"]
    days = {"awardedDate": "2026-01-31T00:00:00Z", "validUntil": "2027-12-30T23:59:59Z"}
    ended = parse_qs(urlsplit(badge_view.linkedin(json.loads(badge.body) | days, "")).query)
    assert [ended[f"{word}{part}"] for word in ("issue", "expiration") for part in ("Year", "Month")] == [
        *(["2026"], ["1"], ["2027"], ["12"]),
    ]
    assert "certUrl" not in ended


def test_a_download_from_ones_own_page_counts_as_taken(site, ann, badge):
    browser = signed_in(site, ann)

    for form in ("png", "json", "png"):
        assert browser.get(f"/me/badges/{badge.id}?form={form}").status_code == 200

    assert uses(site, badge) == {"claimed"}
    assert counts.counts_of(site.tenant.store)[counts.achievement_of(badge)]["claimed"] == 1


def test_a_badge_that_was_taken_back_stays_among_ones_own_with_its_reason_and_sharing_can_be_stopped(site, ann, badge):
    site.tenant.store.write(lambda tx: shares.share(tx, site.tenant, badge, with_name=False, by="test")).result()
    stops.stop(site.tenant, [badge.id], "revoked", reason="Issued by mistake", by="test")
    browser, place = signed_in(site, ann), f"/me/badges/{badge.id}/take"

    at_once = text_of(browser.get("/me"))
    drain(site.tenant, ["issue"])
    page = browser.get("/me")
    stopped = browser.send(page, place, act="stop", back="me")

    for text in (at_once, text_of(page)):
        assert "Badges that do not count any more" in text
        assert "Taken back" in text
        assert "Why: Issued by mistake" in text
    assert "You still share it" in text_of(page)
    assert stopped.headers["location"] == "/me?done=badge_unshared"
    assert "You still share it" not in text_of(browser.get("/me"))
    assert browser.get(place).status_code == 410


def test_a_badge_that_is_set_aside_is_told_as_that_and_comes_back(site, ann, badge):
    browser = signed_in(site, ann)
    stops.stop(site.tenant, [badge.id], "suspended", reason="Looked into", by="test")
    drain(site.tenant, ["issue"])
    aside = text_of(browser.get("/me"))
    stops.resume(site.tenant, badge.id, by="test")
    drain(site.tenant, ["issue"])

    assert "Set aside for now" in aside
    assert "If that ends, you get the badge anew here." in aside
    assert "Badges that do not count any more" not in text_of(browser.get("/me"))


def test_who_sees_this_lists_the_badges_that_are_shared_and_stops_each(site, ann, badge):
    browser = signed_in(site, ann)
    none = text_of(browser.get("/me/sharing"))
    site.tenant.store.write(lambda tx: shares.share(tx, site.tenant, badge, with_name=False, by="test")).result()
    address = f"http://lrs.test/t/default/shared/{shares.share_of(site.tenant.store, badge.id).token}"

    page = browser.get("/me/sharing")
    stopped = browser.send(page, f"/me/badges/{badge.id}/take", act="stop", back="sharing")

    assert "None. You can share a badge on its own page" in none
    assert f'href="{address}"' in page.text
    assert stopped.headers["location"] == "/me/sharing?done=badge_unshared"
    assert address not in browser.get("/me/sharing").text
    assert shares.share_of(site.tenant.store, badge.id) is None
