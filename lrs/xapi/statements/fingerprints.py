"""Statements without an id that come again, for sources that asked for it (``lrs.access.switches``).

Some senders, such as Moodle's, give no ids and send a batch again if its answer was lost. A statement with the same
fingerprint as one of the last seven days then counts as that one: nothing is stored, and the answer has the id of the
first time. Records: ``fingerprint`` (id: the fingerprint), written in the commit that stores the statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from lrs.kernel.times import DAY
from lrs.storage import Record, Tx, micros_of
from lrs.storage.kinds import Kind
from lrs.xapi.statements.plan import KIND as STATEMENT
from lrs.xapi.statements.plan import QUARANTINED, Prepared, SetAside

KIND = "fingerprint"
LASTS = 7 * DAY
"""Microseconds for which a statement is known by its fingerprint."""
_LOGSTORE = "http://lrs.learninglocker.net/define/extensions/info"
_LOGSTORE_VERSION = "https://github.com/xAPI-vle/moodle-logstore_xapi"
"""The extension of Moodle's plugin, and the name in it under which its version stands."""
_encode = msgspec.json.Encoder(order="sorted").encode


class Fingerprint(msgspec.Struct, frozen=True):
    """The body of a record: the id of the statement that came first."""

    statement: str
    v: int = 1


_decoder = msgspec.json.Decoder(Fingerprint)


class Prints:
    """Makes the fingerprints of one batch of *source*.

    Equal statements of one batch have different fingerprints, by how many of them stand before; so none is lost that
    a sender means, and the same batch has the same fingerprints again.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._before: Counter[bytes] = Counter()

    def of(self, tree: Mapping[str, Any]) -> str:
        """The fingerprint of a statement as it came, without ``stored``, whatever the order of its keys."""
        told = sha256(_encode(_lasting({name: value for name, value in tree.items() if name != "stored"}))).digest()
        number = self._before[told]
        self._before[told] += 1
        return sha256(msgspec.json.encode((self._source, number)) + told).hexdigest()


def _lasting(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """*tree* without what its sender makes anew each time it sends the same statement.

    Moodle's plugin makes the registration of the session of the process that sends; a task run by cron has another each
    time (seen with logstore_xapi 5.0.1: ``stringToUuidV5($config['session_id'])``).
    """
    context = tree.get("context")
    extensions = context.get("extensions") if isinstance(context, dict) else None
    told = extensions.get(_LOGSTORE) if isinstance(extensions, dict) else None
    if not isinstance(context, dict) or not isinstance(told, dict) or _LOGSTORE_VERSION not in told:
        return tree
    return {**tree, "context": {name: value for name, value in context.items() if name != "registration"}}


def sent_before(tx: Tx, batch: Sequence[Prepared | SetAside], now: int) -> dict[str, str]:
    """For each of *batch* that came before, its id of now and that of the first time.

    What was stored then and is neither stored nor in quarantine any more counts as new.
    """
    known = tx.get_many(KIND, [one.fingerprint for one in batch if one.fingerprint])
    if not known:
        return {}
    first = {
        one.id: _decoder.decode(known[one.fingerprint].body).statement
        for one in batch
        if one.fingerprint in known and micros_of(known[one.fingerprint].seq) + LASTS > now
    }
    there = tx.get_many(STATEMENT, first.values()).keys() | tx.get_many(QUARANTINED, first.values()).keys()
    return {id: before for id, before in first.items() if before in there}


def remember(tx: Tx, batch: Sequence[Prepared | SetAside]) -> None:
    """Notes the fingerprints of those of *batch* that have one. Call it for those that are stored now."""
    for one in batch:
        if one.fingerprint:
            tx.put(Record(KIND, one.fingerprint, msgspec.json.encode(Fingerprint(one.id))))


KINDS = (Kind(KIND, "working", Fingerprint, 1, subjects=None, retention="operational", exported=False),)
