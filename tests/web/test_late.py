"""Routes that are worked out when they are first used."""

import pytest
from fastapi.exceptions import FastAPIError
from starlette.routing import Match

from lrs.access.policy.lines import PUBLIC, PolicyLine
from lrs.web.late import LateRoute, Router
from tests.served import add_route, serving


class Unreadable:
    """A class that is no type of a parameter."""


def wrong(things: Unreadable) -> None:
    """FastAPI cannot read its parameter."""


def test_a_route_is_found_by_address_and_method_before_it_is_worked_out_and_a_wrong_one_is_refused_then():
    router = Router(prefix="/rooms")
    router.post("/{id}")(wrong)
    (route,) = router.routes

    found = [
        route.matches({"type": "http", "method": method, "path": path})[0]
        for method, path in (("POST", "/rooms/1"), ("GET", "/rooms/1"), ("POST", "/rooms"))
    ]

    assert found == [Match.FULL, Match.PARTIAL, Match.NONE]
    with pytest.raises(FastAPIError, match="Invalid args"):
        _ = route.dependant


def test_what_even_a_route_that_is_worked_out_does_not_have_is_missing():
    route = LateRoute("/things", lambda: "things")

    assert not hasattr(route, "colour")
    assert (route.summary, route.methods) == (None, {"GET"})


def test_every_route_of_the_application_is_late_and_answers_when_it_is_asked(tmp_path):
    with serving(tmp_path / "data") as lrs:  # its own: the route would stand in the document of the shared one
        add_route(lrs.app, "GET", "/things/{id}", lambda id: {"thing": id}, PolicyLine(PUBLIC))
        answer = lrs.clients[0].get(f"{lrs.address}/things/mine")
        not_late = [one.path for one in lrs.app.api.routes if not isinstance(one, LateRoute)]

    assert (answer.status_code, answer.json()) == (200, {"thing": "mine"})
    assert not_late == ["/openapi.json"]
