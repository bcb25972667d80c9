"""The address in a photograph of a QR code; whatever else a picture shows gives none."""

from __future__ import annotations

import io

import pytest
import segno
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from badges.verifying import photographed
from badges.verifying.photographed import address_in
from tests.rows import each_of

ADDRESS = "https://skills.example.org/t/default/check/D9GDw0ZGXHGE5dkPTVL3UD849sp7ybRqjnxMGw"


def code(text, scale=6, **more):
    """A QR code of *text* as a grey picture."""
    made = io.BytesIO()
    segno.make(text, micro=False, **more).save(made, kind="png", scale=scale, border=4)
    return Image.open(made).convert("L")


def turned(picture, angle):
    """As a camera sees it: turned, on a dark table, in half a shadow, blurred."""
    table = Image.new("L", (480, 480), 90)
    whole = Image.new("L", picture.size, 255).rotate(angle, expand=True)
    table.paste(picture.rotate(angle, Image.Resampling.BICUBIC, expand=True), (40, 30), whole)
    shadow = Image.linear_gradient("L").resize(table.size)
    dim = Image.composite(table, table.point(lambda value: value // 2), shadow)
    return dim.filter(ImageFilter.GaussianBlur(1))


def beside(*pictures):
    table = Image.new("L", (sum(one.width for one in pictures), max(one.height for one in pictures)), 255)
    for at, one in enumerate(pictures):
        table.paste(one, (sum(before.width for before in pictures[:at]), 0))
    return table


def file(picture, form="PNG", badge=""):
    made, texts = io.BytesIO(), PngInfo()
    if badge:
        texts.add_itxt("openbadgecredential", badge)
    picture.save(made, form, pnginfo=texts)
    return made.getvalue()


PLAIN = code(ADDRESS)
LOCAL = "http://127.0.0.1:8080/t/default/check/x"


ROWS = {
    "PNG": (file(PLAIN), ADDRESS),
    "JPEG": (file(PLAIN, "JPEG"), ADDRESS),
    "WebP": (file(PLAIN, "WEBP"), ADDRESS),
    "in colours": (file(PLAIN.convert("RGBA")), ADDRESS),
    "turned": (file(turned(PLAIN, 23), "JPEG"), ADDRESS),
    "upside down": (file(turned(PLAIN, 190), "JPEG"), ADDRESS),
    "a large photograph": (file(beside(PLAIN, Image.new("L", (3_600, 2_700), 200)), "JPEG"), ADDRESS),
    "not encrypted": (file(code(LOCAL)), LOCAL),
    "twice the same": (file(beside(PLAIN, PLAIN)), ADDRESS),
    "two addresses": (file(beside(PLAIN, code(f"{ADDRESS}2"))), None),
    "no address": (file(code("otpauth://totp/Engraft?secret=A")), None),
    "no code": (file(Image.new("L", (200, 200), 255)), None),
    "a badge is in it": (file(PLAIN, badge='{"a":1}'), None),
    "cut off": (file(PLAIN)[:200], None),
    "another format that begins so": (b"RIFF____WAVE", None),
    "GIF": (file(PLAIN, "GIF"), None),
    "text": (ADDRESS.encode(), None),
    "nothing": (b"", None),
}


@each_of("content, address", ROWS.values(), ids=ROWS)
def test_the_address_of_a_code_is_read_and_of_what_else_is_none(content, address):
    assert address_in(content) == (address.encode() if address else None)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_that_is_larger_unpacked_than_is_allowed_is_not_unpacked(monkeypatch, form):
    """A JPEG could be unpacked smaller, but one in several scans is held whole all the same."""
    picture = file(PLAIN, form)
    monkeypatch.setattr(photographed, "MOST_PIXELS", PLAIN.width * PLAIN.height - 1)

    assert address_in(picture) is None
    monkeypatch.setattr(photographed, "MOST_PIXELS", PLAIN.width * PLAIN.height)
    assert address_in(picture) == ADDRESS.encode()
