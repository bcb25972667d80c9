"""Text formats of xAPI values: IRI, UUID, duration, language tag, mailto, media type, hashes.

Timestamps are read by ``lrs.kernel.times``. Every pattern is linear in the length of the text (possessive quantifiers
where two repeats meet). Knows nothing of statements, versions or refusals.
"""

from __future__ import annotations

import re
from functools import lru_cache

_IRI_CHAR = r"[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]"
_match_iri = re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*+:{_IRI_CHAR}++").fullmatch
_match_mailto = re.compile(
    r"mailto:[^\x00-\x20<>\"{}|\\^`\x7f-\x9f@,:;?#\[\]()]++@[^\x00-\x20<>\"{}|\\^`\x7f-\x9f@,:;?#\[\]()/&=]++"
).fullmatch
_match_uuid = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}").fullmatch
_match_sha1 = re.compile(r"[0-9a-fA-F]{40}").fullmatch
_match_sha2 = re.compile(r"(?:[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})").fullmatch

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z\-]++"
_match_media_type = re.compile(
    rf"{_WORD}/{_WORD}"
    rf"(?:[ \t]*+;[ \t]*+(?:{_WORD}=(?:{_WORD}|\"(?:[^\"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+\"))?)*+"
    r"[ \t]*+"
).fullmatch

_match_language_tag = re.compile(
    r"""
    (?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})            # language, with up to three extlangs
    (?:-[a-z]{4})?                                                  # script
    (?:-(?:[a-z]{2}|[0-9]{3}))?                                     # region
    (?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*+)
    (?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})++)*+)
    (?:-x(?:-[a-z0-9]{1,8})++)?                                     # private use
    |x(?:-[a-z0-9]{1,8})++
    |en-GB-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)
    |sgn-(?:BE-FR|BE-NL|CH-DE)|art-lojban|cel-gaulish|no-(?:bok|nyn)|zh-(?:guoyu|hakka|min|min-nan|xiang)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
).fullmatch

_AMOUNT = r"[0-9]++(?:[.,][0-9]++)?"
_match_duration = re.compile(
    rf"P(?:{_AMOUNT}W|(?=[0-9T])(?:{_AMOUNT}Y)?(?:{_AMOUNT}M)?(?:{_AMOUNT}D)?"
    rf"(?:T(?=[0-9])(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?)"
).fullmatch
_early_fraction = re.compile(r"[.,][0-9]++[A-Z](?=.)").search
_seconds_fraction = re.compile(r"[.,]([0-9]++)S\Z").search

_CACHED_LENGTH = 256  # longer texts are not cached, so that the caches stay small


def is_iri(text: str) -> bool:
    """Whether *text* has a scheme, then at least one character, and no character that RFC 3987 never allows.

    Best effort, as xAPI permits (1.0.3 Data 2.2): rules of a scheme are not applied. Also used for IRLs and URIs.
    """
    return _cached_iri(text) if len(text) <= _CACHED_LENGTH else _match_iri(text) is not None


@lru_cache(maxsize=4096)
def _cached_iri(text: str) -> bool:
    return _match_iri(text) is not None


def is_mailto(text: str) -> bool:
    """Whether *text* is ``mailto:`` and one address with an ``@``, and nothing else (xAPI 1.0.3 Data 2.4.2.3)."""
    return _match_mailto(text) is not None


def is_uuid(text: str) -> bool:
    """Whether *text* is a UUID in its 36-character form, in either case, of any variant (xAPI 1.0.3 Data 4.4)."""
    return _match_uuid(text) is not None


def is_sha1(text: str) -> bool:
    """Whether *text* is a SHA-1 in hex."""
    return _match_sha1(text) is not None


def is_sha2(text: str) -> bool:
    """Whether *text* is a SHA-224, SHA-256, SHA-384 or SHA-512 in hex."""
    return _match_sha2(text) is not None


def is_media_type(text: str) -> bool:
    """Whether *text* is a media type, with or without parameters (RFC 9110, section 8.3.1), up to 1,024 characters."""
    return len(text) <= 1024 and _match_media_type(text) is not None


def is_language_tag(text: str) -> bool:
    """Whether *text* is a well-formed RFC 5646 tag: no variant and no singleton twice; not looked up in a registry.

    A tag of more than 256 characters is none: section 4.4.1 lets a limit be set, and the longest in use have 35.
    """
    return len(text) <= _CACHED_LENGTH and _has_tag_form(text)


@lru_cache(maxsize=1024)
def _has_tag_form(text: str) -> bool:
    match = _match_language_tag(text)
    if match is None:
        return False
    variants = (match["variants"] or "").lower().split("-")[1:]
    singletons = [part for part in (match["extensions"] or "").lower().split("-") if len(part) == 1]
    return len(set(variants)) == len(variants) and len(set(singletons)) == len(singletons)


def is_duration(text: str) -> bool:
    """Whether *text* is an ISO 8601 duration as in 4.4.3.2: designators in order, or weeks alone.

    Only the last part may have a fraction, with a point or a comma.
    """
    return _match_duration(text) is not None and _early_fraction(text) is None


def duration_to_hundredths(text: str) -> str:
    """*text* (a duration) in the form that is compared, with the seconds cut, never rounded, to 0.01.

    A month has no fixed length, so units are not converted (xAPI 1.0.3 Data 2.3.1 and 4.6): ``PT60S`` is not ``PT1M``.
    """
    match = _seconds_fraction(text)
    if match is None:
        return text
    kept = match[1][:2].rstrip("0")
    return text[: match.start()] + ("." + kept if kept else "") + "S"
