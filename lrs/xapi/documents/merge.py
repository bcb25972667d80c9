"""POST to an existing document: merges two JSON objects, member by member, as text. Pure.

Only the top level is merged (xAPI 1.0.3 Communication 2.2): a nested object is replaced. Values keep their text, so
``0.10`` stays ``0.10``. The order is that of the old document; new members follow.
"""

from __future__ import annotations

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import members
from lrs.xapi.citations import rule
from lrs.xapi.request import JSON

_RULE = "Communication 2.2"


def refuse_other_types(old: str, new: str, version: str) -> None:
    """Refuses (400) unless both content types are ``application/json``."""
    for what, content_type in (("document that is there", old), ("document that was sent", new)):
        if media_type(content_type) != JSON:
            raise Refused(
                f"POST merges two JSON objects, but the {what} is not {JSON}; use PUT to replace it",
                rule=rule(_RULE, version),
            )


def merge(old: bytes, new: bytes, version: str) -> bytes:
    """The members of *new* over those of *old*, two valid JSON texts. Refuses (400) anything but objects."""
    for what, text in (("document that is there", old), ("document that was sent", new)):
        if not text.lstrip().startswith(b"{"):
            raise Refused(
                f"POST merges two JSON objects, but the {what} is not an object; use PUT to replace it",
                rule=rule(_RULE, version),
            )
    merged = {**members(old), **members(new)}
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + text for name, text in merged.items()) + b"}"


def media_type(content_type: str) -> str:
    """*content_type* without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
