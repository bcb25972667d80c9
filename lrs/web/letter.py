"""The text of a mail: one template, filled in, as HTML and as plain text made from it.

Templates are in ``mails/``. Each has a block ``subject``, without personal data, and a block ``body`` of paragraphs,
lists and ``action`` links.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from html.parser import HTMLParser

from lrs.outbox.mail import Letter
from lrs.web.dates import written_timestamp
from lrs.web.frame import PRODUCT
from lrs.web.language import ENGLISH
from lrs.web.page import environment

_MOMENTS = ("until", "when")
"""Values that are times (RFC 3339). They are written in words."""
_BLOCKS = {"p", "h1", "h2", "li", "div"}
_UNSEEN = {"style", "title"}


def letter(name: str, values: Mapping[str, str], *, organisation: str, zone: str, language: str = ENGLISH) -> Letter:
    """The mail *name* of *organisation*, filled in with *values*. Raises ``LookupError`` for an unknown name."""
    moments = {key: written_timestamp(values[key], zone, language) for key in _MOMENTS if key in values}
    template = environment(language).get_template(f"mails/{name}.html")
    told = {**values, **moments, "organisation": organisation or PRODUCT, "language": language}
    subject = html.unescape("".join(template.blocks["subject"](template.new_context(told))))
    body = template.render(told)
    return Letter(" ".join(subject.split()), as_text(body), body)


def as_text(markup: str) -> str:
    """The plain text: paragraphs, with the address of each link after its text."""
    reader = _Text()
    reader.feed(markup)
    blocks = (" ".join(block.split()) if "\n" not in block.strip() else _lines(block) for block in reader.blocks)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _lines(block: str) -> str:
    return "\n".join(" ".join(line.split()) for line in block.strip().splitlines() if line.strip())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]
        self._link = ""
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.blocks.append("- " if tag == "li" else "")
        if tag == "a":
            self._link = dict(attrs).get("href") or ""
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.blocks[-1] += f":\n{self._link}\n"
        self._unseen -= tag in _UNSEEN
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.blocks[-1] += data.replace("\n", " ")
