"""The pages of stewards about badges: what becomes of them, and their words and images. No logic."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import Request, Response

from badges.achievements import editing, pictures
from badges.achievements.described import described_achievements, wording_named
from badges.achievements.pictures import SCOPES, Scope
from badges.achievements.wording import OwnWords
from badges.content.attainment import Attainment
from badges.pages import words_view
from lrs.kernel.errors import Refused
from lrs.pages.list_files import add_files
from lrs.pages.sent_file import sent_file
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says, uploads
from lrs.storage.edge import read
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

PLACE = "/staff/badges"
ONE = f"{PLACE}/{{achievement}}"
_FORM = 16 * 1024
_REFUSED = {400, 413}

says(
    words_written="The words are kept. Badges get them from now on; those that are held stay as they are.",
    words_anew="The words are kept, and the badges that are held are issued anew with them.",
    image_set="The image is kept. New badges get it in a moment; those that are held stay as they are.",
    image_anew="The image is kept. New badges get it, and those that are held are issued anew with it, in a moment.",
    image_removed="The image is taken away. Badges that have it keep it.",
    image_gone="The image is taken away, and the badges that are held are issued anew without it.",
)


def routes() -> Router:
    """The router."""
    router = page_router()
    _add_list(router)
    _add_words(router)
    _add_image(router)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="What badges are for, and what became of them", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        rows = _rows(visit)
        totals, sees = words_view.totals(rows), may(visit.caller)
        return visit.page(
            "staff/badges.html",
            list=listing(asked_of(visit.request, words_view.COLUMNS), rows),
            totals=totals,
            may_stop=sees("/staff/revoke-badges"),
            may_codes=sees("/staff/event-codes"),
            may_issuers=sees("/staff/issuers"),
        )

    add_files(router, PLACE, "What badges are for, with counts", words_view.COLUMNS, _rows, name="badges")


def _rows(visit: Visit) -> list[ListRow]:
    return words_view.rows(described_achievements(visit.tenant), f"{visit.root}{PLACE}")


def _add_words(router: Router) -> None:
    @router.get(ONE, summary="The words and the image of an achievement", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, achievement: str) -> Response:
        return achievement_page(visit, achievement)

    @router.post(
        ONE,
        status_code=303,
        summary="Shows or keeps words of an achievement",
        openapi_extra=form_body("act", "name", "description", "criteria", "language", "tags", "anew") | SIGNED_IN,
    )
    def send(visit: Visiting, achievement: str, body: FormBody) -> Response:
        form = visit.fields(body)
        held, given = wording_named(visit.tenant, achievement), words_view.words_in(form)
        try:
            words = editing.checked(given)
            if form.get("act") != "keep":
                return achievement_page(visit, achievement, words)
            anew = form.get("anew") == "yes"
            editing.write_words(visit.tenant, held.attainment, words, by=visit.session.by, anew=anew)
        except Refused as refused:
            if refused.status not in _REFUSED:
                raise
            return achievement_page(visit, achievement, given, refused)
        return visit.on(f"{PLACE}/{achievement}", "words_anew" if anew else "words_written")


def achievement_page(
    visit: Visit, achievement: str, words: OwnWords | None = None, refused: Refused | None = None
) -> Response:
    """The page, with *words* instead of those that are kept, and what is wrong with them."""
    held = wording_named(visit.tenant, achievement)
    shown = words_view.page_of(visit.tenant, held, words, refused)
    status = refused.status if refused else 200
    return visit.page("staff/badge.html", status, place=f"{visit.root}{PLACE}/{achievement}", **shown)


def _add_image(router: Router) -> None:
    @router.get(f"{ONE}/image.svg", summary="The image that badges get", openapi_extra=SIGNED_IN)
    def image(visit: Visiting, achievement: str) -> Response:
        content = words_view.image_of(visit.tenant, wording_named(visit.tenant, achievement))
        return Response(content, media_type="image/svg+xml", headers={"cache-control": "no-store"})

    @router.post(
        f"{ONE}/image",
        status_code=303,
        summary="Takes an image for badges",
        openapi_extra=uploads("scope", "held") | SIGNED_IN,
    )
    async def upload(request: Request, visit: Visiting, achievement: str) -> Response:
        held = await read(wording_named, visit.tenant, achievement)
        try:
            sent = await _sent(request, visit)
            await read(_keep, visit, held.attainment, sent)
        except Refused as refused:
            if refused.status not in _REFUSED:
                raise
            return await read(achievement_page, visit, achievement, None, refused)
        return visit.on(f"{PLACE}/{achievement}", "image_anew" if sent.anew else "image_set")

    @router.post(
        f"{ONE}/image/remove",
        status_code=303,
        summary="Takes an image of badges away",
        openapi_extra=form_body("scope", "held") | SIGNED_IN,
    )
    def remove(visit: Visiting, achievement: str, body: FormBody) -> Response:
        form, held = visit.fields(body), wording_named(visit.tenant, achievement)
        scope, anew = _scope(form.get("scope", "")), form.get("held") == "yes"
        editing.remove_picture(visit.tenant, held.attainment, scope, by=visit.session.by, anew=anew)
        return visit.on(f"{PLACE}/{achievement}", "image_gone" if anew else "image_removed")


class SentImage(NamedTuple):
    """What the form of an image says: what it is for, its bytes, and whether held badges are issued anew."""

    scope: Scope
    content: bytes
    anew: bool


def _keep(visit: Visit, attainment: Attainment, sent: SentImage) -> None:
    editing.set_picture(visit.tenant, attainment, sent.scope, sent.content, by=visit.session.by, anew=sent.anew)


async def _sent(request: Request, visit: Visit) -> SentImage:
    """The form of an image. Raises ``Refused``."""
    async with sent_file(request, visit, pictures.MAX_BYTES + _FORM, called="an image") as sent:
        scope, anew = _scope(sent.fields.get("scope", "")), sent.fields.get("held") == "yes"
        return SentImage(scope, await sent.file.read(), anew)


def _scope(text: str) -> Scope:
    for scope in SCOPES:
        if text == scope:
            return scope
    raise Refused(f"An image is for one of {', '.join(SCOPES)}.", error="bad_scope")
