"""The route by which a service asks for a link on which a learner can agree. No logic."""

import secrets
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from pydantic import ConfigDict, Field, model_validator

from lrs.kernel.errors import Refused
from lrs.kernel.times import short_timestamp
from lrs.matching.calling_service import asking
from lrs.matching.consent import links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import LONGEST_REFERENCE, Wish
from lrs.matching.models import Shape
from lrs.matching.services import CONSENTED
from lrs.matching.tokens import Access
from lrs.people.identifiers import matches_nobody
from lrs.people.ids import Ids, identified, ids_of
from lrs.web.late import Router
from lrs.web.origins import pages_address_for
from lrs.web.routing import Here, described, problems, read_body, small_body

_SCOPES = f"Of {', '.join(CONSENTED)}, always with the first; without any, all the service has."


class Account(Shape):
    """An account, as in xAPI (4.2.2.2)."""

    home_page: str = Field(min_length=1, max_length=2_000)
    name: str = Field(min_length=1, max_length=500)


class Learner(Shape):
    """How the service knows the learner: exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["mbox"]}, {"required": ["account"]}]})
    mbox: str | None = Field(None, pattern=r"^mailto:[^@\s]{1,64}@[^@\s]{1,255}$", examples=["mailto:ana@example.org"])
    account: Account | None = None

    @model_validator(mode="after")
    def one_of_two(self) -> "Learner":
        """Refuses none and both."""
        if (self.mbox is None) == (self.account is None):
            raise ValueError("give either mbox or account")
        return self


class LinkWanted(Shape):
    """What the service asks the learner for."""

    reference: str = Field(
        min_length=1, max_length=LONGEST_REFERENCE, description="The service's own word for the learner."
    )
    learner: Learner
    scopes: list[str] = Field(default=[], max_length=10, description=_SCOPES)
    purpose: str | None = Field(None, max_length=500, description="Must be the one the service is registered for.")
    consent_days: int | None = Field(None, ge=1, le=3_650, description="The consent ends by itself after so many days.")
    return_url: str | None = Field(
        None,
        max_length=2_000,
        description="Where the learner is led back to: one of the addresses that the service is registered with.",
    )


class LinkMade(Shape):
    """A link to hand to the learner; the same answer whether or not anybody of that name is known."""

    link: str
    id: str
    expires: str


def routes() -> Router:
    """The router."""
    router = Router()

    @router.post(
        "/api/links",
        status_code=201,
        response_model=LinkMade,
        responses=problems(400, 401, 413),
        openapi_extra=described(LinkWanted),
        tags=["services"],
    )
    def make_link(
        request: Request,
        here: Here,
        who: Annotated[Access, Security(asking)],
        body: Annotated[bytes, Depends(small_body)],
    ) -> dict[str, Any]:
        """A link on which one learner can agree, once, within 24 hours; the service shows it to the learner."""
        wanted = read_body(LinkWanted, body)
        about = subject_of(wanted.learner, ids_of(here))
        wish = Wish(
            about,
            tuple(wanted.scopes),
            wanted.reference,
            wanted.consent_days,
            wanted.purpose,
            wanted.return_url,
            wanted.learner.mbox,
        )
        link = links.mint(here, who.service, wish, id=secrets.token_urlsafe(18), by=f"service {who.service.id}")
        return {
            "link": links.address(here, link, pages_address_for(request)),
            "id": link.id,
            "expires": short_timestamp(link.expires),
        }

    return router


def subject_of(learner: Learner, ids: Ids) -> Subject:
    """The identifier that *learner* is, without asking whether anybody has it. Raises ``Refused``."""
    identifier = identified(learner.model_dump(by_alias=True, exclude_none=True), ids)
    fault = matches_nobody(identifier) if identifier else "give either mbox or account"
    if identifier is None or fault:
        raise Refused(fault or "", pointer="/learner/account/name")
    return Subject(identifier=identifier.id)
