"""The badge in an image: what is drawn, and that what is read out of it again is the signed badge."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from badges.content.medal import FAINT, PAPER, SIZE, Medal, medal_of, png, svg
from badges.forms import StoredBadge, form_named
from badges.forms.baked import bakeable
from badges.keys.ring import ring_of
from tests.badges.made import badge_in, failed, put_award, run_issue, tenant_in, verdict_on

NAMESPACES = {"svg": "http://www.w3.org/2000/svg", "openbadges": "https://purl.imsglobal.org/ob/v3p0"}
HOSTILE = 'Gown } {"a": 1} ]]> <script>alert(1)</script> & "quotes" \\ ŵ 🙂'


@pytest.fixture
def hostile(tmp_path: Path) -> Any:
    tenant = tenant_in(tmp_path)
    put_award(tenant, level={"ordinal": 2, "code": "P", "label": HOSTILE})
    run_issue(tenant)
    yield tenant
    tenant.store.close()


def made(tenant: Any, form: str) -> bytes:
    record, _ = badge_in(tenant)
    return form_named(form).make(StoredBadge(record.id, record.body, ring_of(tenant)))


def chunks(image: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of each chunk, whose checksums are right."""
    at, found = 8, []
    while at < len(image):
        size = int.from_bytes(image[at : at + 4])
        name, content = image[at + 4 : at + 8], image[at + 8 : at + 8 + size]
        assert int.from_bytes(image[at + 8 + size : at + 12 + size]) == zlib.crc32(name + content)
        found.append((name, content))
        at += 12 + size
    return found


def braces_counted(text: str) -> str:
    """As a wallet does that looks for the end of the JSON by counting braces."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if not depth:
            return text[: at + 1]
    raise AssertionError("no end")


def test_the_png_has_the_badge_once_right_after_its_header_and_is_an_image(hostile):
    image = made(hostile, "png")

    found = chunks(image)
    texts = [content for name, content in found if name == b"iTXt"]
    keyword, _, text = texts[0].partition(b"\0\0\0\0\0")

    assert [name for name, _ in found][:2] == [b"IHDR", b"iTXt"]
    assert (len(texts), keyword) == (1, b"openbadgecredential")
    assert json.loads(text) == badge_in(hostile)[1]
    assert failed(verdict_on(hostile, text)) == []
    assert Image.open(io.BytesIO(image)).size == (SIZE, SIZE)
    assert len(image) < 80_000


def test_the_svg_has_the_badge_and_its_words_and_nothing_that_runs(hostile):
    root = ET.fromstring(made(hostile, "svg"))

    (baked,) = root.findall("openbadges:credential", NAMESPACES)
    assert json.loads(baked.text) == badge_in(hostile)[1]
    assert failed(verdict_on(hostile, baked.text.encode())) == []
    assert root.find("svg:title", NAMESPACES).text == f"Aseptic gowning: {HOSTILE}: Practitioner"
    assert {one.tag.rpartition("}")[2] for one in root.iter()} == {
        "svg",
        "credential",
        "title",
        "circle",
        "rect",
        "text",
    }


def test_a_wallet_that_counts_braces_finds_the_whole_badge(hostile):
    text = bakeable(badge_in(hostile)[0].body)

    assert text.isascii()
    assert braces_counted(text) == text
    assert not {"]]>", "<", "&"} & {part for part in ("]]>", "<", "&") if part in text}


def test_the_image_says_title_level_place_in_the_scale_and_issuer(hostile):
    badge = badge_in(hostile)[1]
    badge["credentialSubject"]["achievement"]["name"] = "Aseptic gowning: Practitioner"
    levels = badge["credentialSubject"]["achievement"]["resultDescription"][0]["rubricCriterionLevel"]
    levels[1]["name"] = "Practitioner"

    assert medal_of(badge) == Medal("Aseptic gowning", "Practitioner", "Engraft, default", 2, 3)


def test_the_image_has_a_dot_for_each_level_and_as_many_filled_as_were_reached():
    def dots(place, levels):
        found = svg(Medal("Gowning", "L", "Us", place, levels)).iter()
        return [one.get("fill") for one in found if one.get("cy") == "470"]

    full, empty = PAPER, FAINT
    assert dots(1, 3) == [full, empty, empty]
    assert dots(3, 3) == [full] * 3
    assert (len(dots(10, 10)), dots(1, 1), dots(11, 11), dots(0, 3)) == (10, [], [], [])


def test_an_achievement_without_a_level_has_an_image(hostile):
    badge = badge_in(hostile)[1]
    del badge["credentialSubject"]["achievement"]["resultDescription"]

    medal = medal_of(badge)
    assert (medal.level, medal.place, medal.levels) == ("", 0, 0)
    assert png(medal).startswith(b"\x89PNG")


@pytest.mark.parametrize("title", ["Cryo", "Operate a closed-system bioreactor under GMP " * 20, "W" * 400, "ŵ", ""])
def test_a_title_of_any_length_stays_inside_the_medal(title):
    lines = [text for text in svg(Medal(title, "L" * 90, "I" * 300, 1, 11)).iter() if text.tag.endswith("}text")]

    assert len(lines) <= 7
    assert all(150 < float(line.get("y")) < 530 for line in lines)
    assert all(len(line.text or "") < 60 for line in lines)
