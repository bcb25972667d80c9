"""The README and the pages of ``docs/`` lead where they say: links to pages and headings, and commands that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from lrs.cli import main

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
"""The README first."""
MAKES_NEW = "adding-"
"""How the names of pages begin whose example adds a command."""
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
COMMAND = re.compile(r"(?:^|[`'] ?|; |\$ |bin/)lrs ((?:[a-z][a-z-]+(?: |$|(?=[`'])))+)", re.MULTILINE)


def test_every_link_leads_to_a_page_and_a_heading_that_are_there() -> None:
    lost = [
        f"{page.name}: {path}#{heading}"
        for page in PAGES
        for path, heading in LINK.findall(page.read_text())
        if not leads(page, path, heading)
    ]

    assert lost == []


def test_every_command_that_is_named_exists() -> None:
    found = [
        (page.name, words)
        for page in PAGES
        if not page.name.startswith(MAKES_NEW)
        for words in COMMAND.findall(page.read_text())
    ]

    assert len(found) > 100, "commands are found"
    assert [(name, words) for name, words in found if not is_command(main, iter(words.split()))] == []


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {path for path, _ in LINK.findall(PAGES[0].read_text())}

    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in linked] == []


def leads(page: Path, path: str, heading: str) -> bool:
    target = page.parent / path if path else page
    return target.is_file() and (not heading or heading in map(anchor, headings(target)))


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def is_command(group: click.Command, words: Iterator[str]) -> bool:
    """Whether *words* begin with a command of *group*; what follows a command are its arguments."""
    if not isinstance(group, click.Group):
        return True
    word = next(words, None)
    found = word and group.get_command(click.Context(group), word)
    return word is None or (found is not None and is_command(found, words))
