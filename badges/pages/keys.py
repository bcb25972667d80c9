"""The page of staff about the keys that sign badges: which there are, a new one, one that is given up. No logic."""

from __future__ import annotations

from fastapi import Response

from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.keys.ring import Key, ring_of
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import capital
from lrs.kernel.printing import time_of
from lrs.pages.list_files import add_files
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.tenancy.signing_keys import ALGORITHMS, Algorithm, KeyState
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, asked_of, listing

PLACE = "/staff/badge-keys"
COLUMNS = (
    ListColumn("key", "Key"),
    ListColumn("algorithm", "Algorithm", facet=True),
    ListColumn("state", "State", facet=True),
    ListColumn("since", "Signs from"),
    ListColumn("until", "Until"),
    ListColumn("kid", "Name in proofs", seen=False),
)
MOODS: dict[KeyState, str] = {"active": "good", "next": "warn", "compromised": "bad"}

says(
    key_made="The new key is published. It signs when its wait is over, and badges of the key before stay valid.",
    key_given_up="The key is given up. Its badges are issued anew; their holders need the new copies.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="The keys that sign badges", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        rows = listing(asked_of(visit.request, COLUMNS), _rows(visit))
        issuer = issuer_of(visit.tenant)
        keys = [(key.id, key.id) for key in issuer.ring.published]
        is_demonstration = issuer.demonstration
        return visit.page(
            "staff/badge-keys.html", list=rows, keys=keys, issuer=issuer.id, is_demonstration=is_demonstration
        )

    add_files(router, PLACE, "The keys that sign badges", COLUMNS, _rows, name="badge-keys")

    @router.post(
        PLACE,
        status_code=303,
        summary="Makes a new key that signs badges",
        openapi_extra=form_body("algorithm") | SIGNED_IN,
    )
    def rotate(visit: Visiting, body: FormBody) -> Response:
        rotation.rotate(visit.tenant, _algorithm(visit.fields(body).get("algorithm", "")), by=visit.session.by)
        return visit.on(PLACE, "key_made")

    @router.post(
        f"{PLACE}/compromised",
        status_code=303,
        summary="Gives up a key that others may have",
        openapi_extra=form_body("key", "sure") | SIGNED_IN,
    )
    def compromise(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        if form.get("sure") != "yes":
            raise Refused("Tick that what the key signed is to be invalid, then send the form again.", error="not_sure")
        rotation.compromise(visit.tenant, form.get("key", ""), by=visit.session.by)
        return visit.on(PLACE, "key_given_up")

    return router


def _algorithm(text: str) -> Algorithm:
    for algorithm in ALGORITHMS:
        if text == algorithm:
            return algorithm
    raise Refused(f"There is no algorithm {text!r}: one of {', '.join(ALGORITHMS)}.", error="bad_algorithm")


def _rows(visit: Visit) -> list[ListRow]:
    zone = visit.tenant.settings.zone
    return [_row(key, zone) for key in reversed(ring_of(visit.tenant).keys)]


def _row(key: Key, zone: str) -> ListRow:
    times = {"since": key.since or None, "until": key.until or None}
    values = {"key": key.id, "algorithm": key.algorithm, "state": key.state, "kid": key.fragment}
    shown = {name: written_moment(at, zone) if at else "" for name, at in times.items()}
    return ListRow(
        values | {name: time_of(at) for name, at in times.items()},
        shown | {"state": capital(key.state)},
        moods={"state": MOODS.get(key.state, "")},
    )
