"""The verbs that a table of rules may name by one word. Pure; knows no table."""

from __future__ import annotations

_ADL = "http://adlnet.gov/expapi/verbs/"
_ADL_VERBS = (
    *("answered", "asked", "attempted", "attended", "commented", "completed", "exited", "experienced", "failed"),
    *("imported", "initialized", "interacted", "launched", "mastered", "passed", "preferred", "progressed"),
    *("registered", "responded", "resumed", "scored", "shared", "suspended", "terminated"),
)
VERBS = {
    **{word: _ADL + word for word in _ADL_VERBS},
    "demonstrated": "https://w3id.org/xapi/dod-isd/verbs/demonstrated",
    "observed": "https://w3id.org/xapi/dod-isd/verbs/observed",
    "performed": "https://w3id.org/xapi/dod-isd/verbs/performed",
    "satisfied": "https://w3id.org/xapi/adl/verbs/satisfied",
    "achieved": "https://w3id.org/xapi/tla/verbs/achieved",
    "validated": "https://w3id.org/xapi/tla/verbs/validated",
}
"""Verbs that a table may name by one word. Other verbs are written as IRIs."""
