"""The JSON-LD contexts that a badge may name, from files in the package with fixed hashes; never from the network.

Every other address is refused: if somebody could change a context, a signature over it would prove nothing. Knows
nothing of what a context says.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrs.kernel.errors import Misconfigured

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
_OB = "https://purl.imsglobal.org/spec/ob/v3p0"
OPEN_BADGES_FORMER = (f"{_OB}/context-3.0.2.json", f"{_OB}/context-3.0.1.json", f"{_OB}/context.json")
"""Former editions of the context of Open Badges 3.0, the oldest last."""

FOLDER = Path(__file__).with_name("contexts")
PINNED: Mapping[str, tuple[str, str]] = {
    CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES: ("ob-v3p0-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
    EXTENSIONS: ("ob-v3p0-extensions.json", "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93"),
    CREDENTIALS_V1: ("credentials-v1.json", "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8"),
    OPEN_BADGES_FORMER[0]: ("ob-v3p0-3.0.2.json", "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53"),
    OPEN_BADGES_FORMER[1]: ("ob-v3p0-3.0.1.json", "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571"),
    OPEN_BADGES_FORMER[2]: ("ob-v3p0-3.0.0.json", "9f1c8f9f361ba2994b9b50701f41149919542c50c7b7455b2846d87959295d72"),
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": (
        "clr-v2p0-2.0.1.json",
        "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        "data-integrity-v1.json",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "data-integrity-v2.json",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "ed25519-2020-v1.json",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/suites/jws-2020/v1": (
        "jws-2020-v1.json",
        "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
    ),
    "https://w3id.org/security/multikey/v1": (
        "multikey-v1.json",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "status-list-2021-v1.json",
        "fbed35e8a8f01448db4c2db7fa37496f71588aa9cf1e64f71a50fe58677f1c53",
    ),
    "https://www.w3.org/ns/credentials/status/v1": (
        "credentials-status-v1.json",
        "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c",
    ),
    "https://w3id.org/dcc/v1": ("dcc-v1.json", "1543695325471b0d23e839a28166ba4ea445cca294ac46fe034ca584cbfc6077"),
}


class UnknownContext(Exception):
    """A document names a context that is not in the package."""


@functools.cache
def context(url: str) -> dict[str, Any]:
    """The context document at *url*.

    Raises ``UnknownContext``; ``Misconfigured`` if the file in the package was changed.
    """
    if url not in PINNED:
        raise UnknownContext(f"the context {url} is not one of those shipped")
    name, expected = PINNED[url]
    content = (FOLDER / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != expected:
        raise Misconfigured(f"badges/proofs/contexts/{name} is not the published file; install the package anew")
    document: dict[str, Any] = json.loads(content)
    return document


def load(url: str, _options: object = None) -> dict[str, Any]:
    """PyLD's document loader for these files."""
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": context(url),
        "tag": "static",
    }
