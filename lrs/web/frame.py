"""What stands round every page: whose it is, where else one can go, and who is signed in. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

PRODUCT = "Engraft"


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation. A template that is this page, or lies below it, sets ``here`` to *name*.

    *count* is shown beside *text* unless it is 0: how much waits there for whoever is signed in.
    """

    name: str
    text: str
    address: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a page. *name* is the organisation's and leads to *home*, if that is given.

    With *sign_out*, an address, the frame has a form with the token *form* that signs out, and says *who* is signed in;
    *account* is the address of the page about them.
    """

    name: str = PRODUCT
    home: str = ""
    places: tuple[Place, ...] = ()
    who: str = ""
    account: str = ""
    sign_out: str = ""
    form: str = ""


FrameOf = Callable[[Request], Frame]
"""Makes the frame of the page that answers a request. It is also called for refusals, when nobody may be signed in."""
