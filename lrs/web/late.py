"""Routes that FastAPI works out when they are first used, not at the start. Knows no route."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match, compile_path, get_name
from starlette.types import Receive, Scope, Send


class LateRoute(APIRoute):
    """A route of FastAPI's that knows at the start only what it takes to be found.

    All else (parameters, models, dependencies) is worked out at the first request, or for the OpenAPI document: it
    takes 1.5 ms, and most processes use few of the hundreds of routes. So a wrong declaration fails only then.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        self._work_out = cache(partial(_worked_out, type(self), path, endpoint, **told))
        self.path, self.endpoint, self.name = path, endpoint, told.get("name") or get_name(endpoint)
        self.methods = set(told.get("methods") or ["GET"])
        self._begin = path.partition("{")[0]
        self.app = self._answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See ``starlette.routing.Route``. The expression is made when an address with the same beginning is asked."""
        if self._begin not in scope["path"]:
            return Match.NONE, {}
        if "path_regex" not in vars(self):
            self.path_regex, self.path_format, self.param_convertors = compile_path(self.path)
        return super().matches(scope)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._work_out().app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        """What is not known yet. Raises ``AttributeError`` if a route that is worked out does not have it."""
        if "_work_out" not in vars(self):
            raise AttributeError(name)
        return getattr(self._work_out(), name)


def _worked_out(kind: type[LateRoute], *told: Any, **options: Any) -> LateRoute:
    """A route of *kind* as FastAPI makes it."""
    made = object.__new__(kind)
    APIRoute.__init__(made, *told, **options)
    return made


class Router(APIRouter):
    """A router of FastAPI's, for late routes. *told* are its other parameters."""

    def __init__(self, *, route_class: type[LateRoute] = LateRoute, **told: Any) -> None:
        super().__init__(route_class=route_class, **told)
