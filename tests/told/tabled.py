"""Tables of told tests: what one rule makes of each of many things that are given to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError

from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.sealed import NotOurs
from tests.told.story import Story, inline, refusal

RUN = re.compile(r"(a/b,|.)\1{39,}")
"""One sign or word many times over: what is told of it is how long it is."""


def said(act: Callable[..., Any], *given: Any, **named: Any) -> str:
    """What *act* makes of what is *given*, or how that is refused."""
    try:
        return inline(act(*given, **named))
    except Refused as refused:
        return refusal(refused)
    except ValidationError as error:
        return "; ".join(f"INVALID {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    except (ValueError, Misconfigured, Overloaded, NotOurs, Blocked, Unreachable) as error:
        return f"{type(error).__name__}: {error}"


def table(story: Story, act: Callable[..., Any], rows: Iterable[Any], title: str = "") -> None:
    story.head(title or act.__name__)
    for row in rows:
        given = row if isinstance(row, tuple) else (row,)
        story.say(
            RUN.sub(lambda run: f"{run[1]}…{len(run[0])}", f"{' | '.join(map(repr, given))} -> {said(act, *given)}")
        )
