"""Which validation rules a learner's aims break: those of each aim (``rules``), and those of all together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adapters.apprenticeship.ilr.aims import COMPONENT, PROGRAMME, Aim, IlrReturn
from adapters.apprenticeship.ilr.rules import AIM_RULES


class BrokenRule(NamedTuple):
    """A rule that a learner breaks, with the aim's line in the file that was sent."""

    name: str
    column: str
    says: str
    line: str


OF_LEARNER = ("ULN_04", "R_06", "R_07", "R_30", "R_59", "AimSeqNumber_02", "EmpId_01")
"""The rules that are checked of a learner as a whole; ``EmpId_01`` while the file is read."""


def broken_by(aims: Sequence[Aim], of: IlrReturn) -> Iterator[BrokenRule]:
    """The rules that a learner's *aims* break, in their order."""
    for aim in aims:
        for rule in AIM_RULES:
            if rule.breaks(aim, of):
                yield BrokenRule(rule.name, rule.column, rule.says, aim.line)
    yield from _together(aims)


def _together(aims: Sequence[Aim]) -> Iterator[BrokenRule]:
    numbers = [aim.number for aim in aims]
    programmes = {(aim.programme, aim.standard) for aim in aims if aim.type == PROGRAMME}
    for at, aim in enumerate(aims):
        if aim.number in numbers[:at]:
            yield BrokenRule(
                "R_07", "aim_number", "the learner has another aim with the same sequence number", aim.line
            )
        if aim.number > len(aims):
            says = "the aim sequence number is greater than the number of the learner's aims"
            yield BrokenRule("AimSeqNumber_02", "aim_number", says, aim.line)
        if aim.type == COMPONENT and (aim.programme, aim.standard) not in programmes:
            says = "the part of a programme has no programme aim with the same programme type and standard"
            yield BrokenRule("R_30", "programme_type", says, aim.line)
