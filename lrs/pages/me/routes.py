"""The routes of a learner's own pages. No logic.

No address names anybody: each page is about the person who is signed in.
"""

from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from lrs.access import LAUNCH
from lrs.access.throttle import Throttle
from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.matching import declared, occupations, services
from lrs.matching.consent import withdrawal
from lrs.matching.consent.withdrawal import Ended
from lrs.matching.roles import roles as known_roles
from lrs.matching.roles.gap import gap
from lrs.matching.roles.nearest import nearest
from lrs.matching.roles.role_plan import PlanFor
from lrs.pages.me import badges, data_view, facts, outcomes_view, roles_view, views
from lrs.pages.me.badges import BadgesTold
from lrs.pages.me.occupation import add_occupation
from lrs.pages.me.own_page import dates_of, own_of, own_page
from lrs.pages.visit import (
    SIGN_IN_FIRST,
    SIGNED_IN,
    FormBody,
    Visit,
    Visiting,
    form_body,
    frame,
    page_router,
    says_to_learners,
    sign_in_first,
)
from lrs.people import questions
from lrs.storage import Tx
from lrs.storage.kinds import Kinds
from lrs.subjects import access
from lrs.web.exchange import in_language, root_of
from lrs.web.language import said_in
from lrs.web.late import Router
from lrs.web.origins import base_of
from lrs.web.page import Pages, refusal_page
from lrs.web.page_policy import PagePolicy
from lrs.web.shared import shared

NEAR = 5
"""The nearest roles that are shown."""
FILES = (10, 60 * 60.0)
"""How often the file of all data may be taken, and in how many seconds."""
says_to_learners(
    asked="Your question is with the staff. The answer will stand here.",
    stopped_before="It was stopped already.",
    taken_back="Taken back. The service sees that no more, and sees the rest as before.",
    stopped="Stopped. This service sees nothing of yours from now on, and is told to forget what it had.",
    employer_stopped="Stopped. This employer sees nothing of yours from now on. What it downloaded stays with it.",
)


def routes(kinds: Kinds, told: BadgesTold, plan_for: PlanFor) -> Router:
    """The router. By *kinds*, all kinds of records, somebody's data is found; *told* is what there is of badges.

    *plan_for* plans from what is offered.
    """
    router = page_router("/me")
    add_skills(router, plan_for, told)
    add_badges(router, told)
    _add_sharing(router, told)
    add_occupation(router)
    _add_data(router, kinds)
    return router


def add_skills(router: Router, plan_for: PlanFor, told: BadgesTold) -> None:
    """Adds the pages about skills and roles; who came by a launch sees these, too, under another address."""

    @router.get("", summary="My skills", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _skills(visit, told)

    @router.post(
        "/questions",
        status_code=303,
        summary="Says what is wrong",
        openapi_extra=form_body("about", "text") | SIGNED_IN,
    )
    def ask(visit: Visiting, body: FormBody) -> Response:
        form, who = visit.fields(body), own_of(visit)
        about, text = form.get("about", ""), form.get("text", "")
        found = facts.skills(visit.tenant, who)
        matter = views.about(found, about)
        if matter is None:
            raise Refused("There is no such skill on your page any more.", status=404, error="not_found")
        try:
            visit.tenant.store.write(
                lambda tx: questions.ask(tx, who.person, matter, text, by=visit.session.by)
            ).result()
        except Refused as refused:
            return _skills(visit, told, refused, about, text)
        return visit.on("/me", "asked")

    _add_roles(router, plan_for)


def _add_roles(router: Router, plan_for: PlanFor) -> None:
    """What is missing for a role."""

    @router.get("/roles", summary="What is missing for a role", openapi_extra=SIGNED_IN)
    def for_role(visit: Visiting, role: Annotated[str, Query(max_length=500)] = "") -> Response:
        who, reader = own_of(visit), visit.tenant.store
        held = facts.held(reader, who)
        chosen = known_roles.labelled(reader, [known_roles.get(reader, role)]) if role else []
        said = declared.beside(declared.said_by(reader, who.members), held)
        words = facts.level_words(reader, chosen[0]) if chosen else {}
        found = roles_view.roles(gap(chosen[0], held), words, dates_of(visit), said) if chosen else None
        known = facts.all_roles(reader)
        today = day_of(visit.tenant.clock(), visit.tenant.settings.zone)
        near = [] if chosen else roles_view.near(nearest(known, held, today, NEAR))
        choices = roles_view.choices(known, today, dates_of(visit))
        planned = (
            roles_view.planned(plan_for(visit.tenant, chosen[0], held), base_of(visit.request)) if chosen else None
        )
        apart = visit.caller.via == LAUNCH  # the catalogue is shown in no frame
        told: dict[str, Any] = {
            "choices": choices,
            "chosen": role,
            "gap": found,
            "near": near,
            "plan": planned,
            "apart": apart,
        }
        return own_page(visit, "learner/roles.html", **told)


def add_badges(router: Router, told: BadgesTold) -> None:
    """Adds the files of badges, in the forms that are *told*; also for who came by a launch, under another address."""

    @router.get("/badges/{id}", summary="A badge of one's own, as a file", openapi_extra=SIGNED_IN)
    def badge(visit: Visiting, id: str, form: Annotated[str, Query(max_length=20)] = badges.STORED) -> Response:
        chosen = badges.form_named(told.forms, form)
        file, saved_as = badges.file_of(visit.tenant, own_of(visit).members, id, chosen)
        headers = {"Cache-Control": "no-store", "Content-Disposition": saved_as}
        return Response(file, media_type=chosen.media_type, headers=headers)


def _add_sharing(router: Router, badges_told: BadgesTold) -> None:
    @router.get("/sharing", summary="Who sees what of one's own", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        tenant, who, now, dates = visit.tenant, own_of(visit), visit.tenant.clock(), dates_of(visit)
        told = facts.told(tenant.store, who, now)
        names = {one: known.name for one in {one.service for one in told} if (known := services.get(tenant.store, one))}
        shown = views.sharing(facts.sharing(tenant, who, dates.language), now, dates)
        shown |= views.told(told, names, dates, facts.LISTED)
        shared = badges_told.shared(tenant, who.members, root_of(visit.request))
        shown["shared_badges"] = [views.shared_badge(one, dates) for one in shared]
        shown |= {"organisation": tenant.record.name, "senders": facts.senders(tenant.store, who)}
        shown["outcomes"] = outcomes_view.outcomes(facts.came_of(tenant.store, who), dates)
        return own_page(visit, "learner/sharing.html", **shown)

    @router.post(
        "/sharing/stop",
        status_code=303,
        summary="Withdraws what one agreed to with a service, or one part of it",
        openapi_extra=form_body("service", "scope") | SIGNED_IN,
    )
    def stop(visit: Visiting, body: FormBody) -> Response:
        form, who = visit.fields(body), own_of(visit)
        service, scope = form.get("service", ""), form.get("scope") or None
        if not service:
            raise Refused("The form names no service. Go back and reload.", error="bad_form")

        def decide(tx: Tx) -> list[Ended]:
            whose = facts.own_subjects(tx, who)
            return withdrawal.withdraw(tx, whose, by=visit.session.by, service=service, scope=scope)

        gone = visit.tenant.store.write(decide).result()
        known = services.get(visit.tenant.store, service)
        whole = "employer_stopped" if known and known.employer else "stopped"
        is_part = scope not in {None, services.PROFILES}
        return visit.on("/me/sharing", ("taken_back" if is_part else whole) if gone else "stopped_before")


class _FilesTaken(Throttle):
    def __init__(self) -> None:
        super().__init__(*FILES)


def _add_data(router: Router, kinds: Kinds) -> None:
    @router.get("/data", summary="What is kept about oneself, and who signed in", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        tenant, who = visit.tenant, own_of(visit)
        dates, now = dates_of(visit), tenant.clock()
        found = access.first_of_each(tenant, kinds, who.person, facts.READ_HERE)
        return own_page(
            visit,
            "learner/data.html",
            parts=[data_view.part(one, dates) for one in found],
            sign_ins=views.moments(facts.sign_ins(tenant.store, who, now), dates),
            shown=facts.READ_HERE,
        )

    @router.get(
        "/data.json", response_class=JSONResponse, summary="All that is kept about oneself", openapi_extra=SIGNED_IN
    )
    def take(request: Request, visit: Visiting) -> Response:
        who, taken = own_of(visit).person, shared(request, _FilesTaken)
        taken.check(visit.tenant.id, who)
        taken.note(visit.tenant.id, who)
        pieces = access.as_file(visit.tenant, kinds, who, by=visit.session.by)
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="my-data.json"'}
        return StreamingResponse(pieces, media_type="application/json", headers=headers)


def _skills(
    visit: Visit, told: BadgesTold, refused: Refused | None = None, about: str = "", text: str = ""
) -> Response:
    tenant, dates, who = visit.tenant, dates_of(visit), own_of(visit)
    found = facts.skills(tenant, who)
    gone = told.gone(tenant, [one.id for one in found.badges])
    lower = set(map(told.of_award, facts.lower_awards(tenant.store, who, found)))
    shown = views.skills(found, tenant.clock(), dates) | views.badges_of(found.badges, gone, lower, dates)
    shown["skills"] = views.with_badges(shown["skills"], shown["badges"], told.of_award)
    shown["outcomes"] = outcomes_view.outcomes(facts.came_of(tenant.store, who), dates)
    said = declared.said_by(tenant.store, who.members)
    shown["declared"] = [one.label for one in declared.beside(said, facts.held(tenant.store, who))]
    shown["occupation"] = said.label if said else ""
    shown["has_occupations"] = tenant.store.count(occupations.KIND) > 0
    shown["may_take"] = visit.caller.via != LAUNCH
    if visit.caller.via == LAUNCH:  # a learner who came from a platform signs in there again
        shown["comes_back"] = True
    wrong: dict[str, Any] = {
        "about": about,
        "text": text,
        "problem": said_in(dates_of(visit).language, refused.message if refused else ""),
    }
    return own_page(visit, "learner/skills.html", refused.status if refused else 200, **shown, wrong=wrong)


def refusal(request: Request, refused: Refused) -> Response:
    """The page of a refusal, or a redirect to the sign-in of learners."""
    root = base_of(request)
    if refused.error == SIGN_IN_FIRST:
        return sign_in_first(request, "/sign-in/learner")
    in_language(request)
    return refusal_page(request, refused, "learner/own-refused.html", root=root)


PAGES = Pages(PagePolicy(), refusal, frame=frame)
"""Those of a learner about themselves."""
