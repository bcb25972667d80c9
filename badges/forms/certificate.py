"""The badge as a certificate to print, A4 across, with the signed badge attached to the file.

A QR code leads to the page at which whoever has the paper sees whether the badge still counts; where this server has no
address, there is none. Paper proves nothing, so the certificate says how the badge is checked. The holder's name is
printed only if the badge has it. Source: ISO 32000, by way of fpdf2.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from badges.content.compose import name_in
from badges.content.medal import FONTS, medal_of, png, wrapped
from badges.content.narrative import texts
from badges.forms.form import StoredBadge
from lrs.kernel.strict_json import Json
from lrs.kernel.times import SECOND, micros_of_timestamp
from lrs.web.dates import written_day

_INK, _SOFT, _ACCENT = (26, 35, 39), (86, 98, 105), (10, 92, 102)
_LEFT, _WIDTH = 124, 153
"""Where the text begins, and how wide it is, in millimetres."""
_ONE_LINE = 84
"""Characters of an address at size 9."""
_POINT = 0.3528
"""Millimetres."""
HOW_TO_CHECK = (
    "The signed badge is attached to this file (badge.json): any verifier of Open Badges 3.0 checks who issued it, that"
    " nothing was changed, and that it was not revoked."
)
SCAN = "Paper proves nothing. Scan the code, or open its address, to see whether this badge still counts."


class _Certificate(FPDF):
    """A page with our fonts, and one verb to write on it."""

    def __init__(self, made: datetime) -> None:
        super().__init__("landscape", "mm", "A4")
        self.set_creation_date(made)
        self.set_auto_page_break(False)
        for style, name in (("", "Regular"), ("B", "Bold")):
            self.add_font("Roboto", style, FONTS / f"Roboto-{name}.ttf")
        self.add_page()

    def put(
        self,
        text: str,
        size: int,
        colour: tuple[int, int, int],
        *,
        is_bold: bool = False,
        after: float = 2,
        most: int = 2,
    ) -> None:
        """*text* in *most* lines of the column, the last one shortened if it is longer; then *after* millimetres."""
        self.set_font("Roboto", "B" if is_bold else "", size)
        self.set_text_color(*colour)
        lines = wrapped(text, size, is_bold=is_bold, width=_WIDTH / _POINT)
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
        for line in lines:
            self.set_x(_LEFT)
            self.cell(_WIDTH, size * _POINT * 1.3, _fitting(self, line), new_x=XPos.LEFT, new_y=YPos.NEXT)
        self.set_y(self.get_y() + after)


def _fitting(page: FPDF, line: str) -> str:
    """*line*, shortened if it is one word that is wider than the column."""
    while len(line) > 1 and page.get_string_width(line) > _WIDTH:
        line = f"{line[:-2]}…"
    return line


def certificate(badge: StoredBadge) -> bytes:
    """The PDF file of *badge*."""
    credential = json.loads(badge.credential)
    medal = medal_of(credential)
    page = _Certificate(datetime.fromtimestamp(micros_of_timestamp(credential["validFrom"]) // SECOND, UTC))
    page.set_title(f"{credential['name']}: certificate")
    page.set_author(medal.issuer)
    page.set_lang("en")
    page.embed_file(
        bytes=badge.credential, basename="badge.json", desc="The signed badge", mime_type="application/json"
    )
    page.set_fill_color(*_ACCENT)
    page.rect(0, 0, 8, page.h, "F")
    page.image(io.BytesIO(badge.picture or png(medal)), 22, 38, 88, alt_text=str(credential["name"]))
    page.set_y(36)
    _text(page, credential)
    _check(page, credential, badge.check)
    return bytes(page.output())


def _text(page: _Certificate, credential: Json) -> None:
    medal, subject = medal_of(credential), credential["credentialSubject"]
    achievement = subject["achievement"]
    holder = name_in(credential)
    page.put("Certificate", 13, _ACCENT, is_bold=True, after=3)
    page.put(medal.title, 26, _INK, is_bold=True, most=3)
    if medal.level:
        page.put(f"Level: {medal.level}", 15, _INK, most=1)
    if holder:
        page.put(f"Awarded to {holder}", 15, _INK, is_bold=True, most=1)
    page.put(str(achievement["description"]), 11, _INK, after=3)
    takes = ". ".join(texts(achievement["criteria"].get("narrative", "")))
    page.put(f"What it takes: {takes}", 11, _SOFT, after=5, most=3)
    page.put(f"Issued by {medal.issuer}", 12, _INK, is_bold=True, after=1, most=1)
    page.put(_dates(credential), 12, _INK)


def _dates(credential: Json) -> str:
    awarded = f"Awarded on {written_day(credential['awardedDate'])}"
    return f"{awarded}, valid until {written_day(credential['validUntil'])}" if "validUntil" in credential else awarded


def _check(page: _Certificate, credential: Json, address: str | None) -> None:
    page.set_y(152)
    if address is None:
        page.put(f"Paper proves nothing. {HOW_TO_CHECK}", 10, _SOFT, after=1, most=3)
        page.put(f"Badge {credential['id']}", 9, _SOFT)
        return
    code = io.BytesIO()
    segno.make(address, error="m", micro=False).save(code, kind="png", scale=8, border=2)
    page.image(io.BytesIO(code.getvalue()), 22, 150, 40, alt_text=f"QR code: {address}", link=address)
    page.put(SCAN, 10, _INK, is_bold=True, after=1, most=2)
    for part in _in_lines(address):
        page.put(part, 9, _INK, after=0)
    page.set_y(page.get_y() + 1)
    page.put(HOW_TO_CHECK, 9, _SOFT, after=1, most=2)
    page.put(f"Badge {credential['id']}", 8, _SOFT)


def _in_lines(address: str) -> list[str]:
    """*address* in lines that can be typed: what is before its code, and the code, if it is long."""
    place, _, code = address.rpartition("/")
    return [address] if len(address) <= _ONE_LINE else [f"{place}/", code]
