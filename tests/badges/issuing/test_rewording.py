"""The steps "reword" and "repicture": page by page, so that a kill costs a page; only badges of before are owed."""

from __future__ import annotations

import io
import json

import msgspec
import pytest
from PIL import Image

from badges.achievements import editing, pictures
from badges.achievements.wording import OwnWords, wording_of
from badges.content.attainment import of_award
from badges.content.awards import read_award
from badges.issuing import repicturing, rewording
from badges.keys.issuer import rename
from lrs.composition.steps import drain
from lrs.storage import Stale, each
from tests.badges.made import BODY, put_award, run_issue, tenant_in

AWARDS = [f"7d2f3c1a-0c64-5b3e-8a52-{number:012d}" for number in range(5)]


@pytest.fixture
def worded(tmp_path, monkeypatch):
    """Five badges of one achievement, whose words a steward replaced for held badges, too; two awards in a page."""
    monkeypatch.setattr(rewording, "PAGE", 2)
    opened = tenant_in(tmp_path)
    for award in AWARDS:
        put_award(opened, award)
    run_issue(opened)
    about = of_award(read_award(opened.store.get("award", AWARDS[0]).body))
    editing.write_words(opened, about, OwnWords(name="Gowning anew"), by="test", anew=True)
    yield opened
    opened.store.close()


def owed(tenant, step):
    return next((one.waiting for one in tenant.store.backlog() if one.step == step), 0)


def versions(tenant):
    return sorted(int(one.meta["version"]) for one in each(tenant.store, "credential"))


def test_each_page_is_a_commit_that_owes_the_next_one(worded):
    seen = []
    while claims := worded.store.claim(["reword"], limit=1, lease=60_000_000):
        rewording.reword(worded, claims)
        seen.append(owed(worded, "issue"))

    assert seen == [2, 4, 5]
    run_issue(worded)
    assert versions(worded) == [2] * 5


def test_a_page_that_was_lost_midway_is_done_again_and_nothing_is_done_twice(worded):
    (claim,) = worded.store.claim(["reword"], limit=1, lease=1)
    worded.clock.now += 1_000_000
    worded.store.claim_lost(["reword"], lease=1)  # the lease ran out: somebody else has it
    with pytest.raises(Stale):
        rewording.reword(worded, [claim])
    worded.clock.now += 1_000_000

    drain(worded, ["reword", "issue"])
    changed = {one.id: one.rev for one in each(worded.store, "credential")}

    assert versions(worded) == [2] * 5
    assert set(changed.values()) == {2}


def test_badges_that_have_the_words_are_owed_nothing(worded):
    drain(worded, ["reword", "issue"])
    about = of_award(read_award(worded.store.get("award", AWARDS[0]).body))
    editing.write_words(worded, about, OwnWords(name="Gowning once more"), by="test")

    drain(worded, ["reword", "issue"])

    assert versions(worded) == [2] * 5  # the third version is for badges from now on


def test_badges_that_are_held_get_the_name_that_the_issuer_has_now_at_their_places_in_the_list(worded):
    drain(worded, ["reword", "issue"])
    places = {one.id: one.meta["index"] for one in each(worded.store, "credential")}

    rename(worded, "Skills Centre Llŷn")
    seen = []
    while claims := worded.store.claim(["reword"], limit=1, lease=60_000_000):
        rewording.reword(worded, claims)
        seen.append(owed(worded, "issue"))
    run_issue(worded)

    badges = list(each(worded.store, "credential"))
    assert seen == [2, 4, 5]
    assert {json.loads(one.body)["issuer"]["name"] for one in badges} == {"Skills Centre Llŷn"}
    assert {one.id: one.meta["index"] for one in badges} == places
    rename(worded, "Skills Centre Llŷn")
    drain(worded, ["reword"])
    assert owed(worded, "issue") == 0

    held = badges[0]
    of_former = json.loads(held.body)
    of_former["issuer"]["id"] = "did:web:former.example"
    body = json.dumps(of_former).encode()
    worded.store.write(lambda tx: tx.replace(msgspec.structs.replace(held, body=body))).result()
    rename(worded, "Skills Centre")
    drain(worded, ["reword"])
    assert owed(worded, "issue") == len(badges) - 1


@pytest.fixture
def pictured(tmp_path, monkeypatch):
    """Three achievements of one framework, with a badge each, and an image for the framework; two in a page."""
    monkeypatch.setattr(repicturing, "PAGE", 2)
    opened = tenant_in(tmp_path)
    for number, award in enumerate(AWARDS[:3]):
        put_award(opened, award, competency={**BODY["competency"], "id": f"https://case.example.org/items/{number}"})
    run_issue(opened)
    drawn = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(drawn, "PNG")
    about = of_award(read_award(opened.store.get("award", AWARDS[0]).body))
    editing.set_picture(opened, about, "framework", drawn.getvalue(), by="test", anew=True)
    yield opened
    opened.store.close()


def test_an_image_of_a_framework_reaches_every_badge_that_is_held_page_by_page(pictured):
    (claim,) = pictured.store.claim(["repicture"], limit=1, lease=60_000_000)
    repicturing.repicture(pictured, [claim])
    after_one_page = [owed(pictured, step) for step in ("repicture", "reword")]

    drain(pictured, ["repicture", "reword", "issue"])

    assert after_one_page == [1, 2]
    assert versions(pictured) == [2, 2, 2]
    shown = {one.meta["achievement"]: one.meta["version"] for one in each(pictured.store, "credential")}
    assert len(shown) == 3
    (image,) = each(pictured.store, pictures.KIND)
    assert image.meta.keys() == {"blob"}


def test_what_a_steward_writes_while_the_images_are_changed_is_kept_and_has_the_image(pictured):
    (claim,) = pictured.store.claim(["repicture"], limit=1, lease=60_000_000)
    about = of_award(read_award(pictured.store.get("award", AWARDS[0]).body))
    editing.write_words(pictured, about, OwnWords(name="Gowning anew"), by="test")

    repicturing.repicture(pictured, [claim])
    drain(pictured, ["repicture", "reword", "issue"])

    newest = wording_of(pictured.store, about)
    shown = pictured.store.get("achievement", newest.current)
    assert (json.loads(shown.body)["name"], "blob" in shown.meta) == ("Gowning anew", True)
    assert versions(pictured) == [2, 2, 2]


def test_an_image_that_is_taken_away_while_it_is_given_out_reaches_no_further_badge(pictured):
    (claim,) = pictured.store.claim(["repicture"], limit=1, lease=60_000_000)
    about = of_award(read_award(pictured.store.get("award", AWARDS[0]).body))

    editing.remove_picture(pictured, about, "framework", by="test", anew=True)

    with pytest.raises(Stale):
        repicturing.repicture(pictured, [claim])
    drain(pictured, ["repicture", "reword", "issue"])
    assert versions(pictured) == [1, 1, 1]
    assert list(each(pictured.store, pictures.KIND)) == []
