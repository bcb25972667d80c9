"""What somebody hands in, as the text of a badge: JSON, a JWT, an image or a PDF with a badge in it, or an address.

Nothing in an image is drawn or run: of a PNG only the chunks are walked, of an SVG only one element is looked at, of a
PDF only the files that are attached to it.
Sources: 1EdTech Open Badges 3.0, 5.3, and 2.0 "Baking"; W3C PNG, 5 and 11.3.
"""

from __future__ import annotations

import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from badges.verifying.pdf_files import attached_files
from badges.verifying.verdict import Invalid
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.kernel.xml import parse_xml

MAX_BADGE = 256 * 1024
"""Bytes of a badge, in whatever image it comes."""
MAX_IMAGE = 4 * 1024 * 1024
MOST_CHUNKS = 5_000
_PNG = b"\x89PNG\r\n\x1a\n"
_KEYWORDS = (b"openbadgecredential", b"openbadges")
_ELEMENTS = (
    "{https://purl.imsglobal.org/ob/v3p0}credential",
    "{http://openbadges.org}assertion",
    "{https://openbadges.org}assertion",
)
_SVG = re.compile(rb"^\s*<(\?xml|svg|!--|!DOCTYPE)")
_PAGE = (b"<!doctype html", b"<html")
_OTHERS = {
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"RIFF": "a WebP image",
    b"PK\x03\x04": "a ZIP file",
}


_T = TypeVar("_T")


class Taken(msgspec.Struct, frozen=True):
    """The text of a badge, and what it was in: ``png``, ``svg``, ``pdf``, or nothing."""

    text: bytes
    image: str = ""


def taken_from(content: bytes) -> Taken:
    """The text in *content*, without the byte order mark that some editors write. Raises ``Invalid``."""
    content = content.removeprefix(BOM_UTF8)
    if content.startswith(_PNG):
        _check_size(content)
        return Taken(_bounded(_only(list(islice(_texts(content), 2)), "PNG")), "png")
    if content[:100].lstrip().lower().startswith(_PAGE):
        raise Invalid("this is a web page; a badge is a PNG, an SVG, JSON or a JWT", "no_badge_in_file")
    if _SVG.match(content[:1024]):
        _check_size(content)
        return Taken(_bounded(_of_svg(content)), "svg")
    if content.startswith(b"%PDF"):
        _check_size(content)
        badges = [one for one in attached_files(content, MAX_BADGE) if one.lstrip()[:1] == b"{" or one[:2] == b"ey"]
        return Taken(_bounded(_only(badges, "PDF")), "pdf")
    for start, what in _OTHERS.items():
        if content.startswith(start):
            raise Invalid(f"this is {what}; a badge is a PNG, an SVG, JSON or a JWT", "no_badge_in_file")
    return Taken(_bounded(content))


def _check_size(image: bytes) -> None:
    if len(image) > MAX_IMAGE:
        raise Invalid(f"larger than {sized(MAX_IMAGE)}", "too_large")


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_BADGE:
        raise Invalid(f"larger than {sized(MAX_BADGE)}", "too_large")
    return text.strip()


def _only(found: list[_T], what: str) -> _T:
    if len(found) != 1:
        why = "has more than one badge in it" if found else "has no badge in it: it may have been saved without"
        raise Invalid(f"the {what} {why}", "ambiguous_image" if found else "no_badge_in_file")
    return found[0]


def _texts(image: bytes) -> Iterator[bytes]:
    """The texts of badges in a PNG, each unpacked only when it is asked for."""
    at = len(_PNG)
    for _ in range(MOST_CHUNKS):
        if at + 12 > len(image):
            raise Invalid("the PNG is cut off", "bad_image")
        size, kind = int.from_bytes(image[at : at + 4]), image[at + 4 : at + 8]
        data = image[at + 8 : at + 8 + size]
        if kind == b"IEND":
            return
        if kind in {b"iTXt", b"tEXt"} and data.startswith(tuple(word + b"\0" for word in _KEYWORDS)):
            if zlib.crc32(kind + data) != int.from_bytes(image[at + 8 + size : at + 12 + size]):
                raise Invalid("the chunk of the PNG with the badge is damaged", "bad_image")
            yield _text_of(kind, data)
        at += 12 + size
    raise Invalid(f"the PNG has more than {MOST_CHUNKS} chunks", "too_complex")


def _text_of(kind: bytes, data: bytes) -> bytes:
    rest = data.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest
    is_packed, (_, _, text) = rest[:1] == b"\1", _three(rest[2:])
    if not is_packed:
        return text
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(text, MAX_BADGE + 1)
    except zlib.error as error:
        raise Invalid("the chunk of the PNG with the badge is damaged", "bad_image") from error
    if not unpacker.eof and len(plain) <= MAX_BADGE:
        raise Invalid("the chunk of the PNG with the badge is damaged", "bad_image")
    return plain


def _three(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Language, keyword in that language, and text, of an iTXt chunk."""
    language, _, rest = data.partition(b"\0")
    keyword, _, text = rest.partition(b"\0")
    return language, keyword, text


def _of_svg(content: bytes) -> bytes:
    try:
        root = parse_xml(content, "The SVG")
    except Refused as error:
        raise Invalid(error.message, "bad_image") from error
    found: list[Any] = list(root.iter(*_ELEMENTS))
    element = _only(found, "SVG")
    text = element.get("verify") or element.text or ""
    return str(text).encode()
