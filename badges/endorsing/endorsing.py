"""Endorses badges and achievements, and takes endorsements away: each in one commit, with the record of actions.

The badge that is endorsed is issued anew under its id, because what is inside it is signed with it. An endorsement of
an achievement is in the badges that are signed from then on; those that are held and have this version of its words are
issued anew, too, by the step "reword".
"""

from __future__ import annotations

import json

import msgspec

from badges.achievements import achievements, wording
from badges.endorsing.endorsements import (
    KIND,
    Endorsement,
    Endorsements,
    checked_comment,
    draft,
    endorsements_of,
    record_of,
    taken_in,
    with_one_more,
)
from badges.held.stops import award_of
from badges.keys.issuer import REWORD, issuer_of
from badges.verifying.lookup import Outbound, resolver, status_lists
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import Json
from lrs.storage import Owed, Record, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


class EndorsedThing(msgspec.Struct, frozen=True):
    """What is endorsed: a badge, or a version of an achievement. *award* and *person* are empty for the latter."""

    id: str
    about: str
    name: str
    award: str = ""
    person: str = ""


def thing_named(tenant: Tenant, id: str) -> EndorsedThing:
    """The badge, the achievement (its current version), or the version with this id. Raises ``Refused`` (404)."""
    reader, bare = tenant.store, id.removeprefix("urn:uuid:").rpartition("/")[2]
    badge = reader.get("credential", bare)
    if badge is not None:
        said = json.loads(badge.body)
        return EndorsedThing(bare, said["id"], said["name"], award_of(reader, bare), str(badge.meta["person"]))
    known = reader.get(wording.KIND, bare)
    version = reader.get(achievements.KIND, wording.read(known).current if known else bare)
    if version is None:
        message = f"there is no badge and no achievement {id}: lrs badges list and /staff/badges show them"
        raise Refused(message, status=404, error="not_found")
    said = json.loads(version.body)
    return EndorsedThing(version.id, said["id"], said["name"])


def drafted(tenant: Tenant, thing: EndorsedThing, *, id: str) -> Json:
    """What somebody else signs to endorse *thing*: a credential with places for their name and their words."""
    nobody = {"id": "did:web:YOUR.DOMAIN", "type": ["Profile"], "name": "YOUR NAME"}
    return draft(thing.about, thing.name, nobody, "WHAT YOU VOUCH FOR", id=f"urn:uuid:{id}", at=tenant.clock())


def endorse(tenant: Tenant, thing: EndorsedThing, comment: str, *, id: str, by: str) -> str:
    """Endorses *thing* in the name of this issuer. Gives the id of the endorsement. Raises ``Refused``."""
    one = Endorsement(f"urn:uuid:{id}", tenant.clock(), checked_comment(comment), issuer_of(tenant).id)
    _add(tenant, thing, one, by)
    return one.id


def take_in(tenant: Tenant, thing: EndorsedThing, content: bytes, outbound: Outbound | None, *, by: str) -> str:
    """Takes the endorsement of *thing* that others signed. Gives its id. Raises ``Refused``."""
    one = taken_in(
        content,
        thing.about,
        at=tenant.clock(),
        resolve=resolver(tenant, outbound),
        fetch=status_lists(tenant, outbound),
    )
    _add(tenant, thing, one, by)
    return one.id


def remove(tenant: Tenant, thing: EndorsedThing, endorsement: str, *, by: str) -> None:
    """Takes the *endorsement* (id) of *thing* away. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        found = endorsements_of(tx, thing.id)
        kept = tuple(one for one in found.given if one.id != endorsement) if found else ()
        if found is None or len(kept) == len(found.given):
            raise Refused(f"there is no endorsement {endorsement} of it", status=404, error="not_found")
        _put(tx, thing, msgspec.structs.replace(found, given=kept))
        audit.append(tx, by, "badge.endorsement_removed", {"of": thing.id, "endorsement": endorsement})

    tenant.store.write(decide).result()


def _add(tenant: Tenant, thing: EndorsedThing, one: Endorsement, by: str) -> None:
    def decide(tx: Tx) -> None:
        found = endorsements_of(tx, thing.id) or Endorsements(1, thing.about, thing.name)
        _put(tx, thing, with_one_more(found, one))
        audit.append(tx, by, "badge.endorsed", {"of": thing.id, "endorsement": one.id, "endorser": one.endorser})

    tenant.store.write(decide).result()


def _put(tx: Tx, thing: EndorsedThing, found: Endorsements) -> None:
    old: Record | None = tx.get(KIND, thing.id)
    tx.put(record_of(thing.id, found, thing.person, old))
    if not thing.person:
        tx.owe(KIND, thing.id, Owed(REWORD))
    if thing.award and tx.get("award", thing.award) is not None:
        tx.owe("award", thing.award, Owed("issue"))
