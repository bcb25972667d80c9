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
