"""What the routes of a learner's own pages share: whose they are, in which language, and the page. No logic."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from lrs.kernel.errors import Refused
from lrs.pages.me import facts
from lrs.pages.me.facts import Own
from lrs.pages.visit import Visit
from lrs.web.dates import Dates
from lrs.web.exchange import in_language
from lrs.web.language import LEARNERS, language_of, said_in

READ = "own-record.read"


def own_of(visit: Visit) -> Own:
    """The learner of the pages: the one person within the caller's right. Raises ``Refused`` (404, 410)."""
    mine = visit.caller.owned(READ)
    if len(mine) != 1:
        raise Refused("There is no learner's record for this sign-in.", status=404, error="not_found")
    return facts.own(visit.tenant, next(iter(mine)))


def dates_of(visit: Visit) -> Dates:
    """How the page writes dates: in the language that the learner chose, or that their browser prefers."""
    return Dates(visit.tenant.settings.zone, language_of(visit.request))


def own_page(visit: Visit, template: str, status: int = 200, **shown: Any) -> Response:
    """A page in the learner's language, which is kept once it is chosen."""
    language = in_language(visit.request)
    if "problem" in shown:
        shown["problem"] = said_in(language, shown["problem"])
    return visit.page(template, status, languages=LEARNERS, **shown)
