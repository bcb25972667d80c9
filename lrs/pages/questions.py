"""Questions of learners, and the answers of staff. A mistake is corrected by voiding and a new statement. No logic."""

from __future__ import annotations

from functools import partial

from fastapi import Response

from lrs.access import staff
from lrs.competency import corrections, listed
from lrs.competency.corrections import Correcting
from lrs.competency.explain import explain
from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.matching.consent import answers, links
from lrs.pages import learners_view, questions_view
from lrs.pages.arrivals.names import called_in
from lrs.pages.correcting import RIGHT, correcting
from lrs.pages.facts import Neighbours
from lrs.pages.list_files import add_files
from lrs.pages.questions_view import COLUMNS
from lrs.pages.reach import name_told, own_sources
from lrs.pages.views import NO_NAME
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, may, page_router, says
from lrs.people import questions
from lrs.people.persons import holders, identifiers_in, members_of, person_named
from lrs.people.questions import Question
from lrs.storage import ROWS, Tx
from lrs.web.late import Router
from lrs.web.listing import ListRow, asked_of, listing

PLACE = "/staff/questions"
CONSENT = "/staff/consents/{receipt}"
MOST = 1_000
"""Questions of each state that are read for one page."""
FIELDS = ("text", "statement", "day", "score", "success", "new", "why")

says(
    answered="The answer stands beside the question, where the learner sees it.",
)


def routes(neighbours: Neighbours) -> Router:
    """The router; *neighbours* are the parts that the app knows."""
    router = page_router()
    _add_list(router)
    _add_question(router, neighbours)
    return router


def _add_list(router: Router) -> None:
    @router.get(PLACE, summary="What learners asked, those that wait first", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        rows = _rows(visit)
        tenant = visit.tenant
        is_whole = own_sources(visit.caller, RIGHT) is None
        names = {one.id: one.name for one in services.everyone(tenant.store)} if is_whole else {}
        told = partial(questions_view.waiting_links, services=names, zone=tenant.settings.zone)
        return visit.page(
            "staff/questions.html",
            list=listing(asked_of(visit.request, COLUMNS), rows, whole=len(rows) < MOST),
            is_narrow=not is_whole,
            consents=told(links.unanswered(tenant.store, tenant.clock())) if is_whole else [],
            guardians=told(answers.waiting(tenant.store)) if is_whole else [],
            may_answer=may(visit.caller)(CONSENT),
        )

    add_files(router, PLACE, "What learners asked", COLUMNS, _rows, name="questions")


def _rows(visit: Visit) -> list[ListRow]:
    found = [one for answered in (False, True) for one in _within(visit, answered=answered)]
    store, sources = visit.tenant.store, own_sources(visit.caller, RIGHT)
    holder = holders(store, {one.person for one in found})
    there = {id: listed.read(record) for id, record in store.get_many(listed.KIND, set(holder.values())).items()}
    names = {
        person: learners_view.called(there.get(one, listed.ListedLearner()), sources) for person, one in holder.items()
    }
    asked = [(one, names.get(one.person, NO_NAME)) for one in found]
    return questions_view.rows(asked, visit.tenant.settings.zone, visit.root)


def _within(visit: Visit, *, answered: bool) -> list[Question]:
    """The questions within reach; with a narrow reach those about evidence of own sources."""
    sources = own_sources(visit.caller, RIGHT)
    found = [
        one
        for source in ([None] if sources is None else sorted(sources))
        for one in questions.listed(visit.tenant.store, answered=answered, source=source, limit=MOST).questions
    ]
    return sorted({one.id: one for one in found}.values(), key=lambda one: -one.asked if answered else one.asked)


def waiting(visit: Visit) -> int:
    """How many questions within reach wait for an answer, and consents for one that the visitor may write down."""
    store, is_whole = visit.tenant.store, own_sources(visit.caller, RIGHT) is None
    asked = questions.count_open(store) if is_whole else len(_within(visit, answered=False))
    return asked + (len(answers.waiting(store)) if may(visit.caller)(CONSENT) else 0)


def _get(visit: Visit, id: str) -> Question:
    """The question *id*. Raises ``Refused`` (404) if it does not exist or is not within reach."""
    asked = questions.get(visit.tenant.store, id)
    sources = own_sources(visit.caller, RIGHT)
    if sources is not None and sources.isdisjoint(asked.sources):
        raise questions.unknown()
    return asked


def _add_question(router: Router, neighbours: Neighbours) -> None:
    @router.get(PLACE + "/{id}", summary="A question, and what it is about", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, id: str) -> Response:
        return _question(visit, _get(visit, id))

    @router.post(
        PLACE + "/{id}",
        status_code=303,
        summary="Answers a question; corrects what is wrong by void and new",
        openapi_extra=form_body(*FIELDS) | SIGNED_IN,
    )
    def answer(visit: Visiting, id: str, body: FormBody) -> Response:
        form = visit.fields(body)
        asked = _get(visit, id)
        try:
            made = correcting(visit, neighbours, asked.person, form)
            _answer(visit, asked, form.get("text", ""), made)
        except Refused as refused:
            return _question(visit, asked, refused, form)
        return visit.on(f"{PLACE}/{id}", "corrected" if made else "answered")


def _answer(visit: Visit, asked: Question, text: str, made: Correcting | None) -> None:
    """One commit: the two statements, the answer, and the entries in the record of actions."""
    by = visit.session.by

    def decide(tx: Tx) -> None:
        questions.answer(tx, asked.id, text, by=by, corrected=made is not None)
        if made is not None:
            corrections.correct(tx, made, by=by)

    weight, reads = (made.plan.weight, made.plan.reads) if made else (0, ())
    visit.tenant.store.write(decide, weight=ROWS + weight, reads=reads).result()


def _question(
    visit: Visit, asked: Question, refused: Refused | None = None, form: dict[str, str] | None = None
) -> Response:
    tenant, zone = visit.tenant, visit.tenant.settings.zone
    members, sources = members_of(tenant.store, asked.person), own_sources(visit.caller, RIGHT)
    name = name_told(tenant.store, identifiers_in(tenant.store, members), sources)
    given = {field: (form or {}).get(field, "") for field in FIELDS}
    found = explain(tenant, asked.person, asked.about, find=person_named) if members and not asked.answer else None
    evidence = questions_view.evidence(found, zone, sources, called_in(tenant.store)) if found else []
    chosen = [{**one, "on": one["value"] == given["statement"]} for one in evidence]
    return visit.page(
        "staff/question.html",
        refused.status if refused else 200,
        question=questions_view.question(asked, name or "", _by(visit, asked), zone),
        evidence=[{"value": "", "text": "", "hint": "", "on": not given["statement"]}, *chosen],
        given=given,
        problem=refused.message if refused else "",
    )


def _by(visit: Visit, asked: Question) -> str:
    """Who answered: the name of a member of staff, else the text in the record of actions."""
    if asked.answer is None:
        return ""
    sort, _, id = asked.answer.by.partition(" ")
    found = staff.member(visit.tenant.store, id) if sort == "staff" else None
    return (found.name or found.email) if found else asked.answer.by
