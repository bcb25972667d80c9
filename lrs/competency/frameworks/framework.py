"""A competency framework: items in a tree, one scale, and versions that never change once published. Pure.

Knows no file format and no store. An item's id is made from the framework's URI and the item's code, so it is the same
in every version; ``since`` is the version in which its meaning last changed. An award names both, so "K7" of one
version is never taken for a "K7" with another meaning in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from lrs.competency.frameworks.levels import LevelScale
from lrs.kernel.names import name

FrameworkStatus = Literal["draft", "published"]


class Item(msgspec.Struct, frozen=True):
    """A node of the tree: a domain, a capability or a statement. *level* is the ordinal of its tier."""

    id: str
    code: str
    label: str
    sort: str
    order: int
    parent: str | None = None
    level: int | None = None
    since: int = 1


class Framework(msgspec.Struct, frozen=True):
    """One version of a framework. *id* is its URI; *items* are in the order of the sheet."""

    id: str
    version: int
    status: FrameworkStatus
    title: str
    scale: LevelScale
    items: tuple[Item, ...]
    v: int = 1

    def item_named(self, text: str) -> Item | None:
        """The item with this id, or with this code in upper or lower case."""
        wanted = text.strip().casefold()
        return next((item for item in self.items if wanted in {item.code.casefold(), item.id}), None)


def items_named(frameworks: Iterable[Framework], text: str) -> list[tuple[Framework, Item]]:
    """The items of *frameworks* with the code or the id *text*; if there are none, those that are called so."""
    known, wanted = tuple(frameworks), _folded(text)
    coded = [(one, item) for one in known if (item := one.item_named(text))]
    return coded or [(one, item) for one in known for item in one.items if _folded(item.label) == wanted]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


class VersionChange(msgspec.Struct, frozen=True):
    """One line of the report that compares two versions."""

    sort: Literal["added", "removed", "text changed", "moved", "level changed", "scale changed"]
    code: str
    before: str | None = None
    after: str | None = None


def item_id(framework: str, code: str) -> str:
    """The id of the item with *code* in all versions of *framework* (a URI)."""
    return name("item", framework, code.casefold())


def to_json(framework: Framework) -> bytes:
    """*framework* as stored."""
    return msgspec.json.encode(framework)


def from_json(body: bytes) -> Framework:
    """The framework that ``to_json`` wrote."""
    return msgspec.json.decode(body, type=Framework)


def texts_of(framework: Framework) -> Iterator[tuple[str, str]]:
    """Every text that a badge may show, each with a description of where it comes from."""
    yield "the framework's id", framework.id
    yield "the framework's title", framework.title
    for item in framework.items:
        yield f"the code {item.code!r}", item.code
        yield f"the text of {item.code!r}", item.label
    for level in framework.scale.levels:
        yield f"the level {level.code!r}", f"{level.code}{level.label}{level.description or ''}"


def succeed(known: Sequence[Framework], draft: Framework) -> tuple[Framework, tuple[VersionChange, ...]]:
    """The version to keep after importing *draft*, and its changes; *known* are the versions so far, oldest first.

    If the content is the same as in the latest version, that version is kept. A draft is replaced. A published version
    gets a successor, which is a draft. The changes are relative to the latest published version, or to the previous
    draft if none is published.
    """
    if not known:
        return draft, tuple(VersionChange("added", item.code, after=item.label) for item in draft.items)
    latest = known[-1]
    base = next((one for one in reversed(known) if one.status == "published"), None)
    version = latest.version if latest.status == "draft" else latest.version + 1
    meant = {item.id: item for item in base.items} if base and base.scale == draft.scale else {}
    items = tuple(_dated(meant.get(item.id), item, version) for item in draft.items)
    candidate = msgspec.structs.replace(draft, version=version, items=items)
    as_latest = msgspec.structs.replace(candidate, version=latest.version, status=latest.status)
    if as_latest == latest:
        return latest, ()
    return candidate, compare(base or latest, candidate)


def compare(before: Framework, after: Framework) -> tuple[VersionChange, ...]:
    """Added, removed and changed items, in the order of the sheets. A change of the scale comes first."""
    old, new = _by_id(before), _by_id(after)
    changes = (
        [VersionChange("scale changed", "", before.scale.id, after.scale.id)] if before.scale != after.scale else []
    )
    changes += [VersionChange("removed", item.code, before=item.label) for item in before.items if item.id not in new]
    for item in after.items:
        if item.id not in old:
            changes.append(VersionChange("added", item.code, after=item.label))
        else:
            changes += _differences(old[item.id], item, old, new)
    return tuple(changes)


def _differences(was: Item, now: Item, old: dict[str, Item], new: dict[str, Item]) -> list[VersionChange]:
    changes = []
    if was.label != now.label:
        changes.append(VersionChange("text changed", now.code, was.label, now.label))
    if was.parent != now.parent:
        places = (old[was.parent].code if was.parent else None, new[now.parent].code if now.parent else None)
        changes.append(VersionChange("moved", now.code, *places))
    if was.level != now.level:
        changes.append(VersionChange("level changed", now.code, str(was.level), str(now.level)))
    return changes


def _dated(was: Item | None, item: Item, version: int) -> Item:
    """*item* with the version since which it has its meaning. Its text, its tier and the scale are its meaning."""
    same = was is not None and (was.label, was.level) == (item.label, item.level)
    return msgspec.structs.replace(item, since=was.since if was and same else version)


def _by_id(framework: Framework) -> dict[str, Item]:
    return {item.id: item for item in framework.items}
