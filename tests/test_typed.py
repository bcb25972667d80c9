"""Names, titles and other lines that people type: no sign in them by which they look like another text (U+202E)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lrs
from adapters.training_centre import checklists, planning
from badges.keys.issuer import fault_of
from lrs.access.staff import accepted_name
from lrs.kernel.contacts import checked_contact
from lrs.kernel.errors import Refused
from lrs.matching.services import service_id
from lrs.pages.operator.organisations import checked_name

TURNED = "Ann \u202egnol"
HOUSE = Path(lrs.__file__).parents[1]
OF_SEVERAL_LINES = {
    "badges/held/stops.py",
    "lrs/competency/corrections.py",
    "lrs/competency/frameworks/frameworks.py",
    "lrs/matching/purposes.py",
    "lrs/people/questions.py",
}
"""Modules that let such a sign in: texts of several lines, which pages show by themselves, and those of frameworks."""


def checklist(title: str, text: str = "Puts it on") -> object:
    return checklists.checked(checklists.Checklist("north", "gown", title, (checklists.ChecklistStep("one", text),)))


@pytest.mark.parametrize(
    "typed",
    [
        accepted_name,
        checked_contact,
        checked_name,
        service_id,
        checklist,
        lambda text: checklist("Gowning", text),
        lambda text: planning.line({"title": text}, "title"),
    ],
)
def test_a_name_that_turns_the_direction_of_a_text_is_refused(typed):
    typed("Ann Ó Brien, אנה")
    with pytest.raises((Refused, planning.FormFault)):
        typed(TURNED)
    assert "hidden" in (fault_of(TURNED, None) or "")


def test_only_texts_of_several_lines_are_looked_at_for_control_characters_alone():
    sources = [path for room in ("lrs", "adapters", "badges") for path in (HOUSE / room).rglob("*.py")]
    using = {str(path.relative_to(HOUSE)) for path in sources if "control_character(" in path.read_text("utf-8")}

    assert using - {"lrs/kernel/plain_text.py"} == OF_SEVERAL_LINES


def test_no_message_begins_with_a_name_which_pages_would_begin_with_a_capital():
    begins = re.compile(r'(?:Refused\(|message = |waits = )f"\{[\w.\[\]]*(?:name|label|service|\bid)\}')
    files = [path for room in ("lrs", "adapters", "badges") for path in (HOUSE / room).rglob("*.py")]
    by_name = [str(path.relative_to(HOUSE)) for path in files if begins.search(path.read_text("utf-8"))]

    assert begins.search('raise Refused(f"{one.name} has no seat")')
    on_pages = {one for one in by_name if not re.search(r"_commands|/doctor", one)}
    assert on_pages == {  # ids that begin with no word, and the name of a field of a return
        "lrs/outbox/deliveries.py",
        "badges/issuing/rotation.py",
        "adapters/apprenticeship/ilr/source.py",
    }
