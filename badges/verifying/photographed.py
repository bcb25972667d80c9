"""The address in a photograph of a QR code, as of the one on a printed certificate. Pure.

A picture of a badge has no badge in it; the code on a certificate leads to one.
"""

from __future__ import annotations

import io

from badges.verifying.containers import taken_from
from badges.verifying.verdict import Invalid

MOST_PIXELS = 16_000_000
"""Of a picture. A JPEG could be unpacked smaller, but one in several scans is held whole all the same."""
SIDE = 1_600
"""Pixels of the longer side in which a code is looked for: enough for one that fills a tenth of the picture."""
_FORMATS = ("JPEG", "PNG", "WEBP")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")


def address_in(content: bytes) -> bytes | None:
    """The http address in the one QR code of the picture *content*; ``None`` if it is something else or has a badge."""
    if not content.startswith(_STARTS) or not _has_no_badge(content):
        return None
    found = {text for text in _codes_in(content) if text.startswith(("https://", "http://"))}
    return found.pop().encode() if len(found) == 1 else None


def _has_no_badge(picture: bytes) -> bool:
    try:
        taken_from(picture)
    except Invalid as none:
        return none.code == "no_badge_in_file"
    return False


def _codes_in(picture: bytes) -> list[str]:
    import zxingcpp  # noqa: PLC0415 (both are loaded when a picture is read)
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return []
            opened.draft("L", (SIDE, SIDE))
            grey = opened.convert("L")
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return []  # damaged, or none of the formats that it seems to be
    grey.thumbnail((SIDE, SIDE))
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [one.text for one in found]
