"""A part of a standard is in progress once a course is begun that leads to it by the rules in force."""

from __future__ import annotations

import json

import pytest

from adapters.apprenticeship.overview import KeptTold, apprentices
from adapters.apprenticeship.progress_read import apprenticeship
from adapters.apprenticeship.standard_records import keep, read_standards
from adapters.apprenticeship.told_of_standard import read_extensions
from adapters.reading.vocabulary import (
    ATTEMPTED,
    BASE,
    DEMONSTRATED,
    EXTENSIONS,
    INITIALIZED,
    LAUNCHED,
    PROGRESSED,
    REGISTERED,
)
from tests.adapters.apprenticeship.standard_files import record
from tests.competency.world import World, statement

STANDARD = f"{BASE}standards/ST1406/1.0"
RULES = f"""activity,verb,competency,level,threshold,valid for,trusted source
{STANDARD}/ksb/S1,demonstrated,GOWN,2,,,north
{STANDARD}/ksb/K2,demonstrated,ASEP,1,,,north
https://vle.example/gowning,passed,GOWN,1,80,,vle
https://vle.example/aseptic,passed,ASEP,1,,,vle
"""
CLEO = {"mbox": "mailto:cleo@example.org"}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, RULES)
    (standard,), _ = read_standards(json.dumps(record()).encode())
    made.write(lambda tx: keep(tx, standard, by="test"))
    made.send(statement("start", CLEO, verb=REGISTERED, activity=STANDARD), source="north")
    made.work()
    yield made
    made.close()


def states(world, sources=None, offered=()):
    seen = apprenticeship(world.tenant, (world.person(CLEO),), sources, lambda _: dict(offered))
    return {one.criterion.code: one.state for one in seen.picture.covered if one.state != "missing"}


@pytest.mark.parametrize("verb", [LAUNCHED, INITIALIZED, ATTEMPTED, PROGRESSED])
def test_a_course_that_is_begun_puts_what_it_leads_to_in_progress(world, verb):
    assert states(world) == {}

    world.send(statement("begun", CLEO, verb=verb, activity="https://vle.example/gowning"))

    assert states(world) == {"S1": "in_progress"}


def test_a_part_of_a_course_counts_for_the_course_and_evidence_goes_before_it(world):
    parts = {"contextActivities": {"grouping": [{"id": "https://vle.example/aseptic"}]}}
    world.send(statement("part", CLEO, verb=PROGRESSED, activity="https://vle.example/aseptic/1", context=parts))
    world.send(statement("gown", CLEO, verb=INITIALIZED, activity="https://vle.example/gowning"))
    world.send(statement("proof", CLEO, verb=DEMONSTRATED, activity=f"{STANDARD}/ksb/S1"), source="north")

    assert states(world) == {"K2": "in_progress", "S1": "evidenced"}


def test_what_no_rule_trusts_or_another_source_told_or_leads_elsewhere_is_no_progress(world):
    world.send(statement("strange", CLEO, verb=INITIALIZED, activity="https://vle.example/gowning"), source="else")
    world.send(statement("nowhere", CLEO, verb=INITIALIZED, activity="https://vle.example/else"))
    world.send(statement("begun", CLEO, verb=INITIALIZED, activity="https://vle.example/aseptic"))

    assert states(world) == {"K2": "in_progress"}
    assert states(world, {"north"}) == {}


def test_a_course_that_an_offering_says_gives_the_competency_leads_there_too(world):
    (gowning,) = (one.id for one in world.framework().items if one.code == "GOWN")
    world.send(statement("begun", CLEO, verb=INITIALIZED, activity="https://content.example/suits"), source="else")

    assert states(world) == {}
    assert states(world, offered={"https://content.example/suits": {gowning}}) == {"S1": "in_progress"}
    assert states(world, offered={"https://content.example/suits": {"another"}}) == {}


def listed_states(world, *sources, offered=()):
    seen = apprentices(world.tenant, sources, KeptTold(), lambda _: dict(offered))
    ((_, picture),) = seen.found
    return {one.criterion.code: one.state for one in picture.covered if one.state != "missing"}


def test_the_list_of_a_provider_says_what_is_in_progress_by_its_own_courses(world):
    world.send(statement("enrolled", CLEO, verb=REGISTERED, activity="https://vle.example/aseptic"), source="vle")
    world.send(statement("gown", CLEO, verb=LAUNCHED, activity="https://vle.example/gowning"), source="vle")
    world.work()

    assert listed_states(world, "north") == {}
    assert listed_states(world, "north", "vle") == states(world, {"north", "vle"}) == {"S1": "in_progress"}


def test_of_extensions_only_those_are_kept_that_are_read_and_no_longer_than_what_is_read_of_them():
    own = {f"{EXTENSIONS}planned-end": "2027-03-14" + "x" * 1_000, f"{EXTENSIONS}otj-countable": False}
    others = {"https://else.example/x": "y" * 1_000, f"{EXTENSIONS}actual-off-the-job-hours": ["z"]}

    assert read_extensions(own, others) == {
        f"{EXTENSIONS}planned-end": "2027-03-14" + "x" * 30,
        f"{EXTENSIONS}otj-countable": False,
    }
