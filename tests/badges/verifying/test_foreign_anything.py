"""Whatever stands in whatever place of a badge of others, or of what its addresses answer, the verifier answers."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from badges.keys.issuer import did_url
from badges.verifying.verdict import Unavailable
from badges.verifying.verify import verify
from badges.views import verdict_view
from tests.badges.foreign.badges import DOCUMENTS, MAYZE, WEB
from tests.badges.made import NOON

VALUES: list[Any] = [None, True, -1, 1.5, 2**70, "", [], {}, "x", "https://[", "did:web:", "did:key:z", "did:jwk:e30"]
VALUES += [[[]], [None], {"id": []}, "u", "#", {"@context": []}, ["a"] * 3, 10**11, "2026-01-01T00:00:00Z"]
CASES = 100
"""For each of four seeds: 0.4 s of CPU."""


def changed(value: Any, chance: random.Random) -> Any:
    """*value* with another value at a place of it, or without what was there."""
    made = json.loads(json.dumps(value))
    part: Any = made
    while True:
        step = chance.choice(list(part)) if isinstance(part, dict) else chance.randrange(len(part))
        inner = part[step]
        if not (isinstance(inner, dict | list) and inner) or chance.random() < 0.2:
            break
        part = inner
    if isinstance(part, dict) and chance.random() < 0.2:
        del part[step]
    else:
        part[step] = chance.choice(VALUES)
    return made


def text_changed(text: str, chance: random.Random) -> str:
    """The same for JSON, or for the header or the claims of a JWT."""
    if text.startswith("{"):
        return json.dumps(changed(json.loads(text), chance))
    token, tilde, rest = text.partition("~")
    parts = token.split(".")
    place = chance.randrange(2)
    value = json.loads(base64.urlsafe_b64decode(parts[place] + "=="))
    parts[place] = base64.urlsafe_b64encode(json.dumps(changed(value, chance)).encode()).decode().rstrip("=")
    return ".".join(parts) + tilde + rest


@pytest.mark.parametrize("seed", range(4))
def test_nothing_in_any_place_makes_the_verifier_fall_over(seed):
    chance = random.Random(seed)
    for _ in range(CASES):
        text, web = DOCUMENTS[chance.choice(list(DOCUMENTS))], dict(WEB)
        if chance.random() < 0.6:
            text = text_changed(text, chance)
        else:
            url = chance.choice(list(web))
            web[url] = text_changed(web[url].decode(), chance).encode()

        def fetch(url: str, web: dict[str, bytes] = web) -> bytes:
            if url not in web:
                raise Unavailable(url)
            return web[url]

        def resolve(did: str, web: dict[str, bytes] = web) -> Any:
            try:
                return json.loads(web[did_url(did)])
            except (KeyError, ValueError) as error:
                raise Unavailable(did) from error

        verdict = verify(text.encode(), at=NOON, resolve=resolve, fetch=fetch, address=MAYZE)

        assert verdict.checks, text
        assert verdict_view.told(verdict, {})["outcome"], text
        assert verdict_view.shown(verdict, {})["badges"], text
