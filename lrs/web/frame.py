"""The frame of every page: organisation, navigation, and who is signed in. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

PRODUCT = "Engraft"


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation.

    A template that is this page, or belongs under it, sets ``here`` to *name*. *count* is shown beside *text* unless it
    is 0: the number of things that wait there for the visitor.
    """

    name: str
    text: str
    address: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a page.

    *name* is the organisation's and links to *home*, if that is given. If *sign_out* (an address) is set, the frame has
    a form with the token *form* that signs out, and shows *who* is signed in. *account* is the address of the page
    about that person.
    """

    name: str = PRODUCT
    home: str = ""
    places: tuple[Place, ...] = ()
    who: str = ""
    account: str = ""
    sign_out: str = ""
    form: str = ""


FrameOf = Callable[[Request], Frame]
"""Makes the frame for the page of a request. It is also called for refusals, where nobody may be signed in."""
