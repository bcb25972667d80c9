"""Makes a framework from a sheet with domain, capability, statement and tier. Pure; knows no store and no versions.

A row names a statement, its capability, its domain, and its tier. An empty domain or capability means the same as in
the row above (merged cells). Each of them may have a code, which mapping tables use; one without gets one (``codes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lrs.competency.frameworks.codes import Codes
from lrs.competency.frameworks.framework import Framework, Item, item_id
from lrs.competency.frameworks.levels import LevelScale
from lrs.competency.tables import RowFault, read_table, said
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row

ALIASES: Mapping[str, tuple[str, ...]] = {
    "domain": ("domain name", "domain title", "area"),
    "domain code": ("domain id", "domain ref", "domain number"),
    "capability": ("capability name", "capability title", "competence", "competency"),
    "capability code": ("capability id", "capability ref", "competency code", "code"),
    "statement": ("full statement", "descriptor", "description", "learning outcome", "outcome"),
    "statement code": ("statement id", "statement ref", "human coding scheme"),
    "tier": ("level", "tier level", "skill level"),
}
_SORTS = ("domain", "capability", "statement")
_ABOVE = ("domain", "domain code", "capability", "capability code")


@dataclass(slots=True)
class _Sheet:
    """What has been read so far. *above* has the item of each sort that the previous row belongs to.

    *lost* is the number of the last row that was left out although it names another domain or capability. Empty cells
    below it do not mean the item before it.
    """

    uri: str
    scale: LevelScale
    codes: Codes
    items: dict[str, Item] = field(default_factory=dict)
    children: dict[str | None, int] = field(default_factory=dict)
    above: dict[str, Item] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    lost: int = 0


def framework_from_sheet(
    content: Path | bytes, *, uri: str, title: str, scale: LevelScale
) -> tuple[Framework, tuple[RowFault, ...]]:
    """A draft of version 1 from a CSV or XLSX file, and the faults of the rows that were left out.

    Raises ``Refused`` if no row can be used.
    """
    rows, faults = read_table(content, ALIASES, above=_ABOVE)
    sheet = _read(rows, uri, scale, faults)
    if not sheet.items:
        why = "; ".join(str(fault) for fault in sheet.faults[:3]) or "it has no rows"
        raise Refused(f"the sheet holds no framework: {why}")
    draft = Framework(uri, 1, "draft", title, scale, tuple(sheet.items.values()))
    return draft, tuple(sorted(sheet.faults, key=lambda fault: fault.row))


def _read(rows: Iterable[Row], uri: str, scale: LevelScale, faults: Iterable[RowFault]) -> _Sheet:
    """Reads all *rows*, again each time made codes turn out to stand for several labels.

    That is at most once for each level of the tree.
    """
    codes = Codes()
    steps: list[Row | RowFault] = [*rows, *faults]
    steps.sort(key=lambda step: step.row if isinstance(step, RowFault) else step.place.row)
    while True:
        sheet = _Sheet(uri, scale, codes, faults=list(faults))
        for step in steps:
            if isinstance(step, RowFault):
                _lose(sheet, step.row, step.says)
            else:
                _read_row(sheet, step)
        if not codes.learnt():
            return sheet


def _read_row(sheet: _Sheet, row: Row) -> None:
    level = sheet.scale.named(row["tier"]) if row["tier"] else None
    if row["tier"] and level is None:
        reason = f"{row['tier']!r} is no level of the scale {sheet.scale.name!r}"
        sheet.faults.append(RowFault(row.place.row, "tier", reason))
        _lose(sheet, row.place.row, said(row, _ABOVE))
        return
    fault = _orphan(sheet, row)
    if fault:
        sheet.faults.append(fault)
        _lose(sheet, row.place.row, said(row, _ABOVE))
        return
    parent: Item | None = None
    for sort in _SORTS:
        if row[sort]:
            ordinal = level.ordinal if level and sort == "statement" else None
            found = _place(sheet, row, sort, parent, ordinal)
            if found is None:
                _lose(sheet, row.place.row, ((sort, ""),))
                return
            if found is not sheet.above.get(sort):
                for below in _SORTS[_SORTS.index(sort) + 1 :]:
                    sheet.above.pop(below, None)
            sheet.above[sort] = parent = found
        else:
            parent = sheet.above.get(sort, parent) if sort != "statement" else parent


def _lose(sheet: _Sheet, number: int, says: Iterable[tuple[str, str]]) -> None:
    """Forgets the items above row *number*, which is left out, if the row names other items."""
    known = {sort: item.label for sort, item in sheet.above.items()}
    known |= {f"{sort} code": item.code for sort, item in sheet.above.items()}
    other = {column.removesuffix(" code") for column, text in says if not text or known.get(column) != text}
    first = next((at for at, sort in enumerate(_SORTS[:-1]) if sort in other), None)
    if first is not None:
        sheet.lost = number
        for sort in _SORTS[first:]:
            sheet.above.pop(sort, None)


def _orphan(sheet: _Sheet, row: Row) -> RowFault | None:
    if not any(row[sort] for sort in _SORTS):
        return RowFault(row.place.row, None, "names no domain, capability or statement")
    if row["capability"] and not row["domain"] and "domain" not in sheet.above:
        return RowFault(row.place.row, "domain", f"the capability stands under no domain{_why(sheet)}")
    elsewhere = row["domain"] and "domain" in sheet.above and row["domain"] != sheet.above["domain"].label
    if row["statement"] and not row["capability"] and (elsewhere or "capability" not in sheet.above):
        return RowFault(row.place.row, "capability", f"the statement stands under no capability{_why(sheet)}")
    return None


def _why(sheet: _Sheet) -> str:
    return f": row {sheet.lost} above, which names one, is left out" if sheet.lost else ""


def _place(sheet: _Sheet, row: Row, sort: str, parent: Item | None, level: int | None) -> Item | None:
    """The item of *sort* in the row, new or known. ``None``, and a fault, if its code already means something else."""
    label = row[sort]
    code = row[f"{sort} code"] or sheet.codes.made(label, parent.code if parent else "")
    id = item_id(sheet.uri, code)
    parent_id = parent.id if parent else None
    known = sheet.items.get(id)
    if known is None:
        order = sheet.children[parent_id] = sheet.children.get(parent_id, 0) + 1
        sheet.items[id] = known = Item(id, code, label, sort, order, parent_id, level)
        return known
    if (known.sort, known.label, known.parent) != (sort, label, parent_id):
        sheet.faults.append(
            RowFault(row.place.row, f"{sort} code", f"{code!r} is {known.sort} {known.label!r} already")
        )
        return None
    if sort == "statement":
        sheet.faults.append(RowFault(row.place.row, "statement", f"{code!r} stands in the sheet already"))
        return None
    return known
