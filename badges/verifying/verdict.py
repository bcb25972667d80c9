"""What a verification says: checks, each with a reason for programs and a sentence for people. Makes no check."""

from __future__ import annotations

from typing import Any

import msgspec

from badges.keys.invalid import Invalid
from lrs.kernel.strict_json import JsonView

__all__ = ["OK", "Check", "Invalid", "Passed", "Unavailable", "Verdict"]

OK = "ok"


class Unavailable(Exception):
    """A DID document, a key or a status list cannot be had. A later try may succeed, unless *code* is ``gone``."""

    def __init__(self, why: str, code: str = "unavailable") -> None:
        super().__init__(why)
        self.code = code


class Passed(msgspec.Struct, frozen=True):
    """What a check that passed has to say; *code* is ``ok`` unless there is more to it."""

    why: str
    code: str = OK


class Check(msgspec.Struct, frozen=True):
    """The result of one check; ``why`` says what was found, ``code`` says it to programs."""

    name: str
    ok: bool
    why: str
    code: str = OK


class Verdict(msgspec.Struct, frozen=True):
    """All checks in the order they were made.

    ``credential`` is the document, ``None`` if it could not be read. ``badges`` are the verdicts on the badges in a
    presentation; of anything else there are none. ``format`` is what was recognised, such as ``vc+jwt``. ``withheld``
    are the claims of an SD-JWT that its holder does not show (``badges.forms.sd_jwt.CHOSEN``).
    """

    checks: tuple[Check, ...]
    credential: JsonView | None = None
    badges: tuple[Verdict, ...] = ()
    format: str = ""
    withheld: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether every check passed, also those of the badges inside."""
        return all(check.ok for check in self.checks) and all(badge.valid for badge in self.badges)

    def shown(self) -> dict[str, Any]:
        """As JSON: ``{"valid", "format", "checks": [{"name", "ok", "code", "why"}]}``, and ``badges`` if there are."""
        checks = [{"name": c.name, "ok": c.ok, "code": c.code, "why": c.why} for c in self.checks]
        inside = {"badges": [badge.shown() for badge in self.badges]} if self.badges else {}
        withheld = {"withheld": list(self.withheld)} if self.withheld else {}
        return {"valid": self.valid, "format": self.format, "checks": checks, **withheld, **inside}
