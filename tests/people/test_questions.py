"""What a learner says is wrong: kept, answered once, listed to staff and to who asked, and refused with a sentence."""

import json

import pytest

from lrs.kernel.errors import Refused
from lrs.people import questions
from lrs.people.questions import Matter, answer, ask, count_open, listed, of_group
from lrs.storage import Walk, open_store
from lrs.storage.about import Whose
from tests.competency.world import Clock

GOWNING, PIPETTING = "https://example.org/gowning", "https://example.org/pipetting"


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=Clock(), secret=bytes(32))
    yield store
    store.close()


def write(store, decide):
    return store.write(decide).result()


def asked(store, person="ann", about=GOWNING, text="I was not there that day"):
    return write(store, lambda tx: ask(tx, person, Matter(about, "Gowning, level 2"), text, by=f"learner {person}"))


def chain(store):
    entries = [json.loads(record.body) for record in store.find(Walk("audit")).records]
    return [(entry["by"], entry["action"], entry["about"]) for entry in entries]


def test_a_question_waits_until_it_is_answered_once_and_then_stands_with_its_answer(store):
    first, second = asked(store), asked(store, about=PIPETTING, text="  The date\r\nis wrong ")
    assert [one.id for one in listed(store, answered=False).questions] == [first.id, second.id]
    assert (count_open(store), second.text) == (2, "The date\nis wrong")

    write(store, lambda tx: answer(tx, first.id, "Put right today", by="staff 1", corrected=True))

    (done,) = listed(store, answered=True).questions
    assert (done.text, done.title, done.answer.text) == (first.text, "Gowning, level 2", "Put right today")
    assert (done.answer.by, done.answer.corrected, done.answer.at > done.asked) == ("staff 1", True, True)
    shown = questions.KINDS[0].shown(store.get("question", first.id), Whose(("ann",), (), ()))
    assert shown["answer"]["by"] == "staff"  # the learner is not told who
    assert [one.id for one in listed(store, answered=False).questions] == [second.id]
    assert [one.id for one in of_group(store, ["ann", "bea"])] == [second.id, first.id]
    assert chain(store) == [
        ("learner ann", "question.asked", {"person": "ann", "question": first.id}),
        ("learner ann", "question.asked", {"person": "ann", "question": second.id}),
        ("staff 1", "question.answered", {"person": "ann", "question": first.id}),
    ]
    with pytest.raises(Refused) as refused:
        write(store, lambda tx: answer(tx, first.id, "Once more", by="staff 2"))
    assert (refused.value.status, refused.value.error) == (409, "answered_already")


def test_about_one_thing_one_question_waits_at_a_time(store):
    first = asked(store)

    with pytest.raises(Refused) as refused:
        asked(store, text="As I said")

    assert (refused.value.status, refused.value.error) == (409, "asked_already")
    assert asked(store, person="bea").person == "bea"
    write(store, lambda tx: answer(tx, first.id, "It is right", by="staff"))
    assert asked(store, text="It is not").id != first.id


def test_a_person_has_at_most_so_many_questions_waiting(store):
    for number in range(questions.MOST_OPEN):
        asked(store, about=f"skill {number}")

    with pytest.raises(Refused) as refused:
        asked(store, about="one more")

    assert (refused.value.status, count_open(store)) == (429, questions.MOST_OPEN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n ", "Write what is wrong."),
        ("x" * 2_001, "These are 2,001 characters; there is room for 2,000."),
        ("a\x07b", "There is a character in it that cannot be shown. Type it again."),
    ],
)
def test_a_text_that_says_nothing_or_too_much_is_refused_and_nothing_is_kept(store, text, message):
    with pytest.raises(Refused) as refused:
        asked(store, text=text)

    assert (refused.value.status, refused.value.message, refused.value.pointer) == (400, message, "/text")
    assert (count_open(store), chain(store)) == (0, [])


def test_a_question_that_nobody_asked_cannot_be_answered(store):
    with pytest.raises(Refused) as refused:
        write(store, lambda tx: answer(tx, "none", "Yes", by="staff"))

    assert refused.value.status == 404


def test_a_long_list_comes_in_pages(store):
    made = [asked(store, person=f"person {number}") for number in range(5)]

    first = listed(store, answered=False, limit=3)
    rest = listed(store, answered=False, limit=3, start=first.next)

    assert [one.id for one in (*first.questions, *rest.questions)] == [one.id for one in made]
    assert rest.next is None
