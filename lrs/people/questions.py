"""What a learner says is wrong with their record, and what staff answered. Knows no skill, no page and no mail.

Records: ``question`` (id: made of the person, what it is about and when it was asked). A question stays with the person
who asked; ``of_group`` finds those of everybody who is one with them. Whoever corrects something voids the statement
and sends a new one (``lrs.xapi``); here only stands that it was corrected.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import control_character
from lrs.storage import Reader, Record, Store, Tx, Walk, micros_of
from lrs.storage.about import Whose, body_shown, by_person, sort_of
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit

KIND = "question"
LONGEST = 2_000
"""Characters of a question, and of an answer."""
LONGEST_TITLE = 500
MOST_OPEN = 20
"""Questions of one person that wait for an answer at once."""
LISTED = 100
_OPEN, _ANSWERED = key("question.open"), key("question.answered")


class StaffAnswer(msgspec.Struct, frozen=True):
    """What staff answered, *at* what time (microseconds UTC). *by* is a subject, as in the record of actions.

    *corrected* says whether something was wrong and has been put right.
    """

    text: str
    at: int
    by: str
    corrected: bool = False


class Question(msgspec.Struct, frozen=True):
    """The body of a ``question`` record: who *asked* when (microseconds UTC) what, about what.

    *about* is the id of the thing in the words of whoever asks for it (a competency's id), *title* what the learner saw
    of it, such as "Gowning, level 2". *sources* are those that said what it is about: who looks after one of them is
    asked, too.
    """

    person: str
    about: str
    title: str
    text: str
    asked: int
    answer: StaffAnswer | None = None
    sources: tuple[str, ...] = ()
    v: int = 1

    @property
    def id(self) -> str:
        """The id of its record."""
        return name(KIND, self.person, self.about, self.asked)


class Matter(msgspec.Struct, frozen=True):
    """What a question is about: its id, what the learner saw of it, and the sources that said so."""

    id: str
    title: str
    sources: tuple[str, ...] = ()


class QuestionPage(msgspec.Struct, frozen=True):
    """Some questions. ``next`` is the ``start`` of those that follow; ``None`` at the end."""

    questions: tuple[Question, ...]
    next: str | None = None


_decoder = msgspec.json.Decoder(Question)


def ask(tx: Tx, person: str, about: Matter, text: str, *, by: str) -> Question:
    """Puts a question on the list of staff.

    Raises ``Refused``: 400 for a text that is empty or too long, 409 if *person* waits for an answer about the same
    thing, 429 if for ``MOST_OPEN`` answers.
    """
    said = _accepted(text, "what is wrong")
    waiting = [one for one in _of_person(tx, person, MOST_OPEN, _OPEN) if one.answer is None]
    if any(one.about == about.id for one in waiting):
        message = "You have asked about this already. The answer will stand beside your question."
        raise Refused(message, status=409, error="asked_already")
    if len(waiting) >= MOST_OPEN:
        message = f"{MOST_OPEN} of your questions wait for an answer. Ask again once one of them is answered."
        raise Refused(message, status=429, error="too_many")
    at = micros_of(tx.next_seq())
    asked = Question(person, about.id, about.title[:LONGEST_TITLE], said, at, sources=about.sources)
    _put(tx, asked)
    audit.append(tx, by, "question.asked", {"person": person, "question": asked.id})
    return asked


def answer(tx: Tx, id: str, text: str, *, by: str, corrected: bool = False) -> Question:
    """Answers the question *id*, once. Raises ``Refused``: 400 for the text, 404 for the id, 409 if it is answered."""
    said = _accepted(text, "your answer")
    asked = get(tx, id)
    if asked.answer is not None:
        raise Refused("This question has been answered already.", status=409, error="answered_already")
    answered = msgspec.structs.replace(asked, answer=StaffAnswer(said, micros_of(tx.next_seq()), by, corrected))
    _put(tx, answered)
    audit.append(tx, by, "question.answered", {"person": asked.person, "question": id})
    return answered


def get(reader: Reader, id: str) -> Question:
    """The question *id*. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise unknown()
    return _decoder.decode(record.body)


def unknown() -> Refused:
    """Why an id that is no question's shows none."""
    return Refused("There is no such question.", status=404, error="not_found")


def of_group(reader: Reader, members: Iterable[str]) -> list[Question]:
    """What *members*, persons who are one, asked; newest first, at most ``LISTED`` of each."""
    found = [one for member in members for one in _of_person(reader, member, LISTED)]
    return sorted(found, key=lambda one: (-one.asked, one.id))


def listed(
    reader: Reader, *, answered: bool, source: str | None = None, limit: int = LISTED, start: str | None = None
) -> QuestionPage:
    """Those of all learners, or about what *source* said: open ones oldest first, *answered* ones newest first."""
    index = (_ANSWERED if answered else _OPEN, *_of_source(source))
    page = reader.find(Walk(KIND, index, newest_first=answered, limit=limit, start=start))
    return QuestionPage(tuple(_decoder.decode(record.body) for record in page.records), page.next)


def count_open(store: Store) -> int:
    """How many questions wait for an answer."""
    return store.count(KIND, [_OPEN])


def _of_source(source: str | None) -> tuple[int, ...]:
    return () if source is None else (key("question.source", source),)


def _of_person(reader: Reader, person: str, limit: int, *more: int) -> list[Question]:
    walk = Walk(KIND, [key("question.person", person), *more], newest_first=True, limit=limit)
    return [_decoder.decode(record.body) for record in reader.find(walk).records]


def _put(tx: Tx, question: Question) -> None:
    """It keeps its place in the order, which is that of asking, until it is answered."""
    keys = [key("question.person", question.person), _ANSWERED if question.answer else _OPEN]
    keys += [key("question.source", source) for source in question.sources]
    tx.put(Record(KIND, question.id, msgspec.json.encode(question), keys=tuple(keys)))


def _accepted(text: str, what: str) -> str:
    """*text* without blanks around it, and with one form of line end. Raises ``Refused`` (400)."""
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise Refused(f"Write {what}.", pointer="/text")
    if len(said) > LONGEST:
        raise Refused(f"These are {len(said):,} characters; there is room for {LONGEST:,}.", pointer="/text")
    if control_character(said):
        raise Refused("There is a character in it that cannot be shown. Type it again.", pointer="/text")
    return said


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The question, and its answer without who wrote it."""
    told = body_shown(record, whose)
    if told["answer"]:
        told["answer"] = {**told["answer"], "by": sort_of(told["answer"]["by"])}
    return told


KINDS = (
    Kind(
        KIND,
        "fact",
        Question,
        1,
        subjects=of_person(_decoder.decode),
        retention="evidence",
        exported=True,
        find=by_person(KIND, "question.person"),
        shown=_shown,
    ),
)
