"""How long an answer takes tells nothing of another tenant: what it has, and what nobody has, take the same time.

In pairs, one of each in an order of chance, so that whatever else slows the machine slows both. What is put down is the
share of the pairs in which the thing of the other tenant took longer: a half, if time tells nothing. That the measure
would notice a difference is shown by one of a tenth of a millisecond.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from statistics import median

import httpx
import pytest

from lrs.access import KEY, SESSION, TOKEN
from lrs.access.throttle import WRONG_SECRETS
from tests.tenancy.neighbours import Neighbours, all_made_up, neighbours

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800)]
PAIRS = 2_000
WARM = 50
FROM_HALF = 0.06
"""How far from a half the share may be: more than five times what chance makes of so many pairs (0.011)."""
NOTICED = 0.0001
"""Seconds that the measure must notice: what one look into a store takes, with room to spare."""
LINES = {
    "a statement by its id": (("GET", "/xapi/statements"), KEY),
    "an activity": (("GET", "/xapi/activities"), KEY),
    "an agent": (("GET", "/xapi/agents"), KEY),
    "a document": (("GET", "/xapi/activities/state"), KEY),
    "an import": (("GET", "/api/imports/{id}"), KEY),
    "a badge": (("GET", "/t/{tenant}/credentials/{id}"), KEY),
    "an achievement": (("GET", "/t/{tenant}/achievements/{id}"), None),
    "a status list": (("GET", "/t/{tenant}/status/{name}"), None),
    "a profile": (("GET", "/api/profiles/{subject}"), TOKEN),
    "a person": (("GET", "/staff/learners/{person}"), SESSION),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("apart")) as held:
        yield held


def timed(ask: Callable[[], httpx.Response]) -> float:
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def share(site: Neighbours, one: Callable[[], httpx.Response], other: Callable[[], httpx.Response]) -> list[float]:
    """In which share of the pairs *one* took longer than *other*; the medians of both in microseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(PAIRS + WARM):
        site.asked.clear()
        for place in random.sample([0, 1], 2):
            times[place].append(timed((one, other)[place]))
    first, second = (taken[WARM:] for taken in times)
    longer = sum(a > b for a, b in zip(first, second, strict=True)) / PAIRS
    return [longer, *(median(taken) * 1e6 for taken in (first, second))]


@pytest.mark.parametrize("what", LINES)
def test_a_thing_of_another_tenant_takes_as_long_as_one_that_does_not_exist(site, row, what):
    line, via = LINES[what]
    made_up = all_made_up(site.names, 1)

    def ask(tenant, names):
        return lambda: site.ask(tenant, line, names, via=via)

    assert ask("two", site.names)().status_code == ask("two", made_up)().status_code
    longer, foreign, none = share(site, ask("two", site.names), ask("two", made_up))
    own = share(site, ask("one", site.names), ask("one", made_up))[0]

    row(f"time tells of {what}: median of another tenant's", foreign, "us")
    row(f"time tells of {what}: median of nobody's", none, "us")
    row(f"time tells of {what}: share from a half", abs(longer - 0.5), "share", at_most=FROM_HALF)
    row(f"time tells of {what}: share from a half of one's own", abs(own - 0.5), "share")


def test_the_measure_would_notice_a_tenth_of_a_millisecond(site, row):
    line, via = LINES["a statement by its id"]
    names = [all_made_up(site.names, times) for times in (1, 2)]

    def slow():
        end = time.perf_counter() + NOTICED
        while time.perf_counter() < end:
            pass
        return site.ask("two", line, names[0], via=via)

    longer = share(site, slow, lambda: site.ask("two", line, names[1], via=via))[0]

    row("time tells: share from a half of what takes 0.1 ms longer", abs(longer - 0.5), "share", at_least=FROM_HALF)


def test_a_key_of_another_tenant_is_refused_as_fast_as_an_unknown_key(site, row):
    key, secret = site.tenants["one"].basic
    made_up = f"{key[:-6]}{random.choice('0123456789abcdef') * 6}"
    clients = []

    def client() -> httpx.Client:
        """One of an address of its own for each few guesses, so that none is answered 429."""
        if not clients or clients[-1][1] >= WRONG_SECRETS[0] - 5:
            source = f"127.2.{len(clients) // 250}.{len(clients) % 250 + 1}"
            made = httpx.Client(
                transport=httpx.HTTPTransport(local_address=source), base_url=site.lrs.address, trust_env=False
            )
            clients.append([made, 0])
        clients[-1][1] += 1
        return clients[-1][0]

    def ask(name):
        def act():
            answer = client().get(
                "/t/two/xapi/statements?limit=1", auth=(name, secret), headers={"X-Experience-API-Version": "1.0.3"}
            )
            assert answer.status_code == 401, answer.text
            return answer

        return act

    longer, foreign, none = share(site, ask(key), ask(made_up))
    for made, _ in clients:
        made.close()

    row("time tells of a key: median of another tenant's", foreign, "us")
    row("time tells of a key: median of nobody's", none, "us")
    row("time tells of a key: share from a half", abs(longer - 0.5), "share", at_most=FROM_HALF)
