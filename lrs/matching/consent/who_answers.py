"""Who may answer a consent link, see what was answered, and stop it there. Pure."""

from __future__ import annotations

from lrs.kernel.errors import Refused
from lrs.matching.consent.links import ConsentLink
from lrs.matching.services import Service


def needs_sign_in(link: ConsentLink, service: Service | None) -> bool:
    """Whether only the learner, signed in, may answer *link*: an employer or the staff made it, and has it, too."""
    return not link.by.startswith("service ") or (service is not None and service.employer)


def check_answer(link: ConsentLink, service: Service | None, person: str | None) -> None:
    """Refuses (403) whoever has a link that ``needs_sign_in`` and is not signed in."""
    if needs_sign_in(link, service) and not person:
        message = "Sign in first: only you, signed in, can answer here."
        raise Refused(message, status=403, error="sign_in_to_answer")
