"""The products that can be connected: which scopes a key for each needs, and in which form it wants the address. Pure.

What to do in each product stands in ``templates/staff/connect-key.html``. Where the menus were read: Moodle's
``logstore_xapi`` (settings and language file of xAPI-vle/moodle-logstore_xapi), Articulate's "Storyline 360: LRS
Support", ``wp-h5p-xapi`` and H5P.com's "LRS Integration", Open edX's "event-routing-backends: Configuration".
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import capital

SAMPLES = Path(__file__).parent / "samples"
TRIAL = "statement.sh.txt"
"""The sample with which a product's address and key are tried: a command that sends one statement."""
MAY: Mapping[str, str] = {
    "statements/write": "send records",
    "statements/read/mine": "read back the records that it sent",
    "statements/read": "read the records of all sources",
    "state": "keep the place where a learner stopped",
    "agents/profile/read": "read a learner's preferences",
    "profile": "keep data about learners and activities",
    "define": "describe activities anew",
    "all/read": "read everything of xAPI",
    "all": "use everything of xAPI",
    "void/any": "void the records of all sources",
    "import": "send files of its provider",
    "courses": "bring in and launch courses",
    "admin": "manage this organisation",
}
"""What each scope lets a key do, in words."""


def scopes_said(scopes: Iterable[str]) -> str:
    """What a key with *scopes* may do, as in a cell of a table."""
    return capital("; ".join(MAY.get(scope, scope) for scope in scopes))


_SERVER = ("statements/write",)
_CONTENT = ("statements/write", "state", "agents/profile/read")
_PROGRAM = ("statements/write", "statements/read/mine")


class Platform(msgspec.Struct, frozen=True):
    """A product. *slash*: its address ends with a slash. *source* is a name to propose.

    *sample* is a file with code; that of a product that is no program only tries the address and the key. *article*
    stands before its title in a sentence.
    """

    name: str
    title: str
    says: str
    scopes: tuple[str, ...]
    source: str
    slash: bool = False
    sample: str = TRIAL
    article: str = ""

    @property
    def is_program(self) -> bool:
        """Whether its sample is what is run in the end."""
        return self.sample != TRIAL

    @property
    def called(self) -> str:
        """Its title within a sentence."""
        return f"{self.article} {self.title}".strip()


PLATFORMS = {
    one.name: one
    for one in (
        Platform("moodle", "Moodle", "Its plugin Logstore xAPI sends what learners do.", _SERVER, "moodle"),
        Platform(
            "storyline",
            "Storyline or Rise",
            "A course that reports to this store, wherever it is played.",
            _CONTENT,
            "storyline",
            slash=True,
        ),
        Platform(
            "captivate",
            "Captivate",
            "A course made with Adobe Captivate, wherever it is played.",
            _CONTENT,
            "captivate",
            slash=True,
        ),
        Platform("h5p", "H5P", "Interactive content in WordPress, or on H5P.com.", _SERVER, "h5p", slash=True),
        Platform("open-edx", "Open edX", "Its plugin event-routing-backends sends events.", _SERVER, "open-edx"),
        Platform(
            "python",
            "Python program",
            "Sample code that runs as it is.",
            _PROGRAM,
            "python-program",
            sample="statement.py.txt",
            article="a",
        ),
        Platform(
            "javascript",
            "JavaScript program",
            "Sample code that runs as it is.",
            _PROGRAM,
            "javascript-program",
            sample="statement.js.txt",
            article="a",
        ),
    )
}


def platform_named(name: str) -> Platform:
    """Raises ``Refused`` (404) if there is none of that name."""
    found = PLATFORMS.get(name)
    if found is None:
        raise Refused("This product is not known here. Choose one from the list.", status=404, error="not_found")
    return found


def address_for(platform: Platform, endpoint: str) -> str:
    """*endpoint*, which has no slash at its end, as *platform* wants it."""
    return f"{endpoint}/" if platform.slash else endpoint


def sample_for(platform: Platform, endpoint: str, key: str) -> str:
    """The sample code of *platform* with these values."""
    return _sample(platform.sample).replace("{endpoint}", endpoint).replace("{key}", key)


@functools.cache
def _sample(name: str) -> str:
    return (SAMPLES / name).read_text()
