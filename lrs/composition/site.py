"""All routes and pages that are the same for every application: those of the rooms, put together. Decides nothing."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from functools import partial

from starlette.routing import BaseRoute

from adapters.catalogue import pages as catalogue_pages
from adapters.catalogue import role_pages
from adapters.catalogue.role_planning import plan_here
from adapters.imports import routes as imports
from adapters.lms.catapult import routes as catapult
from adapters.lms.courses import content as content_files
from adapters.lms.launching import fetching
from adapters.lms.lti import frame_routes, frames, learn_routes, pick_routes, staff_routes, tool_routes, trial_routes
from adapters.lms.pages import own_learning
from adapters.lms.pages import routes as course_pages
from adapters.lms.scorm import routes as scorm_player
from adapters.pages import apprenticeship, learner_route, missing, provider, saved
from adapters.pages import imports as import_pages
from adapters.site import centre_pages, public_pages
from badges import site as badges
from badges.pages import codes
from badges.pages.told import badges_told
from lrs.access.policy.operators import OPERATOR
from lrs.composition.channels import mail_text
from lrs.composition.kinds import TENANT
from lrs.composition.neighbours import neighbours as all_neighbours
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.matching import about_routes, outcome_routes
from lrs.matching import routes as profiles
from lrs.matching.consent import link_routes
from lrs.matching.consent import routes as learners
from lrs.pages import (
    account,
    consents,
    correcting,
    employer,
    front,
    home,
    members,
    questions,
    same_person,
    source,
    visit,
)
from lrs.pages import learners as staff_learners
from lrs.pages import quarantine as quarantine_pages
from lrs.pages import routes as key_pages
from lrs.pages import rules as rules_pages
from lrs.pages import services as staff_services
from lrs.pages.arrivals import routes as arrivals
from lrs.pages.connect import routes as connect
from lrs.pages.console import routes as console
from lrs.pages.docs import developers
from lrs.pages.facts import Neighbours
from lrs.pages.me import routes as me
from lrs.pages.operator import begin, organisations, people
from lrs.pages.operator import routes as operator
from lrs.pages.sign_in import invitation
from lrs.pages.sign_in import learner as sign_in_learner
from lrs.pages.sign_in import password as sign_in
from lrs.pages.sign_in import provider as sign_in_provider
from lrs.web.framework import guarded
from lrs.web.late import Router
from lrs.web.static_files import routes as static_files

PAGES = {
    "account": visit.ACCOUNT_PAGES,
    "me": me.PAGES,
    "staff": visit.PAGES,
    "consent": learners.PAGES,
    "public": front.PAGES,
    **badges.PAGES,
    "lti": frames.PAGES,
    "catalogue": catalogue_pages.PAGES,
    **role_pages.PAGES,
    "content": scorm_player.PAGES,
    "operator": operator.PAGES,
}
"""By their names in the table of rights."""


@functools.cache
def common_routes() -> tuple[BaseRoute, ...]:
    """The routes that are the same for every application. FastAPI works out 0.5 ms for each, so once a process.

    None of them may keep anything, such as counts of tries: it would be kept for all applications together. What an
    application keeps is in ``lrs.web.shared``.
    """
    neighbours = all_neighbours()
    routers = (*_of_programs(), *_of_staff(neighbours), *_of_everybody(), *_of_courses(), *_of_operator(neighbours))
    return tuple(route for router in routers for route in guarded(router.routes))


def _of_programs() -> Iterator[Router]:
    """What programs ask for: matching services, content, files that are sent."""
    yield about_routes.routes()
    yield profiles.routes()
    yield link_routes.routes()
    yield outcome_routes.routes()
    yield learners.routes()
    yield content_files.routes()
    yield scorm_player.routes(SUBSCRIPTIONS)
    yield fetching.routes()
    yield catapult.routes(SUBSCRIPTIONS)
    yield imports.routes()


def _of_staff(neighbours: Neighbours) -> Iterator[Router]:
    """The pages of who works in the organisation."""
    yield key_pages.routes(neighbours)
    yield import_pages.routes()
    yield provider.routes()
    yield apprenticeship.routes()
    yield learner_route.routes()
    yield missing.routes()
    yield saved.routes()
    yield from centre_pages(SUBSCRIPTIONS)
    yield rules_pages.routes()
    yield sign_in_provider.routes()
    yield invitation.routes()
    yield members.routes(neighbours)
    yield home.routes(neighbours)
    yield staff_learners.routes(neighbours)
    yield staff_services.routes(neighbours)
    yield employer.routes()
    yield same_person.routes()
    yield questions.routes(neighbours)
    yield correcting.routes(neighbours)
    yield consents.routes()
    yield developers.routes()
    yield console.routes(neighbours)
    yield source.routes()
    yield connect.routes(neighbours)
    yield quarantine_pages.routes(neighbours)
    yield arrivals.routes(neighbours)


def _of_everybody() -> Iterator[Router]:
    """The first page, signing in, a learner's own pages, badges, and what is public."""
    yield front.routes()
    yield sign_in.routes()
    yield sign_in_learner.routes()
    yield account.routes()
    yield me.routes(TENANT, badges_told(), plan_here)
    yield from badges.routers(SUBSCRIPTIONS)
    yield from public_pages()


def _of_courses() -> Iterator[Router]:
    """What a learning platform shows in its frames, and the pages of courses."""
    yield from frame_routes.routes(badges_told(), plan_here, partial(codes.add_code, subscriptions=SUBSCRIPTIONS))
    yield tool_routes.routes()
    yield pick_routes.routes()
    yield learn_routes.routes(SUBSCRIPTIONS)
    yield trial_routes.routes(SUBSCRIPTIONS)
    yield staff_routes.routes()
    yield course_pages.routes(SUBSCRIPTIONS)
    yield own_learning.routes(SUBSCRIPTIONS)
    yield static_files()


def _of_operator(neighbours: Neighbours) -> tuple[Router, ...]:
    """The pages of the operator of the installation; they sign in as staff do, in front of other pages."""
    return (
        sign_in.routes(OPERATOR),
        invitation.routes(OPERATOR),
        account.routes(OPERATOR, for_learners=False),
        operator.routes(neighbours),
        organisations.routes(),
        people.routes(),
        begin.routes(mail_text),
    )
