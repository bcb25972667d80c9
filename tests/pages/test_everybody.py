"""What everybody needs of a page, whatever they read it with: names, headings, labels, captions, no dead ends."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from lrs.pages import visit
from lrs.storage import Owed, Record
from tests.competency.world import ANN, statement
from tests.pages.members import signed_in
from tests.pages.test_learner import service_for, work
from tests.pages.test_work import delivery, give_up, noted

VOID = {"meta", "input", "br", "link"}


class Structure(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.labelled, self.inputs, self.links = [], [], [], [], [], []
        self.tables = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "html":
            self.language = attributes["lang"]
        elif tag == "label":
            self.labelled.append(attributes["for"])
        elif tag in {"textarea", "select"} or (tag == "input" and attributes.get("type") != "hidden"):
            self.inputs.append(attributes["id"])
        elif tag == "a":
            self.links.append(attributes["href"])
        elif tag == "table":
            self.tables.append([])
        if tag in {"caption", "th", "td"}:
            self.tables[-1].append((tag, attributes.get("scope") or attributes.get("data-label")))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def pages(site, browser):
    """Every page, with something in each of its parts."""
    site.world.send(statement("one"))
    work(site)
    person = site.world.person(ANN)
    service_for(site, person, "profiles:read", "gap:read")
    give_up(site, Record("award", "a-1", b"nonsense", owed=(Owed("issue"),)))
    delivery(site)
    put_failing(site)
    noted(site, {"a.csv": {"at": "2026-11-20T10:00:00Z", "counts": {"new": 1}, "quarantine": [{"row": 1}]}})
    site.world.send(statement("other", activity="https://vle.example/other"))
    places = ("pages/sign-in", "staff", "staff/learners", f"staff/learners/{person}", "staff/invitations", "pages/work")
    return {place: browser.get(f"/{place}") for place in (*places, "pages/badges/none")}


def put_failing(site):
    site.world.write(lambda tx: tx.insert(Record("award", "a-2", b"nonsense", owed=(Owed("issue"),))))
    claim = next(one for one in site.tenant.store.claim(["issue"], limit=9, lease=1_000_000))
    site.tenant.store.defer(claim, due=site.world.clock() + 9_000_000, error="why")


def test_each_page_is_well_formed_with_one_heading_a_language_and_ids_used_once(pages):
    for page in pages.values():
        structure = Structure(page.text)

        assert structure.open == []
        assert structure.language == "en"
        assert structure.tags.count("h1") == structure.tags.count("main") == structure.tags.count("title") == 1
        assert len(structure.ids) == len(set(structure.ids))


def test_each_field_has_a_label_and_each_table_a_caption_and_headers(pages):
    tables = 0
    for page in pages.values():
        structure = Structure(page.text)
        tables += len(structure.tables)

        assert structure.inputs == structure.labelled
        for table in structure.tables:
            assert table[0] == ("caption", None)
            columns = [scope for tag, scope in table if tag == "th" and scope == "col"]
            assert len(columns) >= 3
            assert all(label for _, label in table[1:])
    assert tables == 1 + 6 + 7


def test_each_link_stays_on_our_pages_and_leads_somewhere(pages, browser):
    links = {link for page in pages.values() for link in Structure(page.text).links}
    within = {link for link in links if link.startswith("#")}

    followed = {link: browser.get(link.partition("#")[0]).status_code for link in links - within}

    assert set(followed.values()) == {200}
    assert len(followed) > 20
    for page in pages.values():
        structure = Structure(page.text)
        assert {link[1:] for link in structure.links if link.startswith("#")} <= set(structure.ids)


def test_two_rooms_cannot_have_a_message_for_the_same_word(monkeypatch):
    monkeypatch.setattr(visit, "SENTENCES", {})
    visit.says(one_word="The first.")
    visit.says(one_word="The first.")

    with pytest.raises(ValueError, match="two rooms have a message for one_word"):
        visit.says(one_word="The second.")


def test_many_places_are_grouped_and_few_stand_side_by_side(quiet):
    menu = re.compile(r'<details class="menu" name="menu"><summary(?: class="here")?>([^<]+)</summary>')

    many, few = quiet.browser.get("/staff/rules"), signed_in(quiet, "trainer:centre").get("/staff")

    assert menu.findall(many.text) == ["Learners", "Records", "Skills", "Running"]
    assert '<summary class="here">Skills</summary>' in many.text
    assert 'href="/staff/members"' in many.text
    assert menu.findall(few.text) == []
