"""The About resource: the supported xAPI versions, and the program's version. Open to everybody; knows no tenant.

Rules: xAPI 1.0.3 Communication 2.8; IEEE 9274.1.1 4.1.6.7.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from lrs.web.frame import PRODUCT
from lrs.xapi.request import Answer, Request, Resource, json_answer

OLD = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
VERSIONS = (*OLD, "2.0.0")
PROGRAM = "https://w3id.org/engraft/program"


async def get(request: Request) -> Answer:
    """GET /about, with or without credentials and version header.

    A request with a version header 1.0.x is told only versions 1.0.x: clients of that time (tincan) fail on a version
    that they do not know.
    """
    request.parameters(())
    versions = OLD if request.headers.get("x-experience-api-version", "").startswith("1.0") else VERSIONS
    return json_answer({"version": versions, "extensions": {PROGRAM: {"name": PRODUCT, "version": release()}}})


@cache
def release() -> str:
    """The version of this program. It is read from the disk once, because anybody may ask for it at any rate."""
    return version("engraft-lrs")


HANDLERS: dict[tuple[str, str], Resource] = {("about", "GET"): get}
