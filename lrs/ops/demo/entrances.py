"""The addresses at which somebody looks round after the story: an administrator's, a learner's, what she is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from lrs.ops.demo.story import LEARNER

ADMINISTRATOR = "administrator@engraft-demo.example"
OPERATOR = "operator@engraft-demo.example"


def entrances(lrs: Callable[..., str], base: str) -> list[str]:
    """Lines with the addresses at the server *base*; *lrs* runs a command and gives what it printed.

    Each link works once, and asks for no password; the next start makes new ones.
    """
    (learner,) = json.loads(lrs("persons", "invite", LEARNER, "--email", LEARNER, "--json"))["invited"]
    service = json.loads(lrs("services", "list", "--json"))[-1]["id"]
    asks = urlsplit(lrs("consent", "link", LEARNER, service).strip()).path
    return [
        f"  you, who run this:      {_once(lrs, base, OPERATOR, 'operators', 'people')}",
        f"  you, an administrator:  {_once(lrs, base, ADMINISTRATOR, 'staff', 'list', *_ROLE)}",
        f"  a learner, {LEARNER.partition('@')[0].capitalize()}:       {base}{urlsplit(learner['link']).path}   (once)",
        f"  what she is asked:      {base}{asks}   (the consent page, for a day)",
    ]


def _once(lrs: Callable[..., str], base: str, email: str, group: str, listing: str, *role: str) -> str:
    """A link by which *email* signs in once, with what to know; the sign-in for whoever has a second factor there."""
    known = {one["email"]: one for one in json.loads(lrs(group, listing, "--json"))}
    if email not in known:
        lrs(group, "invite", email, *role, "--json")
    elif known[email]["secondFactor"] or known[email]["state"] == "disabled":
        return f"{base}{'/operator' if group == 'operators' else '/sign-in'}   ({email})"
    return f"{_at(base, lrs(group, 'sign-in', email, '--json'))}   (once)"


_ROLE = ("--role", "administrator")


def _at(base: str, told: str) -> str:
    """The link that was *told*, at the server of the demonstration."""
    return f"{base}{urlsplit(json.loads(told)['link']).path}"
