"""The pages about one's own account: name, password, second factor, address, sessions. No logic."""

from typing import Any

from fastapi import Response

from lrs.access import learners, second_factor, staff, staff_acts, staff_factor, tries
from lrs.access.passwords import LONGEST, SHORTEST
from lrs.access.sessions import Session, end_session, sessions_of
from lrs.access.staff import SUBJECT, Member
from lrs.access.tries import Try, TryLimit
from lrs.kernel.errors import Refused
from lrs.kernel.qr import qr_code
from lrs.matching.developers import role_said
from lrs.pages.me.own_page import own_page
from lrs.pages.visit import ACCOUNT, SIGNED_IN, FormBody, Visit, Visiting, form_body, page_router, says
from lrs.people import sign_in
from lrs.storage import Reader
from lrs.web.dates import Dates
from lrs.web.exchange import exchange_of, in_language
from lrs.web.frame import PRODUCT
from lrs.web.late import Router
from lrs.web.origins import drop_cookie, session_cookie

TRIES = TryLimit(10, 15 * 60)
"""How often a password, a code or an address may be tried in one account."""

says(
    renamed="Your name is changed.",
    changed="Your password is changed. You are signed out everywhere else.",
    ended="The session is ended.",
    off="The second factor is off. You are signed out everywhere else.",
    sent="A message with six digits is on its way to this address. Type them below.",
    proven="You can sign in with this address from now on.",
)


def routes(prefix: str = "", *, for_learners: bool = True) -> Router:
    """The router; its pages are under *prefix*. *for_learners* adds the pages that only learners need."""
    router = page_router(prefix + ACCOUNT)
    _add_account(router)
    _add_sessions(router)
    if for_learners:
        _add_address(router)
        _add_closing(router)
    _add_factor(router)
    return router


def _add_account(router: Router) -> None:
    @router.get("", summary="One's own account, and where one is signed in", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _account(visit)

    @router.post("/name", status_code=303, summary="Changes one's name", openapi_extra=form_body("name") | SIGNED_IN)
    def rename(visit: Visiting, body: FormBody) -> Response:
        name = visit.fields(body).get("name", "")
        return _did(visit, "renamed", lambda id: staff_acts.rename(visit.tenant, id, name))

    @router.post(
        "/password",
        status_code=303,
        summary="Changes one's password",
        openapi_extra=form_body("present", "password", "again") | SIGNED_IN,
    )
    def change(visit: Visiting, body: FormBody) -> Response:
        form = visit.fields(body)
        present, new, again = (form.get(field, "") for field in ("present", "password", "again"))

        def act(id: str) -> None:
            if new != again:
                raise Refused("The two passwords are not the same. Type it again.")
            _tried(visit)
            staff_acts.change_password(visit.tenant, id, present, new, session=visit.session.nonce)

        return _did(visit, "changed", act)


def _add_sessions(router: Router) -> None:
    @router.post(
        "/sessions", status_code=303, summary="Ends a session of one's own", openapi_extra=form_body("id") | SIGNED_IN
    )
    def end(visit: Visiting, body: FormBody) -> Response:
        id = visit.fields(body).get("id", "")
        if id not in {one.id for one in _sessions(visit)}:
            raise Refused("There is no such session.", status=404, error="not_found")
        end_session(visit.tenant, id, by=visit.session.by)
        return visit.on(ACCOUNT, "ended")


def _add_address(router: Router) -> None:
    @router.post(
        "/address",
        status_code=303,
        summary="Sends six digits to an address, or takes them",
        openapi_extra=form_body("email", "code") | SIGNED_IN,
    )
    def address(visit: Visiting, body: FormBody) -> Response:
        form, person, browser = visit.fields(body), visit.caller.person, visit.session.nonce
        if not person:
            raise Refused("Only learners sign in with an address alone.", status=404, error="not_found")
        try:
            _tried(visit)
            if "code" in form:
                sign_in.prove_address(visit.tenant, person, form["code"], browser)
                return visit.on(ACCOUNT, "proven")
            sign_in.ask_for_address(visit.tenant, person, form.get("email", ""), browser)
        except Refused as refused:
            return _account(visit, refused)
        return visit.on(ACCOUNT, "sent")


def _add_closing(router: Router) -> None:
    @router.post(
        "/close", status_code=303, summary="Closes a learner's own sign-in", openapi_extra=form_body() | SIGNED_IN
    )
    def close(visit: Visiting, body: FormBody) -> Response:
        visit.fields(body)
        person = visit.caller.person
        if not person:
            raise Refused("Only learners close their own sign-in.", status=404, error="not_found")
        visit.tenant.store.write(lambda tx: learners.close_account(tx, person, by=visit.session.by)).result()
        answer = visit.on("/sign-in/learner")
        drop_cookie(answer, visit.tenant, session_cookie(visit.tenant))
        return answer


def _add_factor(router: Router) -> None:
    @router.get("/second-factor", summary="How to turn the second factor on or off", openapi_extra=SIGNED_IN)
    def show(visit: Visiting) -> Response:
        return _factor(visit, second_factor.new_secret())

    @router.post(
        "/second-factor", summary="Turns the second factor on", openapi_extra=form_body("secret", "code") | SIGNED_IN
    )
    def turn_on(visit: Visiting, body: FormBody) -> Response:
        form, id = visit.fields(body), _staff(visit)
        proposed, code = form.get("secret", ""), form.get("code", "")
        try:
            _tried(visit)
            codes = staff_factor.turn_on(visit.tenant, id, visit.session.nonce, proposed, code)
        except Refused as refused:
            secret = staff_factor.secret_in(visit.tenant, visit.session.nonce, proposed) or second_factor.new_secret()
            return _factor(visit, secret, refused)
        return visit.page("account/recovery-codes.html", codes=codes)

    @router.post(
        "/second-factor/off",
        status_code=303,
        summary="Turns the second factor off",
        openapi_extra=form_body("password") | SIGNED_IN,
    )
    def turn_off(visit: Visiting, body: FormBody) -> Response:
        password, id = visit.fields(body).get("password", ""), _staff(visit)
        try:
            _tried(visit)
            staff_factor.turn_off(visit.tenant, id, visit.session.nonce, password)
        except Refused as refused:
            return _factor(visit, second_factor.new_secret(), refused)
        return visit.on(ACCOUNT, "off")


def _did(visit: Visit, done: str, act: Any) -> Response:
    """Does *act* for the signed-in member and shows the result, or the reason of a refusal beside the form."""
    try:
        act(_staff(visit))
    except Refused as refused:
        if refused.status not in {400, 429}:
            raise
        return _account(visit, refused)
    return visit.on(ACCOUNT, done)


def _tried(visit: Visit) -> None:
    tries.count(visit.tenant, Try(("account of", visit.session.by), TRIES))


def _staff(visit: Visit) -> str:
    """The id of the signed-in member. Raises ``Refused`` (404) for a learner or a key."""
    if not visit.session.by.startswith(SUBJECT):
        raise Refused("This is for members of staff.", status=404, error="not_found")
    return visit.session.by.removeprefix(SUBJECT)


def _sessions(visit: Visit) -> list[Session]:
    return sessions_of(visit.tenant.store, visit.session.by, visit.tenant.clock())


def _account(visit: Visit, refused: Refused | None = None) -> Response:
    status, told = refused.status if refused else 200, {"problem": refused.message if refused else ""}
    if visit.caller.person:
        in_language(visit.request)
    told_all: dict[str, Any] = told | {"sessions": [_session(visit, one) for one in _sessions(visit)]}
    learner = learners.account_of(visit.tenant.store, visit.caller.person) if visit.caller.person else None
    if learner:
        return own_page(
            visit,
            "account/own-account.html",
            status,
            **told_all,
            preview=sign_in.preview(visit.tenant, visit.caller.person),
            addresses=learner.addresses,
            comes_back=learner.comes_back,
            asks_code=visit.request.query_params.get("done") == "sent" or refused is not None,
        )
    member = _member(visit)
    shown = _shown(visit.tenant.store, member) if member else None
    return visit.page("account/account.html", status, **told_all, member=shown, shortest=SHORTEST, longest=LONGEST)


def _member(visit: Visit) -> Member | None:
    is_staff = visit.session.by.startswith(SUBJECT)
    return staff.member(visit.tenant.store, visit.session.by.removeprefix(SUBJECT)) if is_staff else None


def _shown(reader: Reader, member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "email": member.email,
        "roles": [role_said(reader, one) for one in member.all_roles],
        "has_password": member.password is not None,
        "cannot_return": member.cannot_return,
        "has_factor": member.factor is not None,
        "codes_left": len(member.recovery),
        "logins": [one.issuer for one in member.logins],
    }


def _session(visit: Visit, one: Session) -> dict[str, Any]:
    dates = Dates(visit.tenant.settings.zone, exchange_of(visit.request).language)
    return {
        "id": one.id,
        "browser": one.browser,
        "how": "oidc" if one.how.startswith("oidc") else one.how,
        "opened": dates.moment(one.opened),
        "seen": dates.moment(one.seen),
        "here": one.id == visit.session.nonce,
    }


def _factor(visit: Visit, secret: str, refused: Refused | None = None) -> Response:
    member = _member(visit)
    if member is None or member.password is None:
        raise Refused(
            "A second factor goes with a password, and you sign in another way.", status=404, error="not_found"
        )
    organisation = visit.tenant.record.name or PRODUCT
    width, path = qr_code(second_factor.address_for_app(secret, member.email, organisation))
    return visit.page(
        "account/second-factor.html",
        refused.status if refused else 200,
        problem=refused.message if refused else "",
        is_on=member.factor is not None,
        codes_left=len(member.recovery),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        proposed=staff_factor.proposed(visit.tenant, visit.session.nonce, secret),
        qr_width=width,
        qr_path=path,
    )
