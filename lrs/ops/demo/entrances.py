"""The addresses at which somebody looks round after the story: one for each role, and what a learner is asked."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from datetime import date
from functools import partial
from urllib.parse import urlsplit

from lrs.ops.demo import on_pages
from lrs.ops.demo.story import CENTRE, LEARNER, PROVIDER, SERVICE

OPERATOR = "operator@engraft-demo.example"
SAID = {
    "administrator": "you, an administrator",
    "trainer": "a trainer",
    "provider": "a training provider",
    "planner": "a planner",
    "employer": "an employer",
}
ONCE = "(once)"
EMPLOYER = "Sample Cell Works (made up)"


def entrances(lrs: Callable[..., str], base: str, day: date) -> list[str]:
    """Lines with the addresses at the server *base* on *day*; *lrs* runs a command and gives what it printed.

    Each link works once, and asks for no password; the next start makes new ones. The training centre has a session of
    the day, and the employer somebody who agreed.
    """
    (learner,) = json.loads(lrs("persons", "invite", LEARNER, "--email", LEARNER, "--json"))["invited"]
    asks = urlsplit(lrs("consent", "link", LEARNER, service_of_story(lrs)).strip()).path
    roles = {
        "administrator": "administrator",
        "trainer": f"trainer:{CENTRE}",
        "provider": f"provider:{PROVIDER}",
        "planner": "planner",
        "employer": f"employer:{_employer(lrs)}",
    }

    def entrance(name: str) -> str:
        return _once(lrs, base, f"{name}@engraft-demo.example", "staff", "list", "--role", roles[name])

    for name, act in (("trainer", partial(on_pages.make_session, day=day.isoformat())), ("planner", on_pages.count)):
        if (link := entrance(name)).endswith(ONCE):
            act(base, link.split()[0])
    return [
        f"  you, who run this:      {_once(lrs, base, OPERATOR, 'operators', 'people')}",
        *(f"  {who + ':':24}{entrance(name)}" for name, who in SAID.items()),
        f"  a learner, {LEARNER.partition('@')[0].capitalize()}:       {base}{urlsplit(learner['link']).path}   (once)",
        f"  what she is asked:      {base}{asks}   (the consent page, for a day)",
    ]


def service_of_story(lrs: Callable[..., str]) -> str:
    """The id of the newest matching service that a story made; employers and services of others are none."""
    known: list[dict[str, str]] = json.loads(lrs("services", "list", "--json"))
    return [one["id"] for one in known if one["name"].startswith(SERVICE)][-1]


def _employer(lrs: Callable[..., str]) -> str:
    """The id of the employer, to whom the learner agreed."""
    known: dict[str, str] = {one["name"]: one["id"] for one in json.loads(lrs("employers", "list", "--json"))}
    if EMPLOYER not in known:
        with contextlib.redirect_stderr(io.StringIO()):  # it says what is done here next
            made = lrs("employers", "add", EMPLOYER, "--contact", "people@cell-works.example")
        known[EMPLOYER] = made.partition("added: ")[2].split()[0]
        lrs("consent", "give", LEARNER, known[EMPLOYER], "--reference", "Amara N., made up")
    return known[EMPLOYER]


def _once(lrs: Callable[..., str], base: str, email: str, group: str, listing: str, *role: str) -> str:
    """A link by which *email* signs in once, with what to know; the sign-in for whoever has a second factor there."""
    known = {one["email"]: one for one in json.loads(lrs(group, listing, "--json"))}
    if email not in known:
        lrs(group, "invite", email, *role, "--json")
    elif known[email]["secondFactor"] or known[email]["state"] in {"disabled", "withdrawn"}:
        return f"{base}{'/operator' if group == 'operators' else '/sign-in'}   ({email})"
    return f"{_at(base, lrs(group, 'sign-in', email, '--json'))}   {ONCE}"


def _at(base: str, told: str) -> str:
    """The link that was *told*, at the server of the demonstration."""
    return f"{base}{urlsplit(json.loads(told)['link']).path}"
