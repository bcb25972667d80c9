"""The About resource: which xAPI versions are answered, and by which program. Open to everybody; knows no tenant.

Rules: xAPI 1.0.3 Communication 2.8; IEEE 9274.1.1 4.1.6.7.
"""

from __future__ import annotations

from importlib.metadata import version

from lrs.xapi.request import Answer, Request, Resource, json_answer

OLD = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
VERSIONS = (*OLD, "2.0.0")
PROGRAM = "https://w3id.org/engraft/program"


async def get(request: Request) -> Answer:
    """GET /about, with or without credentials and version header.

    Who says that it speaks 1.0 is told the versions of 1.0: clients of that time (tincan) fail on one they do not know.
    """
    request.parameters(())
    versions = OLD if request.headers.get("x-experience-api-version", "").startswith("1.0") else VERSIONS
    return json_answer({"version": versions, "extensions": {PROGRAM: {"name": "Engraft", "version": release()}}})


def release() -> str:
    """The version of this program."""
    return version("engraft-lrs")


HANDLERS: dict[tuple[str, str], Resource] = {("about", "GET"): get}
