"""The frame of every page: organisation, navigation, and who is signed in. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request

PRODUCT = "Engraft"
MOST = 8
"""Places that stand side by side; more are grouped."""


class Place(msgspec.Struct, frozen=True):
    """A page in the navigation.

    A template that is this page, or belongs under it, sets ``here`` to *name*. *count* is shown beside *text* unless it
    is 0: the number of things that wait there for the visitor. *group* is the word under which it stands where there
    are many. One that *leaves* is no page of ours: it opens in place of what shows ours in a frame.
    """

    name: str
    text: str
    address: str
    count: int = 0
    group: str = ""
    leaves: bool = False


class Menu(msgspec.Struct, frozen=True):
    """Some places of the navigation under one word; a place by itself has its own *text*."""

    text: str
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        """How much waits in all of them."""
        return sum(one.count for one in self.places)

    def has(self, name: str) -> bool:
        """Whether the place *name* is one of them."""
        return any(one.name == name for one in self.places)


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

    @property
    def menus(self) -> tuple[Menu, ...]:
        """The places as they are shown: one by one, or, where there are more than ``MOST``, by their groups."""
        if len(self.places) <= MOST:
            return tuple(Menu(one.text, (one,)) for one in self.places)
        found: dict[str, list[Place]] = {}
        for one in self.places:
            found.setdefault(one.group or one.text, []).append(one)
        return tuple(Menu(word if len(some) > 1 else some[0].text, tuple(some)) for word, some in found.items())


FrameOf = Callable[[Request], Frame]
"""Makes the frame for the page of a request. It is also called for refusals, where nobody may be signed in."""
