"""Two tenants share nothing, on no route of the product's table: what one has is, for another, as if it were not there.

Whatever the answer, it is the same and takes the same work as for a name that somebody made up. How long that takes is
measured by ``make soak``.
"""

import re
import time
from collections import Counter
from itertools import pairwise, product
from urllib.parse import unquote_plus

import httpx
import pytest
from click.testing import CliRunner

from lrs.access import CONTENT, COURSE_CLIENT, KEY, LAUNCH, LINK, OPERATOR, SESSION, TOKEN
from lrs.access.policy.courses import API
from lrs.access.policy.table import OF_SERVER, TABLE
from lrs.cli import main
from lrs.composition.kinds import TENANT
from lrs.storage import each
from lrs.web import kept_refusals
from tests.builders import operator_in
from tests.rows import each_of
from tests.tenancy.neighbours import all_made_up, neighbours

LINES = sorted((method, pattern) for method, pattern in TABLE if pattern not in OF_SERVER)
READING = [line for line in LINES if line[0] == "GET"]
WRITING = [line for line in LINES if line[0] != "GET" and line[1] != "/sign-out"]
NAMING = [line for line in READING if "{" in line[1].removeprefix("/t/{tenant}") or line[1].startswith("/xapi/")]
MOVED = "/pages/learners/{person}"
"""Leads to another address, whether there is anything or not."""
ON_CONTENT_HOST = {
    "/content/{package}/{path:path}",
    *(f"/scorm/{{token}}{more}" for more in ("", "/run-time.js", "/attempt")),
}
"""On a host of its own alone (``tests/adapters/lms/courses/test_content.py``)."""
OF_LEARNER = {"/me/badges/{id}", "/me/badges/{id}/take", "/t/{tenant}/lti/me/badges/{id}"}
"""For a learner's own session, which nobody here holds (``tests/pages/test_me.py``)."""
OWN = {
    KEY: ("GET", "/xapi/statements"),
    TOKEN: ("GET", "/api/roles"),
    SESSION: ("GET", "/staff/learners"),
    LAUNCH: ("GET", "/t/{tenant}/lti/me"),
    CONTENT: ("GET", "/cmi5/xapi/statements"),
    COURSE_CLIENT: ("GET", f"{API}/about"),
}
"""What each credential of ``one`` opens there."""
CHANGING = {"date", "x-request-id", "x-experience-api-consistent-through", "content-length", "etag", "set-cookie"}
"""Headers that differ from answer to answer; a tag and a length go with the body, which is compared by itself."""
DIFFERS = re.compile(
    r"nonce[-=]\S+|\b[0-9a-f]{16}\b|(?<=/links/)[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+Z|(?<=name=\"form\" value=\")[^\"]+"
    r"|(?<=c_nonce\": \")[^\"]+"
)
"""What differs in the text of an answer: nonces, names of requests, links, times, tokens of forms."""
VALUES = re.compile(r"x?'[^']*'|\d+")
"""What differs in the text of a statement for SQLite."""


def by_name(line):
    return " ".join(line)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with neighbours(tmp_path_factory.mktemp("apart")) as held:
        yield held


def via_of(line):
    """The credential that opens it; ``None`` where nobody needs one, or the address is it."""
    return next((via for via in TABLE[line].via if via != LINK), None)


def told(answer, names):
    """What *answer* tells, but for what differs each time; what was asked about is called by what it is."""
    sent = unquote_plus(f"{answer.request.url} {answer.request.content.decode()}")
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in CHANGING)
    texts = [answer.text, *map(str, headers)]
    for what, name in sorted(names.items(), key=lambda item: -len(item[1])):
        if name in sent:
            # The number of a course is also a part of much else: it is told in quotes, or in its path.
            is_part = name.isdigit() and len(name) <= 3
            place = rf"(?:(?<=')|(?<=courses/)){name}(?=['/<])" if is_part else rf"(?<![\w-]){re.escape(name)}(?![\w-])"
            texts = [re.sub(place, f"<{what}>", text) for text in texts]
    return answer.status_code, *(DIFFERS.sub("-", text) for text in texts)


def work_of(site, tenant, line, names, **more):
    """The answer of *tenant*, and which statements were run for it in which stores.

    Not counted: what is asked of the register, and who has the key, which is remembered for a moment, and the numbers
    of kinds of records, which are.
    """
    settle(site, tenant)
    site.asked.clear()
    answer = site.ask(tenant, line, names, via=via_of(line), **more)
    settle(site, tenant)
    known = re.compile(rf"FROM kind|{re.escape(site.tenants[tenant].basic[0])}")
    of_tenants = [(store, text) for store, text in site.asked.statements if store != "control"]
    return answer, Counter((store, VALUES.sub("?", text)) for store, text in of_tenants if not known.search(text))


def settle(site, tenant):
    """Waits for what the writer does after an answer, so that it counts for that one."""
    with site.lrs.app.tenants.hold(tenant) as held:
        held.store.write(lambda _: None).result()


@each_of(
    "line",
    [
        line
        for line in NAMING
        if line[1] not in {"/xapi/about", "/sign-in/with/{provider}", MOVED, *OF_LEARNER, *ON_CONTENT_HOST}
    ],
    ids=by_name,
)
def test_what_is_asked_about_is_there_in_its_own_tenant(site, line):
    """Or the tests below would prove nothing."""
    answer = site.ask("one", line, site.names, via=via_of(line))

    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def remembered(site):
    """Has what each credential of ``one`` opens asked for there every half a second, so that it is remembered."""
    last = [0.0]

    def remember():
        if time.monotonic() - last[0] > 0.5:
            asked = {site.ask("one", own, site.names, via=via, params={}).status_code for via, own in OWN.items()}
            assert asked == {200}
            last[0] = time.monotonic()

    return remember


def test_each_credential_that_a_line_takes_is_tried():
    """The operator belongs to no tenant, and a link opens what it names alone."""
    assert OWN.keys() == {via for line in LINES for via in TABLE[line].via} - {OPERATOR, LINK}


@each_of("line", LINES, ids=by_name)
def test_what_somebody_of_one_tenant_holds_opens_nothing_of_another(site, remembered, line):
    """Each credential that the line takes, and one of the others, in turns: no line has a way of its own to refuse."""
    policy = TABLE[line]
    remembered()
    others = [via for via in OWN if via not in policy.via]
    for via in {*(via for via in OWN if via in policy.via), *others[LINES.index(line) % len(others) :][:1]}:
        sent = site.tenants["one"].sent(via, "two")
        answer = site.ask("two", line, site.names, via=None, **sent, **site.about("one", line, site.names))

        assert answer.status_code < 500
        assert not site.ids_of_one_in(answer)
        if not policy.is_public and policy.via != (LINK,):
            assert answer.status_code in {303, 401, 403}, (via, answer.status_code, answer.text)
            assert answer.status_code != 303 or answer.headers["location"].startswith("/t/two/sign-in")


@each_of("line", READING, ids=by_name)
def test_what_one_tenant_has_is_for_another_as_if_somebody_had_made_up_its_name(site, line):
    names = [all_made_up(site.names, 1), site.names, all_made_up(site.names, 2)]

    def of_the_foreign_one_and_of_others():
        answers = [work_of(site, "two", line, some) for some in names]
        assert not site.ids_of_one_in(answers[1][0])
        (first, first_work), (foreign, foreign_work), (none, none_work) = answers
        assert {store for store, _ in foreign_work} <= {"two"}
        # Either of them, for what these tests had refused reaches the pages that tell of it a moment later.
        texts, works = (told(first, names[0]), told(none, names[2])), (first_work, none_work)
        return (told(foreign, names[1]), foreign_work), [*product(texts, works)]

    stands_among(of_the_foreign_one_and_of_others)


def stands_among(compared):
    """A difference is one if it is there each time: now and then a request also reads anew what it remembered."""
    for _ in range(2):
        one, others = compared()
        if one in others:
            return
    one, others = compared()
    assert one in others


@pytest.fixture
def untouched(site):
    """Nothing in ``one`` is another when the test has ended. That it is not even read, each line shows by itself."""
    before = state_of(site, "one")
    yield
    assert state_of(site, "one") == before


@pytest.mark.usefixtures("untouched")
@each_of("line", WRITING, ids=by_name)
def test_what_is_written_about_what_another_tenant_has_is_written_as_about_a_made_up_name(site, line):
    names = [site.names, all_made_up(site.names, 4)]
    first = all_made_up(site.names, 3)
    site.ask("three", line, first, via=via_of(line), **site.about("three", line, first))

    def of_the_foreign_one_and_of_another():
        answers = [work_of(site, "three", line, some, **site.about("three", line, some)) for some in names]
        (foreign, foreign_work), (none, none_work) = answers
        assert foreign.status_code < 500
        assert {store for store, _ in foreign_work} <= {"three"}
        return (told(foreign, names[0]), foreign_work), [(told(none, names[1]), none_work)]

    stands_among(of_the_foreign_one_and_of_another)


def state_of(site, tenant):
    """Each record there is, and its revision; but what an earlier test had refused is kept a moment later."""
    with site.lrs.app.tenants.hold(tenant) as held:
        kinds = [kind for kind in TENANT if kind != kept_refusals.KIND]
        return {(kind, record.id): record.rev for kind in kinds for record in each(held.store, kind)}


@each_of("line", READING, ids=by_name)
def test_a_tag_of_one_tenant_tells_another_nothing_but_what_it_has_itself(site, line):
    tag = site.ask("one", line, site.names, via=via_of(line)).headers.get("etag")
    if tag is None:
        return
    own = site.ask("two", line, site.names, via=via_of(line))

    asked = site.ask("two", line, site.names, via=via_of(line), headers={"If-None-Match": tag})

    assert (asked.status_code == 304) == (own.headers.get("etag") == tag)
    assert asked.status_code in {304, own.status_code}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("resource", ["activities/state", "activities/profile", "agents/profile"])
def test_a_document_of_another_tenant_fulfils_no_condition(site, method, resource):
    line = (method, f"/xapi/{resource}")
    tag = site.ask("one", ("GET", line[1]), site.names, via=KEY).headers["etag"]

    matching = site.ask("three", line, {**site.names, "document": "none"}, via=KEY, headers={"If-Match": tag})

    assert matching.status_code == 412


def test_what_one_tenant_stores_counts_for_no_other(site):
    with site.lrs.app.tenants.hold("two") as two:
        counts = {kind: two.store.count(kind) for kind in ("statement", "person", "credential", "import", "delivery")}
    metrics = httpx.get(f"{site.lrs.address}/metrics", auth=operator_in(site.lrs.tenant.settings.data)).text
    folder = str(site.lrs.tenant.settings.data)
    usage, of_one = (
        CliRunner().invoke(main, ["tenants", "usage", one, "--data", folder, "--json"]) for one in ("two", "one")
    )

    own = {"person": 2}  # the learner and the teacher of its own learning platform
    assert counts == dict.fromkeys(counts, 0) | own
    assert 'lrs_tenant_owed_waiting{tenant="two"} 0.0' in metrics
    assert 'lrs_tenant_owed_waiting{tenant="one"} 0.0' not in metrics
    assert 'lrs_destination_active{channel="webhook",destination="careers",tenant="one"} 1.0' in metrics
    assert 'destination="careers",tenant="two"' not in metrics
    assert (usage.exit_code, '"statements": 0' in usage.stdout, '"persons": 2' in usage.stdout) == (0, True, True)
    assert ('"badges": 0' in usage.stdout, '"badges": 0' in of_one.stdout) == (True, False)


def test_an_administrator_of_a_tenant_does_not_see_the_figures_of_the_installation(site):
    answers = [
        httpx.get(f"{site.lrs.address}{path}/metrics", auth=site.tenants["one"].basic) for path in ("", "/t/one")
    ]

    assert [answer.status_code for answer in answers] == [401, 404]


def test_the_name_of_a_request_does_not_tell_how_many_others_made(site):
    names = [site.client.get("/t/two/xapi/about").headers["x-request-id"] for _ in range(20)]

    assert len(set(names)) == 20
    assert {len(name) for name in names} == {16}
    assert sorted(names) != names
    assert not [1 for one, next in pairwise(names) if one[:8] == next[:8]]
