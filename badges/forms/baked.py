"""The badge in an image: the uploaded or the drawn one, as PNG or SVG, with the stored credential in it.

Source: 1EdTech Open Badges 3.0, 5.3 ("Baking"): in a PNG an ``iTXt`` chunk with the keyword ``openbadgecredential``,
not compressed, once; in an SVG the element ``openbadges:credential``. The chunk is the first after the header, and
braces in texts are escaped, because a wallet finds the JSON by counting them. That changes nothing of what is signed.
"""

from __future__ import annotations

import json
import re
import zlib
from xml.etree import ElementTree as ET

from badges.content.medal import medal_of, picture_svg, png
from badges.forms.form import Form, StoredBadge

NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
KEYWORD = b"openbadgecredential"
_HEADER = 8 + 25
"""Bytes of a PNG up to the end of its first chunk, IHDR (W3C PNG, 5.2 and 11.2.1)."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPED = str.maketrans({"{": "\\u007b", "}": "\\u007d", "]": "\\u005d", "<": "\\u003c", "&": "\\u0026"})


def bakeable(credential: bytes) -> str:
    """*credential*, JSON, as ASCII in which braces, brackets and markup are never part of a text."""
    plain = json.dumps(json.loads(credential), separators=(",", ":"))
    return _STRING.sub(lambda found: found[0].translate(_ESCAPED), plain)


def _png(badge: StoredBadge) -> bytes:
    image = badge.picture or png(medal_of(json.loads(badge.credential)))
    text = KEYWORD + b"\0\0\0\0\0" + bakeable(badge.credential).encode()
    chunk = len(text).to_bytes(4) + b"iTXt" + text + zlib.crc32(b"iTXt" + text).to_bytes(4)
    return image[:_HEADER] + chunk + image[_HEADER:]


def _svg(badge: StoredBadge) -> bytes:
    ET.register_namespace("openbadges", NAMESPACE)
    root = picture_svg(medal_of(json.loads(badge.credential)), badge.picture)
    baked = ET.Element(f"{{{NAMESPACE}}}credential")
    baked.text = bakeable(badge.credential)
    root.insert(0, baked)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


PNG = Form(
    name="png",
    media_type="image/png",
    ending=".png",
    make=_png,
    title="Picture (PNG)",
    about="To show on a page or in a profile; the badge itself is inside it.",
    place=20,
)
SVG = Form(
    name="svg",
    media_type="image/svg+xml",
    ending=".svg",
    make=_svg,
    title="Picture (SVG)",
    about="The same, sharp at any size.",
    place=40,
)
