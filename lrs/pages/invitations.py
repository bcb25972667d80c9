"""Invites a list of learners to sign in: the form, and the links, which are shown once. No logic."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import neutral
from lrs.pages.learners_view import COLUMNS
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body
from lrs.people.invite_table import COLUMNS as HEADERS
from lrs.people.invite_table import rows_in
from lrs.people.sign_in import LearnerInvitation, invite_list
from lrs.web.dates import written_moment
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, chosen_rows
from lrs.web.origins import pages_address_for

PLACE = "/staff/invitations"
MOST = 500
"""Learners that the page invites at once; the command has no such limit."""
RowsOf = Callable[[Visit], tuple[list[ListRow], bool]]
Tabs = Callable[[Visit, str], list[dict[str, object]]]
Invited = Sequence[tuple[tuple[str, str], LearnerInvitation | Refused]]


def add_routes(router: Router, rows: RowsOf, tabs: Tabs) -> None:
    """Adds them; *rows* are those of the list of learners, *tabs* the pages about learners."""

    @router.get(PLACE, summary="The form to invite a list of learners to sign in", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        asked = asked_of(visit.request, COLUMNS)
        meant = chosen_rows(asked, rows(visit)[0])[:MOST] if asked.chosen else []
        return _page(visit, tabs, text=_listed(meant))

    @router.post(
        PLACE,
        summary="Makes a link for each learner of a list, shown once",
        openapi_extra=form_body("list") | SIGNED_IN,
    )
    def invite(visit: Visiting, body: FormBody) -> Response:
        text = visit.fields(body).get("list", "")
        try:
            wanted = learners_in(text)
        except Refused as refused:
            return _page(visit, tabs, text=text, problem=refused.message, status=refused.status)
        made = invite_list(visit.tenant, wanted, by=visit.session.by, root=pages_address_for(visit.request))
        pairs = list(zip(wanted, made, strict=True))
        left = [row for row, one in pairs if isinstance(one, Refused)]
        return _page(visit, tabs, text=_lines(left), made=pairs)


def learners_in(text: str) -> list[tuple[str, str]]:
    """Learners and addresses in *text*: a table as copied from a spreadsheet, with or without headers.

    Raises ``Refused`` (400).
    """
    first, _, _ = text.strip().partition("\n")
    mark = next((one for one in "\t;" if one in first), ",")
    cells = {cell.strip().strip('"').casefold() for cell in first.split(mark)}
    has_header = bool(cells & {name for names in HEADERS.items() for name in (names[0], *names[1])})
    rows = rows_in((text.strip() if has_header else f"learner{mark}email\n{text.strip()}").encode())
    wanted = [row for row in rows if row[0].strip()]
    if not wanted:
        raise Refused("There is no learner in the list: write one in each line.")
    if len(wanted) > MOST:
        raise Refused(f"The list has {len(wanted):,} learners: invite at most {MOST} at once.")
    return wanted


def _listed(rows: Sequence[ListRow]) -> str:
    """The first text of the form: one learner a line, with an e-mail address if one is known."""
    mailboxes = [next((it for it in one.values["known"] if "@" in it and "/" not in it), "") for one in rows]
    return _lines([(one.links["name"].rpartition("/")[2], to) for one, to in zip(rows, mailboxes, strict=True)])


def _lines(rows: Sequence[tuple[str, str]]) -> str:
    """A text of the form: each learner, with the address to send the link to if there is one."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([row if row[1] else row[:1] for row in rows])
    return out.getvalue()


def _page(
    visit: Visit, tabs: Tabs, *, text: str = "", problem: str = "", status: int = 200, made: Invited = ()
) -> Response:
    zone = visit.tenant.settings.zone
    links = [(row, one) for row, one in made if isinstance(one, LearnerInvitation)]
    return visit.page(
        "staff/invitations.html",
        status,
        tabs=tabs(visit, "invite"),
        text=text,
        problem=problem,
        most=MOST,
        made=len(links),
        mailed=sum(bool(row[1]) for row, _ in links),
        links=_table(links, zone),
        failed=[{"learner": row[0], "reason": one.message} for row, one in made if isinstance(one, Refused)],
    )


def _table(links: Sequence[tuple[tuple[str, str], LearnerInvitation]], zone: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["learner", "email", "link", "until"])
    for (who, email), one in links:
        cells: list[Any] = [who, email, one.link, written_moment(one.expires, zone)]
        writer.writerow([neutral(str(cell)) for cell in cells])
    return out.getvalue()
