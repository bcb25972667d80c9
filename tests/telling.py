"""Told texts: what the product says, whole, kept as files that are read in review and compared whole.

A test of ``tests/told/test_<room>.py`` gets the fixture ``told`` and calls it with what it saw. The text is kept in
``tests/told/<room>/<name of the test without test_>[.<part>].txt``. Where it differs, the test fails with
the difference; ``RETELL=1 python -m pytest THE TEST`` writes the file anew, and the difference is read like code.
"""

from __future__ import annotations

import ast
import csv
import difflib
import email
import email.policy
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.outline import page

FOLDER = Path(__file__).parent / "told"
MOST_LINES = 60
"""Of a difference, in the message of a test."""
WORDS = 3
"""Lines round each difference."""


class Told:
    """The told texts of one test. *names* says what is called how: random ids by the names of what they are of."""

    def __init__(self, module: Path, test: str, names: Mapping[str, str] | None = None) -> None:
        self.folder = module.parent / module.stem.removeprefix("test_")
        assert "[" not in test, "rows are parts of one test that tells: the file of one that is gone is found so"
        self.test = test.removeprefix("test_")
        self.names = dict(names or {})
        self.files: set[Path] = set()

    def __call__(self, text: str, part: str = "", *, is_tidy: bool = False) -> None:
        """Compares *text* with the one that is kept, of this *part* of the test."""
        path = self.folder / f"{self.test}{'.' if part else ''}{part}.txt"
        assert path not in self.files, f"{path.name} is told twice"
        self.files.add(path)
        compare(path, text if is_tidy else tidy(text, self.names))

    def left(self) -> list[str]:
        """Names of the files of this test that it did not tell."""
        kept = {path for path in self.folder.glob("*.txt") if path.name.startswith(f"{self.test}.")}
        if os.environ.get("RETELL"):
            for path in kept - self.files:
                path.unlink()
            return []
        return sorted(path.name for path in kept - self.files)


def compare(path: Path, text: str) -> None:
    """Fails, with the difference, unless *text* is what is kept at *path*; writes it there if ``RETELL`` is set."""
    text = text if text.endswith("\n") else f"{text}\n"
    kept = path.read_text() if path.exists() else None
    if kept == text:
        return
    if os.environ.get("RETELL"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    pytest.fail(difference(path, kept, text), pytrace=False)


def difference(path: Path, kept: str | None, text: str) -> str:
    """What is told otherwise than at *path*, and how it is accepted."""
    shown = path.relative_to(FOLDER.parent) if path.is_relative_to(FOLDER.parent) else path
    how = "If that is meant: RETELL=1 python -m pytest THIS TEST writes the file anew; read its difference like code."
    if kept is None:
        return f"{shown} is not there. {how}"
    lines = list(difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "told now", lineterm="", n=WORDS))
    more = [f"... and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    return "\n".join([f"{shown} tells something else. {how}", *lines[:MOST_LINES], *more])


_MOMENT = re.compile(r"(\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d)\.00\d{1,7}(?=Z|\+|\b)")
_MICROS = re.compile(r"\b1[78]\d{14}\b")
_REQUEST = re.compile(r"(?<=`)[0-9a-f]{16}(?=`)|(?<=\"request\": \")[0-9a-f]{16}(?=\")")
_PLACE = re.compile(r"\b18\d{17}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_HEX = re.compile(  # the id of a request, also where chance made it of digits only
    r"(?<=\"requestId\": \")[0-9a-f]{16}(?=\")"
    r"|(?<![0-9A-Za-z_-])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,}(?![0-9A-Za-z_-])"
)
_TOKEN = re.compile(  # not the name of a rule, like LearnPlanEndDate_03; chance may make 32 bytes without a digit
    r"(?<![0-9A-Za-z_/+-])(?![A-Za-z]+_\d\d\b)(?=[\w-]*\d|[\w-]{43}(?![\w-]))(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[0-9A-Za-z_-]{18,}(?![0-9A-Za-z_-])"
)


def tidy(text: str, names: Mapping[str, str] | None = None) -> str:
    """*text* without what a reader cannot read: known ids by their names, others numbered as they come.

    The same id has the same number in one text. Microseconds since 1970 are told as a time; the fraction of a second
    by which a world's clock goes on each time it is asked is left out, and so are places in the order of the store.
    """
    for id, name in sorted((names or {}).items(), key=lambda one: -len(one[0])):
        text = text.replace(id, f"<{name}>")
    text = _REQUEST.sub("<request>", text)
    text = _MICROS.sub(lambda found: _moment(int(found[0])), _MOMENT.sub(r"\1", text))
    for sort, pattern in (("place", _PLACE), ("uuid", _UUID), ("hex", _HEX), ("token", _TOKEN)):
        text = _numbered(text, sort, pattern)
    return text


def _moment(micros: int) -> str:
    return f"<{datetime.fromtimestamp(micros // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}>"


def _numbered(text: str, sort: str, pattern: re.Pattern[str]) -> str:
    seen: dict[str, int] = {}
    return pattern.sub(lambda found: f"<{sort} {seen.setdefault(found[0], len(seen) + 1)}>", text)


def pretty(value: Any) -> str:
    """*value*, or the JSON in *value*, with sorted keys."""
    tree = json.loads(value) if isinstance(value, str | bytes) else value
    return json.dumps(tree, indent=1, sort_keys=True, ensure_ascii=False, default=str)


HEADERS = ("location", "content-type", "content-disposition", "www-authenticate", "retry-after", "etag", "link")
"""Headers that are told of an answer if it has them."""


def answer(
    got: Any, headers: tuple[str, ...] = HEADERS, *, bar: bool = False, json: Callable[[Any], str] = pretty
) -> str:
    """An answer of HTTP: status, headers that matter, and what it says, by its kind; JSON as *json* tells it."""
    told = [f"{name}: {got.headers[name]}" for name in headers if name in got.headers]
    kind = got.headers.get("content-type", "")
    if kind.startswith("text/html"):
        told, body = [one for one in told if not one.startswith("content-type")], page(got.text, bar=bar)
    elif "json" in kind and got.content:
        body = json(got.content)
    elif kind.startswith("text/") or "svg" in kind:
        body = got.text.replace("\r\n", "\n")
    else:
        body = f"({len(got.content)} bytes)" if got.content else ""
    return "\n".join([str(got.status_code), *told, body]).rstrip("\n") + "\n"


def rows(text: str) -> str:
    """A CSV file, a line for each row, its cells between bars."""
    return "".join(f"{' | '.join(row)}\n" for row in csv.reader(io.StringIO(text)))


def mail(content: bytes | str) -> str:
    """A mail as a person reads it: subject, from, to, and its text."""
    data = content.encode() if isinstance(content, str) else content
    read = email.message_from_bytes(data, policy=email.policy.default)
    about = [f"{name}: {read[name]}" for name in ("Subject", "From", "To", "Reply-To") if read[name]]
    body = read.get_body(("plain", "html"))
    return "\n".join([*about, "", body.get_content() if body else ""])


def strays() -> Iterator[str]:
    """Files below ``tests/told`` that no test tells: its module, or the test in it, is not there."""
    for path in sorted(FOLDER.glob("*/*.txt")):
        module = FOLDER / f"test_{path.parent.name}.py"
        if path.name.split(".")[0] not in (_tests_of(module) if module.exists() else ()):
            yield str(path.relative_to(FOLDER))


def _tests_of(module: Path) -> set[str]:
    tree = ast.parse(module.read_text())
    return {node.name.removeprefix("test_") for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
