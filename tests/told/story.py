"""How told tests tell what came of files, statements and records: as lines that people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import Reader, Record, each

WIDEST = 118
SHORT = {
    "http://adlnet.gov/expapi/": "adl:",
    "https://w3id.org/engraft/": "ours:",
    "http://xapi.jisc.ac.uk/": "jisc:",
    "https://w3id.org/xapi/": "w3:",
    "http://id.tincanapi.com/": "tincan:",
    "http://activitystrea.ms/schema/1.0/": "as:",
    "https://purl.imsglobal.org/": "ims:",
}
"""Beginnings of addresses as they are told."""


def inline(value: Any) -> str:
    """*value* as JSON in one line; bytes and records as what they hold."""
    told = json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
    for long, short in SHORT.items():
        told = told.replace(long, short)
    return told


def plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_as_text)


def _as_text(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else str(value)


def tree(value: Any, indent: str = "") -> str:
    """*value* as JSON with sorted keys, in one line where that is short."""
    return "\n".join(_lines(plain(value), indent, ""))


def _lines(value: Any, indent: str, name: str) -> Iterator[str]:
    short = f"{indent}{name}{inline(value)}"
    if len(short) <= WIDEST or not isinstance(value, dict | list) or not value:
        yield short
    elif isinstance(value, dict):
        yield f"{indent}{name}{{"
        for key in sorted(value):
            yield from _lines(value[key], indent + "  ", f"{inline(key)}: ")
        yield f"{indent}}}"
    else:
        yield f"{indent}{name}["
        for one in value:
            yield from _lines(one, indent + "  ", "")
        yield f"{indent}]"


def statement(said: Mapping[str, Any]) -> str:
    """A statement, with the beginning of its id, without what each has and what the store adds."""
    added = {"id", "version", "stored", "authority"} | (
        {"timestamp"} if said.get("timestamp") == said.get("stored") else set()
    )
    shown = _bare({name: value for name, value in said.items() if name not in added})
    return f"[{str(said.get('id', ''))[:8]}] {tree(shown)}"


def _bare(value: Any) -> Any:
    """*value* without ``objectType`` where it is the usual one."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    usual = {"Agent", "Activity"}
    return {name: _bare(one) for name, one in value.items() if name != "objectType" or one not in usual}


class Statements:
    """The statements of a store that were not told yet."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._seen: set[str] = set()

    def new(self) -> Iterator[str]:
        """Those that came since this was asked last, each with what was voided."""
        for record in each(self._reader, "statement"):
            if record.id not in self._seen:
                self._seen.add(record.id)
                yield statement(json.loads(record.body))


def tried(act: Callable[[], Any], show: Callable[[Any], str] = inline) -> str:
    """What *act* gives, or how it is refused."""
    try:
        return show(act())
    except Refused as refused:
        return refusal(refused)


def refusal(refused: Refused) -> str:
    """A refusal: status, error, place, rule, and what it says."""
    place = "".join(f" {name}={told}" for name in ("pointer", "rule") if (told := getattr(refused, name)) is not None)
    return f"REFUSED {refused.status} {refused.error}{place}: {refused.message}"


def rows(report: Any, named: Mapping[int, str] | None = None) -> Iterator[str]:
    """A report of an import: its counts, notes, and each row; *named* says what the case of a row is."""
    yield f"counts: {', '.join(f'{count} {name}' for name, count in report.counts.items() if count)}"
    yield from (f"note: {note}" for note in report.notes)
    for row in report.rows:
        case = f" ({named[row.row]})" if named and row.row in named else ""
        where = f"{row.sheet} {row.row}".strip()
        cell = f" {row.column}[{row.value}]" if row.column or row.value else ""
        ids = f" {' '.join(id[:8] for id in row.statements)}" if row.statements else ""
        why = f": {row.reason}" if row.reason else ""
        yield f"{where}{case}: {f'{row.outcome} {row.code}'.strip()}{cell}{why}{ids}"


class Story:
    """What came of several acts, one after the other."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def head(self, title: str) -> None:
        self._lines += ["", f"== {title}"] if self._lines else [f"== {title}"]

    def say(self, *lines: str) -> None:
        self._lines += lines

    def extend(self, lines: Iterable[str]) -> None:
        self._lines += lines

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"


LONG = 500


class Changes:
    """What acts change in a store: records of *kinds* that are new, changed or gone since this was asked last."""

    def __init__(
        self, reader: Reader, kinds: Iterable[str], views: Mapping[str, Callable[[Record], Any]] | None = None
    ) -> None:
        self._reader, self._kinds, self._views = reader, tuple(kinds), views or {}
        self._before: dict[tuple[str, str], str] = {}
        self._first: dict[str, str] = {}
        list(self.new())

    def new(self) -> Iterator[str]:
        """A line or more for each; of a changed one only the members that differ, of a long one what the first has not."""
        now = {(kind, one.id): self._shown(one) for kind in self._kinds for one in each(self._reader, kind)}
        for (kind, id), said in now.items():
            before = self._before.get((kind, id))
            first = self._first.setdefault(kind, said)
            if before is None and first != said and len(said) > LONG:
                yield tree(differing(json.loads(first), json.loads(said))).replace(
                    "{", f"+ {kind}, as the first but {{", 1
                )
            elif before is None:
                yield tree(json.loads(said)).replace("{", f"+ {kind} {{", 1)
            elif before != said:
                yield tree(differing(json.loads(before), json.loads(said))).replace("{", f"~ {kind} {{", 1)
        yield from sorted(f"- {kind}" for kind, id in self._before.keys() - now.keys())
        self._before = now

    def _shown(self, record: Record) -> str:
        view = self._views.get(record.kind)
        return json.dumps(plain(view(record))) if view else _shown(record)


def _shown(record: Record) -> str:
    try:
        body = json.loads(record.body) if record.body else {}
    except ValueError:
        body = {"bytes": len(record.body)}
    told = body if isinstance(body, dict) else {"list": body}
    return json.dumps({name: one for name, one in told.items() if name != "v"} | {"meta": plain(dict(record.meta))})


def differing(before: Any, now: Any) -> Any:
    """The members of *now* that are not as *before*, and those that are gone."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return now
    changed = {name: differing(before.get(name), one) for name, one in now.items() if before.get(name) != one}
    return changed | dict.fromkeys(before.keys() - now.keys(), "(gone)")
