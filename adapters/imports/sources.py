"""The table of sources: each kind of file that can be brought in, by its name. A new one is entered here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.apprenticeship.files.das import Das
from adapters.apprenticeship.files.eportfolio import EPortfolio
from adapters.apprenticeship.ilr.source import IlrSource
from adapters.reading.columns import COLUMNS, ColumnWords
from adapters.reading.source import Source
from adapters.training_centre.files.source import TrainingCentre

_ALL: Sequence[type[Source]] = (TrainingCentre, EPortfolio, IlrSource, Das)
SOURCES: Mapping[str, type[Source]] = {one.name: one for one in _ALL}
"""The sources by the name that ``lrs adapter run`` and ``POST /api/imports`` take."""


FILES: Mapping[str, str] = {ending: said for one in _ALL for ending, said in one.files.items()}
"""The endings of files that a source reads, each with what people call such a file."""


def files_said() -> str:
    """The sorts of files that are read, as a sentence lists them."""
    *sorts, last = filter(None, FILES.values())
    return f"{', '.join(sorts)} or {last}"


def column_words(column: str) -> ColumnWords | None:
    """The words for a *column* of any source; ``None`` for one that there is no more."""
    return COLUMNS.get(column) or next((one.named[column] for one in SOURCES.values() if column in one.named), None)
