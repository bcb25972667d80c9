"""The pages of stewards about badges: words with a preview, images within bounds, versions, counts."""

from __future__ import annotations

import io
import json
import re
import zlib
from urllib.parse import urljoin, urlsplit

import pytest
from PIL import Image

from badges.achievements.counts import count
from badges.credentials.stored import stored_badge
from badges.forms import FORMS, form_named
from badges.held import certificates, stops
from badges.keys.issuer import issuer_of
from lrs.composition.steps import drain
from lrs.storage import each
from tests.badges.made import badge_in, put_award
from tests.badges.world import of_framework, put_framework
from tests.pages.conftest import Browser, Site, text_of

PLACE = "/staff/badges"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("public"), public_url="https://lrs.example.org", pages_url="http://lrs.test")
    assert made.browser.sign_in(made.operator).status_code == 303
    framework = put_framework(made.tenant)
    put_award(made.tenant, **of_framework(framework))
    drain(made.tenant, ["issue"])
    yield made
    made.close()


@pytest.fixture
def place(site):
    badge = badge_in(site.tenant)[0]
    return f"{PLACE}/{badge.meta['achievement']}"


def image(size=(800, 600), form="PNG"):
    made = io.BytesIO()
    Image.new("RGB", size, "teal").save(made, form)
    return made.getvalue()


def upload(site, place, content, scope="achievement", held=""):
    page = site.browser.get(place)
    token = page.text.partition('name="form" value="')[2].partition('"')[0]
    files = {"file": ("image.png", content, "image/png")}
    return site.browser.ask("POST", f"{place}/image", data={"form": token, "scope": scope, "held": held}, files=files)


def versions(site):
    return sorted(int(one.meta["version"]) for one in each(site.tenant.store, "achievement") if one.meta)


def newest(site):
    found = max(each(site.tenant.store, "achievement"), key=lambda one: int(one.meta["version"]))
    return found, json.loads(found.body)


def test_the_list_has_the_badges_of_rules_and_counts_what_became_of_them(site):
    badge = badge_in(site.tenant)[0].id
    site.tenant.store.write(lambda tx: count(tx, badge, "shared", 1)).result()

    rows = site.browser.get(f"{PLACE}.json").json()
    page = text_of(site.browser.get(PLACE))

    (row,) = (one for one in rows if one["issued"])
    assert (row["framework"], row["level"], row["issued"], row["opened"], row["shared"]) == (
        "ATMP skills framework",
        "Practitioner",
        1,
        0,
        1,
    )
    assert "1 issued → 0 opened by their holder → 0 taken into a wallet or as a file → 1 shared" in page


def test_words_are_looked_at_first_then_kept_as_a_new_version_and_held_badges_stay(site, place):
    before, name = badge_in(site.tenant), newest(site)[1]["name"]
    page = site.browser.get(place)
    given = {"name": "Gowning, sterile", "description": "Dresses without touching", "tags": "gown, sterile, gown"}
    given["anew"] = ""  # the tick is not set

    looked = site.browser.send(page, place, act="preview", **given)
    unchanged = newest(site)[1]["name"]
    kept = site.browser.send(page, place, act="keep", **given)
    drain(site.tenant)

    assert looked.status_code == 200
    assert "As a badge would say it, not kept yet Gowning, sterile Dresses without touching" in text_of(looked)
    assert unchanged == name
    assert kept.status_code == 303
    _, said = newest(site)
    assert (said["name"], said["description"], said["tag"]) == (
        "Gowning, sterile",
        "Dresses without touching",
        ["gown", "sterile"],
    )
    assert said["criteria"]["narrative"].startswith("**Practitioner (this level)**")
    assert said["related"][0]["version"] == str(int(said["version"]) - 1)
    assert badge_in(site.tenant) == before
    assert "badge.words_written" in [action for action, _ in site.audit()]


def test_held_badges_are_issued_anew_with_the_words_if_the_steward_says_so(site, place):
    before = badge_in(site.tenant)[1]
    page = site.browser.get(place)

    sent = site.browser.send(page, place, act="keep", name="Gowning anew", anew="yes")
    drain(site.tenant)

    record, badge = badge_in(site.tenant)
    assert sent.headers["location"].endswith("done=words_anew")
    assert badge["name"] == "Gowning anew"
    assert (badge["id"], badge["credentialStatus"]) == (before["id"], before["credentialStatus"])
    assert badge["credentialSubject"]["achievement"]["version"] == newest(site)[1]["version"]
    assert record.meta["version"] == max(versions(site))


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"name": "Gowning \u202egnol"}, "name", "\\u202e"),
        ({"description": "bell \x07"}, "description", "\\x07"),
        ({"criteria": "x" * 10_001}, "criteria", "at most 10000"),
        ({"language": "in English"}, "language", "is no language"),
        ({"tags": ",".join(f"t{n}" for n in range(13))}, "tags", "more than 12"),
    ],
)
def test_words_that_no_badge_can_have_are_refused_at_their_field_(site, place, given, field, why):
    before = versions(site)

    refused = site.browser.send(site.browser.get(place), place, act="keep", **given)

    assert refused.status_code == 400
    assert f'href="#{field}"' in refused.text
    assert why in text_of(refused)
    assert versions(site) == before


def test_a_narrative_with_braces_and_the_end_of_a_cdata_section_is_a_badge_in_every_form(site, place):
    site.browser.send(site.browser.get(place), place, act="keep", criteria="- }{ ]]> <b>&", anew="yes")
    drain(site.tenant)

    record, badge = badge_in(site.tenant)
    assert badge["credentialSubject"]["achievement"]["criteria"]["narrative"] == "- }{ ]]> <b>&"
    made = {form.name: form.make(stored_badge(site.tenant, record.id, record.body)) for form in FORMS}
    chunk = made["png"].partition(b"openbadgecredential\0\0\0\0\0")[2]
    assert json.JSONDecoder().raw_decode(chunk.decode("latin-1"))[0] == badge


def test_the_levels_of_a_competency_stand_in_their_order_whatever_their_versions_are(tmp_path):
    site = Site(tmp_path, public_url="https://lrs.example.org", pages_url="http://lrs.test")
    site.browser.sign_in(site.operator)
    framework = put_framework(site.tenant)
    put_award(site.tenant, **of_framework(framework, 1))
    drain(site.tenant, ["issue"])
    upload(site, f"{PLACE}/{badge_in(site.tenant)[0].meta['achievement']}", image(), held="yes")
    drain(site.tenant)
    put_award(site.tenant, "6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a09", **of_framework(framework, 2))
    drain(site.tenant, ["issue"])

    rows = site.browser.get(f"{PLACE}.json").json()
    site.close()

    levels = [(row["level"], row["version"]) for row in rows if row["version"]]
    assert levels == [("Awareness", 2), ("Practitioner", 1)]


def test_an_image_is_written_anew_and_given_with_the_next_version_and_in_the_badge(site, place):
    before = newest(site)[0].meta["version"]
    sent = upload(site, place, image(), held="yes")
    waits = text_of(site.browser.get(place))
    drain(site.tenant)
    record, _ = newest(site)
    kept = b"".join(site.tenant.store.blobs.open(record.meta["blob"]))
    served = site.browser.get(f"/t/default/achievements/{record.id}/image.png")
    badge = badge_in(site.tenant)[0]
    baked = form_named("png").make(stored_badge(site.tenant, badge.id, badge.body))

    assert sent.headers["location"].endswith("done=image_anew")
    assert "The image was changed a moment ago" in waits
    assert "The image was changed a moment ago" not in text_of(site.browser.get(place))
    assert badge.meta["version"] == before + 1
    with Image.open(io.BytesIO(kept)) as opened:
        assert (opened.format, opened.size) == ("PNG", (600, 450))
    assert served.content == kept
    assert baked.startswith(kept[:33])
    with Image.open(io.BytesIO(baked)) as opened:
        assert opened.size == (600, 450)


def test_an_image_of_a_framework_gives_way_to_one_of_the_badge_and_comes_back_without_it(site, place):
    upload(site, place, image((300, 300)), "achievement")
    upload(site, place, image((400, 400)), "framework")
    drain(site.tenant)
    narrow, held = newest(site)[0].meta["blob"], badge_in(site.tenant)[0].meta["version"]

    site.browser.send(site.browser.get(place), f"{place}/image/remove", scope="achievement", held="")
    drain(site.tenant)
    wide, kept = newest(site)[0].meta["blob"], badge_in(site.tenant)[0].meta["version"]
    gone = site.browser.send(site.browser.get(place), f"{place}/image/remove", scope="framework", held="yes")
    again = site.browser.send(site.browser.get(place), place, act="preview")
    drain(site.tenant)

    sizes = []
    for blob in (narrow, wide):
        with Image.open(io.BytesIO(b"".join(site.tenant.store.blobs.open(blob)))) as opened:
            sizes.append(opened.size)
    assert sizes == [(300, 300), (400, 400)]
    assert "blob" not in newest(site)[0].meta
    assert kept == held
    assert badge_in(site.tenant)[0].meta["version"] == newest(site)[0].meta["version"]
    assert gone.headers["location"].endswith("done=image_gone")
    assert "There is an image for" not in text_of(again)
    assert list(each(site.tenant.store, "badge-image")) == []


def bomb():
    """A PNG of 60,000 by 60,000 pixels in some kilobytes."""

    def chunk(kind, data):
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    size = (60_000).to_bytes(4) * 2
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\0\0\0\0") + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "status", "why"),
    [
        (bomb(), 413, "more than 16 million pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 400, "This is an SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><svg/>", 400, "This is an SVG"),
        (b"GIF89a" + bytes(100), 400, "no PNG and no JPEG"),
        (image()[:200], 400, "damaged"),
        (image((100, 800)), 400, "at least 150 each way"),
        (bytes(2 * 1024 * 1024 + 1), 413, "larger than 2 MiB"),
    ],
)
def test_an_image_that_is_none_or_too_large_unpacked_is_refused_and_nothing_changes(site, place, content, status, why):
    before = versions(site)

    refused = upload(site, place, content)

    assert refused.status_code == status
    assert why in text_of(refused)
    assert versions(site) == before


def test_what_is_not_there_is_404_and_an_unknown_scope_400(site, place):
    assert site.browser.get(f"{PLACE}/none").status_code == 404
    assert site.browser.get(f"{PLACE}/none/image.svg").status_code == 404
    assert upload(site, place, image(), "world").status_code == 400


def test_a_steward_endorses_an_achievement_and_takes_the_endorsement_away(site, place):
    given = site.browser.send(site.browser.get(place), f"{place}/endorse", comment="What we look for when we hire")
    page = site.browser.get(place)
    public = site.browser.ask("GET", f"/t/default/achievements/{newest(site)[0].id}", headers={"accept": "text/html"})
    double = site.browser.send(page, f"{place}/endorse", remove="", comment="What we look for when we hire")
    removed = site.browser.send(page, f"{place}/endorse", remove=page.text.partition('name="remove" value="')[2][:45])
    empty = site.browser.send(site.browser.get(place), f"{place}/endorse", comment=" ")

    assert given.headers["location"].endswith("done=endorsed")
    assert "What we look for when we hire" in text_of(page)
    assert "Endorsements What we look for when we hire Engraft, default" in text_of(public)
    assert f"{issuer_of(site.tenant).id} The issuer itself" in text_of(public)
    assert (double.status_code, "The same issuer says the same" in text_of(double)) == (409, True)
    assert removed.headers["location"].endswith("done=endorsement_gone")
    assert empty.status_code == 400
    assert "The comment takes 1 to 1000 characters" in text_of(empty)


@pytest.fixture
def paper(site):
    """The path to which the code of the badge's certificate leads; a while later, for it may be a moment ahead."""
    site.world.clock.now += 60_000_000
    return urlsplit(certificates.check_address(site.tenant, badge_in(site.tenant)[0].id)).path


def test_the_code_of_a_certificate_shows_its_state_and_what_is_printed_and_nothing_else(site, paper):
    badge = badge_in(site.tenant)[1]
    visitor = Browser(site.app)

    page = visitor.get(paper)

    text = text_of(page)
    assert page.status_code == 200
    assert "This badge is genuine. Checked just now" in text
    assert "The badge names nobody." in text
    assert badge["credentialSubject"]["achievement"]["name"] in text
    assert badge["evidence"][0]["name"] not in page.text
    assert badge["credentialSubject"]["id"] not in page.text
    assert badge["proof"][0]["proofValue"] not in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    picture = urljoin(paper, re.search(r'<img src="([^"]+)"', page.text)[1])
    assert visitor.get(picture).headers["content-type"] == "image/svg+xml"
    unknown = visitor.ask("GET", f"{paper}x", headers={"accept": "text/html"})
    assert unknown.status_code == 404
    assert "Do not rely on the paper." in text_of(unknown)


def test_the_code_of_a_certificate_says_that_the_badge_was_set_aside_from_the_moment_on(site, paper):
    badge = badge_in(site.tenant)[0].id
    stops.stop(site.tenant, [badge], "suspended", reason="Looked at", by="test")

    waits = text_of(Browser(site.app).get(paper))
    drain(site.tenant)
    published = text_of(Browser(site.app).get(paper))
    stops.resume(site.tenant, badge, by="test")
    drain(site.tenant)

    assert "This badge does not count at present." in waits
    assert "This badge does not count at present." in published
    assert "This badge is genuine." in text_of(Browser(site.app).get(paper))


def test_whoever_checks_a_certificate_by_its_address_learns_whose_it_is_and_nothing_of_the_evidence(site, paper):
    badge, visitor = badge_in(site.tenant)[1], Browser(site.app)
    address = f"https://lrs.example.org{paper}"
    form = visitor.get(re.search(r'href="([^"]*/verify\?badge=[^"]+)"', visitor.get(paper).text)[1])

    def checked(address, email):
        return visitor.ask("POST", "/verify", data={"text": address, "email": email}, files={"file": ("", b"")})

    other, unknown = checked(address, "other@example.org"), checked(f"{address}x", "")
    body = json.dumps({"verifiableCredential": address})
    told = visitor.ask("POST", "/api/verify", content=address).json()
    asked = visitor.ask("POST", "/api/verify", content=body, headers={"content-type": "application/json"}).json()

    assert address in form.text
    assert "Whose badge it is cannot be told" in text_of(other)
    assert badge["evidence"][0]["name"] not in other.text
    assert "This code of a certificate is not known." in text_of(unknown)
    assert (told["valid"], told["badge"]["name"]) == (True, badge["credentialSubject"]["achievement"]["name"])
    assert "evidence" not in told["badge"]
    assert asked["valid"] is True
