"""What waits for an entry of owed work that was put aside: told wherever such entries are shown. Pure words."""

from __future__ import annotations

from collections.abc import Mapping

_BY_STEP: Mapping[str, str] = {
    "refs": "filters may not find statements by what they refer to",
    "rename": "statements are not read by the rules",
    "match": "the statement proves nothing",
    "evaluate": "the learner's levels stay as they are, and with them badges and what services are told",
    "issue": "the badge is neither issued nor revoked, whatever became of the level",
    "sync": "services are told nothing new of the learner",
    "deliver": "its destination has not heard of it",
    "import": "the file is not brought in any further",
    "import-files": "the file of the import is kept for longer than it need be",
}
_BY_RECORD: Mapping[tuple[str, str], str] = {
    ("match", "rematch"): "statements from before are not all read again: those that are not count by the rules and"
    " sources of before",
    ("deliver", "forward"): "nothing more is forwarded there",
    ("sync", "consent"): "the service is not told of this consent",
}


def waiting_for(step: str, kind: str = "") -> str:
    """What is not done as long as *step*, owed by a record of *kind*, is put aside."""
    return _BY_RECORD.get((step, kind)) or _BY_STEP.get(step, "what follows from it is not done")
