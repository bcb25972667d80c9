"""Mapping profiles that were saved under a name, for the files of one provider. Knows no page and no file.

Records: ``mapping-profile``, one for each name of a provider.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.reading.profile import MappingProfile
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name as id_of
from lrs.kernel.plain_text import one_line
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "mapping-profile"
LONGEST_NAME = 80
MOST = 100
"""Profiles of one provider: each file of theirs is compared with all of them."""


class SavedProfile(msgspec.Struct, frozen=True):
    """A mapping profile with its *name*, for files of *provider* that go through *adapter*.

    *by* saved it last, at *at* (microseconds UTC).
    """

    name: str
    provider: str
    adapter: str
    profile: MappingProfile
    at: int
    by: str
    v: int = 1


KINDS = (Kind(KIND, "fact", SavedProfile, 1, subjects=None, retention="configuration", exported=True),)


def save(tx: Tx, saved: SavedProfile) -> None:
    """Keeps *saved*, in place of the one of the same name.

    Raises ``Refused``: 400 for a name that is none, 409 for a new name where the provider has ``MOST``.
    """
    if not saved.name or len(saved.name) > LONGEST_NAME or one_line(saved.name) != saved.name:
        raise Refused(f"a name has 1 to {LONGEST_NAME} characters on one line", error="bad_name")
    id = record_id(saved.provider, saved.name)
    there = {record.id for record in each(tx, KIND, _of(saved.provider))}
    if id not in there and len(there) >= MOST:
        message = (
            f"the provider {saved.provider} has {MOST} names of saved columns, as many as there can be. "
            "Remove one under Saved columns, or save these under a name that is there."
        )
        raise Refused(message, status=409, error="too_many_profiles")
    tx.put(Record(KIND, id, msgspec.json.encode(saved), keys=(_of(saved.provider),)))
    audit.append(tx, saved.by, "mapping-profile.saved", {"profile": id, "provider": saved.provider})


def remove(tx: Tx, provider: str, name: str, by: str) -> bool:
    """Removes the profile. ``False`` if there is none. Imports that used it keep what it said."""
    id = record_id(provider, name)
    if not tx.delete(KIND, id):
        return False
    audit.append(tx, by, "mapping-profile.removed", {"profile": id, "provider": provider})
    return True


def saved_for(reader: Reader, providers: Iterable[str] | None) -> list[SavedProfile]:
    """The profiles for files of *providers* (``None``: of all), by name."""
    if providers is None:
        records = list(each(reader, KIND))
    else:
        records = [record for provider in sorted(providers) for record in each(reader, KIND, _of(provider))]
    found = (msgspec.json.decode(record.body, type=SavedProfile) for record in records)
    return sorted(found, key=lambda one: (one.provider, one.name.casefold()))


def record_id(provider: str, name: str) -> str:
    """The id of the record of the profile *name* of *provider*."""
    return id_of(KIND, provider, name)


def _of(provider: str) -> int:
    return key(KIND, provider)
