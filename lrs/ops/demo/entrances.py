"""The addresses at which somebody looks round after the story: an administrator's, a learner's, what she is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from lrs.ops.demo.story import LEARNER

ADMINISTRATOR = "administrator@engraft-demo.example"


def entrances(lrs: Callable[..., str], base: str) -> list[str]:
    """Lines with the addresses at the server *base*; *lrs* runs a command and gives what it printed.

    Each link works once; the next start makes new ones. An administrator who has come in signs in with the password.
    """
    members = json.loads(lrs("staff", "list", "--json"))
    is_in = any(one["email"] == ADMINISTRATOR and one["state"] == "active" for one in members)
    staff = f"{base}/sign-in" if is_in else _at(base, lrs("staff", "invite", ADMINISTRATOR, *_ROLE, "--json"))
    (learner,) = json.loads(lrs("persons", "invite", LEARNER, "--email", LEARNER, "--json"))["invited"]
    service = json.loads(lrs("services", "list", "--json"))[-1]["id"]
    asks = urlsplit(lrs("consent", "link", LEARNER, service).strip()).path
    return [
        f"  you, who run this:      {_operator(lrs, base)}",
        f"  you, an administrator:  {staff}{f'   ({ADMINISTRATOR})' if is_in else '   (once: choose a password)'}",
        f"  a learner, {LEARNER.partition('@')[0].capitalize()}:       {base}{urlsplit(learner['link']).path}   (once)",
        f"  what she is asked:      {base}{asks}   (the consent page, for a day)",
    ]


def _operator(lrs: Callable[..., str], base: str) -> str:
    """The console of the whole server: a link until somebody has come in by one."""
    if any(one["state"] == "active" for one in json.loads(lrs("operators", "people", "--json"))):
        return f"{base}/operator"
    return f"{_at(base, lrs('operators', 'begin', '--json'))}   (once: choose a password)"


_ROLE = ("--role", "administrator")


def _at(base: str, told: str) -> str:
    """The link that was *told*, at the server of the demonstration."""
    return f"{base}{urlsplit(json.loads(told)['link']).path}"
