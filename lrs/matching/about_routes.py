"""Routes for programs with an API key: read and set what learners are told about the organisation and its services.

No logic.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from pydantic import Field

from lrs.kernel.contacts import checked_contact, checked_page
from lrs.matching import registry, services
from lrs.matching.models import Shape
from lrs.matching.registry import AboutService
from lrs.matching.services import Service
from lrs.tenancy import audit
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.record import TenantRecord
from lrs.web.exchange import caller_of
from lrs.web.late import Router
from lrs.web.routing import WITH_KEY, Here, described, problems, read_body, small_body
from lrs.web.shared import shared

_CONTACT = "How learners reach it: an e-mail address, a page, a line of text."


class ToldOfOrganisation(Shape):
    """What learners are told of the organisation, and from which age they decide alone about what is shared."""

    name: str = Field(max_length=200)
    contact: str | None = Field(max_length=200, description=_CONTACT)
    privacy_notice: str | None = Field(max_length=2_000, description="The https address of its privacy notice.")
    consent_age: int | None = Field(ge=1, le=30, description="Below it a guardian must agree, too.")
    guardian: bool | None = Field(description="Whether a guardian must; null is yes.")


class ToldOfService(Shape):
    """What learners are told of a service, and where they may be led back to."""

    contact: str = Field(min_length=1, max_length=200, description=_CONTACT)
    privacy_notice: str = Field(min_length=1, max_length=2_000, description="The https address of its privacy notice.")
    return_urls: list[str] = Field(
        max_length=20, description="Addresses that links may lead back to, letter for letter."
    )


def routes() -> Router:
    """The router."""
    router = Router(tags=["services"])

    @router.get("/api/organisation", responses=problems(401, 403), openapi_extra=WITH_KEY)
    def organisation(tenant: Here) -> ToldOfOrganisation:
        """What learners are told of the organisation."""
        return _organisation(tenant.record)

    @router.put(
        "/api/organisation",
        responses=problems(400, 401, 403, 413),
        openapi_extra=described(ToldOfOrganisation) | WITH_KEY,
    )
    def set_organisation(
        request: Request, tenant: Here, body: Annotated[bytes, Depends(small_body)]
    ) -> ToldOfOrganisation:
        """Sets it as a whole; pages follow within a second."""
        told = read_body(ToldOfOrganisation, body)
        changed: dict[str, Any] = told.model_dump()
        if told.contact is not None:
            changed["contact"] = checked_contact(told.contact)
        if told.privacy_notice is not None:
            changed["privacy_notice"] = checked_page(told.privacy_notice, "privacy notice")
        by, about = caller_of(request).subject, {"set": " ".join(sorted(changed))}
        tenant.store.write(lambda tx: audit.append(tx, by, "tenant.set", about)).result()
        control = shared(request, Tenants).control
        return _organisation(control.change(tenant.id, lambda record, _: msgspec.structs.replace(record, **changed)))

    _add_service(router)
    return router


def _add_service(router: Router) -> None:
    """What learners are told of one service."""

    @router.get("/api/services/{service}", responses=problems(401, 403, 404), openapi_extra=WITH_KEY)
    def service(tenant: Here, service: str) -> ToldOfService:
        """What learners are told of a service."""
        return _service(services.wanted(tenant.store, service))

    @router.put(
        "/api/services/{service}",
        responses=problems(400, 401, 403, 404, 413),
        openapi_extra=described(ToldOfService) | WITH_KEY,
    )
    def set_service(
        request: Request, tenant: Here, service: str, body: Annotated[bytes, Depends(small_body)]
    ) -> ToldOfService:
        """Sets it as a whole."""
        told = read_body(ToldOfService, body)
        about = AboutService(told.contact, told.privacy_notice, tuple(told.return_urls))
        return _service(registry.tell(tenant, service, about, by=caller_of(request).subject))


def _organisation(record: TenantRecord) -> ToldOfOrganisation:
    return ToldOfOrganisation(**{name: getattr(record, name) for name in ToldOfOrganisation.model_fields})


def _service(service: Service) -> ToldOfService:
    return ToldOfService.model_construct(  # a service that was stored by an older version has neither
        contact=service.contact, privacy_notice=service.privacy_notice, return_urls=list(service.return_urls)
    )
