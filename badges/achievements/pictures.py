"""Images that stewards upload for badges: of a framework, of a level, or of one achievement.

An upload is decoded within bounds and written anew as PNG, so that nothing of the file itself is ever given out.

kind ``badge-image``, id of what it is for: the image's ``blob``, a PNG. One that was taken away has none, and is there
until no version shows it any more (``badges.repicturing``).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

from badges.content.attainment import Attainment
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.storage import Reader, Record
from lrs.storage.kinds import Kind

if TYPE_CHECKING:
    from PIL import Image

KIND = "badge-image"
Scope = Literal["achievement", "level", "framework"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""The narrowest first: it wins."""
MAX_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 4_000 * 4_000
SIDE = 600
"""Pixels of the longer side of what is kept."""
_FORMATS = ("PNG", "JPEG")


def scope_id(attainment: Attainment, scope: Scope) -> str:
    """The id of the image of *scope* that *attainment* gets."""
    if scope == "framework":
        return name("badge-image", scope, attainment.about.framework)
    if scope == "level":
        return name("badge-image", scope, attainment.about.framework, attainment.scale.id, attainment.level.code)
    return attainment.id


def picture_for(reader: Reader, attainment: Attainment) -> str | None:
    """The blob of the image of *attainment*: its own, its level's, or its framework's; ``None`` for the drawn one."""
    ids = [scope_id(attainment, scope) for scope in SCOPES]
    found = reader.get_many(KIND, ids)
    return next((str(found[id].meta["blob"]) for id in ids if id in found and "blob" in found[id].meta), None)


def uploaded(reader: Reader, attainment: Attainment) -> list[Scope]:
    """The scopes of *attainment* for which there is an image."""
    ids = {scope_id(attainment, scope): scope for scope in SCOPES}
    found = reader.get_many(KIND, ids)
    return [scope for id, scope in ids.items() if id in found and "blob" in found[id].meta]


def is_on_its_way(reader: Reader, attainment: Attainment) -> bool:
    """Whether an image of *attainment* was changed a moment ago, and versions are still made for it."""
    found = reader.get_many(KIND, [scope_id(attainment, scope) for scope in SCOPES])
    return any("anew" in one.meta for one in found.values())


def image_record(id: str, blob: str | None, old: Record | None, *, anew: bool) -> Record:
    """The record *id* with the image *blob*, or of one that was taken away.

    *anew*: badges that are held are issued anew, once the versions are made.
    """
    meta = {"anew": anew} | ({"blob": blob} if blob else {})
    return Record(KIND, id, meta=meta, rev=old.rev if old else 0)


def taken_in(content: bytes) -> bytes:
    """The image in *content*, PNG or JPEG, as a PNG of at most ``SIDE`` pixels, without any metadata.

    Raises ``Refused``: 413 if it is too large, packed or unpacked; 400 if it is no such image, or damaged.
    """
    if len(content) > MAX_BYTES:
        raise Refused(
            f"The image is larger than {MAX_BYTES >> 20} MiB: make it smaller.", status=413, error="too_large"
        )
    if content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise Refused(
            "This is an SVG or a web page. It can have scripts in it, and wallets do not show it: save it as PNG.",
            error="svg_image",
        )
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 (Pillow is loaded when an image is read)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                _check_size(*opened.size)
                return _written(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError as error:
        raise Refused("This is no PNG and no JPEG: choose an image file.", error="not_an_image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many() from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused("The image is damaged: open and save it anew.", error="not_an_image") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_many()
    if min(width, height) < SIDE // 4:
        raise Refused(f"The image is {width} by {height} pixels: at least {SIDE // 4} each way.", error="too_small")


def _too_many() -> Refused:
    return Refused("The image has more than 16 million pixels: make it smaller.", status=413, error="too_large")


def _written(image: Image.Image) -> bytes:
    from PIL import Image  # noqa: PLC0415 (as above)

    image = image.convert("RGBA")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    made = io.BytesIO()
    written = image.quantize(256, Image.Quantize.FASTOCTREE)
    written.info.clear()  # a colour profile would be written too, with whatever stands in it
    written.save(made, "PNG", optimize=True)
    return made.getvalue()


def _blobs(record: Record) -> Iterator[str]:
    if "blob" in record.meta:
        yield str(record.meta["blob"])


KINDS = (Kind(KIND, "fact", subjects=None, retention="configuration", exported=True, blobs=_blobs),)
