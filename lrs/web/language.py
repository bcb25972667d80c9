"""The language of a page: catalogues of texts, and the choice of the reader.

The texts of templates are English, in ``_("…")`` or ``{% trans %}``. A catalogue ``locale/LANGUAGE.po`` has them in
another language; missing texts stay English. A catalogue is read when it is first needed, so no compiled form is
stored.
"""

from __future__ import annotations

import functools
import gettext
import io
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

LOCALE = Path(__file__).parent / "locale"
ENGLISH = "en"
LEARNERS = (ENGLISH, "cy")
"""The languages in which learners and guardians sign in and agree."""
PARAMETER = "lang"
"""The query parameter by which a reader chooses a language."""
DONE = "done"
"""The query parameter with the word of the message about the last form."""
COOKIE = "engraft.language"
"""The cookie that remembers the choice."""
_MOST = 20


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts in *language*. Raises ``FileNotFoundError`` if there is no catalogue of it."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 (Babel is loaded for other languages and for dates)
    from babel.messages.pofile import read_po  # noqa: PLC0415 (as above)

    compiled = io.BytesIO()
    with (LOCALE / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@functools.cache
def languages() -> tuple[str, ...]:
    """The languages that there are, English first."""
    return (ENGLISH, *sorted(path.stem for path in LOCALE.glob("*.po")))


def language_of(request: HTTPConnection) -> str:
    """The language of ``LEARNERS`` that was chosen in this address or before, or that the browser prefers.

    Otherwise English.
    """
    for chosen in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if chosen is not None and chosen in LEARNERS:
            return chosen
    wanted = _wanted(request.headers.get("accept-language", ""))
    return next((one for one in wanted if one in LEARNERS), ENGLISH)


def said_in(language: str, text: str) -> str:
    """*text* of ours in *language*; as it is where the catalogue has no such text."""
    return catalogue(language).gettext(text) if text else ""


def addresses_in(request: Request, offered: Iterable[str]) -> dict[str, str]:
    """The address of this page in each language: what was chosen of a list stays, what a form did is left out."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {PARAMETER, DONE}]
    return {code: f"?{urlencode([*kept, (PARAMETER, code)])}" for code in offered}


def set_framed_cookie(answer: Response, name: str, value: str, seconds: int) -> None:
    """Sets a cookie that a browser keeps in another site's frame, for that site alone.

    Starlette's ``set_cookie(partitioned=True)`` raises on Python before 3.14. Source: CHIPS (Cookies Having Independent
    Partitioned State).
    """
    told = f"{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
    answer.headers.append("set-cookie", told)


def _wanted(header: str) -> list[str]:
    """The languages in an ``Accept-Language`` (RFC 9110 12.5.4), best first, without their regions."""
    found = []
    for place, part in enumerate(header.split(",")[:_MOST]):
        tag, _, quality = part.partition(";")
        weight = quality.strip().removeprefix("q=")
        found.append((-_number(weight), place, tag.strip().lower().partition("-")[0]))
    return [tag for weight, _, tag in sorted(found) if weight < 0]


def _number(weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError:
        return 0
