"""A table as one test, which tries every row and names all rows that are wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest


def each_of(
    names: str | tuple[str, ...], rows: Iterable[Any], *, ids: Callable[[Any], object] | Iterable[str] = repr
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As ``pytest.mark.parametrize``, but the rows are one test: for rows that need nothing of their own.

    A test with two tables tries each row of one with each of the other. It fails with a group of what each wrong row
    failed with; *ids* name the rows. An item costs some eight milliseconds in a whole run before it tests anything.
    """
    words = [word.strip() for word in names.split(",")] if isinstance(names, str) else list(names)
    listed = list(rows)
    called = list(map(ids, listed)) if callable(ids) else list(ids)

    def of(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def trying(**given: Any) -> None:
            wrong = []
            for row, name in zip(listed, called, strict=True):
                try:
                    test(**given, **dict(zip(words, row if len(words) > 1 else [row], strict=True)))
                except (Exception, pytest.fail.Exception, BaseExceptionGroup) as error:  # noqa: BLE001 (told below)
                    error.add_note(f"{', '.join(words)}: {name}")
                    wrong.append(error)
            if wrong:
                raise BaseExceptionGroup(f"{len(wrong)} of {len(listed)} rows are wrong", wrong)

        mine = inspect.signature(test)
        kept = [one for name, one in mine.parameters.items() if name not in words]
        trying.__signature__ = mine.replace(parameters=kept)
        return trying

    return of
