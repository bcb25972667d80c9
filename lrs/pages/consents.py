"""A consent that waits for a parent or guardian: a new link for them, or their answer written down. No logic."""

from __future__ import annotations

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.matching.consent import answers, links
from lrs.matching.consent.answers import Posted
from lrs.matching.consent.links import WAITING, ConsentLink
from lrs.pages import questions, questions_view
from lrs.pages.session import chosen
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.web.language import ENGLISH
from lrs.web.late import Router
from lrs.web.origins import pages_address_for

PLACE = questions.CONSENT
ACTS = {"agreed": True, "refused": False}
"""What a guardian answered, by the word of the form."""

says(
    guardian_agreed="It is written down that the parent or guardian agreed. The service sees it from now on.",
    guardian_refused="It is written down that the parent or guardian does not agree. The service sees nothing of it.",
)


def routes() -> Router:
    """The router."""
    router = page_router()

    @router.get(PLACE, summary="A consent that waits for a parent or guardian", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, receipt: str) -> Response:
        return _consent(visit, receipt)

    @router.post(
        PLACE,
        summary="Makes a new link for the guardian, shown once; or writes down what they answered",
        openapi_extra=form_body("act", "email", "sure") | SIGNED_IN,
    )
    def act(visit: Visiting, receipt: str, body: FormBody) -> Response:
        form, by = visit.fields(body), visit.session.by
        wanted, email = chosen(form, "act", ("link", *ACTS)), form.get("email", "").strip()
        try:
            if wanted == "link":
                posted = Posted(pages_address_for(visit.request), ENGLISH)
                made = answers.renew_guardian(visit.tenant, receipt, email, posted, by=by)
                return _consent(visit, receipt, link=made, email=email)
            if form.get("sure") != "yes":
                raise Refused(
                    "Confirm that you have their answer, for example on paper: you answer for what you enter."
                )
            answers.write_down(visit.tenant, receipt, agree=ACTS[wanted], by=by)
        except Refused as refused:
            if refused.status == 404:
                raise
            return _consent(visit, receipt, refused, email=email)
        return visit.on(questions.PLACE, f"guardian_{wanted}")

    return router


def _consent(
    visit: Visit, receipt: str, refused: Refused | None = None, *, link: str = "", email: str = ""
) -> Response:
    tenant = visit.tenant
    one = links.with_receipt(tenant.store, receipt)
    return visit.page(
        "staff/consent.html",
        refused.status if refused else 200,
        consent=questions_view.consent(one, _names(visit, one), tenant.settings.zone),
        waits=one.state == WAITING,
        link=link,
        email=email,
        problem=refused.message if refused else "",
    )


def _names(visit: Visit, one: ConsentLink) -> dict[str, str]:
    return {id: service.name for id, service in services.named(visit.tenant.store, [one.service]).items()}
