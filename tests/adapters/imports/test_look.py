"""What a file is found to be: its header, the adapter that knows most of its columns, and what the others may mean."""

from __future__ import annotations

import pytest

from adapters.catalogue import table as offerings
from adapters.imports.look import FoundFile, Look, column_of, look_at
from adapters.imports.mappings import SavedProfile
from adapters.imports.sources import SOURCES
from adapters.planning import demand
from adapters.reading.columns import COLUMNS
from adapters.reading.profile import MappingProfile
from adapters.training_centre import checklist_table
from lrs.competency.rules import ready
from lrs.kernel.errors import Refused


def looked(tmp_path, text, saved=()):
    path = tmp_path / "file.csv"
    path.write_text(text)
    return look_at(path, saved)


def test_each_column_of_each_source_is_called_something_and_no_other():
    listed = [*COLUMNS, *(column for source in SOURCES.values() for column in source.named)]
    labels = [*COLUMNS.values(), *(words for source in SOURCES.values() for words in source.named.values())]

    assert {column for source in SOURCES.values() for column in source.columns} == set(listed)
    assert len(set(listed)) == len(listed)
    assert len({words.label for words in labels}) == len(listed)
    assert all(source.named.keys() <= source.columns for source in SOURCES.values())


def test_no_header_is_known_for_two_columns_of_one_source():
    for source in SOURCES.values():
        words = COLUMNS | source.named
        listed = [header for column in source.columns for header in (*words[column].headers, column)]
        assert len(set(listed)) == len(listed)


def test_a_header_below_a_title_is_found_its_sort_and_what_its_columns_may_mean(tmp_path):
    found = looked(tmp_path, "Register of November\n\nSession number;Surname;Attended;Room\nS-1;Lee;yes;4\n")

    assert (found.adapter, found.look.sort, found.look.places) == ("training-centre", "text", (("", 3),))
    meant = {header: column_of(header, found.adapter, found.profile) for header in found.look.headers}
    assert meant == {"Session number": "session_id", "Surname": "family_name", "Attended": "attendance", "Room": ""}
    assert set(found.look.guesses) == {"Session number", "Surname", "Attended"}


def test_where_no_header_is_known_the_fullest_line_is_shown(tmp_path):
    found = looked(tmp_path, "About\none;two;three\n1;2;3\n")

    assert found.look.headers == ("one", "two", "three")
    assert found.look.places == (("", 2),)


UNCLEAR = "ULN,Given name,Family name\n1000000001,Ann,Lee\n"


def test_a_file_that_says_no_more_of_one_adapter_is_read_by_the_usual_one(tmp_path):
    before = FoundFile(Look("", ("Session number",), ()), "training-centre", MappingProfile())

    assert looked(tmp_path, UNCLEAR).adapter == "eportfolio"
    assert look_at(tmp_path / "file.csv", (), before=[before]).adapter == "training-centre"


def test_a_file_with_the_headers_of_one_before_is_read_like_it_and_any_other_is_not(tmp_path):
    profile = MappingProfile(headers={"ksb_code": ["Criteria"]}, hours="h.mm")
    by_page = FoundFile(Look("text", ("ULN", "Criteria", "Hours"), (), before="october.csv"), "eportfolio", profile)
    given = Look("text", ("ULN", "Criteria", "Hours", "Room"), (), before="october.csv", given=True)
    by_program = FoundFile(given, "eportfolio", profile)
    path = tmp_path / "file.csv"

    for before in (by_page, by_program):
        path.write_text("Criteria,uln,Hours\nS4,1000000001,6.30\n")
        like = look_at(path, (), before=[before])
        path.write_text("KSB,uln,Hours\nS4,1000000001,6.30\n")
        other = look_at(path, (), before=[before])

        assert (like.look.before, like.profile, like.look.guesses) == ("october.csv", profile, ())
        assert (other.look.before, other.profile.hours) == ("", "")
    path.write_text("Criteria,uln,Hours\nS4,1000000001,6.30\n")
    assert look_at(path, (), "training-centre", [by_page]).adapter == "training-centre"
    for headers in ("Criteria,uln,Hours,Room", "Criteria,uln"):
        path.write_text(f"{headers}\nS4,1000000001,6.30,4\n")
        assert look_at(path, (), before=[by_page]).look.before == ""


@pytest.mark.parametrize("chosen", SOURCES)
def test_the_adapter_that_somebody_chose_stays_whatever_the_headers_say(tmp_path, chosen):
    profile = MappingProfile(headers={"record": ["Name"]})
    saved = SavedProfile("Other", "north", next(one for one in SOURCES if one != chosen), profile, 1, "test")
    path = tmp_path / "file.csv"
    for text in (UNCLEAR, "record,session_id,title,starts_at\n", "learner_ref,standard_ref,ksb_code\n", "Name,x\n"):
        path.write_text(text + "1,2,3,4\n")

        assert look_at(path, [saved], chosen).adapter == chosen


def test_saved_columns_are_used_where_they_know_as_much(tmp_path):
    profile = MappingProfile(headers={"learner_ref": ["Wer"], "standard_ref": ["Was"], "start_date": ["Seit"]})
    saved = SavedProfile("Ours", "north", "eportfolio", profile, 1, "test")

    fits = looked(tmp_path, "Wer,Was,Seit\nP-1,ST1406,2025-09-01\n", [saved])
    other = looked(tmp_path, "record,session_id,title,starts_at\nsession,S-1,Gown,2026-11-02T09:00\n", [saved])

    assert (fits.look.known, fits.profile, fits.look.guesses) == ("Ours", profile, ())
    assert (other.look.known, other.adapter) == ("", "training-centre")
    plain = SavedProfile("Plain", "north", "eportfolio", MappingProfile(hours="h.mm"), 1, "test")
    as_much = looked(tmp_path, "learner_ref,standard_ref,otj_date,otj_hours\nP-1,ST1406,2025-09-01,6.30\n", [plain])
    assert (as_much.look.known, as_much.profile.hours) == ("Plain", "h.mm")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (ready.COLUMNS, "a table of rules.*the page Rules"),
        (demand.COLUMNS, "how many people are wanted.*the page Planning"),
        (demand.REGION_COLUMNS, "postcode districts.*the page Planning"),
        (map(str.title, checklist_table.COLUMNS), "a table of checklists.*the page Checklists"),
        (offerings.COLUMNS, "a table of the catalogue.*the page Catalogue"),
    ],
)
def test_a_table_of_ours_is_called_what_it_is_and_no_file_of_learners(tmp_path, columns, says):
    headers = ",".join(columns)
    row = "," * headers.count(",") + "2"

    with pytest.raises(Refused, match=says):
        looked(tmp_path, f"{headers}\n{row}\n")

    assert looked(tmp_path, f"ULN,{headers}\n1000001376,{row}\n").adapter
