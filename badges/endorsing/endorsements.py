"""Endorsements of badges and of achievements: by this issuer, or by others who signed theirs elsewhere.

An endorsement is a credential with a proof of its own, inside the badge: one of a badge in the badge, one of an
achievement in the achievement of every badge that has this version of its words. One by others was verified when it
came, and is kept as it came; ours is signed when the badge is, so that it never hangs on a key that counts no more.

kind ``endorsement``, id that of the badge or of the version of the achievement: all endorsements of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from badges.keys.issuer import Issuer
from badges.proofs.contexts import CREDENTIALS_V2, OPEN_BADGES
from badges.proofs.sign import sign
from badges.proofs.unsafe import Unsafe
from badges.verifying.endorsements import check_endorsements
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import Fetch, Resolve, Verification, read
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.strict_json import Json
from lrs.kernel.times import SECOND
from lrs.storage import Reader, Record
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "endorsement"
MOST = 3
"""Endorsements of one badge or achievement: a verifier looks at six in all."""
MAX_BYTES = 32 * 1024
LONGEST_COMMENT = 1_000


class Endorsement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One endorsement. *id* is a ``urn:uuid:`` or what others gave, *at* when it came (microseconds UTC).

    *credential* is set for one by others, and *did* is the document of their did:web as it was then.
    """

    id: str
    at: int
    comment: str
    endorser: str
    credential: Json | None = None
    did: Json | None = None


class Endorsements(msgspec.Struct, frozen=True):
    """The body of an ``endorsement`` record. *about* is the id that each is about, *name* what that is called."""

    v: int
    about: str
    name: str
    given: tuple[Endorsement, ...] = ()


def endorsements_of(reader: Reader, target: str) -> Endorsements | None:
    """Those of the badge, or the version of an achievement, with the id *target*."""
    record = reader.get(KIND, target)
    return endorsements_in(record) if record else None


def endorsements_in(record: Record) -> Endorsements:
    """Those in *record*."""
    return msgspec.json.decode(record.body, type=Endorsements)


def signed_endorsements(found: Endorsements | None, issuer: Issuer) -> list[Json]:
    """The credentials to embed, each with its proof. Raises as ``sign`` does."""
    if found is None:
        return []
    return [one.credential or _signed(one, found, issuer) for one in found.given]


def draft(about: str, name: str, endorser: Json, comment: str, *, id: str, at: int) -> Json:
    """An unsigned endorsement of *about* by *endorser*, a Profile (1EdTech Open Badges 3.0, B.4)."""
    moment = datetime.fromtimestamp(at // SECOND, UTC).isoformat().replace("+00:00", "Z")
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": id,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"Endorsement of {name}",
        "issuer": endorser,
        "validFrom": moment,
        "credentialSubject": {"id": about, "type": ["EndorsementSubject"], "endorsementComment": comment},
    }


def _signed(one: Endorsement, found: Endorsements, issuer: Issuer) -> Json:
    unsigned = draft(found.about, found.name, issuer.profile(), one.comment, id=one.id, at=one.at)
    signed: dict[str, Any] = sign(unsigned, issuer.key, issuer.method, str(unsigned["validFrom"]))
    return signed


def checked_comment(comment: str) -> str:
    """*comment* as it is kept. Raises ``Refused``."""
    text = comment.strip()
    if hidden := hidden_character(text):
        raise Refused(f"The comment has {hidden} in it, which nobody sees: take it out.")
    if not text or len(text) > LONGEST_COMMENT:
        raise Refused(f"The comment takes 1 to {LONGEST_COMMENT} characters: say what you vouch for, and why you can.")
    return text


def taken_in(content: bytes, about: str, *, at: int, resolve: Resolve, fetch: Fetch) -> Endorsement:
    """The endorsement of *about* by others in *content*, verified at the time *at*. Raises ``Refused``."""
    asked = Verification(at, resolve, fetch)
    try:
        credential = read(content, MAX_BYTES)
        check_endorsements({"id": about, "endorsement": [credential]}, asked)
        endorser = _endorser(credential)
        did = dict(asked.did_document(endorser)) if endorser.startswith("did:web:") else None
    except (Invalid, Unsafe, Unavailable) as error:
        raise Refused(f"The endorsement is not taken: {error}.", error="bad_endorsement") from error
    comment = str(credential["credentialSubject"].get("endorsementComment", ""))
    return Endorsement(str(credential["id"]), at, comment[:LONGEST_COMMENT], endorser, credential, did)


def _endorser(credential: Json) -> str:
    """The DID of who signed it. Raises ``Invalid`` for what cannot be kept inside a badge for years."""
    issuer = credential.get("issuer")
    if not isinstance(issuer, dict) or not isinstance(credential.get("id"), str):
        raise Invalid("it has no id, or its issuer is not an object", "incomplete")
    id = str(issuer.get("id"))
    if not id.startswith(("did:key:", "did:web:")):
        raise Invalid("its issuer is neither a did:key nor a did:web", "did_not_supported")
    if "credentialStatus" in credential:
        raise Invalid("it names a status list, which would have to answer as long as the badge lives", "has_status")
    return id


def with_one_more(found: Endorsements, one: Endorsement) -> Endorsements:
    """*found* with *one*. Raises ``Refused`` (409): it is there, its issuer says the same, or there are too many."""
    if any(known.id == one.id for known in found.given):
        raise Refused(f"the endorsement {one.id} is there already", status=409, error="endorsed_already")
    if any(_says_the_same(known, one) for known in found.given):
        message = "The same issuer says the same of it already: take that endorsement away first to give it anew."
        raise Refused(message, status=409, error="endorsed_already")
    if len(found.given) >= MOST:
        raise Refused(f"there are {MOST} endorsements of it already: take one away first", status=409, error="too_many")
    return msgspec.structs.replace(found, given=(*found.given, one))


def _says_the_same(one: Endorsement, other: Endorsement) -> bool:
    """Whether one issuer signed both, with one comment. Ours are signed by whatever id we have now."""
    are_ours = one.credential is None and other.credential is None
    return one.comment == other.comment and (are_ours or one.endorser == other.endorser)


def record_of(target: str, found: Endorsements, person: str, old: Record | None) -> Record:
    """The record of *found*; *person* holds the badge, and is empty for an achievement."""
    meta, keys = ({"person": person}, (key("endorsement.person", person),)) if person else ({}, ())
    return Record(KIND, target, msgspec.json.encode(found), meta=meta, keys=keys, rev=old.rev if old else 0)


def _holder(record: Record) -> Subjects:
    return subjects(persons=[record.meta["person"]] if "person" in record.meta else [])


KINDS = (
    Kind(
        KIND,
        "fact",
        Endorsements,
        1,
        subjects=_holder,
        retention="evidence",
        exported=True,
        find=by_person(KIND, "endorsement.person"),
    ),
)
