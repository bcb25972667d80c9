"""What stands at the top of modules: limits, times, words of states, patterns. A changed one is read in review like code."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import adapters
import badges
from lrs import app, competency, composition, matching, pages, people
from lrs.pages import visit
from tests.told.story import inline

ROOMS = (adapters, badges, competency, composition, matching, pages, people)
OF_A_PROCESS = {"_MARK", "SENTENCES", "TO_LEARNERS"}
"""Drawn, or filled by whatever is imported: the messages of ``SENTENCES`` are told below."""
SHORT = 200
"""Bytes that are told; of more the digest."""
_ASSIGNED = re.compile(r"^(_?[A-Z][A-Z0-9_]*)(?=\s*[:=])", re.MULTILINE)


def test_what_constants_are(told: Any) -> None:
    for room in ROOMS:
        told("".join(lines(room)), room.__name__, is_tidy=True)


def test_what_pages_say_when_a_form_was_done(told: Any) -> None:
    assert app.create_app, "all rooms are there with it, and each has said what it says"
    told("".join(f"{word}: {visit.SENTENCES[word]}\n" for word in sorted(visit.SENTENCES)))


def lines(room: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        module = importlib.import_module(found.name)
        assert module.__file__ is not None
        for name in sorted(set(_ASSIGNED.findall(Path(module.__file__).read_text()))):
            value = plain(getattr(module, name))
            if value is not None and name not in OF_A_PROCESS:
                yield f"{found.name} {name} = {inline(value)}\n"


def plain(value: Any) -> Any:
    """*value* as JSON, if it is made of texts and numbers; sets are sorted. ``None`` for everything else."""
    match value:
        case Mapping():
            return whole([[plain(key), plain(one)] for key, one in value.items()])
        case set() | frozenset():
            found = whole([plain(one) for one in value])
            return found and sorted(found, key=inline)
        case tuple() | list():
            return whole([plain(one) for one in value])
    return simple(value)


def whole(members: list[Any]) -> list[Any] | None:
    """*members* if each of them can be told."""
    return None if any(one is None or (isinstance(one, list) and None in one) for one in members) else members


def simple(value: Any) -> Any:
    match value:
        case bool() | int() | float() | str():
            return value
        case bytes():
            return repr(value) if len(value) <= SHORT else hashlib.sha256(value).hexdigest()
        case timedelta() | Fraction():
            return str(value)
        case re.Pattern():
            return f"/{value.pattern}/{value.flags}"
    return None
