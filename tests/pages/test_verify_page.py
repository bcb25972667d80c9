"""Anybody checks a badge in a browser or by a program: what is said, what is never done, and how often."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing

import pytest
import segno
from PIL import Image

from badges.content.awards import credential_uuid
from badges.credentials.stored import stored_badge
from badges.endorsing import endorsing
from badges.forms import sd_jwt
from badges.held import certificates, shares
from badges.keys.issuer import issuer_of
from badges.proofs.sign import sign
from badges.verifying.verdict import Check, Verdict
from badges.views.verdict_view import told as told_to_programs
from lrs.app import create_app
from lrs.kernel.settings import Settings
from lrs.web.dates import written_day
from tests.badges.foreign.badges import DOCUMENTS, MAYZE, baked_png, changed, presentation, svg
from tests.badges.made import AWARD, put_award, run_issue, tenant_in
from tests.pages.conftest import Browser, text_of
from tests.rows import each_of

OTHER_AWARD = "6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"
ENDORSED_AWARD = "6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a03"
OUTBOUND = "https://169.254.169.254/latest/meta-data"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    made = create_app(Settings(data=tmp_path_factory.mktemp("verify"), worker=False))
    put_award(made.tenants.take("default"))
    run_issue(made.tenants.take("default"))
    yield made
    made.tenants.close()


@pytest.fixture
def browser(app):
    """A browser at an address of its own, so that no test is counted for another."""
    fresh = create_app(app.tenants.take("default").settings)
    yield Browser(fresh)
    fresh.tenants.close()


def handed_in(browser, text="", file=None, email=""):
    files = {"file": file} if file else {"file": ("", b"")}
    return browser.ask("POST", "/verify", data={"text": text, "email": email}, files=files)


def asked(browser, content, kind="application/octet-stream"):
    return browser.ask("POST", "/api/verify", content=content, headers={"content-type": kind})


def heading(page):
    return re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)[1].strip()


def own_badge(app, award=AWARD):
    return app.tenants.take("default").store.get("credential", credential_uuid(award))


def photograph(address):
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="png", scale=4)
    made = io.BytesIO()
    Image.open(picture).convert("L").save(made, "JPEG")
    return made.getvalue()


def test_a_photograph_of_the_code_of_a_certificate_leads_to_its_badge_and_shows_what_is_printed(app, browser):
    tenant = app.tenants.take("default")
    code = certificates.code_of(tenant, credential_uuid(AWARD))
    picture = photograph(f"http://lrs.test/t/default/check/{code}")

    page, answer = handed_in(browser, file=("code.jpg", picture)), asked(browser, picture, "image/jpeg").json()
    gone = handed_in(browser, file=("code.jpg", photograph(f"http://lrs.test/t/default/check/{code[:-1]}")))

    assert "How it was shown" not in text_of(page)
    assert "How it was shown" in text_of(handed_in(browser, own_badge(app).body.decode()))
    assert (heading(page), answer["outcome"]) == (heading(handed_in(browser, own_badge(app).body.decode())), "valid")
    assert gone.status_code == 404
    assert "This code of a certificate is not known." in text_of(gone)


def test_a_good_badge_is_told_to_be_good_with_what_it_says_and_whose_it_is(browser):
    page = handed_in(browser, DOCUMENTS["eddsa-did-key"], email=MAYZE)

    text = text_of(page)
    assert (page.status_code, heading(page)) == (200, "This badge is genuine and valid")
    assert "Pipetting" in text
    assert "College of the Example" in text
    assert "Good Issued to this person" in text
    assert "Known here" not in text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("document", "title"),
    [
        (changed("eddsa-did-key", lambda badge: badge.update(name="x")), "This badge is not what its issuer signed"),
        (b"nonsense", "There is no badge in this"),
        (b"\xff\xd8\xff\xe0", "There is no badge in this"),
        (DOCUMENTS["ecdsa-sd-base"].encode(), "This version or form of badge is not supported"),
        (OUTBOUND.encode(), "This badge could not be checked in full"),
        (DOCUMENTS["status-clear"].encode(), "This badge could not be checked in full"),
    ],
)
def test_another_one_is_told_by_its_reason(browser, document, title):
    page = handed_in(browser, file=("badge.json", document))

    assert (page.status_code, heading(page)) == (200, title)


def test_a_badge_in_an_image_is_taken_and_no_byte_of_the_image_comes_back(browser):
    png = handed_in(browser, file=("badge.png", baked_png("eddsa-did-key")))
    script = svg(f"<![CDATA[{DOCUMENTS['eddsa-did-key']}]]>", "<script>alert(1)</script>")
    drawn = handed_in(browser, file=("badge.svg", script))

    assert heading(png) == heading(drawn) == "This badge is genuine and valid"
    assert "alert(1)" not in drawn.text


def test_names_from_outside_are_text_on_the_page(browser):
    name = "</bdi><script>alert(1)</script>\u202e"
    document = changed("eddsa-did-key", lambda badge: badge["credentialSubject"]["achievement"].update(name=name))

    page = handed_in(browser, file=("badge.json", document))

    assert "&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page.text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_nothing_handed_in_is_said_with_the_form_again(browser):
    page = handed_in(browser)

    assert page.status_code == 400
    assert "Choose a file, or paste a badge or its address." in text_of(page)


def test_an_empty_file_is_said_to_be_empty_with_the_form_again(browser):
    page = handed_in(browser, file=("badge.json", b""), email=MAYZE)

    assert page.status_code == 400
    assert "The file is empty." in text_of(page)
    assert f'value="{MAYZE}"' in page.text
    assert 'type="file"' in page.text


@each_of(
    ("files", "status", "told"),
    [
        ([("file", ("badge.png", b"\x89PNG" + bytes(5 * 2**20)))], 413, "a badge may have 4 MiB with its image"),
        ([("file", ("a", b"{}")), ("file", ("b", b"{}"))], 400, "Choose one file, and send it again."),
    ],
)
def test_what_cannot_be_taken_is_said_with_the_form_again(app, files, status, told):
    page = Browser(app).ask("POST", "/verify", files=files)

    assert page.status_code == status
    assert told in text_of(page)
    assert 'type="file"' in page.text


def test_who_checks_too_often_is_told_how_long_to_wait_with_the_form_again(browser):
    for _ in range(30):
        handed_in(browser)

    page = browser.ask("POST", "/verify?lang=cy", data={"text": "x"})

    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    assert "felly ni chafodd hwn ei wirio. Arhoswch" in text_of(page)
    assert 'type="file"' in page.text


def test_a_refusal_that_is_not_about_a_badge_leads_back_to_the_form(browser):
    page = browser.get(f"/verify?badge={'x' * 5000}&lang=cy")

    assert page.status_code == 400
    assert 'href="/verify">Gwirio bathodyn</a>' in page.text


def test_an_object_without_a_badge_whose_options_are_no_object_is_refused_with_the_place(browser):
    answer = asked(browser, json.dumps({"verifiableCredential": "x", "options": ["email"]}))

    assert (answer.status_code, answer.json()["pointer"]) == (400, "/options")


def test_a_badge_with_the_mark_that_editors_write_before_a_text_is_taken(browser):
    page = handed_in(browser, file=("badge.json", b"\xef\xbb\xbf" + DOCUMENTS["eddsa-did-key"].encode()))

    assert heading(page) == "This badge is genuine and valid"


def test_a_text_that_is_no_badge_is_not_told_of_json(browser):
    page = handed_in(browser, "my badge")

    assert "this is neither JSON nor a JWT, an image, a certificate or an address" in text_of(page)
    assert "not valid JSON" not in page.text


def test_the_address_of_a_badge_that_is_shared_here_is_taken_without_a_call(browser, app):
    tenant = app.tenants.take("default")
    share = tenant.store.write(lambda tx: shares.share(tx, tenant, own_badge(app), with_name=False, by="test")).result()
    place = f"{browser.address}/t/default/shared/"

    good, stopped = handed_in(browser, f" {place}{share.token} "), handed_in(browser, f"{place}nothing")

    assert heading(good) == "This badge is genuine and valid"
    assert "No badge is shared at this address." in text_of(stopped)
    assert f"{place}nothing" in stopped.text


def test_what_is_no_badge_shows_no_card_of_one_and_says_what_to_hand_in(browser):
    pdf = text_of(handed_in(browser, file=("certificate.pdf", b"%PDF-1.7")))
    plain = text_of(handed_in(browser, "http://college.example.org/badge"))

    assert "A badge without a name" not in pdf + plain
    assert "the PDF has no badge in it" in pdf
    assert "an address of a badge begins with https://" in plain


def test_the_page_shows_the_level_the_days_and_how_it_was_shown_as_other_pages_do(browser, app):
    badge = json.loads(own_badge(app).body)
    given, begins = badge["awardedDate"][:10], badge["validFrom"][:10]

    text = text_of(handed_in(browser, file=("badge.json", own_badge(app).body)))

    assert given != begins
    assert f"Given on {written_day(given)} This copy from {written_day(begins)}" in text
    assert "Level Practitioner" in text
    assert "How it was shown" in text
    assert badge["evidence"][0]["name"] in text
    assert "**" not in text


def test_what_the_holder_of_an_sd_jwt_shows_has_its_days_and_what_is_withheld_is_said_in_words(browser, app):
    record = own_badge(app)
    tenant = app.tenants.take("default")
    whole = sd_jwt.FORM.make(stored_badge(tenant, record.id, record.body)).decode()
    signed, *hidden, _ = whole.split("~")
    given = json.loads(record.body)["awardedDate"][:10]

    shown, nothing = text_of(handed_in(browser, whole)), text_of(handed_in(browser, f"{signed}~"))
    told = asked(browser, f"{signed}~", "text/plain").json()

    assert len(hidden) >= 4
    assert f"Given on {written_day(given)}" in shown
    assert "Level Practitioner" in shown
    assert "How it was shown" in shown
    assert "does not show every part" not in shown
    assert "Not shown, if it has them: the day on which it was given; what it takes; whose it is;" in nothing
    assert told["withheld"] == ["awarded", "criteria", "identifier", "alignment", "evidence"]


def test_the_name_of_the_holder_that_is_in_a_badge_is_shown(browser):
    name = {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": "Mayze Jones"}
    document = changed("eddsa-did-key", lambda badge: badge["credentialSubject"]["identifier"].append(name))

    assert "Whose it is Mayze Jones" in text_of(handed_in(browser, file=("badge.json", document)))


def test_an_address_inside_the_network_is_never_asked(browser):
    told = asked(browser, OUTBOUND.encode()).json()

    assert (told["outcome"], told["checks"][0]["code"]) == ("unavailable", "unavailable")
    assert told["checks"][0]["why"] == f"{OUTBOUND} gave no answer that can be used"


def test_a_program_is_told_every_check_with_its_code(browser, app):
    told = asked(browser, own_badge(app).body).json()

    assert (told["valid"], told["outcome"], told["format"]) == (True, "valid", "vc")
    assert [(check["name"], check["code"]) for check in told["checks"]] == [
        ("form", "ok"),
        ("badge", "ok"),
        ("signature", "ok"),
        ("dates", "ok"),
        ("status", "ok"),
    ]
    assert told["badge"]["name"] == "Aseptic gowning: Practitioner"
    assert told["issuerKnown"] is True


def test_an_issuer_is_known_here_only_by_its_own_signature(browser, app):
    forged = json.loads(own_badge(app).body) | {"name": "Another name"}

    page = handed_in(browser, file=("badge.json", own_badge(app).body))
    told = asked(browser, json.dumps(forged).encode()).json()

    assert "Known here Engraft, default (demonstration)" in text_of(page)
    assert (told["outcome"], told["issuerKnown"]) == ("changed", False)


def endorsed_by(stranger, tenant, thing):
    """The endorsement of *thing* that *stranger* signed, under a name that it chose."""
    drafted = endorsing.drafted(tenant, thing, id="25555555-5555-4555-8555-555555555555")
    signed = drafted | {"issuer": stranger.profile() | {"name": "NHS England"}}
    return json.dumps(sign(signed, stranger.key, stranger.method, drafted["validFrom"])).encode()


def test_who_vouches_for_a_badge_is_shown_by_id_and_a_name_makes_nobody_known(browser, app, tmp_path):
    tenant = app.tenants.take("default")
    put_award(tenant, ENDORSED_AWARD)
    run_issue(tenant)
    thing, own = endorsing.thing_named(tenant, own_badge(app, ENDORSED_AWARD).id), issuer_of(tenant)
    other = tenant_in(tmp_path, public_url=None)
    with closing(other.store):
        stranger = issuer_of(other)
    endorsing.take_in(tenant, thing, endorsed_by(stranger, tenant, thing), None, by="test")
    endorsing.endorse(tenant, thing, "I saw it", id="15555555-5555-4555-8555-555555555555", by="test")
    run_issue(tenant)
    badge = own_badge(app, ENDORSED_AWARD).body

    page = handed_in(browser, file=("badge.json", badge))
    told = asked(browser, badge).json()

    text = text_of(page)
    assert f"Who vouches for it NHS England {stranger.id} Not known here" in text
    assert f"{own.id} The issuer itself I saw it" in text
    assert [(one["issuer"], one["issuerId"], one["issuerKnown"]) for one in told["endorsements"]] == [
        ("NHS England", stranger.id, False),
        (own.profile()["name"], own.id, True),
    ]


def test_a_program_may_send_the_badge_with_an_address_to_compare(browser):
    body = {"verifiableCredential": DOCUMENTS["jwt-did-jwk"], "options": {"email": "other@example.org"}}

    told = asked(browser, json.dumps(body).encode(), "application/json").json()

    assert (told["valid"], told["outcome"]) == (False, "another_recipient")
    wrong = asked(browser, json.dumps(body | {"options": {"email": 7}}).encode(), "application/json")
    assert (wrong.status_code, wrong.json()["pointer"]) == (400, "/options/email")


def test_json_is_read_up_to_the_size_of_a_badge(browser):
    body = b'{"verifiableCredential": "' + b"x" * 300_000 + b'"}'

    told = asked(browser, body, "application/json").json()

    assert (told["outcome"], told["checks"][0]["code"]) == ("not_valid", "too_large")


def test_a_presentation_is_told_badge_by_badge(browser):
    shown = presentation(json.loads(DOCUMENTS["eddsa-did-key"]), json.loads(DOCUMENTS["ecdsa-sd-base"]))

    told = asked(browser, shown).json()
    page = handed_in(browser, file=("shown.json", shown))

    assert [badge["outcome"] for badge in told["badges"]] == ["valid", "not_supported"]
    assert "Somebody shows 2 badges." in text_of(page)


def test_a_badge_that_was_revoked_here_is_told_to_be_taken_back(browser, app):
    tenant = app.tenants.take("default")
    put_award(tenant, OTHER_AWARD)
    run_issue(tenant)
    badge = own_badge(app, OTHER_AWARD).body
    put_award(tenant, OTHER_AWARD, state="withdrawn")
    run_issue(tenant)

    page = handed_in(browser, file=("badge.json", badge))
    altered = handed_in(browser, file=("badge.json", json.dumps(json.loads(badge) | {"name": "x"}).encode()))

    assert "Not checked Whether it was taken back" in text_of(altered)
    assert heading(page) == "This badge was taken back"
    assert "Fails Taken back" in text_of(page)
    assert "revoked revoked" not in text_of(page)


def test_what_is_too_large_is_refused_before_it_is_looked_at(browser):
    told = asked(browser, b"x" * (4 * 2**20 + 65_537))

    assert (told.status_code, told.json()["error"]) == (413, "too_large")


def test_whoever_asks_too_often_is_told_to_wait(browser):
    statuses = [asked(browser, b"{}").status_code for _ in range(31)]
    refused = asked(browser, b"{}")

    assert statuses == [200] * 30 + [429]
    assert (refused.json()["error"], int(refused.headers["retry-after"]) <= 60) == ("too_many_checks", True)


def test_a_form_of_another_site_is_not_taken(browser):
    answer = browser.ask("POST", "/verify", data={"text": "{}"}, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


def test_who_vouches_for_a_badge_by_a_jwt_is_listed_as_any_other_endorser_once_it_is_checked():
    credential = json.loads(DOCUMENTS["endorsed-jwt"])
    checked = Verdict((Check("endorsements", ok=True, why="1 valid"),), credential)
    unchecked = Verdict((Check("endorsements", ok=False, why="no", code="unavailable"),), credential)

    (one,) = told_to_programs(checked, {})["endorsements"]

    assert (one["issuer"], one["comment"]) == ("College of the Example", "We hire for this")
    assert one["issuerId"].startswith("did:jwk:")
    assert "endorsements" not in told_to_programs(unchecked, {})
