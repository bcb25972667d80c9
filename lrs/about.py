"""The About resource: which xAPI versions are answered, and by which program. Open to everybody; knows no tenant.

Rules: xAPI 1.0.3 Communication 2.8; IEEE 9274.1.1 4.1.6.7.
"""

from __future__ import annotations

from importlib.metadata import version

from lrs.http import Answer, Request, Resource, json_answer

VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
PROGRAM = "https://w3id.org/engraft/program"


async def get(request: Request) -> Answer:
    """GET /about, with or without credentials and version header."""
    request.parameters(())
    return json_answer({"version": VERSIONS, "extensions": {PROGRAM: {"name": "Engraft", "version": _version()}}})


def _version() -> str:
    return version("engraft-lrs")


HANDLERS: dict[tuple[str, str], Resource] = {("about", "GET"): get}
