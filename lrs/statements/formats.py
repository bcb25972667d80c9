"""The text formats xAPI values have: IRI, UUID, timestamp, duration, language tag, mailto, media type, hashes.

Says yes or no, and gives times as integers. Every pattern is linear in the length of the text (possessive
quantifiers where two repeats meet). Knows nothing of statements, versions or refusals.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_FIRST = (1 - _EPOCH_DAY) * DAY
_LAST = (dt.date.max.toordinal() + 1 - _EPOCH_DAY) * DAY - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

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

# What nearly every client sends, with days that every month has: such a text needs no further look.
_match_plain_timestamp = re.compile(
    r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?Z"
).fullmatch
_match_timestamp = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]++))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
).fullmatch
_match_basic_timestamp = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})[Tt]([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]++))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
).fullmatch

_AMOUNT = r"[0-9]++(?:[.,][0-9]++)?"
_match_duration = re.compile(
    rf"P(?:{_AMOUNT}W|(?=[0-9T])(?:{_AMOUNT}Y)?(?:{_AMOUNT}M)?(?:{_AMOUNT}D)?"
    rf"(?:T(?=[0-9])(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?)"
).fullmatch
_early_fraction = re.compile(r"[.,][0-9]++[A-Z](?=.)").search
_seconds_fraction = re.compile(r"[.,]([0-9]++)S\Z").search

_CACHED_LENGTH = 256  # longer texts are matched anew: the caches stay small whatever is sent


def is_iri(text: str) -> bool:
    """Whether *text* has a scheme, then at least one character, and none that RFC 3987 never allows.

    Best effort, as xAPI permits (1.0.3 Data 2.2): scheme-specific rules are not applied. Also used for IRLs and URIs.
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


def is_iso_timestamp(text: str) -> bool:
    """Whether ``micros_of_timestamp`` understands *text*."""
    if _match_plain_timestamp(text):
        return True
    try:
        _micros_of_any(text)
    except ValueError:
        return False
    return True


def micros_of_timestamp(text: str) -> int:
    """The instant *text* names, in microseconds UTC since 1970; digits beyond microseconds are cut off.

    ISO 8601 combined date and time, extended (``T``, ``t`` or, as RFC 3339 allows, a blank between) or basic, minutes
    or seconds precise. A missing offset means UTC: xAPI 1.0.3 Data 4.5 says the zone SHOULD be there, no test of
    either version refuses its absence, and content in the field omits it. Refused with ``ValueError``: a negative
    zero offset (RFC 3339 4.3, ISO 8601 forbids it), 24:00, days that do not exist, instants outside the years 1 to
    9999, and ``:60`` anywhere but in the last minute of a UTC day, where it is the first second of the next one.
    """
    if _match_plain_timestamp(text):
        return (dt.datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    return _micros_of_any(text)


def _micros_of_any(text: str) -> int:
    match = _match_timestamp(text) or _match_basic_timestamp(text)
    if match is None:
        raise ValueError("not an ISO 8601 timestamp")
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = match.groups()
    seconds = int(second or 0)
    clock = int(hour) * 3600 + int(minute) * 60
    if int(hour) > 23 or int(minute) > 59 or seconds > 60:
        raise ValueError("not a time of day")
    if sign:
        offset = int(off_hour) * 3600 + int(off_minute or 0) * 60
        if int(off_hour) > 23 or int(off_minute or 0) > 59 or (sign == "-" and not offset):
            raise ValueError("not an offset from UTC")
        clock += offset if sign == "-" else -offset
    if seconds == 60 and clock % 86_400 != 86_340:
        raise ValueError("not a leap second")
    days = dt.date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    micros = days * DAY + (clock + seconds) * SECOND + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
    if not _FIRST <= micros <= _LAST:
        raise ValueError("not within the years 1 to 9999")
    return micros


def timestamp_of_micros(micros: int) -> str:
    """*micros* (microseconds UTC since 1970, years 1 to 9999) as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``."""
    seconds, rest = divmod(micros, SECOND)
    return f"{_second(seconds)}.{rest:06}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()[:19]


def is_duration(text: str) -> bool:
    """Whether *text* is an ISO 8601 duration of the form in 4.4.3.2: designators, in order, or weeks alone.

    Only the last part may have a fraction, with a point or a comma.
    """
    return _match_duration(text) is not None and _early_fraction(text) is None


def duration_to_hundredths(text: str) -> str:
    """*text* (a duration) as it is compared: as a string, with the seconds cut, never rounded, to 0.01.

    A month has no fixed length, so units are not converted (xAPI 1.0.3 Data 2.3.1 and 4.6): ``PT60S`` is not ``PT1M``.
    """
    match = _seconds_fraction(text)
    if match is None:
        return text
    kept = match[1][:2].rstrip("0")
    return text[: match.start()] + ("." + kept if kept else "") + "S"
