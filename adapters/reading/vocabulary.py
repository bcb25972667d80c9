"""Every IRI that the adapters write. No other module of the package has one. Knows no rows and no files.

Sources: ADL verbs (adlnet/xapi-authored-profiles), DoD ISD verbs, the Jisc attendance recipe (jiscdev/xapi).
"""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID, uuid5

import msgspec

from lrs.xapi.statements.identity import SAME_PERSON

BASE = "https://w3id.org/engraft/"
NAMESPACE = UUID("ce7d0ecb-a468-522a-97cb-7611f10d59fc")
"""uuid5 of BASE; never changes. Every id that an adapter gives is a uuid5 in it, over a canonical JSON array."""

ADL = "http://adlnet.gov/expapi/verbs/"
ATTENDED = ADL + "attended"
EXPERIENCED = ADL + "experienced"
REGISTERED = ADL + "registered"
SUSPENDED = ADL + "suspended"
PROGRESSED = ADL + "progressed"
LAUNCHED = ADL + "launched"
INITIALIZED = ADL + "initialized"
ATTEMPTED = ADL + "attempted"
COMPLETED = ADL + "completed"
EXITED = ADL + "exited"
UNREGISTERED = "http://id.tincanapi.com/verb/unregistered"
PASSED = ADL + "passed"
FAILED = ADL + "failed"
VOIDED = ADL + "voided"
DEMONSTRATED = "https://w3id.org/xapi/dod-isd/verbs/demonstrated"

JISC = "http://xapi.jisc.ac.uk/"
TIMETABLED = JISC + "event_timetabled"
CHECKLIST = "http://adlnet.gov/expapi/activities/performance"
COURSE = "http://adlnet.gov/expapi/activities/course"
ASSESSMENT = "http://adlnet.gov/expapi/activities/assessment"
COMPETENCY = "https://w3id.org/xapi/tla/activity-types/competency"
STANDARD = BASE + "activity-types/apprenticeship-standard"
OFF_THE_JOB = BASE + "activity-types/off-the-job-training"
GATEWAY = BASE + "activity-types/gateway"

EXTENSIONS = BASE + "extensions/"
IDENTIFIERS = SAME_PERSON
"""Key in ``context.extensions``: Agents, each with one identifier, that the row says are the same person as the actor.
The store joins them only for a source that is marked identity authority.
"""


def iri(*parts: str) -> str:
    """An IRI of ours: *parts* become path segments below ``BASE``, percent-encoded."""
    return BASE + "/".join(quote(part, safe="") for part in parts)


def ours(*parts: object) -> UUID:
    """The permanent id for *parts*: uuid5 over their canonical JSON array."""
    return uuid5(NAMESPACE, canonical(parts).decode())


def canonical(value: object) -> bytes:
    """JSON with sorted keys and without blanks: the same value always gives the same bytes."""
    return msgspec.json.encode(value, order="sorted")
