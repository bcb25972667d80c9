"""What no case reaches: limits, times and patterns at the top of modules; and tables of words, asked for by their users.

A changed limit is read in review beside the others. Texts and other tables are shown by the tests of what uses them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import adapters
import badges
from adapters.imports.sources import SOURCES, column_words
from adapters.reading.columns import headers_known
from lrs import app, competency, composition, matching, pages, people
from lrs.pages import visit
from lrs.pages.actions import ACTIONS, action_said

ROOMS = (adapters, badges, competency, composition, matching, pages, people)
_ASSIGNED = re.compile(r"^(_?[A-Z][A-Z0-9_]*)(?=\s*[:=])", re.MULTILINE)


def test_what_limits_and_patterns_are(told: Any) -> None:
    told("".join(line for room in ROOMS for line in lines(room)), is_tidy=True)


def test_which_column_each_header_of_a_file_means(told: Any) -> None:
    for name, source in SOURCES.items():
        known = headers_known(source.columns, source.named)
        labels = {column: words.label for column in source.columns if (words := column_words(column))}
        told("".join(f"{header}: {column}, {labels[column]}\n" for header, column in sorted(known.items())), name)


def test_what_the_record_of_actions_says(told: Any) -> None:
    told("".join(f"{action}: {action_said(action, 'command line')}\n" for action in sorted(ACTIONS)))


def test_what_pages_say_when_a_form_was_done(told: Any) -> None:
    assert app.create_app, "all rooms are there with it, and each has said what it says"
    told("".join(f"{word}: {visit.SENTENCES[word]}\n" for word in sorted(visit.SENTENCES)))


def lines(room: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        module = importlib.import_module(found.name)
        assert module.__file__ is not None
        for name in sorted(set(_ASSIGNED.findall(Path(module.__file__).read_text()))):
            match getattr(module, name):
                case bool():
                    pass
                case int() | float() | timedelta() | Fraction() as limit:
                    yield f"{found.name} {name} = {limit}\n"
                case re.Pattern() as pattern:
                    yield f"{found.name} {name} = {pattern.pattern!r}, {pattern.flags}\n"
