"""The files of a list: its rows as CSV and JSON, at the address of its page with ``.csv`` or ``.json``."""

from collections.abc import Callable, Iterable, Sequence

from fastapi import Response

from lrs.pages.visit import SIGNED_IN, Visit, Visiting
from lrs.web.late import Router
from lrs.web.listing import ListColumn, ListRow, as_csv, as_json, asked_of


def add_files(
    router: Router,
    place: str,
    told: str,
    columns: Sequence[ListColumn],
    rows: Callable[[Visit], Iterable[ListRow]],
    *,
    name: str,
    sort: str = "",
) -> None:
    """Adds both for the page at *place*: the *rows* within reach, selected and sorted by the address.

    *told* describes them in a few words; the files are called *name*.
    """

    @router.get(f"{place}.csv", summary=f"{told}, as CSV", openapi_extra=SIGNED_IN)
    def table(visit: Visiting) -> Response:
        return as_csv(asked_of(visit.request, columns, sort=sort), rows(visit), name)

    @router.get(f"{place}.json", summary=f"{told}, as JSON", openapi_extra=SIGNED_IN)
    def objects(visit: Visiting) -> Response:
        return as_json(asked_of(visit.request, columns, sort=sort), rows(visit), name)
