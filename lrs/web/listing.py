"""A list on a page, with facets, sorting and parts in its address, and the same list as CSV and JSON.

``/things?state=open&sort=-name&page=2`` is the address of a list; ``/things.csv`` and ``/things.json`` with the same
parameters are the whole list as files. Pure except for making the answer. Knows no store: a room reads the rows, with a
bound, and passes them in.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from lrs.kernel.plain_text import CONTROL
from lrs.kernel.tables.cell import neutral

SIZE = 50
"""Rows in one part of a list."""
_LONGEST_SEARCH = 200
MOST_CHOICES = 12
"""Values of a facet that are shown: the most frequent ones."""
NOT_TOLD = "Not told"
"""What an empty value is called in a facet, and in the address by which it is chosen."""
IN_WORDS = ("All", NOT_TOLD, "Nothing found", "Nothing to show", "%(first)s to %(last)s of %(all)s")
"""Texts of every list, in the catalogue of texts."""
_ALL, _, _FOUND, _SHOWN, _RANGE = IN_WORDS
_MOMENT = re.compile(r"^\d{1,2} \w+ \d{4}, \d\d:\d\d")
SORT, PART, SEARCH = "sort", "page", "q"
"""Parameters of every list: no column may have one of these names."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column.

    *facet*: a reader can select rows by its values. *figure*: its values are numbers. One that is not *seen* is only in
    files, and a facet above the table. *words* are what people read for values of a tuple. *sources*: its values are
    sources, and a page says their shown names. *said*: those of its values that are texts of ours are said in the
    language of the page.
    """

    name: str
    label: str
    sortable: bool = True
    facet: bool = False
    figure: bool = False
    seen: bool = True
    sources: bool = False
    said: bool = False
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.name in {SORT, PART, SEARCH}:
            raise ValueError(f"{self.name} is a parameter of every list, so no column can be chosen by it")


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row: a value for each column, as in JSON; a tuple for several values.

    *shown* are texts that the page shows instead, *links* addresses for cells, *moods* are ``good``, ``warn`` or
    ``bad``, *beneath* are texts below the value in smaller letters.
    """

    values: Mapping[str, Any]
    shown: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    moods: Mapping[str, str] = field(default_factory=dict)
    beneath: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a list's address: the values of facets, the order, and the part.

    *beside* are parameters that choose no row here; they stay in every address of the list.
    """

    path: str
    columns: tuple[ListColumn, ...]
    chosen: Mapping[str, str]
    sort: str
    descending: bool
    part: int
    search: str = ""
    beside: Mapping[str, str] = field(default_factory=dict, hash=False)

    def address(self, *, ending: str = "", **changes: Any) -> str:
        """The address with *changes*; an empty value removes a parameter."""
        order = f"-{self.sort}" if self.descending else self.sort
        query = {
            **self.beside,
            SEARCH: self.search,
            **self.chosen,
            SORT: order,
            PART: self.part if self.part > 1 else "",
            **changes,
        }
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{self.path}{ending}{'?' if said else ''}{said}"


def asked_of(request: Request, columns: Sequence[ListColumn], *, sort: str = "") -> Asked:
    """The parameters in the address of *request*. The default order is *sort* (``-name`` for descending)."""
    given = request.query_params
    order = given.get(SORT, sort)
    known = {one.name for one in columns if one.sortable}
    name = order.removeprefix("-")
    chosen = {one.name: given[one.name] for one in columns if one.facet and given.get(one.name)}
    part = given.get(PART, "1")
    number = int(part) if part.isascii() and part.isdigit() and len(part) < 7 else 1
    path = request.url.path.removesuffix(".csv").removesuffix(".json")
    is_descending, search = order.startswith("-"), given.get(SEARCH, "").strip()[:_LONGEST_SEARCH]
    return Asked(path, tuple(columns), chosen, name if name in known else "", is_descending, max(1, number), search)


def chosen_rows(asked: Asked, rows: Iterable[ListRow]) -> list[ListRow]:
    """The *rows* that have the chosen values and the searched text, in the chosen order."""
    kept = list(rows)
    for name, value in asked.chosen.items():
        kept = [row for row in kept if value in _each(row.values[name])]
    if sought := asked.search.casefold():
        kept = [row for row in kept if _has(row, sought)]
    if asked.sort:
        kept.sort(key=lambda row: _sorted_by(row.values[asked.sort]), reverse=asked.descending)
    return kept


def _has(row: ListRow, sought: str) -> bool:
    """Whether *sought* stands in a value, or in what the page shows instead."""
    return any(sought in _text(value).casefold() for value in (*row.values.values(), *row.shown.values()))


def listing(
    asked: Asked,
    rows: Sequence[ListRow],
    *,
    files: bool = True,
    whole: bool = True,
    dressed: Callable[[ListRow], ListRow] = lambda row: row,
) -> dict[str, Any]:
    """The data of *rows* for ``shared/table.html``.

    *whole* says whether these are all rows there are. *dressed* adds texts and links to the rows of one part, if that
    is too expensive for all rows.
    """
    kept = chosen_rows(asked, rows)
    first = (asked.part - 1) * SIZE
    shown = kept[first : first + SIZE]
    seen = [one for one in asked.columns if one.seen]
    place = {"first": first + 1, "last": first + len(shown), "all": len(kept)}
    nothing = _FOUND if rows else _SHOWN
    here = _RANGE % place if shown else nothing
    return {
        "columns": [_column(asked, one) for one in seen],
        "rows": [cells_of(seen, dressed(row)) for row in shown],
        "facets": [_facet(asked, one, rows) for one in asked.columns if one.facet and _parts(asked, one, rows)],
        "before": asked.address(**{PART: str(asked.part - 1) if asked.part > 2 else ""}) if asked.part > 1 else "",
        "after": asked.address(**{PART: str(asked.part + 1)}) if first + SIZE < len(kept) else "",
        "search": asked.search,
        "kept": [*asked.beside.items(), *asked.chosen.items()],
        "path": asked.path,
        "is_empty": not rows,
        "is_narrowed": bool(asked.search or asked.chosen),
        "query": asked.address(**{PART: "", SORT: ""}).removeprefix(asked.path),
        "place": place if shown else {},
        "nothing": nothing,
        "told": here if whole else f"{here}, and there are more: choose less",
        "files": _files(asked) if files else [],
    }


def _files(asked: Asked) -> list[dict[str, str]]:
    return [
        {"text": name, "address": asked.address(ending=f".{name.lower()}", **{PART: ""})} for name in ("CSV", "JSON")
    ]


def say_sources(listing: dict[str, Any], called: Callable[[str], str]) -> None:
    """Puts what sources are *called* into the cells and facets of a *listing*; its addresses and files keep them."""
    for cell in (one for row in listing.get("rows", ()) for one in row if one.get("sources")):
        cell["text"] = "; ".join(map(called, cell["sources"]))
    for choice in (one for facet in listing.get("facets", ()) if facet.get("sources") for one in facet["choices"]):
        choice["text"] = called(choice["text"])


def say_list(listing: dict[str, Any], said: Callable[[str], str]) -> None:
    """Puts the texts of ours in a *listing* into the language of *said*: labels, "All", which part of it is shown."""
    cells = (cell for row in listing.get("rows", ()) for cell in row)
    for one in (*listing.get("columns", ()), *listing.get("facets", ()), *cells):
        one["label"] = said(one["label"])
    for facet in listing.get("facets", ()):
        for choice in facet["choices"] if facet.get("said") else facet["choices"][:1]:
            choice["text"] = said(choice["text"])
    if "place" in listing:
        listing["told"] = said(_RANGE) % listing["place"] if listing["place"] else said(listing["nothing"])


def as_csv(asked: Asked, rows: Iterable[ListRow], name: str) -> Response:
    """The list as a file ``NAME.csv``. No cell acts as a formula in a spreadsheet; control characters become blanks."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(one.label for one in asked.columns)
    for row in chosen_rows(asked, rows):
        writer.writerow(neutral(CONTROL.sub(" ", _text(row.values[one.name]))) for one in asked.columns)
    return file_of(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")


def as_json(asked: Asked, rows: Iterable[ListRow], name: str) -> Response:
    """The list as a file ``NAME.json``: an array of objects."""
    found = [{one.name: row.values[one.name] for one in asked.columns} for row in chosen_rows(asked, rows)]
    return file_of(msgspec.json.encode(found), "application/json", f"{name}.json")


def file_of(body: bytes, kind: str, name: str) -> Response:
    """*body*, of the media type *kind*, as a file *name*, which must not be cached."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=kind, headers=headers)


def _text(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _each(value: Any) -> tuple[str, ...]:
    """The texts by which a row is selected."""
    each = value if isinstance(value, tuple) else (value,)
    return tuple(NOT_TOLD if one in {None, ""} else str(one) for one in each)


def _sorted_by(value: Any) -> tuple[bool, bool, Any]:
    """The sort key: numbers by size, then texts without regard to case, then empty values."""
    is_number = isinstance(value, int | float)
    return value is None, not is_number, value if is_number else _text(value).casefold()


def _column(asked: Asked, one: ListColumn) -> dict[str, Any]:
    is_here = one.name == asked.sort
    order = ("descending" if asked.descending else "ascending") if is_here else ""
    turned = f"-{one.name}" if is_here and not asked.descending else one.name
    address = asked.address(**{SORT: turned, PART: ""}) if one.sortable else ""
    return {"label": one.label, "order": order, "address": address, "figure": one.figure}


def _classes(one: ListColumn, row: ListRow) -> str:
    """The classes of a cell: its mood, and what keeps a number whole and a day with its time on two lines."""
    is_moment = _MOMENT.search(str(row.shown.get(one.name, "")))
    kinds = (row.moods.get(one.name, ""), "figure" if one.figure else "", "moment" if is_moment else "")
    return " ".join(filter(None, kinds))


def cells_of(columns: Sequence[ListColumn], row: ListRow) -> list[dict[str, Any]]:
    """The cells of *row* as ``shared/table.html`` shows them."""
    return [
        {
            "label": one.label,
            "first": place == 0,
            "sources": _each(row.values[one.name]) if one.sources and one.name not in row.shown else (),
            "text": row.shown.get(one.name, _text(row.values[one.name])),
            "address": row.links.get(one.name, ""),
            "beneath": row.beneath.get(one.name, ""),
            "class": _classes(one, row),
        }
        for place, one in enumerate(columns)
    ]


def _parts(asked: Asked, one: ListColumn, rows: Iterable[ListRow]) -> bool:
    """Whether a facet parts the *rows*: not if every one of them has its single value, and none is chosen."""
    return one.name in asked.chosen or len({_each(row.values[one.name]) for row in rows}) > 1


def _facet(asked: Asked, one: ListColumn, rows: Iterable[ListRow]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    words: dict[str, str] = {}
    name = one.name
    for row in rows:
        value, texts = row.values[name], _each(row.values[name])
        found.update(texts)
        if not isinstance(value, tuple):
            words[texts[0]] = row.shown.get(name, texts[0]) or NOT_TOLD
    now = asked.chosen.get(one.name, "")
    choices = [{"text": _ALL, "count": 0, "chosen": not now, "address": asked.address(**{one.name: "", PART: ""})}]
    for value, count in found.most_common(MOST_CHOICES):
        address = asked.address(**{one.name: value, PART: ""})
        text = words.get(value, one.words.get(value, value))
        choices.append({"text": text, "count": count, "chosen": value == now, "address": address})
    return {"label": one.label, "choices": choices, "sources": one.sources, "said": one.said}
