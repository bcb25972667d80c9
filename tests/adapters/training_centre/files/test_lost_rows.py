"""Rows whose checklist is not known: which checklists they hold back, and what that costs in a large file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.reading.people import FileLearner, Ifi
from adapters.reading.profile import MappingProfile
from adapters.training_centre.files.facts import TrainingSession
from adapters.training_centre.files.observations import Checklists
from adapters.training_centre.files.sessions import HeldSession
from adapters.training_centre.files.source import TrainingCentre
from lrs.kernel.tables.row import Row, RowPlace
from tests.adapters.training_centre.files.test_checklists import STEP

STARTS = datetime(2026, 11, 2, 9, tzinfo=UTC)
HELD = HeldSession(TrainingSession("S1", "Gowning", "practical", STARTS, STARTS + timedelta(hours=8)), "held")


class Counted(dict[str, str]):
    """The cells of a row, which count how often they are looked at."""

    looks = 0

    def get(self, column, default=None):
        Counted.looks += 1
        return super().get(column, default)


class ByRef:
    """Learners by their reference alone."""

    def read(self, row):
        return FileLearner(row.cells["learner_ref"], (Ifi("https://centre.example", row.cells["learner_ref"]),))


@pytest.fixture
def checklists():
    terms = MappingProfile().terms("centre", TrainingCentre.worded, TrainingCentre.free, STARTS + timedelta(days=1))
    return Checklists(terms)


def row(number: int, **cells: str) -> Row:
    return Row(RowPlace("", number), Counted(STEP | cells))


def seen(checklists, number: int, **cells: str) -> None:
    checklists.add(row(number, **cells), lambda _: HELD, ByRef())


def test_of_rows_that_may_belong_to_a_checklist_the_first_of_the_file_is_named(checklists):
    seen(checklists, 1)
    checklists.lose(row(2, step_id="hands"))
    checklists.lose(row(3, session_id="S2", step_id="hood"))
    checklists.lose(row(4, session_id="", step_id="hood"))
    checklists.lose(row(5, checklist_id="", step_id="hood"))
    checklists.lose(row(6, step_id="hood"))

    (outcome,) = checklists.outcomes(set(), lambda *_: {})

    assert outcome.problem.message.startswith("row 4 may belong to the same checklist")


def test_what_a_lost_row_costs_does_not_grow_with_the_checklists_of_the_file(checklists):
    for number in range(100):
        seen(checklists, number, learner_ref=f"L{number}")
        checklists.lose(row(number, session_id="S2"))
    Counted.looks = 0

    outcomes = list(checklists.outcomes(set(), lambda *_: {}))

    assert len(outcomes) == 100
    assert Counted.looks < 1_000
