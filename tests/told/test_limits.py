"""What every text may be that somebody types: how long, whether it may be empty, and what may not be in it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from adapters.catalogue import offerings
from adapters.catalogue.offerings import Gives, Offering
from adapters.imports import mappings
from adapters.imports.mappings import SavedProfile
from adapters.lms.lti import platforms
from adapters.lms.lti.platforms import LtiPlatform
from adapters.planning import demand, figures
from adapters.reading.profile import MappingProfile
from adapters.training_centre import checklists, learner_routes, planning
from adapters.training_centre.checklists import Checklist, ChecklistStep
from adapters.training_centre.planning import FormFault
from badges.achievements import editing
from badges.achievements.editing import OwnWords
from badges.claims import event_codes
from badges.endorsing import endorsements
from badges.held import stops
from badges.prior import trusted
from badges.prior.trusted import TrustedIssuer
from badges.views import verdict_view
from lrs.access import passwords, source_names, staff
from lrs.kernel import contacts, plain_text, strict_json
from lrs.kernel.errors import Refused
from lrs.kernel.tables import notes
from lrs.matching import purposes, services
from lrs.pages import told as told_of_statements
from lrs.people import confirmed_names, questions, told_names
from lrs.web import chart
from tests.told.story import Story, refusal

LONGEST = 20_000
STEP = ChecklistStep("hands", "Hands washed")
CHECKLIST = Checklist("north", "gowning", title="Gowning", steps=(STEP,))
OFFERING = Offering("gowning", "Gowning")
PLATFORM = LtiPlatform(
    "p",
    "Moodle",
    "https://vle.example",
    "1",
    "https://a.example",
    "https://t.example",
    "https://j.example",
    0,
    "approved",
    ("1",),
)
WORDS = OwnWords(name="Gowning", description="Puts on a gown", criteria="Three times", language="en", tags=())
EVENT = event_codes.EventCode("https://centre.example/day", "Open day", 9, None, "test")


class Empty:
    """A store that has nothing and takes everything."""

    def get(self, *_: Any) -> None:
        return None

    def find(self, *_: Any) -> Any:
        return SimpleNamespace(records=(), next=None)

    def put(self, *_: Any) -> None: ...
    def insert(self, *_: Any) -> None: ...
    def delete(self, *_: Any) -> bool:
        return False

    def next_seq(self) -> int:
        return 1


def row(**cells: str) -> Any:
    return {"role": "", "region": "", "year": "", "headcount": "", "source": "", "district": ""} | cells


TEXTS: dict[str, Callable[[str], Any]] = {
    "the name of a person": staff.accepted_name,
    "a password": passwords.accepted,
    "a contact": contacts.checked_contact,
    "the name of a service": services.service_id,
    "the purpose of a service": lambda text: purposes.checked_purpose(text, "Careers"),
    "a question": lambda text: questions._accepted(text, "what is wrong"),  # noqa: SLF001 (the one rule of three acts)
    "a name that was confirmed": lambda text: confirmed_names._checked(text, "name", "The name"),  # noqa: SLF001 (as above)
    "a line of demand": lambda text: demand._line(row(source=text), "source"),  # noqa: SLF001 (as above)
    "the title of a checklist": lambda text: checklists.checked(replace(CHECKLIST, title=text)).title,
    "the text of a step": lambda text: checklists.checked(replace(CHECKLIST, steps=(replace(STEP, text=text),))).title,
    "the name of a checklist": lambda text: checklists.checked(replace(CHECKLIST, id=text)).id,
    "a line of a session": lambda text: planning.line({"place": text}, "place"),
    "a line of a session that is needed": lambda text: planning.line({"title": text}, "title", "It needs a title."),
    "the title of an offering": lambda text: offerings.checked(replace(OFFERING, title=text)).title,
    "the text of an offering": lambda text: offerings.checked(replace(OFFERING, text=text)).text,
    "the place of an offering": lambda text: offerings.checked(replace(OFFERING, place=text)).place,
    "the name of an offering": lambda text: offerings.checked(replace(OFFERING, id=text)).id,
    "the name of a platform": lambda text: platforms.check(replace(PLATFORM, name=text)),
    "the issuer of a platform": lambda text: platforms.check(replace(PLATFORM, issuer=f"https://{text}.example")),
    "the token address of a platform": lambda text: platforms.check(replace(PLATFORM, token=f"https://t.example/{text}")),
    "a deployment": lambda text: platforms.check(replace(PLATFORM, deployments=("1", text))),
    "why a badge is stopped": stops.check_reason,
    "the comment of an endorsement": endorsements.checked_comment,
    "who an issuer is": lambda text: trusted.trust(Empty(), TrustedIssuer("did:web:a.example", text, 1), by="test"),  # type: ignore[arg-type]
    "the id of an issuer": lambda text: trusted.trust(Empty(), TrustedIssuer(f"did:web:{text}", "A", 1), by="test"),  # type: ignore[arg-type]
    "the name of an achievement": lambda text: editing.checked(replace(WORDS, name=text)).name,
    "the description of an achievement": lambda text: editing.checked(replace(WORDS, description=text)).description,
    "the criteria of an achievement": lambda text: editing.checked(replace(WORDS, criteria=text)).criteria,
    "a keyword of an achievement": lambda text: editing.checked(replace(WORDS, tags=(text,))).tags,
    "the title of an event": lambda text: event_code(replace(EVENT, title=text)),
    "the name of saved columns": lambda text: mappings.save(
        Empty(), SavedProfile(text, "north", "training-centre", MappingProfile(), 1, "test")  # type: ignore[arg-type]
    ),
    "the sector of a learner": lambda text: learner_routes.keep(
        Empty(), "north", SimpleNamespace(id="x"), {"route": "reskilled", "sector": text}, 1, "test"  # type: ignore[arg-type]
    ),
}  # fmt: skip
CUT: dict[str, Callable[[str], str]] = {
    "a name in quotes": plain_text.quoted,
    "a value in a message": strict_json.excerpt,
    "what a statement says": told_of_statements._cut,  # noqa: SLF001 (of all parts of a line)
    "a text of a badge": verdict_view._text,  # noqa: SLF001 (as above)
    "a label of a chart": lambda text: chart.bars([(text, 1.0, "one")]).bars[0].label,
    "a full name in a file": lambda text: told_names.full_name(text, ""),
}
NUMBERS = ("", "0", "1", "4", "5", "99", "100", "101", "999", "1000", "999999", "1000000", "-1", "1.5", "٣", "x")
COUNTED: dict[str, Callable[[str], Any]] = {
    "seats": lambda text: planning.seats({"seats": text}),
    "hours": lambda text: planning.hours({"hours": text}),
    "people who are wanted": demand._people,  # noqa: SLF001 (the one rule)
    "the smallest number that is shown": lambda text: figures.set_k(Empty(), text, "test"),  # type: ignore[arg-type]
    "uses of a code": lambda text: event_codes.typed(
        SimpleNamespace(settings=SimpleNamespace(zone="Europe/London")), {"until": "2026-12-31", "most": text}, by="test"  # type: ignore[arg-type]
    ).most,
}  # fmt: skip
MANY: dict[str, Callable[[int], Any]] = {
    "steps of a checklist": lambda count: checklists.checked(
        replace(CHECKLIST, steps=tuple(replace(STEP, id=f"s{number}") for number in range(count)))
    ),
    "per cent to pass": lambda count: checklists.checked(replace(CHECKLIST, percent=count)),
    "signatures": lambda count: checklists.checked(replace(CHECKLIST, signatures=count)),
    "what an offering gives": lambda count: offerings.checked(
        replace(OFFERING, gives=tuple(Gives(f"c{number}", 1) for number in range(count)))
    ),
    "what an offering needs": lambda count: offerings.checked(
        replace(OFFERING, needs=tuple(Gives(f"c{number}", 1) for number in range(count)))
    ),
    "keywords of an achievement": lambda count: editing.checked(
        replace(WORDS, tags=tuple(f"t{number}" for number in range(count)))
    ),
}


def event_code(wanted: event_codes.EventCode) -> None:
    tenant: Any = SimpleNamespace(clock=lambda: 1, store=SimpleNamespace(), secret=lambda _: b"")
    try:
        event_codes.create(tenant, wanted)
    except AttributeError:  # what is made of it is stored
        return


def said(act: Callable[[Any], Any], value: Any) -> str:
    """How *value* is refused; "" if it is taken."""
    try:
        act(value)
    except Refused as refused:
        return refusal(refused)
    except (FormFault, ValueError) as fault:
        return f"REFUSED {fault}"
    except AttributeError:  # it came as far as the store, of which there is none
        return ""
    return ""


def highest(holds: Callable[[int], bool], most: int = LONGEST) -> int:
    """The highest number up to *most* at which it *holds*; it does below, too, from somewhere on."""
    low = next((number for number in (1, 2, 4, 8, 12, 16, 32) if holds(number)), 0)
    high = most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def test_what_texts_may_be(told: Any) -> None:
    story = Story()
    for what, act in TEXTS.items():
        story.head(what)
        longest = highest(lambda length, act=act: not said(act, "xy" * (length // 2) + "z" * (length % 2)))
        story.say(f"at most {longest}; one more: {said(act, 'x' * (longest + 1))[:160]}")
        for case in ("", "   ", "a\x07b", "a\u202eb", "a\nb", "  a   b  c d e f g "):
            story.say(f"{case!r}: {said(act, case)[:160] or 'taken'}")
    told(str(story), is_tidy=True)


def test_what_is_cut(told: Any) -> None:
    story = Story()
    for what, act in CUT.items():
        longest = highest(lambda length, act=act: "x" * length in act("x" * length), 5_000)
        over = act("x" * (longest + 1))
        story.say(f"{what}: whole up to {longest}; of one more {over.count('x')}{' and …' if '…' in over else ''}")
        story.say(f"    {act('a  b')!r} {act('')!r} {act('a' + chr(10) + 'b')!r}")
    told(str(story), is_tidy=True)


def test_what_numbers_may_be(told: Any) -> None:
    story = Story()
    for what, act in COUNTED.items():
        story.head(what)
        for number in NUMBERS:
            story.say(f"{number!r}: {said(act, number)[:160] or 'taken'}")
    for what, count in MANY.items():
        most = highest(lambda some, count=count: not said(count, some), 2_000)
        story.say(
            f"{what}: at most {most}; none: {said(count, 0)[:120] or 'taken'}; one more: {said(count, most + 1)[:120]}"
        )
    told(str(story), is_tidy=True)


def test_how_many_words_are_named(told: Any) -> None:
    counts = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21)
    told("".join(f"{notes._named(f'w{n}' for n in range(count))}\n" for count in counts))  # noqa: SLF001 (the one rule)


def test_which_source_names_there_may_be(told: Any) -> None:
    story = Story()
    tx: Any = Empty()
    longest = highest(
        lambda length: not said(lambda text: source_names.put_name(tx, "vle", text, by="test"), "x" * length)
    )
    story.say(f"at most {longest}")
    for case in ("", "a\x07b", "a\u202eb", "x" * (longest + 1)):
        story.say(
            f"{case[:9]!r}: {said(lambda text: source_names.put_name(tx, 'vle', text, by='test'), case)[:160] or 'taken'}"
        )
    told(str(story), is_tidy=True)
