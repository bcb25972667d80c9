"""Refusals in words for the managers of a source: what happened, and what to do. Pure."""

from __future__ import annotations

from lrs.web.refusals import Refusal

_BY_ERROR = {
    "unauthorized": (
        "The secret was wrong, or the key was revoked.",
        "Copy key and secret again, whole; if the secret is lost, make a new key.",
    ),
    "forbidden": (
        "The key may not do this.",
        (
            "A key made here for its product has what that needs, unless its page says what was left out: then an"
            " administrator must make it, for this source, under Connect a platform."
        ),
    ),
    "invalid_statement": (
        "A statement is not as xAPI wants it.",
        "Show the place and the rule to whoever makes the product; nothing of that request was stored.",
    ),
    "invalid_json": ("What was sent is no JSON.", "Show the place to whoever makes the product."),
    "conflict": (
        "A statement came again under the same id with other content.",
        "The first one stays. Let the product make a new id for each statement.",
    ),
    "too_large": ("What was sent is too large.", "Send fewer statements at once, or smaller attachments."),
    "unsupported_media_type": ("What was sent is of another type.", "Send application/json, or multipart/mixed."),
    "precondition_failed": ("A document was changed meanwhile.", "The product reads it again and sends it once more."),
    "import_failed": ("A file could not be brought in.", "The page of the import says why."),
    "suspended": ("This organisation takes nothing at present.", "Ask whoever runs this server."),
    "quota": ("This organisation has no room left.", "Ask whoever runs this server."),
}
_OTHER = ("The request is not as it should be.", "Show the place and the rule to whoever makes the product.")


def reason(refusal: Refusal) -> tuple[str, str]:
    """What happened, in the words of the answer if they may be kept, and what to do."""
    what, do = _BY_ERROR.get(refusal.error, _OTHER)
    return refusal.says or what, do


def place(refusal: Refusal) -> str:
    """Where it was: the number of the statement in the batch, and the place in it; empty if unknown."""
    if refusal.place is None:
        return ""
    pointer, index = refusal.place, refusal.index
    if index is None:
        return pointer
    inside = pointer.removeprefix(f"/{index}")
    return f"Statement {index + 1} of the request{f', {inside}' if inside else ''}"
