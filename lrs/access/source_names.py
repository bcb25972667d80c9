"""Shown names of sources: what people read of a source, a centre or a provider instead of its name in keys and files.

Rules, keys, files and addresses keep the source's own name; only pages, and badges that are signed from then on, say
the shown one. Knows no page.

kind ``source-name``, id: the source.
"""

from __future__ import annotations

from functools import cached_property

import msgspec

from lrs.access.keys import known_keys
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import capital, hidden_character
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "source-name"
LONGEST = 80


class SourceName(msgspec.Struct, frozen=True):
    """The body of a record: the name that people read."""

    shown: str
    v: int = 1


_decode = msgspec.json.Decoder(SourceName).decode


class SourceNames:
    """The shown names of a store, read when the first one is asked for. For one page or one round of work."""

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader

    @cached_property
    def known(self) -> dict[str, str]:
        """All of them, by their sources."""
        return {one.id: _decode(one.body).shown for one in each(self._reader, KIND)} if self._reader else {}

    def called(self, source: str) -> str:
        """What staff read: the shown name, else the source's own."""
        return self.known.get(source, source)

    def said(self, source: str) -> str:
        """What learners read: the shown name, else ``online-platform`` as ``Online platform``; ``vle`` stays."""
        if source in self.known:
            return self.known[source]
        text = " ".join(source.replace("-", " ").replace("_", " ").split())
        return capital(text) if text != source and text.islower() else source


def shown_name(reader: Reader, source: str) -> str:
    """The shown name of *source*; empty if it has none."""
    record = reader.get(KIND, source)
    return _decode(record.body).shown if record else ""


def put_name(tx: Tx, source: str, shown: str, *, by: str) -> bool:
    """Gives *source* the *shown* name with this commit; an empty one takes it away. ``False`` if nothing changed.

    Raises ``Refused``: 400 for a text that is no name, 409 if another source is called or shown so already, in small or
    capital letters.
    """
    name = " ".join(shown.split())
    if hidden_character(shown):
        raise _refused("The name has a character in it that cannot be seen: type it anew.")
    if len(name) > LONGEST:
        raise _refused(f"The name takes at most {LONGEST} characters.")
    if name == shown_name(tx, source):
        return False
    if name and _is_taken(tx, source, name):
        raise _refused("Another source is called so already: people could not tell them apart.", 409)
    if name:
        tx.put(Record(KIND, source, msgspec.json.encode(SourceName(name))))
    else:
        tx.delete(KIND, source)
    audit.append(tx, by, "source.named", {"source": source})
    return True


def _is_taken(reader: Reader, source: str, shown: str) -> bool:
    """Whether people could take *shown* for a source other than *source* that has a key or a shown name."""
    names, wanted = SourceNames(reader), shown.casefold()
    others = ({one.source for one in known_keys(reader)} | names.known.keys()) - {source}
    return any(wanted in {one.casefold(), names.said(one).casefold()} for one in others)


def _refused(message: str, status: int = 400) -> Refused:
    return Refused(message, status=status, error="bad_name", pointer="/shown")


KINDS = (Kind(KIND, "fact", SourceName, 1, subjects=None, retention="configuration", exported=True),)
