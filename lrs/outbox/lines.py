"""The line of a destination: what was claimed for it, and the calls under way, one after another. Knows no store."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

from lrs.kernel.settings import Settings
from lrs.outbox.channel import End, Outcome
from lrs.outbox.fate import Outgoing
from lrs.storage import Claim

IN_A_ROW = 8
"""Calls of one line that a thread makes without asking in between. If the process ends, they are made again."""
SLOW = 1.0
"""A call that takes this many seconds or more counts as slow."""


class InLine(NamedTuple):
    """A claim in a line. It is leased *until* (microseconds UTC); *fresh* if it was leased a moment ago."""

    claim: Claim
    until: int
    fresh: bool = True


class Composed(NamedTuple):
    """A claim of a line, and the call that was composed for it.

    From *until* (``monotonic``) on what it was composed from may be out of date.
    """

    waiting: InLine
    call: Outgoing
    until: float


class CallMade(NamedTuple):
    """What became of a call: its outcome, or the error it raised; and how many seconds it took."""

    outcome: Outcome | Exception
    seconds: float


@dataclass(slots=True)
class Line:
    """The claims for one destination: those that wait, and those whose calls are under way."""

    waiting: deque[InLine] = field(default_factory=deque)
    calls: Sequence[Composed] = ()

    @property
    def claims(self) -> list[Claim]:
        """All its claims."""
        return [*(one.waiting.claim for one in self.calls), *(one.claim for one in self.waiting)]

    def take_back(self, calls: Sequence[Composed]) -> None:
        """Puts the first claims of the line back in their place: their *calls* were not made."""
        self.waiting.extendleft(one.waiting._replace(fresh=False) for one in reversed(calls))


class CallsOver(NamedTuple):
    """What became of the calls of the line *name*."""

    name: str
    future: Future[Sequence[CallMade]]


def make(calls: Sequence[Composed], settings: Settings) -> Sequence[CallMade]:
    """Makes *calls* one after another, as long as each arrives and none is out of date.

    The first one is always made. Gives what became of those that were made.
    """
    made: list[CallMade] = []
    for one in calls:
        begun = monotonic()
        if made and begun >= one.until:
            break
        try:
            outcome: Outcome | Exception = one.call.message.send(settings)
        except Exception as error:  # noqa: BLE001 (it is kept with the claim)
            outcome = error
        made.append(CallMade(outcome, monotonic() - begun))
        if isinstance(outcome, Exception) or outcome.end is not End.DELIVERED:
            break
    return made
