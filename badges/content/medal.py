"""The image of a badge that has none of its own: title, level and issuer in a round medal, as SVG and as PNG.

Both are drawn from the same layout, which is measured with the font of the PNG. Knows no store and no signature.
"""

from __future__ import annotations

import functools
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import msgspec

if TYPE_CHECKING:
    from PIL import ImageFont

SIZE = 600
FONTS = Path(__file__).parent / "fonts"
ACCENT, DEEP, PAPER, SOFT, FAINT = "#0a5c66", "#06424a", "#ffffff", "#bfe3e6", "#3d7d86"
_SHARP = 2
"""The PNG is drawn this much larger and then made smaller, so that edges are smooth."""
_LETTERS = "Roboto, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_TITLE_SIZES = (58, 50, 44, 38, 32, 27)
_TITLE_WIDTH, _TITLE_LINES = 430, 5
_LEVEL_WIDTH, _ISSUER_WIDTH = 330, 300


class Medal(msgspec.Struct, frozen=True):
    """What the image says. *place* is that of the level in its scale, from 1, of *levels*; 0 for no level."""

    title: str
    level: str
    issuer: str
    place: int = 0
    levels: int = 0


class _Line(msgspec.Struct, frozen=True):
    """One line of text, centred at *y* (its baseline)."""

    text: str
    y: float
    size: int
    is_bold: bool
    colour: str


def medal_of(credential: Mapping[str, Any]) -> Medal:
    """What the image of *credential*, an Open Badge, says."""
    achievement = credential["credentialSubject"]["achievement"]
    return medal_for(achievement, str(credential["issuer"].get("name", "")))


def medal_for(achievement: Mapping[str, Any], issuer: str) -> Medal:
    """What the image of *achievement* says, of badges of *issuer*, or of whoever made the achievement."""
    scale: Mapping[str, Any] = next(iter(achievement.get("resultDescription", ())), {})
    levels = scale.get("rubricCriterionLevel", [])
    place = next((n for n, one in enumerate(levels, 1) if one["id"] == scale.get("requiredLevel")), 0)
    level = str(levels[place - 1]["name"]) if place else ""
    title = str(achievement["name"])
    title = title.removesuffix(f": {level}") if level else title
    return Medal(title, level, issuer or str(achievement.get("creator", {}).get("name", "")), place, len(levels))


def png(medal: Medal) -> bytes:
    """The image as PNG; equal medals give equal bytes."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 (Pillow is loaded when an image is made)

    image = Image.new("RGBA", (SIZE * _SHARP, SIZE * _SHARP), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    for radius, colour in _RINGS:
        low, high = (SIZE / 2 - radius) * _SHARP, (SIZE / 2 + radius) * _SHARP
        draw.ellipse((low, low, high, high), fill=colour)
    if medal.level:
        left, top, right, bottom = (part * _SHARP for part in _pill(medal))
        draw.rounded_rectangle((left, top, right, bottom), (bottom - top) / 2, fill=PAPER)
    for x, y, dot, colour in _pips(medal):
        draw.ellipse(tuple(part * _SHARP for part in (x - dot, y - dot, x + dot, y + dot)), fill=colour)
    for line in _lines(medal):
        font = _font(line.size * _SHARP, line.is_bold)
        draw.text((SIZE / 2 * _SHARP, line.y * _SHARP), line.text, line.colour, font, anchor="ms")
    made = io.BytesIO()
    small = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).quantize(128, Image.Quantize.FASTOCTREE)
    small.save(made, "PNG", optimize=True)
    return made.getvalue()


def svg(medal: Medal) -> ET.Element:
    """The image as the root element of an SVG, which has its words for those who do not see it."""
    ET.register_namespace("", SVG)
    root = _element("svg", viewBox=f"0 0 {SIZE} {SIZE}", role="img")
    _element("title", root).text = f"{medal.title}: {medal.level}" if medal.level else medal.title
    for radius, colour in _RINGS:
        _element("circle", root, cx=SIZE / 2, cy=SIZE / 2, r=radius, fill=colour)
    if medal.level:
        left, top, right, bottom = _pill(medal)
        size = {"width": right - left, "height": bottom - top, "rx": (bottom - top) / 2}
        _element("rect", root, x=left, y=top, fill=PAPER, **size)
    for x, y, dot, colour in _pips(medal):
        _element("circle", root, cx=x, cy=y, r=dot, fill=colour)
    for line in _lines(medal):
        look = {"text-anchor": "middle", "font-family": _LETTERS, "font-weight": "700" if line.is_bold else "400"}
        text = _element("text", root, x=SIZE / 2, y=line.y, fill=line.colour, **{"font-size": line.size}, **look)
        text.text = line.text
    return root


def picture_svg(medal: Medal, uploaded: bytes | None) -> ET.Element:
    """The SVG: drawn, or the *uploaded* PNG in it."""
    root = svg(medal)
    if uploaded is None:
        return root
    title = root[0]
    root[:] = [title]
    href = f"data:image/png;base64,{b64encode(uploaded).decode()}"
    size = {"width": str(SIZE), "height": str(SIZE)}
    ET.SubElement(root, f"{{{SVG}}}image", {"href": href, f"{{{_XLINK}}}href": href, **size})
    return root


SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_RINGS = ((296, DEEP), (284, PAPER), (278, ACCENT), (252, DEEP))


def _element(name: str, parent: ET.Element | None = None, **given: object) -> ET.Element:
    values = {key: str(value) for key, value in given.items()}
    tag = f"{{{SVG}}}{name}"
    return ET.Element(tag, values) if parent is None else ET.SubElement(parent, tag, values)


def _lines(medal: Medal) -> list[_Line]:
    size, parts = _title(medal.title)
    top = 240 - (len(parts) - 1) * size * 1.18 / 2 + size * 0.35
    lines = [_Line(part, top + n * size * 1.18, size, is_bold=True, colour=PAPER) for n, part in enumerate(parts)]
    if medal.level:
        level = _shortened(medal.level, 28, is_bold=True, width=_LEVEL_WIDTH)
        lines.append(_Line(level, 428, 28, is_bold=True, colour=DEEP))
    issuer = _shortened(medal.issuer, 20, is_bold=False, width=_ISSUER_WIDTH)
    return [*lines, _Line(issuer, 512, 20, is_bold=False, colour=SOFT)]


def _title(text: str) -> tuple[int, list[str]]:
    """The largest size at which *text* fits, and its lines there; shortened if it fits at none."""
    for size in _TITLE_SIZES:
        lines = wrapped(text, size, is_bold=True, width=_TITLE_WIDTH)
        fits = all(width_of(line, size, is_bold=True) <= _TITLE_WIDTH for line in lines)
        if fits and len(lines) * size * 1.18 <= 200:
            return size, lines
    size = _TITLE_SIZES[-1]
    kept = wrapped(text, size, is_bold=True, width=_TITLE_WIDTH)
    last = [" ".join(kept[_TITLE_LINES - 1 :])] if len(kept) >= _TITLE_LINES else []
    return size, [
        _shortened(line, size, is_bold=True, width=_TITLE_WIDTH) for line in [*kept[: _TITLE_LINES - 1], *last]
    ]


def wrapped(text: str, size: int, *, is_bold: bool, width: float) -> list[str]:
    """*text* in lines of at most *width*; a word that is longer has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, is_bold=is_bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _shortened(text: str, size: int, *, is_bold: bool, width: float) -> str:
    if width_of(text, size, is_bold=is_bold) <= width:
        return text
    while text and width_of(f"{text}…", size, is_bold=is_bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def width_of(text: str, size: int, *, is_bold: bool) -> float:
    """The width of *text* in our font."""
    return float(_font(size, is_bold).getlength(text))


@functools.lru_cache(maxsize=32)
def _font(size: int, is_bold: bool) -> ImageFont.FreeTypeFont:  # noqa: FBT001 (cached by place)
    from PIL import ImageFont  # noqa: PLC0415 (Pillow is loaded when letters are measured)

    return ImageFont.truetype(FONTS / f"Roboto-{'Bold' if is_bold else 'Regular'}.ttf", size)


def _pill(medal: Medal) -> tuple[float, float, float, float]:
    half = min(width_of(medal.level, 28, is_bold=True), _LEVEL_WIDTH) / 2 + 30
    return SIZE / 2 - half, 394, SIZE / 2 + half, 444


def _pips(medal: Medal) -> Sequence[tuple[float, float, float, str]]:
    """A dot for each level of the scale, those that were reached filled; none for a scale that is too long."""
    if not medal.place or not 2 <= medal.levels <= 10:
        return ()
    left = SIZE / 2 - (medal.levels - 1) * 14
    reached = (PAPER if n < medal.place else FAINT for n in range(medal.levels))
    return [(left + n * 28, 470, 8, colour) for n, colour in enumerate(reached)]
