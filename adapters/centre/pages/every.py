"""Every page of training centres, for the application."""

from fastapi import APIRouter

from adapters.centre.pages import checklists, routes, sign_off
from lrs.xapi.statements.subscriptions import Subscriptions


def centre_pages(subscriptions: Subscriptions) -> tuple[APIRouter, ...]:
    """Their routers; *subscriptions* say which steps the statements of a session owe."""
    return routes.routes(subscriptions), checklists.routes(), sign_off.routes(subscriptions)
