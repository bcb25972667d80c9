"""Says of rows of evidence that no rule counts: the version of their standard, or their criteria, are in no rule. Pure.

Such a row comes in all the same, because its rule may come later.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import msgspec
from tincan import Statement

from adapters.apprenticeship.facts import Evidenced, Standard
from adapters.reading.source import Earlier, Fact, Mapped, RowTable, Source
from adapters.reading.vocabulary import BASE, COMPETENCY

_MOST_NAMED = 20
_BELOW = re.compile(re.escape(BASE) + r"standards/([^/]+)/([^/]+)(?:/ksb/([^/]+))?")


class KnownCriteria:
    """What rules know of standards. *anchors* are the roles and activities that rules are about."""

    def __init__(self, anchors: Iterable[tuple[str, str]]) -> None:
        self._anchors = frozenset(anchors)
        self._codes: dict[tuple[str, str], set[str]] = {}
        for _, activity in self._anchors:
            if found := _BELOW.fullmatch(activity):
                ref, version, code = (unquote(part or "") for part in found.groups())
                self._codes.setdefault((ref, version), set()).update({code} - {""})
        self.counted: Counter[str] = Counter()

    def warned(self, read: Iterator[Mapped]) -> Iterator[Mapped]:
        """*read*, with a remark at each row of evidence that no rule knows; *counted* has the rows of each."""
        for mapped in read:
            told = list(dict.fromkeys(filter(None, (self._unknown(fact.content) for fact in mapped.facts))))
            self.counted.update(dict.fromkeys(told, len(mapped.places)))
            remark = "; ".join(filter(None, (mapped.remark, *told)))
            yield msgspec.structs.replace(mapped, remark=remark) if told else mapped

    def notes(self) -> tuple[str, ...]:
        """A sentence for each thing that no rule knows, with its number of rows."""
        return tuple(f"{told} ({rows} {'row' if rows == 1 else 'rows'})" for told, rows in self.counted.most_common())

    def _unknown(self, content: msgspec.Struct | None) -> str:
        if not isinstance(content, Evidenced) or not self._codes:
            return ""
        standard, code = content.standard, content.code
        about = {("activity", standard.iri("ksb", code)), ("parent", standard.iri()), ("type", COMPETENCY)}
        return "" if about & self._anchors else self._told(standard, code)

    def _told(self, standard: Standard, code: str) -> str:
        name, later = f"{standard.ref} {standard.version}", "it comes in, and counts once a rule does"
        if (codes := self._codes.get((standard.ref, standard.version))) is not None:
            others = {one for (ref, one), has in self._codes.items() if ref == standard.ref and code in has}
            instead = f" (version {_listed(others)} has it)" if others else ""
            return f"no rule knows {code} of {name}{instead}: {later}. Known are {_listed(codes)}"
        versions = {version for ref, version in self._codes if ref == standard.ref}
        if versions:
            return f"no rule knows version {standard.version} of {standard.ref}: {later}. Known are {_listed(versions)}"
        return f"no rule knows {standard.ref}: {later}. Known are {_listed({ref for ref, _ in self._codes})}"


class CheckedSource:
    """*source*, whose rows say what no rule knows."""

    def __init__(self, source: Source, known: KnownCriteria) -> None:
        self._source, self._known = source, known
        self.name, self.about, self.template, self.columns = source.name, source.about, source.template, source.columns
        self.free, self.dated, self.worded = source.free, source.dated, source.worded
        self.named, self.files, self.hours = source.named, source.files, source.hours

    def read(self, table: RowTable, earlier: Earlier, /) -> Iterator[Mapped]:
        """See ``Source``."""
        return self._known.warned(self._source.read(table, earlier))

    def statements(self, fact: Fact) -> list[Statement]:
        """See ``Source``."""
        return self._source.statements(fact)


def _listed(known: set[str]) -> str:
    named = sorted(known, key=lambda one: (re.sub(r"\d+", "", one), int(re.sub(r"\D+", "", one)[:6] or 0), one))
    more = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "") or "its other parts"
