"""Frameworks in the store: imported as drafts, published once, never changed after that. Knows no file format.

Record ``framework``: one per version, body ``framework.to_json``, meta ``{uri, version, status}``.
"""

from __future__ import annotations

import msgspec

from lrs.competency.frameworks.framework import Framework, VersionChange, from_json, succeed, texts_of, to_json
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import control_character
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit


def versions(reader: Reader, uri: str) -> list[Framework]:
    """All versions of the framework *uri*, oldest first."""
    found = each(reader, "framework", key("framework", uri))
    return sorted((from_json(record.body) for record in found), key=lambda framework: framework.version)


def frameworks(reader: Reader) -> list[Framework]:
    """All versions of all frameworks, by URI, then version."""
    return sorted(
        (from_json(record.body) for record in each(reader, "framework")), key=lambda one: (one.id, one.version)
    )


def published(reader: Reader) -> list[Framework]:
    """The latest published version of each framework, by URI."""
    found = [one for one in each(reader, "framework") if one.meta["status"] == "published"]
    latest = {one.meta["uri"]: one for one in sorted(found, key=lambda one: (one.meta["uri"], one.meta["version"]))}
    return [from_json(record.body) for record in latest.values()]


def keep(tx: Tx, draft: Framework) -> tuple[Framework, tuple[VersionChange, ...]]:
    """Imports *draft*. Gives the version that is now stored, and its changes from the latest version before.

    Raises ``Refused`` for a text that no badge can hold.
    """
    for whose, text in texts_of(draft):
        found = control_character(text)
        if found:
            raise Refused(f"{whose} has the control character {found} in it: take it out in the file")
    known = versions(tx, draft.id)
    framework, changes = succeed(known, draft)
    if known and framework == known[-1]:
        return framework, ()
    _put(tx, framework)
    return framework, changes


def publish(tx: Tx, uri: str, by: str) -> Framework:
    """Publishes the latest draft of *uri*. That version never changes again. Raises ``Refused``."""
    known = versions(tx, uri)
    if not known:
        raise Refused(f"there is no framework {uri}", status=404, error="not_found")
    if known[-1].status == "published":
        return known[-1]
    framework = msgspec.structs.replace(known[-1], status="published")
    _put(tx, framework)
    audit.append(tx, by, "framework.published", {"framework": uri, "version": str(framework.version)})
    return framework


def _put(tx: Tx, framework: Framework) -> None:
    meta = {"uri": framework.id, "version": framework.version, "status": framework.status}
    id = name("framework", framework.id, framework.version)
    tx.put(Record("framework", id, to_json(framework), meta, (key("framework", framework.id),)))


KINDS = (Kind("framework", "fact", Framework, 1, subjects=None, retention="evidence", exported=True),)
"""Frameworks are no basis of derived state: a rule set contains all that it says about the competencies of its rules.
"""
