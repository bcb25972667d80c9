"""An attempt at a checklist is one fact, whichever version of it a file or the page names, or none."""

import pytest

from adapters.reading.source import Fact
from adapters.training_centre import acts, told
from adapters.training_centre.files import observations
from tests.adapters.training_centre.test_centre_day import verbs
from tests.competency.world import Clock, World

FILE = """record,session_id,title,starts_at,ends_at,kind,instructor,email,attendance,\
checklist_id,step_id,result,critical,observed_at,observer
session,S1,Gowning,2026-11-21 11:00,11:40,practical,tess@centre.example,,,,,,,,
roster,S1,,,,,,ann@learners.example,present,,,,,,
observation,S1,,,,,,ann@learners.example,,gowning@1,hands,pass,yes,11:02,tess@centre.example
observation,S1,,,,,,ann@learners.example,,gowning@1,hood,pass,,11:03,tess@centre.example
"""
BARE = FILE.replace("@1,", ",")
RULES = """activity,verb,competency,level,valid for,trusted source
https://w3id.org/engraft/centres/north/checklists/gowning,passed,GOWN,1,,north
"""


def held(centre):
    """The session of ``FILE``, marked minute by minute from 11:00 and closed."""
    session = centre.session(centre.checklist(), "Ann Arden, ann@learners.example")
    centre.came(session, "Ann", "present")
    centre.saw(session, "Ann", "hands", "pass")
    centre.saw(session, "Ann", "hood", "pass")
    acts.close(centre.day(), session.id)
    return session


def outcomes(report):
    return [row.outcome for row in report.rows]


def of_checklist(endpoint):
    """What stands of the checklist: the outcome and the version of each statement."""
    told = [one for one in endpoint.valid() if "/checklists/" in one["object"].get("id", "")]
    return [(one["verb"]["id"].rpartition("/")[2], one["context"].get("revision", "")) for one in told]


@pytest.fixture
def as_before(monkeypatch):
    """Tells attempts as release 0.2 did until the test takes it back: with the version in the key."""

    def attempt_at(key, version, seen, *, partial=False):
        name = f"{key[2]}@{version}" if version else key[2]
        return Fact("checklist", (*key[:2], name, key[3]), seen, partial=partial)

    with monkeypatch.context() as patched:
        for module in (told, observations):
            patched.setattr(module, "attempt_at", attempt_at)
        yield patched


def test_a_file_that_names_no_version_says_nothing_new_of_what_the_page_told(centre, endpoint, bring):
    held(centre)
    before = endpoint.statements

    report = bring("training-centre", BARE)

    assert outcomes(report) == ["unchanged"] * 4
    assert endpoint.statements == before


def test_a_correction_on_the_page_takes_the_level_though_a_file_without_a_version_told_the_same(centre, bring):
    world = World.of(centre.tenant, Clock())
    world.begin(RULES)
    session = held(centre)
    bring("training-centre", BARE)
    world.work()
    levels = len(world.awards())

    centre.saw(session, "Ann", "hands", "fail", why="seen on the film")
    world.work()

    assert (levels, world.awards()) == (1, [])


def test_a_file_without_a_version_and_then_the_page_is_one_attempt_and_the_file_says_nothing_new_again(
    centre, endpoint, bring
):
    bring("training-centre", BARE)
    first = of_checklist(endpoint)

    held(centre)

    assert (first, of_checklist(endpoint)) == ([("passed", "")], [("passed", "1")])
    assert outcomes(bring("training-centre", BARE)) == ["unchanged"] * 4


def test_a_file_that_names_another_version_corrects_what_the_page_told_and_the_page_corrects_it_back(
    centre, endpoint, bring
):
    session = held(centre)
    bring("training-centre", FILE.replace("@1,", "@2,"))
    by_file = of_checklist(endpoint)

    centre.saw(session, "Ann", "hood", "fail", why="wrong line")

    assert (by_file, of_checklist(endpoint)) == ([("passed", "2")], [("failed", "1")])


@pytest.mark.parametrize("text", [FILE, BARE], ids=["version", "no version"])
def test_a_file_that_an_earlier_release_took_says_nothing_new(as_before, endpoint, bring, text):
    bring("training-centre", text)
    as_before.undo()
    before, entries = endpoint.statements, endpoint.entries

    report = bring("training-centre", text)

    assert outcomes(report) == ["unchanged"] * 4
    assert (endpoint.statements, endpoint.entries) == (before, entries)


def test_what_the_page_of_an_earlier_release_told_is_known_to_a_file_without_a_version(
    as_before, centre, endpoint, bring
):
    held(centre)
    as_before.undo()
    before = endpoint.statements

    assert outcomes(bring("training-centre", BARE)) == ["unchanged"] * 4
    assert endpoint.statements == before

    bring("training-centre", BARE.replace("hood,pass", "hood,fail"))

    assert of_checklist(endpoint) == [("failed", "1")]


def test_of_an_attempt_that_an_earlier_release_told_twice_a_correction_leaves_one(as_before, centre, endpoint, bring):
    session = held(centre)
    bring("training-centre", BARE)
    as_before.undo()
    twice, before = verbs(endpoint).count("passed"), endpoint.statements
    for text in (FILE, BARE):
        assert outcomes(bring("training-centre", text)) == ["unchanged"] * 4
    assert endpoint.statements == before

    centre.saw(session, "Ann", "hands", "fail", why="seen on the film")

    assert (twice, of_checklist(endpoint)) == (2, [("failed", "1")])


def test_rows_of_one_attempt_that_name_two_versions_are_held_back(endpoint, bring):
    report = bring("training-centre", FILE.replace("@1,hood", "@2,hood"))

    assert [(row.code, row.column) for row in report.rows][2:] == [("told_twice", "checklist_id")] * 2
    assert of_checklist(endpoint) == []


def test_an_address_with_an_at_sign_in_its_path_names_its_checklist_whole():
    assert observations.named("https://x.example/@centre/gowning") == ("https://x.example/@centre/gowning", "")
    assert observations.named("https://x.example/@centre/gowning@3") == ("https://x.example/@centre/gowning", "3")
