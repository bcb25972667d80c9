"""The picture of a badge on its holder's pages, on a server that has no public address."""

from __future__ import annotations

import base64
import io
import re

from PIL import Image

from lrs.composition.steps import drain
from tests.pages.conftest import Browser
from tests.pages.test_badge_claim import ann, badge
from tests.pages.test_badges import image, upload
from tests.pages.test_me import signed_in

__all__ = ["ann", "badge"]
TEAL = (0, 128, 128)


def colour(content):
    """The size of a PNG, and the colour of its corner; the drawn medal has a clear one."""
    with Image.open(io.BytesIO(content)) as opened:
        made = opened.convert("RGBA")
        return made.size, made.getpixel((5, 5))


def in_svg(content):
    return base64.b64decode(re.search(rb"data:image/png;base64,([^\"]+)", content)[1])


def test_a_picture_that_is_issued_anew_is_on_the_learners_page_and_in_the_file(site, ann, badge):
    """Without a public address a badge calls its achievement by a number that is that of no record."""
    site.browser.sign_in(site.operator)
    learner = signed_in(site, ann, Browser(site.app))
    place = f"/me/badges/{badge.id}"
    drawn = learner.get(f"{place}?form=png").content

    sent = upload(site, f"/staff/badges/{badge.meta['achievement']}", image(), held="yes")
    drain(site.tenant)
    page = learner.get("/me").text
    shown = learner.get(f"{place}?form=picture").content
    download = learner.get(f"{place}?form=png").content

    assert sent.headers["location"].endswith("done=image_anew")
    assert colour(drawn) == ((600, 600), (0, 0, 0, 0))
    assert f'src="/me/badges/{badge.id}?form=picture"' in page
    assert colour(in_svg(shown)) == ((600, 450), (*TEAL, 255))
    assert colour(download) == ((600, 450), (*TEAL, 255))
