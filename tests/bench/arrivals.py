"""The row of the list of arrivals: each filter alone, and source with verb, as an administrator's browser asks for it.

Asked of the stores that ``large`` has filled, by pages and not by the store's own interface: what a person waits for.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from urllib.parse import quote, urlencode

import httpx

from tests.bench.load import HOST, Load, run
from tests.bench.report import Row
from tests.bench.rows import faults
from tests.bench.server import Server
from tests.bench.statements import BUSY, VERBS, activity_id, agent, course_id, verb_id

LONGEST_MS = 300.0
"""p95 of a page at 2 million statements, with whatever filter."""
PEOPLE = 8


def arrivals(server: Server, key: tuple[str, str], days: Sequence[str], turns: int, requests: int) -> Row:
    """The worst filter's p95 in milliseconds against ``LONGEST_MS``. *key* opens the pages, *days* have statements."""
    cookie, people = _signed_in(server, key)
    measured = _p95(server, cookie, _asked(people, days), turns, requests)
    worst = max(measured, key=lambda name: measured[name][0])
    wrong = faults(load for _, loads in measured.values() for load in loads)
    each = ", ".join(f"{name} {took:.0f}" for name, (took, _) in sorted(measured.items(), key=lambda one: -one[1][0]))
    took = measured[worst][0]
    return Row("arrivals-2m", took, LONGEST_MS, LONGEST_MS / took if took else 0.0, f"p95 in ms: {each}", wrong)


def _asked(people: Sequence[str], days: Sequence[str]) -> Mapping[str, list[str]]:
    """The addresses, by the filter."""
    verbs = [quote(verb_id(number), safe="") for number in range(len(VERBS))]
    return {
        "no filter": [""],
        "source": ["source=bench", "source=rare"],
        "person": [f"person={one}" for one in people],
        "verb": [f"verb={one}" for one in verbs],
        "activity": [f"activity={quote(activity_id(n), safe='')}" for n in range(BUSY)],
        "course": [f"activity={quote(course_id(n), safe='')}" for n in range(4)],
        "time": [f"from={day}" for day in days] + [f"to={day}" for day in days],
        "oldest first": ["sort=stored"],
        "refused only": ["refused=yes"],
        "source+verb": [f"source={source}&verb={verb}" for source in ("bench", "rare") for verb in verbs],
        "a source that sent nothing+verb": [f"source=none&verb={verb}" for verb in verbs],
    }


def _p95(
    server: Server, cookie: str, wanted: Mapping[str, Sequence[str]], turns: int, requests: int
) -> dict[str, tuple[float, list[Load]]]:
    """The median p95 of each filter. All are asked in each turn, so that what else the machine does meets all alike."""
    asked = {name: [_request(cookie, f"/arrivals?{path}") for path in paths] for name, paths in wanted.items()}
    loads: dict[str, list[Load]] = {name: [] for name in asked}
    for turn in range(turns + 1):
        for name, some in asked.items():
            load = run(server.port, islice(cycle(some), max(requests, len(some))), 1)
            if turn:  # the first only brings the pages in
                loads[name].append(load)
    return {name: (statistics.median(one.percentile(0.95) for one in some), some) for name, some in loads.items()}


def _request(cookie: str, path: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", f"Host: {HOST}", f"Cookie: {cookie}", "Accept: text/html")
    return "\r\n".join((*lines, "", "")).encode()


def _signed_in(server: Server, key: tuple[str, str]) -> tuple[str, list[str]]:
    """The cookie of a session, and the parameters by which some learners are chosen."""
    with httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=60, trust_env=False) as browser:
        name, secret = key
        form = {"form": _form(browser.get("/pages/sign-in").text), "key": name, "secret": secret}
        browser.post("/pages/sign-in", data=form)
        token = _form(browser.get("/arrivals").text)
        found = [browser.post("/arrivals", data={"form": token, "who": _typed(number)}) for number in range(PEOPLE)]
        people = [urlencode({"person": httpx.URL(one.headers["location"]).params["person"]})[7:] for one in found]
        return "; ".join(f"{one}={value}" for one, value in browser.cookies.items()), people


def _form(text: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', text)
    if found is None:
        raise RuntimeError(f"there is no form in {text[:500]}")
    return found[1]


def _typed(number: int) -> str:
    """A learner as somebody types an account."""
    account = json.loads(agent(number))["account"]
    return f"{account['homePage']}|{account['name']}"
