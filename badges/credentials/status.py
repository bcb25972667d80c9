"""Bitstring status lists: bits, the list credential, and free places in a list. Decides nothing about badges.

The record ``status:<list>:<n>`` takes a place. The record ``status-list:<list>`` is the published list; its body is the
signed credential with the bits. Source: W3C "Bitstring Status List v1.0" (May 2025).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from badges.proofs.contexts import CREDENTIALS_V2
from lrs.kernel.base64url import base64url
from lrs.storage import Reader

ENTRIES = 131_072
REVOCATION = "revocation"
SUSPENSION = "suspension"
PROBES = 16
MAX_BYTES = 4 * 1024 * 1024

Draw = Callable[[int], int]
"""A random number from 0 up to, and not including, the given one: ``secrets.randbelow``."""

_LISTS = ("BitstringStatusList", "StatusList2021")
EMPTY = bytes(ENTRIES // 8)


def is_set(bits: bytes, index: int) -> bool:
    """Bit *index*, counted from the most significant bit of the first byte. Raises ``IndexError`` outside the list."""
    if not 0 <= index < 8 * len(bits):
        raise IndexError(f"place {index} is not in a list of {8 * len(bits)}")
    return bool(bits[index // 8] >> (7 - index % 8) & 1)


def with_all_set(bits: bytes, indexes: Iterable[int]) -> bytes:
    """*bits* with the bits *indexes* set. Raises ``IndexError`` outside the list."""
    changed = bytearray(bits)
    for index in indexes:
        is_set(bits, index)
        changed[index // 8] |= 1 << (7 - index % 8)
    return bytes(changed)


def encode(bits: bytes) -> str:
    """*bits* gzipped, in base64url without padding, with multibase's ``u`` in front. Equal bits give equal texts."""
    packer = zlib.compressobj(level=9, wbits=31)
    packed = packer.compress(bits) + packer.flush()
    return "u" + base64url(packed)


def decode(encoded: str) -> bytes:
    """The bits. Raises ``ValueError`` for another form, for fewer than 131,072 bits and for more than 4 MiB."""
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise ValueError("encodedList is not multibase base64url")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        packed = base64.b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4), altchars=b"-_", validate=True)
        bits = unpacker.decompress(packed, MAX_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("encodedList is not gzip in base64url") from error
    if not unpacker.eof:
        raise ValueError("encodedList is cut off, or unpacks to more than 4 MiB")
    if 8 * len(bits) < ENTRIES:
        raise ValueError(f"the list has fewer than {ENTRIES} places")
    return bits


def compose_list(url: str, issuer: str, purpose: str, bits: bytes, valid_from: str) -> dict[str, Any]:
    """The unsigned list credential. It has no ``validUntil``, because it holds until the next one is fetched."""
    return {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": valid_from,
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode(bits),
        },
    }


def bits_of(credential: Mapping[str, Any], purpose: str) -> bytes:
    """The bits of a list credential, also one of Status List 2021, whose text has no multibase.

    Raises ``ValueError`` if it is not one, or has another purpose.
    """
    kinds, subject = credential.get("type"), credential.get("credentialSubject")
    name = next((one for one in _LISTS if isinstance(kinds, list) and f"{one}Credential" in kinds), None)
    if name is None or not isinstance(subject, Mapping):
        raise ValueError("not a BitstringStatusListCredential")
    if subject.get("type") not in (name, [name]):
        raise ValueError("the subject is no BitstringStatusList")
    purposes = subject.get("statusPurpose")
    if purpose not in (purposes if isinstance(purposes, list) else [purposes]):
        raise ValueError(f"the list is not about {purpose}")
    encoded = subject.get("encodedList")
    if name == _LISTS[1] and isinstance(encoded, str):
        encoded = f"u{encoded}"
    return decode(encoded or "")


def place_id(name: str, index: int) -> str:
    """The id of the record that takes place *index* of list *name*."""
    return f"status:{name}:{index}"


def free_place(reader: Reader, names: Iterator[str], draw: Draw) -> tuple[str, int]:
    """One of the lists *names*, and a random free place in it, so that neighbours in a list have nothing in common.

    A list where 16 draws find no free place is left for the next one; it is about 90 % full by then.
    """
    while True:
        name = next(names)
        drawn = {place_id(name, index): index for index in (draw(ENTRIES) for _ in range(PROBES))}
        taken = reader.get_many("status", drawn)
        for id, index in drawn.items():
            if id not in taken:
                return name, index
