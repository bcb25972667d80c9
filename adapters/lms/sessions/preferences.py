"""A learner's preferences as the LMS reads and writes them (cmi5 11): the Agent Profile document that content reads."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.lms.sessions.place import VERSION
from adapters.lms.sessions.session import agent_text
from adapters.lms.sessions.vocabulary import PREFERENCES
from lrs.access import OWN_SOURCE
from lrs.storage import Reader, Record, Tx
from lrs.xapi.documents import change
from lrs.xapi.documents.change import DocumentChange
from lrs.xapi.documents.concurrency import ANY, Conditions
from lrs.xapi.documents.content import small
from lrs.xapi.documents.resources import AGENT_PROFILE, Address
from lrs.xapi.request import JSON


def document_in(reader: Reader, actor: dict[str, Any]) -> Record | None:
    """The document, if there is one."""
    return reader.get(AGENT_PROFILE.kind, _address(actor).id)


def save_in(tx: Tx, actor: dict[str, Any], told: dict[str, str], conditions: Conditions) -> None:
    """Writes the preferences, whichever there are unless there are *conditions*. Refuses (412) if they do not hold."""
    old = document_in(tx, actor)
    if not conditions.given:
        held = frozenset({str(old.meta["etag"])}) if old else None
        conditions = Conditions(match=held, none_match=None if held else frozenset({ANY}))
    content = small(JSON, msgspec.json.encode(told))
    change.put(tx, DocumentChange(_address(actor), conditions, VERSION, content, OWN_SOURCE))


def delete_in(tx: Tx, actor: dict[str, Any]) -> None:
    """Takes the preferences away, if there are any."""
    change.delete(tx, _address(actor), Conditions(), VERSION)


def _address(actor: dict[str, Any]) -> Address:
    return Address(AGENT_PROFILE.kind, "", agent_text(actor), document=PREFERENCES)
