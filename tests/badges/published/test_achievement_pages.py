"""What an achievement points to answers: its criteria, its image, the competency; for programs and for people."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from lrs.app import create_app
from lrs.kernel.settings import Settings
from tests.badges.made import badge_in
from tests.badges.published.test_routes import Client
from tests.badges.world import issued_of_framework

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    made = create_app(Settings(data=folder, public_url="https://skills.example.org", worker=False))
    issued_of_framework(made.tenants.take("default"))
    yield made
    made.tenants.close()


@pytest.fixture(scope="module")
def get(app):
    client = Client.__new__(Client)
    client.app = app
    return lambda url, headers=None: client.get(url.removeprefix("https://skills.example.org"), headers)


@pytest.fixture(scope="module")
def achievement(app):
    return badge_in(app.tenants.take("default"))[1]["credentialSubject"]["achievement"]


def test_the_criteria_are_json_for_programs_and_a_page_with_each_statement_for_people(get, achievement):
    url = achievement["criteria"]["id"]

    told, shown = get(url), get(url, HTML)

    assert told.json() == {
        "id": url,
        "type": ["Criteria"],
        "narrative": achievement["criteria"]["narrative"],
        "achievement": achievement["id"],
    }
    assert "<li><bdi>Gowns without touching the outside</bdi></li>" in shown.text
    assert "<h3><bdi>Awareness (included)</bdi></h3>" in shown.text
    assert told.headers["vary"] == "accept"
    assert shown.headers["vary"] == "accept, accept-language, cookie"
    assert "Am beth mae'r bathodyn yn sefyll" in get(f"{url}?lang=cy", HTML).text


def test_the_competency_is_a_case_item_for_programs_and_a_page_for_people(get, achievement):
    url = achievement["alignment"][0]["targetUrl"]

    told, shown = get(url).json(), get(url, HTML)

    assert (told["identifier"], told["uri"]) == (url.rpartition("/")[2], url)
    assert (told["fullStatement"], told["humanCodingScheme"]) == ("Aseptic gowning", "GOWN")
    assert told["CFDocumentURI"]["uri"] == "https://example.org/frameworks/atmp"
    assert "<h1><bdi>GOWN Aseptic gowning</bdi></h1>" in shown.text


def test_the_image_is_a_png_and_an_svg_with_the_level_and_the_title_in_words(get, achievement):
    url = achievement["image"]["id"]

    png, svg = get(url), get(url.replace(".png", ".svg"))

    with Image.open(io.BytesIO(png.content)) as opened:
        assert (opened.format, opened.size) == ("PNG", (600, 600))
    words = " ".join(ET.fromstring(svg.text).itertext())
    assert "Aseptic gowning" in words
    assert "Practitioner" in words
    assert (png.headers["content-type"], svg.headers["content-type"]) == ("image/png", "image/svg+xml")
    assert svg.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in svg.headers["content-security-policy"]
    assert get(url.replace("image.png", "other.png")).status_code == 404


@pytest.mark.parametrize("path", ["achievements", "criteria", "competencies", "achievements/{}/image.png"])
def test_what_is_not_there_is_404_as_json_or_a_page(get, path):
    id = "00000000-0000-4000-8000-000000000000"
    url = f"/t/default/{path.format(id)}" if "{}" in path else f"/t/default/{path}/{id}"

    assert get(url).status_code == 404
    assert get(url).json()["error"] == "not_found"


def test_a_page_in_a_browser_of_any_site_may_read_all_of_it(get, achievement):
    urls = [achievement["criteria"]["id"], achievement["alignment"][0]["targetUrl"], achievement["image"]["id"]]

    assert [get(url).headers.get("access-control-allow-origin") for url in urls] == ["*"] * 3
