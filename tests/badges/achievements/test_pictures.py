"""Images that stewards upload are written anew, without what stood beside the picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from badges.achievements.pictures import taken_in


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_colour_profile_of_an_upload_is_not_written(kind):
    made = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(made, kind, icc_profile=b"<script>alert(1)</script>")

    written = taken_in(made.getvalue())

    chunks = Image.open(io.BytesIO(written))
    assert (chunks.size, b"iCCP" in written) == ((200, 200), False)
    assert chunks.info.keys() <= {"transparency"}


def test_a_picture_is_turned_as_its_camera_says():
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 3  # upside down
    picture = Image.new("RGB", (200, 200), "teal")
    picture.paste("red", (0, 0, 200, 100))
    picture.save(made, "PNG", exif=exif)

    written = Image.open(io.BytesIO(taken_in(made.getvalue()))).convert("RGBA")

    assert [written.getpixel((100, y)) for y in (10, 190)] == [(0, 128, 128, 255), (255, 0, 0, 255)]
