"""Reads JSON as lines of cells: each object of its list is a row, each member a column. Knows no column by name.

The list stands alone, or is the only list of objects in an object around it; or each line is an object (JSON Lines).
A member of a member is a column ``outer.inner``, so a header of a mapping profile can name it. A list of plain values
is one cell, with commas between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json, parse, pointer_of
from lrs.kernel.tables.file import File
from lrs.kernel.tables.row import Fault, FileLine

MAX_BYTES = 32 * 1024 * 1024
"""Bytes of a file of records: they are held in memory together, unlike the lines of a CSV file."""
MAX_COLUMNS = 1_000
_AROUND = 3
"""How many objects may stand around the list."""
_NESTED = Fault("nested", "a list of objects stands here, and a cell holds one value: give each a row of its own")


class JsonRows:
    """The lines of a file of records: line 0 has the names of the members, line 1 is the first record."""

    title = ""

    def __init__(self, file: File) -> None:
        self._file = file

    def lines(self) -> Iterator[FileLine]:
        """All lines. Raises ``Refused`` for what is no JSON, or has no list of records or several."""
        records = _records(self._file)
        cells = [dict(_cells(one, "")) if isinstance(one, dict) else None for one in records]
        columns = list(dict.fromkeys(name for one in cells for name in one or ()))
        if len(columns) > MAX_COLUMNS:
            raise Refused(f"the records have {len(columns)} members, the limit is {MAX_COLUMNS}", error="no_table")
        yield FileLine(0, columns)
        places = {name: at for at, name in enumerate(columns)}
        for number, one in enumerate(cells, 1):
            yield _line(number, places, one)


def _line(number: int, places: Mapping[str, int], cells: Mapping[str, str | Fault] | None) -> FileLine:
    if cells is None:
        trouble = Fault("no_record", "what stands in the list here is no object: write a record with its members")
        return FileLine(number, [], trouble=trouble)
    told = [""] * (1 + max((places[name] for name in cells), default=-1))
    faults = {}
    for name, one in cells.items():
        if isinstance(one, Fault):
            faults[places[name]] = one
        else:
            told[places[name]] = one
    return FileLine(number, told, faults=faults)


def _cells(record: Json, before: str) -> Iterator[tuple[str, str | Fault]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _cell(value)


def _cell(value: Any) -> str | Fault:
    if isinstance(value, list):
        inner = [_cell(one) if not isinstance(one, dict | list) else _NESTED for one in value]
        return _NESTED if _NESTED in inner else ", ".join(one for one in inner if isinstance(one, str))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _records(file: File) -> list[Any]:
    if file.size > MAX_BYTES:
        message = f"the JSON has {file.size} bytes, the limit is {MAX_BYTES}: split it, or send the table as CSV"
        raise Refused(message, status=413, error="file_too_large")
    body = file.start(file.size).removeprefix(b"\xef\xbb\xbf").strip()
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        return [_parsed(line, f" in line {number}") for number, line in enumerate(lines, 1)]
    tree = _parsed(body, "")
    found = [("", tree)] if isinstance(tree, list) else list(_lists(tree, "", 0))
    if len(found) == 1:
        return found[0][1]
    places = ", ".join(sorted(place for place, _ in found))
    told = f"several lists of records ({places}): send one of them" if found else _NONE
    raise Refused(f"the JSON has {told}", error="no_table")


_NONE = "no list of records: send [{…}, {…}], or an object with one such list in it"


def _parsed(body: bytes, where: str) -> Any:
    try:
        return parse(body)
    except Refused as refusal:
        at = f" at {refusal.pointer}" if refusal.pointer else ""
        raise Refused(f"the file is JSON with a fault{where}{at}: {refusal.message}", error="bad_json") from refusal


def _lists(tree: Any, place: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """The lists of objects in *tree* by their place, an RFC 6901 pointer."""
    if not isinstance(tree, dict) or depth == _AROUND:
        return
    for name, value in tree.items():
        here = place + pointer_of([name])
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield here, value
        else:
            yield from _lists(value, here, depth + 1)
