"""The first minutes: the operator is led from an empty installation to the first source of records. No logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import Response
from fastapi.responses import JSONResponse

from lrs.access import staff, staff_acts
from lrs.access.policy.operators import OPERATOR
from lrs.access.signed_in import session_in
from lrs.access.staff import SUBJECT
from lrs.kernel.errors import Refused
from lrs.outbox.channel import End
from lrs.outbox.channels.email import Render, sender_of, try_out
from lrs.pages.operator import setup
from lrs.pages.operator.facts import CANNOT
from lrs.pages.operator.organisations import checked_name, invite_administrator, operator_of, put_down
from lrs.pages.sign_in import entering
from lrs.pages.visit import SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.tenancy import states
from lrs.tenancy.tenants import DEFAULT
from lrs.web.dates import written_moment
from lrs.web.exchange import tenants_of
from lrs.web.late import Router
from lrs.web.origins import content_settings, session_cookie, set_cookie
from lrs.web.routing import Here

PLACE = f"{OPERATOR}/begin"
_WRITE = "Write the server like mail.example.org:587, and a user with their password into the fields for them."
SERVER = ("server", "user", "password")
"""The fields of a mail server that is tried before it is set."""
_BLANK = dict.fromkeys(("who", "email", "address", *SERVER), "")
TypedForm = Mapping[str, str]
Act = Callable[[Visit, TypedForm], Response]

says(
    organisation_named="The organisation has its name.",
    administrator_in="You are an administrator of the organisation, too, and signed in there.",
    address_reached="This server was reached at that address.",
    mail_taken="The mail server took the message. See whether it arrives.",
    written_down="What you wrote down for packages of courses holds from the next start on.",
    step_skipped="The step before this one is skipped. You can come back to it at any time, under All steps.",
)


def routes(render: Render) -> Router:
    """The router; *render* writes mails."""
    router = page_router()
    begin = _Begin(render)

    @router.get(PLACE, summary="The first minutes: the step that comes next", openapi_extra=SIGNED_IN)
    def show(visit: Visiting, step: str = "") -> Response:
        return begin.page(visit, step)

    @router.post(
        f"{PLACE}/{{step}}",
        status_code=303,
        summary="Does a step, or skips it",
        openapi_extra=form_body("act", "name", "who", "email", "address", *SERVER) | SIGNED_IN,
    )
    def do(visit: Visiting, step: str, body: FormBody) -> Response:
        form = visit.fields(body)
        if step not in setup.TITLES:
            raise Refused("There is no such step.", status=404, error="not_found")
        try:
            return begin.do(visit, step, form)
        except Refused as refused:
            if refused.status not in {400, 409}:
                raise
            return begin.page(visit, step, refused, **form)

    @router.get(
        f"{OPERATOR}/reached/{{token}}",
        response_class=JSONResponse,
        summary="How this server knows itself again at an address",
    )
    def reached(installation: Here, token: str) -> Response:
        kept = setup.known(installation.store)
        if kept is None or kept.word != token:
            raise Refused("nobody asked for this", status=404, error="not_found")
        return Response(setup.answer_to(token), media_type="application/json", headers={"Cache-Control": "no-store"})

    return router


class _Begin:
    """The steps; *render* writes mails."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._acts: Mapping[str, Act] = {
            "organisation": self._name,
            "administrator": self._let_in,
            "address": self._reach,
            "mail": self._mail,
            "content": self._write_down,
        }

    def page(self, visit: Visit, wanted: str = "", refused: Refused | None = None, **typed: str) -> Response:
        """The page with the step that is *wanted*, or the one that comes next."""
        found = setup.steps(visit.tenant, tenants_of(visit.request))
        chosen = next((one for one in found if one.name == wanted), setup.first_open(found))
        kept, settings = setup.known(visit.tenant.store), visit.tenant.settings
        record = tenants_of(visit.request).control.get(DEFAULT)
        told: dict[str, Any] = {
            "problem": refused.message if refused else "",
            "typed": dict.fromkeys(("who", "email", "address", *SERVER), "")
            | {"name": record.name if record else ""}
            | typed,
            "own": _own(visit).email,
            "public_url": settings.public_url or "",
            "reached": kept.address if kept else "",
            "has_server": settings.smtp_url is not None,
            "sender": sender_of(visit.tenant),
            "invited": {"link": "", "until": ""},
            "tried": "",
            "has_password": False,
            "content_settings": content_settings(visit.request, settings, _planned(kept)),
        }
        return self._shown(visit, found, chosen, refused.status if refused else 200, told)

    def do(self, visit: Visit, step: str, form: TypedForm) -> Response:
        """Does *step*, or skips it. Raises ``Refused``."""
        if form.get("act") == "skip":
            setup.skip(visit.tenant, step)
            return visit.on("/begin", "step_skipped")
        act = self._acts.get(step)
        if act is None:
            raise Refused("This step is done on its own page.")
        return act(visit, form)

    def _shown(
        self,
        visit: Visit,
        found: list[setup.SetupStep],
        chosen: setup.SetupStep | None,
        status: int,
        told: Mapping[str, Any],
    ) -> Response:
        is_in = self._is_in(visit)
        return visit.page(
            "operator/begin.html",
            status,
            steps=found,
            step=chosen,
            top=visit.root.removesuffix(OPERATOR),
            is_in=is_in,
            skippable=chosen is not None and chosen.is_open and chosen.name in setup.SKIPPABLE,
            **told,
        )

    def _name(self, visit: Visit, form: TypedForm) -> Response:
        name = checked_name(form.get("name", ""))
        states.put_down(visit.tenant.settings, DEFAULT, "tenant.set", {"set": "name"}, by=operator_of(visit))
        tenants_of(visit.request).control.change(DEFAULT, lambda record, _: msgspec.structs.replace(record, name=name))
        put_down(visit, "tenant.set", DEFAULT)
        return visit.on("/begin", "organisation_named")

    def _let_in(self, visit: Visit, form: TypedForm) -> Response:
        if form.get("who") != "other" and form.get("email", "").strip():
            raise Refused("You wrote an address, and chose yourself. Choose Somebody else, or leave the address out.")
        if form.get("who") == "other":
            made = invite_administrator(visit, DEFAULT, form.get("email", ""))
            found = setup.steps(visit.tenant, tenants_of(visit.request))
            chosen = next(one for one in found if one.name == "administrator")
            until = written_moment(made.expires, visit.tenant.settings.zone)
            told = {"invited": {"link": made.link, "until": until, "email": form.get("email", "")}}
            return self._shown(visit, found, chosen, 200, _NOTHING | told)
        with tenants_of(visit.request).hold(DEFAULT) as tenant:
            way = entering.way(visit.request, tenant, "the operator's pages")
            token = staff_acts.add_administrator(tenant, _own(visit), way, by=operator_of(visit))
            put_down(visit, "tenant.administrator-in", DEFAULT)
            answer = visit.on("/begin", "administrator_in")
            set_cookie(answer, tenant, session_cookie(tenant), token, entering.FORM_LASTS)
        return answer

    def _reach(self, visit: Visit, form: TypedForm) -> Response:
        setup.reach(visit.tenant, form.get("address", ""))
        return visit.on("/begin?step=address&done=address_reached")

    def _write_down(self, visit: Visit, _: TypedForm) -> Response:
        setup.write_down(visit.tenant, "content")
        return visit.on("/begin", "written_down")

    def _mail(self, visit: Visit, form: TypedForm) -> Response:
        is_set = visit.tenant.settings.smtp_url is not None
        url = "" if is_set else setup.mail_url(*(form.get(field, "") for field in SERVER))
        with tenants_of(visit.request).hold(DEFAULT) as tenant:
            try:
                outcome = try_out(tenant, self._render, form.get("email", ""), url)
            except ValueError as error:
                why = f"What you wrote {str(error).partition(';')[0]}. {_WRITE}" if url else str(error)
                raise Refused(why) from error
            now = tenant.clock()
        if outcome.end is not End.DELIVERED:
            raise Refused(f"The message was not sent: {outcome.reason}")
        if not is_set:
            return self._tried(visit, url, form)
        setup.change(visit.tenant, lambda before: msgspec.structs.replace(before, mailed_at=now))
        return visit.on("/begin", "mail_taken")

    def _tried(self, visit: Visit, url: str, form: TypedForm) -> Response:
        """The mail step, with the line that sets the server that took a message."""
        setup.write_down(visit.tenant, "mail")
        found = setup.steps(visit.tenant, tenants_of(visit.request))
        chosen = next(one for one in found if one.name == "mail")
        typed = {field: form.get(field, "") for field in (*SERVER, "email")}
        told = _NOTHING | {"typed": typed, "tried": f"LRS_SMTP_URL={url}", "has_password": bool(form.get("password"))}
        return self._shown(visit, found, chosen, 200, told)

    def _is_in(self, visit: Visit) -> bool:
        """Whether this browser is signed in at the organisation, too."""
        try:
            with tenants_of(visit.request).hold(DEFAULT) as tenant:
                return session_in(tenant, visit.request.cookies.get(session_cookie(tenant))) is not None
        except CANNOT:
            return False


_NOTHING: dict[str, Any] = {
    "content_settings": [],
    **dict.fromkeys(("problem", "own", "public_url", "reached", "sender", "tried"), ""),
    "typed": {},
    "invited": {"link": "", "until": ""},
    "has_server": False,
    "has_password": False,
}


def _planned(kept: setup.Setup | None) -> str:
    """The address that the pages get at the next start; empty if none was written down."""
    return kept.address if kept and "address" in kept.written else ""


def _own(visit: Visit) -> staff.Member:
    """The operator who is signed in."""
    _, found = staff.existing(visit.tenant.store, visit.session.by.removeprefix(SUBJECT))
    return found
