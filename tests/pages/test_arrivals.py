"""Arrivals: what came, as a list with filters, one statement with what followed, a course; each within reach."""

import csv
import html
import io
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from lrs.access import staff_acts
from lrs.access.keys import create_key
from lrs.access.roles import Granted
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.pages.arrivals import course, reading
from lrs.pages.arrivals import routes as arrivals
from lrs.pages.arrivals.asked import Wanted
from lrs.pages.arrivals.reading import page_of
from lrs.pages.told import told
from lrs.storage import Record
from lrs.storage.sqlite import read as engine
from lrs.web import kept_refusals
from lrs.web.refusals import Refusal, refusal_of
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, PASSED, RULES, statement, statement_id
from tests.pages.conftest import text_of
from tests.pages.people import member
from tests.rows import each_of

BOB = {"mbox": "mailto:bob@example.org", "name": "Bob"}
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
LAUNCHED = "http://adlnet.gov/expapi/verbs/launched"
HOSTILE = "<script>alert(1)</script>" + "x" * 400
RIGHT_TO_LEFT = "\u05d0\u05e0\u05d4 \u05db\u05d4\u05df"


def refuse(site, source, at="2026-11-21T13:00:00.000+00:00"):
    refused = Refused(
        "zoe.secret", error="invalid_statement", pointer="/0/actor/mbox", index=0, rule="xAPI 1.0.3 Data 2.4"
    )
    one = refusal_of(refused, tenant="", source=source, method="POST", resource="statements", request="r")
    kept = msgspec.structs.replace(one, at=at)
    site.tenant.store.write(lambda tx: kept_refusals.add(tx, source, [kept])).result()


def rows(browser, query="", base=""):
    return browser.get(f"{base}/arrivals.json{query}").json()


def link(page, text):
    """The address behind a link with this text."""
    return html.unescape(re.search(rf'href="([^"]+)"[^>]*>(?:<bdi>)?{re.escape(html.escape(text))}', page.text)[1])


@pytest.fixture(scope="module")
def busy(quiet):
    """A site where two sources sent about two learners, and one was refused something."""
    world = quiet.world
    for source in ("vle", "centre"):
        create_key(quiet.tenant, source, ["statements/write"])
    world.send(statement("ann-gowned", ANN | {"name": "Ann"}, object_name="x") | {"object": named(GOWNING, "Gowning")})
    world.send(statement("bob-low", BOB, score={"raw": 10, "min": 0, "max": 100}) | {"object": {"id": GOWNING}})
    world.send(statement("ann-other", ANN_ACCOUNT, verb=LAUNCHED, activity="https://vle.example/other"))
    world.send(statement("bob-centre", BOB, verb=COMPLETED, activity=ASEPTIC), source="centre")
    world.work()
    world.clock.set("2026-11-21T14:00:00Z")
    refuse(quiet, "vle")
    world.send(statement("late", BOB, verb=LAUNCHED, activity="https://vle.example/late"))
    world.work()
    return quiet


def named(activity, name):
    return {"id": activity, "definition": {"name": {"en": name}}}


def test_the_list_says_who_did_what_to_what_and_what_became_of_it(busy):
    page = busy.browser.get("/arrivals")
    text = text_of(page)
    found = rows(busy.browser)

    assert page.status_code == 200
    assert [one["outcome"] for one in found] == ["no rule", "refused", "counted", "no rule", "not counted", "counted"]
    assert "Counted for GOWN Gowning: Awareness" in text or "Counted for GOWN Gowning:" in text
    assert "Does not count for GOWN Gowning:" in text
    assert "(below threshold)" in text
    assert "No rule is about it" in text
    without = next(one for one in found if one["outcome"] == "no rule" and one["activity"])
    assert "/staff/rules/ready.csv?source=" in busy.browser.get(f"/arrivals/statements/{without['statement']}").text
    assert "Refused (400): A statement is not as xAPI wants it." in text
    assert "Statement 1 of the request, /actor/mbox; xAPI 1.0.3 Data 2.4" in text
    assert "zoe.secret" not in page.text
    assert GOWNING in page.text
    assert found[4]["who"] == "Bob"
    assert found[5]["what"] == "Gowning"
    assert 'data-live="5"' in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?source=centre", ["bob-centre"]),
        (f"?verb={PASSED}", ["bob-low", "ann-gowned"]),
        (f"?activity={GOWNING}", ["bob-low", "ann-gowned"]),
        (f"?source=vle&verb={LAUNCHED}", ["late", "ann-other"]),
        (f"?source=centre&verb={LAUNCHED}", []),
        (f"?activity={GOWNING}&verb={PASSED}&source=vle", ["bob-low", "ann-gowned"]),
        ("?source=nobody", []),
        ("?from=2026-11-22", []),
        ("?to=2026-11-20", []),
    ],
)
def test_each_filter_and_several_of_them_find_what_they_should(busy, query, expected):
    assert [one["statement"] for one in rows(busy.browser, query) if one["statement"]] == [
        statement_id(name) for name in expected
    ]


@each_of(("query", "refused"), [("source=vle", 1), (f"verb={PASSED}", 0), (f"activity={GOWNING}", 0)])
def test_a_refusal_stands_in_the_list_only_where_nothing_is_asked_of_the_statement(busy, query, refused):
    found = [one["outcome"] for one in rows(busy.browser, f"?{query}")]

    assert (found.count("refused"), "counted" in found) == (refused, True)


def test_refused_only_shows_what_was_refused_and_nothing_of_what_was_sent(busy):
    page = busy.browser.get("/arrivals?refused=yes")
    (one,) = rows(busy.browser, "?refused=yes")

    assert (one["outcome"], one["source"], one["place"], one["rule"]) == (
        "refused",
        "vle",
        "/0/actor/mbox",
        "xAPI 1.0.3 Data 2.4",
    )
    assert one["who"] is None
    assert rows(busy.browser, "?refused=yes&source=centre") == []
    assert rows(busy.browser, "?refused=yes&to=2026-11-20") == []
    assert "Refused (400)" in text_of(page)


def test_the_oldest_first_is_the_same_list_the_other_way_round(busy):
    newest, oldest = rows(busy.browser), rows(busy.browser, "?sort=stored")

    assert newest == oldest[::-1]
    assert 'aria-sort="ascending"' in busy.browser.get("/arrivals?sort=stored").text


def test_a_person_is_chosen_by_an_address_that_tells_nobody_who_it_is(busy):
    page = busy.browser.get("/arrivals")
    address = link(page, "Bob")

    found = rows(busy.browser, f"?{urlsplit(address).query}")

    assert "bob" not in address
    assert {one["who"] for one in found} == {"Bob"}
    assert len(found) == 3
    assert "Only about bob@example.org" in text_of(busy.browser.get(address))


@pytest.mark.parametrize("who", ["bob@example.org", "mailto:bob@example.org", "Bob"])
def test_a_person_is_looked_for_by_post_and_led_to_the_same_address(busy, who):
    answer = busy.browser.send(busy.browser.get("/arrivals"), "/arrivals", who=who)

    assert answer.status_code == 303
    assert "bob" not in answer.headers["location"]
    assert {one["who"] for one in rows(busy.browser, "?" + urlsplit(answer.headers["location"]).query)} == {"Bob"}


@pytest.mark.parametrize(("who", "status"), [("Bob", 303), ("nobody at all", 400)])
def test_to_look_for_a_person_keeps_the_other_filters(busy, who, status):
    page = busy.browser.get("/arrivals?source=vle&from=2026-11-01&refused=yes")
    address = html.unescape(re.search(r'<form method="post" action="([^"]+)" class="search"', page.text)[1])

    answer = busy.browser.send(page, address, who=who)

    assert address == "/arrivals?source=vle&from=2026-11-01"
    assert answer.status_code == status
    kept = answer.headers["location"] if status == 303 else html.unescape(answer.text)
    assert "source=vle&from=2026-11-01" in kept


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (
            b'{"score":{"scaled":0.9,"raw":9,"max":10},"success":true,"completion":false}',
            "9 of 10, scaled 0.9, success, no completion",
        ),
        (b'{"score":{"raw":3.5}}', "3.5"),
        (b'{"score":{"raw":1e999}}', ""),
        (b'{"response":"a"}', ""),
    ],
)
def test_a_result_is_told_as_it_was_sent(result, says):
    body = b'{"actor":{"mbox":"mailto:a@b.org"},"verb":{"id":"v:v"},"object":{"id":"a:a"},"result":' + result + b"}"

    assert told(Record("statement", "x", body)).result.said == says


def test_unknown_persons_are_named_beside_the_form(busy):
    answer = busy.browser.send(busy.browser.get("/arrivals"), "/arrivals", who="<b>nobody</b>")

    assert answer.status_code == 400
    assert "Nobody is found by that." in text_of(answer)


@pytest.mark.parametrize(
    "query",
    [
        "?person=xyz",
        "?before=-1",
        "?before=a",
        "?from=2026-13-01",
        "?to=tomorrow",
        "?from=0001-1-1",
        "?verb=" + "x" * 3_000,
    ],
)
def test_what_cannot_be_read_in_an_address_is_400_and_says_why(busy, query):
    for form in ("", ".csv", ".json"):
        assert busy.browser.get(f"/arrivals{form}{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["?from=0001-01-01&to=9999-12-31", "?before=9999999999999999999", "?before=0", "?verb=x", "?activity=%00"]
)
def test_odd_filters_give_a_page(busy, query):
    assert busy.browser.get(f"/arrivals{query}").status_code == 200


def test_the_list_is_a_file_with_the_same_filters(busy):
    answer = busy.browser.get(f"/arrivals.csv?source=vle&verb={PASSED}")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert table[0][:7] == ["Received", "Source", "Who", "Did what", "To what", "Result", "What became of it"]
    assert [line[2] for line in table[1:]] == ["Bob", "Ann"]
    assert table[1][table[0].index("identifier")] == "bob@example.org"
    assert (
        f"/arrivals.csv?source=vle&amp;verb={html.escape(PASSED).replace(':', '%3A').replace('/', '%2F')}"
        in busy.browser.get(f"/arrivals?source=vle&verb={PASSED}").text
    )


def test_pages_follow_each_other_without_a_gap_and_so_do_files(busy, monkeypatch):
    monkeypatch.setattr(arrivals, "SIZE", 2)
    monkeypatch.setattr(arrivals, "IN_A_FILE", 2)
    whole = [one["stored"] for one in all_rows(busy.browser, "/arrivals.json")]
    page, seen = busy.browser.get("/arrivals"), 0
    while True:
        seen += page.text.count("/arrivals/statements/") + page.text.count("Refused (400)")
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        if not following:
            break
        page = busy.browser.get(html.unescape(following[1]))

    assert len(whole) == 6 == len(set(whole)) == seen
    assert "does not follow by itself: only the newest one does" in text_of(page)
    assert [one["stored"] for one in all_rows(busy.browser, "/arrivals.json?sort=stored")] == whole[::-1]


def all_rows(browser, address):
    found = []
    while address:
        answer = browser.get(address)
        found += answer.json()
        following = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        address = following[1] if following else ""
    return found


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_walk_that_is_cut_off_says_how_far_it_looked_and_the_next_page_goes_on_there(site, monkeypatch, oldest_first):
    monkeypatch.setattr(engine, "WALK_CAP", 7)
    monkeypatch.setattr(reading, "PROBED", 3)
    for number in range(40):
        source = "vle" if number % 2 else "centre"
        site.world.send(statement(f"n{number}", verb=LAUNCHED if number in {3, 31} else PASSED), source=source)
    wanted = Wanted({}, verb=LAUNCHED, source="vle", oldest_first=oldest_first)
    filler = Wanted({}, verb=PASSED, source="vle", activity=GOWNING, oldest_first=oldest_first)

    found, pages = [], 0
    for one in (wanted, filler):
        before = None
        while True:
            page = page_of(site.tenant.store, msgspec_replace(one, before=before), None, [], 50)
            found += [record.id for record in page.found if isinstance(record, Record)]
            pages += 1
            if page.next is None:
                break
            before = page.next

    order = sorted(range(40), reverse=not oldest_first)
    launched = [statement_id(f"n{number}") for number in order if number in {3, 31}]
    passed = [statement_id(f"n{number}") for number in order if number % 2 and number not in {3, 31}]
    assert found == launched + passed
    assert pages > 3


def msgspec_replace(wanted, **changes):
    return type(wanted)(**{name: getattr(wanted, name) for name in wanted.__slots__} | changes)


# -- reach ------------------------------------------------------------------------------------------------------------


def test_an_author_sees_what_own_sources_sent_and_nothing_else_in_any_form(site, browser):
    site.world.send(statement("mine", BOB, verb=LAUNCHED), source="rise")
    site.world.send(statement("second", ANN, verb=LAUNCHED), source="storyline")
    site.world.send(statement("foreign", ANN, verb=LAUNCHED), source="vle")
    site.world.work()
    for source in ("rise", "vle"):
        refuse(site, source)
    foreign = link(browser.get("/arrivals?source=vle"), "ann@example.org")
    (person,) = parse_qs(urlsplit(foreign).query)["person"]
    author = member(site, ("author", "rise"), ("author", "storyline"))

    seen = rows(author)
    everything = [
        author.get(f"/arrivals{form}{query}").text
        for form in ("", ".csv", ".json")
        for query in (
            "",
            "?source=vle",
            f"?verb={LAUNCHED}",
            f"?activity={GOWNING}",
            "?refused=yes",
            "?refused=yes&source=vle",
        )
    ]

    assert [one["source"] for one in seen if one["outcome"] == "refused"] == ["rise"]
    assert {one["source"] for one in seen} == {"rise", "storyline"}
    assert not [text for text in everything if statement_id("foreign") in text]
    assert rows(author, "?source=vle") == rows(author, "?refused=yes&source=vle") == []
    assert {one["source"] for one in rows(author, f"?person={person}")} == {"storyline"}
    assert author.get(f"/arrivals/statements/{statement_id('mine')}").status_code == 200
    assert author.get(f"/arrivals/statements/{statement_id('foreign')}").status_code == 404
    assert [one["known"] for one in author.get(f"/arrivals/course.json?activity={GOWNING}").json()] == [
        "ann@example.org",
        "bob@example.org",
    ]
    assert browser.send(browser.get("/arrivals"), "/arrivals", who="Bob").status_code == 303
    assert author.send(author.get("/arrivals"), "/arrivals", who="Bob").status_code == 400  # a name tells who is known


def test_a_role_that_is_taken_away_while_the_list_is_open_ends_it(site):
    site.world.send(statement("mine", BOB), source="rise")
    author = member(site, ("author", "rise"))
    before = author.get("/arrivals")
    staff_acts.set_roles(site.tenant, author.member, [Granted("author", "other")], by="test")

    after = [
        author.get(path) for path in ("/arrivals", "/arrivals.csv", f"/arrivals/statements/{statement_id('mine')}")
    ]

    assert "Bob" in before.text
    assert {answer.status_code for answer in after} == {303}


def test_another_organisation_sees_nothing_of_it(site):
    site.world.send(statement("mine", BOB), source="rise")
    refuse(site, "rise")
    there = member(site, ("administrator",), base="/t/other", tenant=site.other)

    found = [there.get(f"/t/other/arrivals{form}").text for form in ("", ".csv", ".json")]

    assert rows(there, base="/t/other") == []
    assert not [text for text in found if "Bob" in text or statement_id("mine") in text]
    assert there.get(f"/t/other/arrivals/statements/{statement_id('mine')}").status_code == 404
    assert there.get(f"/t/other/arrivals/course.json?activity={GOWNING}").json() == []


# -- one statement ----------------------------------------------------------------------------------------------------


def test_one_statement_shows_the_whole_of_it_and_the_chain_that_followed(site, browser):
    site.world.send(statement("one", ANN | {"name": "Ann"}, result={"extensions": {"https://e.example/n": 1.50}}))
    site.world.work()
    drain(site.tenant, ("issue",))
    page = browser.get(f"/arrivals/statements/{statement_id('one')}")
    text = text_of(page)
    badge = re.search(r'href="(/pages/badges/[^"]+)"', page.text)
    author = member(site, ("author", "vle"))
    narrow = author.get(f"/arrivals/statements/{statement_id('one')}")

    assert "Counted for GOWN" in text
    assert "Evidence : counts. Score: 90 % (asked: 80 %)." in text
    assert "Held: from 20 November 2026" in text
    assert badge
    assert browser.get(badge[1]).status_code == 200
    assert browser.get(re.search(r'href="(/staff/learners/[^"]+)"', page.text)[1]).status_code == 200
    assert "https://e.example/n" in text
    assert "Held: from 20 November 2026" in text_of(narrow)
    assert "/staff/learners/" not in narrow.text
    assert "/pages/badges/" not in narrow.text


def test_an_author_sees_no_level_that_only_others_proved(site, browser):
    later = {"timestamp": "2026-11-21T10:00:00Z", "activity": ASEPTIC}
    site.world.send(statement("long ago", ANN, activity=ASEPTIC, timestamp="2023-01-10T10:00:00Z"), source="centre")
    site.world.send(statement("now", ANN, **later), source="vle")
    site.world.work()
    drain(site.tenant, ("issue",))
    path = f"/arrivals/statements/{statement_id('now')}"

    everything, narrow = text_of(browser.get(path)), text_of(member(site, ("author", "vle")).get(path))

    assert "from 10 January 2023" in everything
    assert "Held: from 21 November 2026" in narrow
    assert "10 January 2023" not in narrow


def test_a_statement_that_does_not_count_says_why_and_one_that_is_voided_that_it_is(site, browser):
    site.world.send(statement("low", BOB, score={"raw": 10, "min": 0, "max": 100}))
    site.world.work()
    low = text_of(browser.get(f"/arrivals/statements/{statement_id('low')}"))
    site.world.void(statement_id("low"))

    assert "does not count: below threshold" in low
    assert "Voided." in text_of(browser.get(f"/arrivals/statements/{statement_id('low')}"))
    assert rows(browser)[0]["outcome"] == "voided"


def test_a_statement_that_voids_another_says_so(site, browser):
    voided = "http://adlnet.gov/expapi/verbs/voided"
    taken = {"objectType": "StatementRef", "id": statement_id("low")}
    site.world.send({"id": statement_id("void"), "actor": ANN, "verb": {"id": voided}, "object": taken})

    assert rows(browser)[0]["outcome"] == "voids"
    assert "It took a record back" in text_of(browser.get("/arrivals"))
    assert "No rule is about it" not in text_of(browser.get(f"/arrivals/statements/{statement_id('void')}"))


def test_a_checklist_without_a_name_is_called_like_the_session_at_which_it_was_gone_through(site, browser):
    session = {"id": "https://centre.example/s/1", "definition": {"name": {"en": "Gowning, day 1"}}}
    around = {"contextActivities": {"parent": [session]}}
    site.world.send(statement("one", activity="https://centre.example/checklists/gown", context=around))

    assert rows(browser)[0]["what"] == "Gowning, day 1"
    assert rows(browser)[0]["activity"] == "https://centre.example/checklists/gown"


def test_a_statement_that_counts_by_one_of_two_rules_counts(site, browser):
    site.world.apply(f"{RULES}{GOWNING},passed,GOWN,2,95,,vle\n")
    site.world.send(statement("one"))
    drain(site.tenant, ("match", "evaluate"))

    (row,) = rows(browser)
    page = text_of(browser.get(f"/arrivals/statements/{statement_id('one')}"))

    assert row["outcome"] == "counted"
    assert ("GOWN Gowning: Awareness" in page, "GOWN Gowning: Practitioner" in page) == (True, True)
    assert "below threshold" in page


def test_a_mark_that_was_taken_off_is_told_also_in_the_list(site, browser):
    site.world.send(statement("done", ANN, verb=COMPLETED, activity=ASEPTIC))
    off = "http://id.tincanapi.com/verb/uncompleted"
    site.world.send(statement("off", ANN, verb=off, activity=ASEPTIC, timestamp="2026-11-20T11:00:00Z"))
    site.world.work()

    assert "taken back by statement" in rows(browser)[1]["reason"]


def test_what_was_sent_is_text_whatever_it_is(site, browser):
    actor = {"account": {"homePage": "https://vle.example", "name": RIGHT_TO_LEFT}, "name": HOSTILE}
    odd = statement("odd", actor, verb="https://e.example/" + "v" * 300) | {
        "object": named("https://e.example/x", HOSTILE)
    }
    site.world.send_all([odd | {"source": HOSTILE}])
    site.world.work()

    pages = [
        browser.get(path)
        for path in (
            "/arrivals",
            f"/arrivals/statements/{statement_id('odd')}",
            "/arrivals/course?activity=https://e.example/x",
        )
    ]

    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text
    assert f'<bdi class="beneath">{RIGHT_TO_LEFT}</bdi>' in pages[0].text
    assert len(rows(browser)[0]["who"]) == 300


@pytest.mark.parametrize(
    "target",
    [
        {"objectType": "StatementRef", "id": statement_id("none")},
        {"objectType": "Agent", "mbox": "mailto:other@example.org"},
        {"objectType": "Group", "member": [{"mbox": "mailto:other@example.org"}]},
        {"objectType": "SubStatement", "actor": BOB, "verb": {"id": LAUNCHED}, "object": {"id": GOWNING}},
    ],
    ids=["reference", "agent", "group", "plan"],
)
def test_every_sort_of_object_and_a_group_have_their_line(site, browser, target):
    group = {"objectType": "Group", "member": [ANN, BOB]}
    site.world.send(statement("odd", group) | {"object": target})

    (one,) = rows(browser)

    assert one["who"] == "A group of 2"
    assert one["what"]
    assert browser.get(f"/arrivals/statements/{statement_id('odd')}").status_code == 200


# -- a course ---------------------------------------------------------------------------------------------------------


def test_a_course_says_who_began_finished_and_passed_with_scores(site, browser):
    quiz = "https://vle.example/quiz"
    attempt = {"id": quiz + "?attempt=1", "definition": {"type": "http://adlnet.gov/expapi/activities/attempt"}}
    around = {"contextActivities": {"parent": [{"id": quiz}]}}
    score = {"score": {"raw": 95, "min": 0, "max": 100}, "completion": True, "success": True}
    site.world.send(
        statement("a", ANN | {"name": "Ann"}, verb=COMPLETED, context=around) | {"object": attempt, "result": score}
    )
    site.world.send(statement("b", BOB, verb=LAUNCHED) | {"object": named(quiz, "The quiz"), "result": {}})
    eve = {"mbox": "mailto:eve@example.org"}
    failed = {"score": {"raw": 15, "min": 0, "max": 100}, "success": False}
    site.world.send(
        statement("c", eve, verb="http://adlnet.gov/expapi/verbs/failed") | {"object": {"id": quiz}, "result": failed}
    )
    dan = {"mbox": "mailto:dan@example.org"}
    inside = {"contextActivities": {"parent": [{"id": "https://vle.example/page"}, {"id": quiz}]}}
    site.world.send(
        statement("d", dan, verb=COMPLETED, context=inside)
        | {"object": {"id": "https://vle.example/page/1"}, "result": {}}
    )

    page = browser.get(f"/arrivals/course?activity={quiz}")
    found = {
        one["known"]: (one["state"], one["score"])
        for one in browser.get(f"/arrivals/course.json?activity={quiz}").json()
    }
    passed = browser.get(f"/arrivals/course.csv?activity={quiz}&state=passed").text

    assert found == {
        "ann@example.org": ("passed", 95.0),
        "bob@example.org": ("began", None),
        "eve@example.org": ("failed", 15.0),
        "dan@example.org": ("began", None),
    }
    assert "Began 4 Finished 1 Passed 1 Did not pass 1" in text_of(page)
    assert '<svg class="chart"' in page.text
    assert "90 to 100" in page.text
    assert ("Ann" in passed, "Bob" in passed) == (True, False)
    address = link(page, "Ann")
    assert parse_qs(urlsplit(address).query)["activity"] == [quiz]
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize(("most", "size", "seen"), [(4, 16 << 20, 4), (5_000, 1, 1)])
def test_of_a_course_that_has_more_the_newest_of_all_sources_are_looked_at_and_the_page_says_so(
    site, browser, monkeypatch, most, size, seen
):
    for number in range(6):
        source = ("vle", "centre")[number % 2]
        actor = {"mbox": f"mailto:l{number}@example.org"}
        site.world.send(statement(f"n{number}", actor, activity="https://vle.example/c"), source=source)
    monkeypatch.setattr(course, "LOOKED_AT", most)
    monkeypatch.setattr(course, "MOST_BYTES", size)
    author = member(site, ("author", "vle"), ("author", "centre"))

    for one in (browser, author):
        found = one.get("/arrivals/course.json?activity=https://vle.example/c").json()
        page = text_of(one.get("/arrivals/course?activity=https://vle.example/c"))

        assert {row["known"] for row in found} == {f"l{number}@example.org" for number in range(6 - seen, 6)}
        assert f"the newest {seen} statements" in page


def test_a_course_that_nobody_began_and_none_at_all(browser):
    page = browser.get("/arrivals/course?activity=https://vle.example/none")

    assert "Nobody yet" in text_of(page)
    assert "<svg" not in page.text
    assert browser.get("/arrivals/course").headers["location"] == "/arrivals"


def test_refusals_at_the_same_moment_as_statements_stand_once(site, browser):
    now = site.world.clock() // 1_000_000
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    for _ in range(3):
        refuse(site, "vle", at)

    assert len(rows(browser)) == 3
    assert isinstance(kept_refusals.refusals_of(site.tenant.store, "vle").newest[0], Refusal)
