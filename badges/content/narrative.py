"""The Markdown of criteria as blocks of a page: headings, lists and paragraphs. Pure; makes no markup.

Only what stands at the beginning of a line has a meaning: ``- `` an entry, ``# `` or a line in ``**`` a heading. All
else is text, so nothing that somebody wrote becomes markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class TextBlock:
    """One block: the *text* of a heading or a paragraph, or the *entries* of a list."""

    sort: Literal["heading", "list", "text"]
    text: str = ""
    entries: list[str] = field(default_factory=list)


def blocks(markdown: str) -> list[TextBlock]:
    """The blocks of *markdown*, in order."""
    found: list[TextBlock] = []
    open_text = False
    for line in markdown.splitlines():
        block = _block(line.strip())
        if block.sort == "list" and found and found[-1].sort == "list":
            found[-1].entries += block.entries
        elif block.sort == "text" and open_text and block.text:
            found[-1].text += f" {block.text}"
        elif block.text or block.entries:
            found.append(block)
        open_text = block.sort == "text" and bool(block.text)
    return found


def _block(line: str) -> TextBlock:
    if line.startswith(("- ", "* ")):
        return TextBlock("list", entries=[plain(line[2:])])
    if line.startswith("#") or (line.startswith("**") and line.endswith("**") and len(line) > len("****")):
        return TextBlock("heading", plain(line.lstrip("#").strip()))
    return TextBlock("text", plain(line))


def plain(text: str) -> str:
    """*text* without the stars that make it bold."""
    return text.replace("**", "").strip()


def texts(markdown: str) -> Iterator[str]:
    """The texts alone, for where there are no lists."""
    for block in blocks(markdown):
        yield from (one.rstrip(" .") for one in block.entries or [block.text])
