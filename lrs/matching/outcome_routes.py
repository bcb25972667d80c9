"""The routes by which a service tells what became of a learner, corrects it and takes it back. No logic."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Response, Security
from pydantic import Field

from lrs.kernel.errors import Refused
from lrs.kernel.times import short_timestamp
from lrs.matching import outcomes, services
from lrs.matching.calling_service import asking
from lrs.matching.models import Shape
from lrs.matching.outcomes import JobOutcome, WhatCameOfIt
from lrs.matching.tokens import Access
from lrs.tenancy.tenants import Tenant
from lrs.web.late import Router
from lrs.web.routing import Here, described, problems, read_body, small_body

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$"
_CALLED = "The service's own id of the outcome: letters, digits, . _ ~ -"
_ROLE = "The id of a role of GET /api/roles; left out for one that is not among them."
CalledOutcome = Annotated[str, Path(pattern=_NAME, description=_CALLED)]


class OutcomeCorrected(Shape):
    """What is now to stand under the id."""

    outcome: Literal["shortlisted", "hired"]
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="The day on which it happened, not one to come.")
    role: str | None = Field(None, min_length=1, max_length=500, description=_ROLE)


class OutcomeTold(OutcomeCorrected):
    """What became of a learner."""

    id: str = Field(pattern=_NAME, description=_CALLED)
    subject: str = Field(min_length=1, max_length=100, description="The learner's name towards this service.")


class OutcomeShown(Shape):
    """An outcome as it is kept; times are RFC 3339."""

    id: str
    subject: str
    outcome: Literal["shortlisted", "hired"]
    date: str
    role: str | None = None
    told: str
    corrected: str | None = None


def routes() -> Router:
    """The router."""
    router = Router(tags=["services"])
    writer = Annotated[Access, Security(asking, scopes=[services.OUTCOMES])]

    @router.post(
        "/api/outcomes",
        status_code=201,
        response_model=OutcomeShown,
        responses={**problems(400, 401, 403, 404, 409, 413), 200: {"model": OutcomeShown}},
        openapi_extra=described(OutcomeTold),
    )
    def tell(here: Here, who: writer, body: Annotated[bytes, Depends(small_body)], response: Response) -> Any:
        """What became of a learner; needs consent to outcomes:write. The same again is 200 and changes nothing."""
        told = read_body(OutcomeTold, body)
        kept = outcomes.tell(here, who.service.id, told.id, told.subject, _what(told))
        response.status_code = 201 if kept.is_new else 200
        return _shown(here, kept.outcome)

    @router.put(
        "/api/outcomes/{outcome}",
        response_model=OutcomeShown,
        responses=problems(400, 401, 403, 404, 409, 413),
        openapi_extra=described(OutcomeCorrected),
    )
    def correct(here: Here, who: writer, outcome: CalledOutcome, body: Annotated[bytes, Depends(small_body)]) -> Any:
        """Corrects what was told under this id; needs the learner's consent still."""
        what = _what(read_body(OutcomeCorrected, body))
        return _shown(here, outcomes.correct(here, who.service.id, outcome, what))

    @router.delete("/api/outcomes/{outcome}", status_code=204, responses=problems(401, 403, 404))
    def withdraw(here: Here, who: writer, outcome: CalledOutcome) -> None:
        """Takes back what was told under this id; also once the learner does not agree any more."""
        outcomes.withdraw(here, who.service.id, outcome, by=f"service {who.service.id}")

    return router


def _what(told: OutcomeCorrected) -> WhatCameOfIt:
    try:
        day = date.fromisoformat(told.date)
    except ValueError as error:
        raise Refused("there is no such day", error="bad_date", pointer="/date") from error
    return WhatCameOfIt(told.outcome, day, told.role)


def _shown(tenant: Tenant, one: JobOutcome) -> dict[str, Any]:
    return {
        "id": one.name,
        "subject": services.pairwise(tenant, one.service, one.person),
        "outcome": one.what.outcome,
        "date": one.what.day.isoformat(),
        "role": one.what.role,
        "told": short_timestamp(one.told),
        "corrected": short_timestamp(one.corrected) if one.corrected is not None else None,
    }
