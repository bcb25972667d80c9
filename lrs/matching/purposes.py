"""Checks the purpose of a service, which learners read as the reason to agree. Pure."""

from __future__ import annotations

import re

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import control_character

FEWEST, LONGEST = 8, 500
_WORD = re.compile(r"[^\W\d_]+")
_SMALL = (
    "a an the of for to and or in on at by with from it its is are be we us our you your they their this that not no"
)
_EMPTY = (
    "test tests testing try trial demo sample example data info information purpose purposes why what reason tbd todo"
    " use uses using used usage process processing service services system platform software app application none"
    " profile profiles skill skills badge badges learner learners user users person people personal matching match"
    " general various business legitimate interest interests lorem ipsum foo bar prawf pwrpas gwasanaeth"
)
SAYS_NOTHING = frozenset(f"{_SMALL} {_EMPTY}".split())
"""Words that do not say what a service does with the data."""


def checked_purpose(purpose: str, name: str) -> str:
    """The *purpose* of the service *name*. Raises ``Refused`` if it says nothing.

    Its words, without ``SAYS_NOTHING``, must have at least ``FEWEST`` letters, and one must not be of the name: a
    service called Fit Jobs may show jobs that fit.
    """
    told = " ".join(purpose.split())
    if not told:
        raise Refused("say what the service uses the data for: the learner is asked exactly that")
    if len(told) > LONGEST or control_character(told):
        raise Refused(f"the purpose is one text of at most {LONGEST} characters", error="bad_purpose")
    left = {word.casefold() for word in _WORD.findall(told)} - SAYS_NOTHING
    if sum(map(len, left)) < FEWEST or left <= _words(name):
        raise Refused(
            f"This purpose says nothing: without words such as test, data or service, fewer than {FEWEST} letters are"
            " left, or only the service's name. The learner reads it as the reason to agree, so say what the service"
            " does, like: To suggest jobs that fit what you can do.",
            error="bad_purpose",
        )
    return told


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
