"""What one application keeps in memory for all its requests, such as counts of tries.

The routes are the same for every application of a process, so they keep nothing themselves.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

from fastapi import FastAPI
from starlette.requests import Request

_Kept = TypeVar("_Kept")


class _Objects:
    def __init__(self) -> None:
        self.of: dict[type[Any], Any] = {}
        self.making = threading.Lock()


def share(app: FastAPI, *objects: object) -> None:
    """Gives *app* those of its *objects* that something has to be told to make."""
    app.state.shared = _Objects()
    app.state.shared.of.update({type(one): one for one in objects})


def shared(request: Request, kind: type[_Kept]) -> _Kept:
    """The one object of *kind* of the application that *request* came to; made at its first use."""
    objects: _Objects = request.app.state.shared
    if (found := objects.of.get(kind)) is None:
        with objects.making:
            found = objects.of.get(kind)
            if found is None:
                found = objects.of[kind] = kind()
    return cast("_Kept", found)
