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

FOLDER = Path(__file__).with_name("contexts")
PINNED: Mapping[str, tuple[str, str]] = {
    CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES: ("ob-v3p0-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
    EXTENSIONS: ("ob-v3p0-extensions.json", "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93"),
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
        raise Misconfigured(f"badges/contexts/{name} is not the published file; install the package anew")
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
